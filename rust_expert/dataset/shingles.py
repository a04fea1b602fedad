"""Runs of words or tokens as 64-bit numbers, for thousands of texts at once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Shingles:
    """The runs of n words of each text, one after another.

    `hashes[offsets[i]:offsets[i + 1]]` are those of text i, by place: run j starts at word j.
    """

    hashes: Hashes
    offsets: NDArray[np.int64]

    def of(self, text: int) -> Hashes:
        """The hashes of one text by place, repeats included."""
        return self.hashes[self.offsets[text] : self.offsets[text + 1]]


class WordHash:
    """A 64-bit number for each word that does not depend on the process or on other words."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, word: str) -> int:
        """The number of `word`."""
        number = self._known.get(word)
        if number is None:
            digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            number = self._known[word] = int.from_bytes(digest, "little")
        return number


def shingles_of(texts: Sequence[Sequence[str]], size: int, number: WordHash | None = None) -> Shingles:
    """The hashed runs of `size` words of each text; a text shorter than that has none."""
    number = number or WordHash()
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    flat = np.fromiter(
        (number(word) for text in texts for word in text), dtype=np.uint64, count=int(lengths.sum())
    )
    counts = np.maximum(lengths - size + 1, 0)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    starts = np.concatenate(([0], np.cumsum(lengths)))[:-1]
    # The place in `flat` where each run starts: the text's start plus the run's place in its text.
    places = np.arange(int(offsets[-1])) + np.repeat(starts - offsets[:-1], counts)
    hashes = np.zeros(len(places), dtype=np.uint64)
    for step in range(size):
        hashes = _mix(hashes * _MULTIPLIER + flat[places + step])
    return Shingles(hashes, offsets)


def _mix(value: Hashes) -> Hashes:
    """Spread the bits, so that the same words in another order differ everywhere (as splitmix64 ends)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return value ^ (value >> np.uint64(27))


def jaccard(first: Hashes, second: Hashes) -> float:
    """Shared over all, of two sorted arrays without repeats; two empty ones have nothing in common (0.0)."""
    both = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - both
    return both / union if union else 0.0

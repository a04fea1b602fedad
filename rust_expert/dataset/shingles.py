"""Runs of words or tokens as 64-bit numbers, for thousands of texts at once."""

from collections.abc import Sequence

import numpy as np

from rust_expert.dataset.joined import Hashes, Joined, mixed
from rust_expert.dataset.tokenised import Stream

_MULTIPLIER = np.uint64(0xD6E8FEB86659FD93)
_AT_ONCE = 1 << 16


def listed_stream(texts: Sequence[Sequence[str]]) -> Stream:
    """The words of texts that are lists of words."""
    numbers: dict[str, int] = {}
    flat = [numbers.setdefault(word, len(numbers)) for text in texts for word in text]
    joined = Joined(list(numbers))
    hashes = joined.hashes(joined.starts, joined.ends - joined.starts)
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    return Stream(hashes[np.array(flat, dtype=np.int64)], np.concatenate(([0], np.cumsum(lengths))))


def shingles_of(texts: Sequence[Sequence[str]], size: int) -> Stream:
    """The runs of `size` words of each text; run j starts at word j, a shorter text has none."""
    return runs_of(listed_stream(texts), size)


def runs_of(stream: Stream, size: int) -> Stream:
    """The runs of `size` tokens of each text; run j starts at token j, a shorter text has none."""
    counts = stream.counts()
    whole = np.ones(max(len(stream.hashes) - size + 1, 0), dtype=np.bool_)
    # A run may not go on into the next text: the last size - 1 tokens of each begin none.
    for back in range(1, size):
        late = stream.offsets[1:][counts >= back] - back
        whole[late[late < len(whole)]] = False
    kept = np.concatenate(([0], np.cumsum(np.maximum(counts - size + 1, 0))))
    return Stream(all_runs(stream.hashes, size)[whole], kept)


def all_runs(hashes: Hashes, size: int) -> Hashes:
    """The numbers of all runs of `size` tokens, whether one text ends within it or not."""
    count = max(len(hashes) - size + 1, 0)
    found = np.zeros(count, dtype=np.uint64)
    for first in range(0, count, _AT_ONCE):
        part = found[first : first + _AT_ONCE]
        for step in range(size):
            part *= _MULTIPLIER
            part += hashes[first + step : first + step + len(part)]
        part[:] = mixed(part)
    return found


def jaccard(first: Hashes, second: Hashes) -> float:
    """Shared over all, of two sorted arrays without repeats; two empty ones have nothing in common (0.0)."""
    both = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - both
    return both / union if union else 0.0

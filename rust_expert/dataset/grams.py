"""Long runs of words that two texts share: the sign of a copy, wherever it was moved."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rust_expert.dataset.lexing import words
from rust_expert.dataset.rust_words import BOILERPLATE
from rust_expert.dataset.shingles import WordHash, shingles_of


@dataclass(frozen=True)
class Shared:
    """A run of words that text number `text` shares with problem number `problem`."""

    text: int
    problem: int
    run: str


def is_telling(word: str) -> bool:
    """Whether a word says something about its text: no number, no word of the language or its library."""
    return word not in BOILERPLATE and not word[0].isdigit()


class GramIndex:
    """The runs of `size` words in the problems' texts; runs of numbers and boilerplate alone are left out."""

    def __init__(self, problems: Sequence[Sequence[str]], size: int) -> None:
        """`problems` holds the texts of each problem."""
        self._size = size
        self._number = WordHash()
        self._told: dict[str, bool] = {}
        split = [(problem, words(text)) for problem, texts in enumerate(problems) for text in texts]
        shingles = shingles_of([text for _, text in split], size, self._number)
        telling = self._telling([text for _, text in split])
        self._where: dict[int, tuple[int, str]] = {}
        for row, (problem, text) in enumerate(split):
            start = int(shingles.offsets[row])
            for place, run in enumerate(shingles.of(row).tolist()):
                if telling[start + place]:
                    self._where.setdefault(run, (problem, " ".join(text[place : place + size])))
        self._hashes = np.fromiter(sorted(self._where), dtype=np.uint64, count=len(self._where))

    def _telling(self, texts: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
        """For each run of each text, in order, whether a telling word is in it."""
        known = self._told
        parts: list[NDArray[np.bool_]] = []
        for text in texts:
            if len(text) < self._size:
                continue
            for word in text:
                if word not in known:
                    known[word] = is_telling(word)
            sums = np.concatenate(([0], np.cumsum([known[word] for word in text])))
            parts.append(sums[self._size :] > sums[: -self._size])
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)

    def shared(self, texts: Sequence[str]) -> list[Shared]:
        """The first run that each text shares with a problem, for the texts that share one, in order."""
        if not len(self._hashes):
            return []
        split = [words(text) for text in texts]
        shingles = shingles_of(split, self._size, self._number)
        hits = np.flatnonzero(np.isin(shingles.hashes, self._hashes))
        rows = np.searchsorted(shingles.offsets, hits, side="right") - 1
        found: dict[int, Shared] = {}
        for hit, row in zip(hits.tolist(), rows.tolist(), strict=True):
            place = hit - int(shingles.offsets[row])
            problem, run = self._where[int(shingles.hashes[hit])]
            # Two runs could share a 64-bit number: the words decide.
            if row not in found and " ".join(split[row][place : place + self._size]) == run:
                found[row] = Shared(row, problem, run)
        return list(found.values())

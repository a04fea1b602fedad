"""Long runs of words that two texts share: the sign of a copy, wherever it was moved."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rust_expert.dataset.joined import Hashes
from rust_expert.dataset.lexing import words
from rust_expert.dataset.rust_words import BOILERPLATE
from rust_expert.dataset.shingles import shingles_of
from rust_expert.dataset.sightings import Sightings


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
        self.size = size
        split = [(problem, words(text)) for problem, texts in enumerate(problems) for text in texts]
        shingles = shingles_of([text for _, text in split], size)
        telling = {word for word in {word for _, text in split for word in text} if is_telling(word)}
        self._where: dict[int, tuple[int, list[str], int]] = {}
        for row, (problem, text) in enumerate(split):
            last = -1  # the last telling word so far
            runs = shingles.of(row).tolist()
            for place, word in enumerate(text):
                if word in telling:
                    last = place
                if (first := place - size + 1) >= 0 and last >= first:
                    self._where.setdefault(runs[first], (problem, text, first))

    def runs(self) -> Hashes:
        """The numbers of all runs."""
        return np.fromiter(self._where, dtype=np.uint64, count=len(self._where))

    def shared(self, texts: Sequence[str], seen: Sightings) -> list[Shared]:
        """The first run that each text shares with a problem, for the texts that share one, in order.

        `seen` are the `sightings_in` the texts; what else was looked for with these runs makes no difference.
        """
        return [
            found for text in sorted(seen.runs) if (found := self._first(text, texts[text], seen.runs[text]))
        ]

    def _first(self, number: int, text: str, runs: Sequence[tuple[int, int]]) -> Shared | None:
        split: list[str] = []
        for run, place in runs:
            if (known := self._where.get(run)) is not None:
                split = split or words(text)
                problem, written, first = known
                shared = written[first : first + self.size]
                # Two runs could share a 64-bit number: the words decide.
                if split[place : place + self.size] == shared:
                    return Shared(number, problem, " ".join(shared))
        return None

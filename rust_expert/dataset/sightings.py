"""What many texts have in common with known ones, in one pass over their bytes: runs of words, questions, functions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rust_expert.dataset.joined import WORD, Hashes, Places, among, parts_of
from rust_expert.dataset.outlines import FN, Outlines
from rust_expert.dataset.shingles import all_runs
from rust_expert.dataset.tokenised import edges_of, word_stream

_FEWEST_BITS = 12


@dataclass(frozen=True)
class Wanted:
    """What is looked for: runs of `size` words, texts whose words have these sums, and functions of these outlines."""

    size: int
    runs: Hashes
    questions: Hashes = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    outlines: Outlines = field(default_factory=lambda: Outlines([]))


@dataclass
class Sightings:
    """What was seen, by the numbers of the texts.

    `runs`: for each text the numbers of the wanted runs in it and the words at which they begin, in order. `questions`
    and `outlined`: texts that may be a question, or hold a function; none that is or does is missing.
    """

    runs: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    questions: set[int] = field(default_factory=set)
    outlined: set[int] = field(default_factory=set)


def sums_of_words(texts: Sequence[str]) -> list[int]:
    """For each text a number that texts of the same words share."""
    stream = word_stream(texts)
    sums: list[int] = stream.sums(stream.hashes).tolist()
    return sums


def sightings_in(texts: Sequence[str], wanted: Wanted) -> Sightings:
    """What the texts hold of what is wanted."""
    seen = Sightings()
    may_be = _Sieve(wanted.runs)
    for first, joined in parts_of(texts):
        starts, ends = edges_of(joined.classes() == WORD)
        hashes = joined.hashes(starts, ends - starts)
        borders = np.append(np.searchsorted(starts, joined.starts), len(starts))
        runs = all_runs(hashes, wanted.size)
        hits = may_be.kept(runs)
        owners = np.searchsorted(borders, hits, side="right") - 1
        whole = hits + wanted.size <= borders[owners + 1]
        for hit, owner in zip(hits[whole].tolist(), owners[whole].tolist(), strict=True):
            seen.runs.setdefault(first + owner, []).append((int(runs[hit]), hit - int(borders[owner])))
        if len(wanted.questions):
            sums = np.append(np.zeros(1, dtype=np.uint64), np.cumsum(hashes, dtype=np.uint64))
            asked = among(sums[borders[1:]] - sums[borders[:-1]], wanted.questions)
            seen.questions.update((first + np.flatnonzero(asked)).tolist())
        functions = starts[hashes == FN]
        known = functions[wanted.outlines.found_in(joined, functions)]
        seen.outlined.update((first + np.searchsorted(joined.ends, known)).tolist())
    return seen


class _Sieve:
    """Finds the few of many numbers that are wanted."""

    def __init__(self, wanted: Hashes) -> None:
        self._wanted = np.unique(wanted)
        bits = max(_FEWEST_BITS, (16 * len(wanted)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, dtype=np.bool_)
        self._table[self._wanted >> self._shift] = True

    def kept(self, numbers: Hashes) -> Places:
        """The places of the wanted numbers, in order."""
        places = np.flatnonzero(self._table[numbers >> self._shift])
        return places[among(numbers[places], self._wanted)]

"""Near duplicates among rows: MinHash in bands proposes, the exact Jaccard similarity decides.

Source: Broder 1997 (MinHash); Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4 (bands).
"""

from collections import defaultdict
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from rust_expert.common.config.dataset import CleanOptions
from rust_expert.dataset.answers import Answers
from rust_expert.dataset.joined import Hashes, Places, mixed
from rust_expert.dataset.shingles import jaccard, runs_of
from rust_expert.dataset.tokenised import Stream

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class NearIndex:
    """Finds near duplicates among the rows of `answers`.

    Rows of the curriculum take no part, nor do rows shorter than `near_min_tokens`: among them chance alone makes
    likeness. With `parted`, a row is only compared with rows of the other side (True or False, one for each row) and of
    any lesson, else with rows of its own lesson. `rows` are those that may be alike to another one at all, in order.
    """

    def __init__(
        self, answers: Answers, options: CleanOptions, parted: NDArray[np.bool_] | None = None
    ) -> None:
        self._threshold = options.near_threshold
        self._lessons = answers.lessons
        self._any_lesson = parted is not None
        from_crates = np.array([sample.combination is None for sample in answers.samples], dtype=np.bool_)
        least = max(options.near_min_tokens, options.near_shingle)
        rows = np.flatnonzero(from_crates & (answers.lengths() >= least))
        shingles = runs_of(answers.tokens(rows), options.near_shingle)
        alike = _may_be_alike(shingles, self._tags(rows, parted), parted is not None, self._threshold)
        rows, shingles = rows[alike], shingles.take(np.flatnonzero(alike))
        self.rows: list[int] = rows.tolist()
        self._numbers = {row: place for place, row in enumerate(self.rows)}
        self._shingles = shingles
        self._sets: dict[int, Hashes] = {}
        self._keys = _shared_bands(_signatures(shingles, options.permutations), options.bands)
        self._buckets: dict[int, list[int]] = defaultdict(list)

    def _tags(self, rows: Places, parted: NDArray[np.bool_] | None) -> Hashes:
        """A number for each row that says which rows it is compared with."""
        if parted is not None:
            return parted[rows].astype(np.uint64)
        numbers: dict[str, int] = {}
        return np.array(
            [numbers.setdefault(self._lessons[row], len(numbers)) for row in rows.tolist()], dtype=np.uint64
        )

    def nearest(self, row: int) -> tuple[int, float] | None:
        """The added row most like `row`; None where none reaches the threshold."""
        proposed: set[int] = set()
        for key in self._keys_of(row):
            proposed.update(self._buckets.get(key, ()))
        best: tuple[int, float] | None = None
        for other in sorted(proposed):
            if other == row or not (self._any_lesson or self._lessons[other] == self._lessons[row]):
                continue
            likeness = jaccard(self._set(row), self._set(other))
            if likeness >= self._threshold and (best is None or likeness > best[1]):
                best = other, likeness
        return best

    def add(self, row: int) -> None:
        """Let later rows be compared with this one."""
        for key in self._keys_of(row):
            self._buckets[key].append(row)

    def _keys_of(self, row: int) -> list[int]:
        number = self._numbers.get(row)
        return [] if number is None else self._keys[number]

    def _set(self, row: int) -> Hashes:
        if row not in self._sets:
            self._sets[row] = np.unique(self._shingles.of(self._numbers[row]))
        return self._sets[row]


def _signatures(shingles: Stream, permutations: int) -> NDArray[np.uint32]:
    """For each row its signature."""
    if not len(shingles.hashes):
        return np.zeros((len(shingles.offsets) - 1, permutations), dtype=np.uint32)
    offsets = shingles.offsets.astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(shingles.hashes, offsets, permutations, 1)
    flat = chain.from_iterable(matrix.to_rows())
    return np.fromiter(flat, dtype=np.uint32, count=(len(offsets) - 1) * permutations).reshape(
        -1, permutations
    )


def _shared_bands(signatures: NDArray[np.uint32], bands: int) -> list[list[int]]:
    """For each row the numbers of those of its bands that another row has too."""
    parts = signatures.reshape(len(signatures), bands, signatures.shape[1] // bands)
    numbers = np.broadcast_to(np.arange(bands, dtype=np.uint64), parts.shape[:2])
    for step in range(parts.shape[2]):
        numbers = mixed(numbers * _MULTIPLIER + parts[:, :, step])
    _, number, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    found: list[list[int]] = [[] for _ in signatures]
    number = number.reshape(parts.shape[:2])
    rows, columns = np.nonzero(counts[number] > 1)
    for row, key in zip(rows.tolist(), number[rows, columns].tolist(), strict=True):
        found[row].append(key)
    return found


def _may_be_alike(shingles: Stream, tags: Hashes, apart: bool, threshold: float) -> NDArray[np.bool_]:
    """Which rows can reach the threshold with any other row at all.

    Two sets that do share at least `threshold` of each (Chaudhuri et al. 2006, prefix filters): a row of whose runs
    more than the rest stands nowhere else is alike to none. Rows count where their tags are equal or, with `apart`,
    different. Runs are counted by a part of their number, so that a chance hit keeps a row in, never out.
    """
    counts = shingles.counts()
    if not len(shingles.hashes):
        return counts > 0
    bits = max(10, (2 * len(shingles.hashes)).bit_length())
    shift = np.uint64(64 - bits)
    own = np.repeat(tags, counts)
    if apart:
        slots = shingles.hashes >> shift
        there = np.zeros((2, 1 << bits), dtype=np.bool_)
        there[own, slots] = True
        shared = there[1 - own, slots]
    else:
        slots = mixed(shingles.hashes ^ own * _MULTIPLIER) >> shift
        shared = _twice(slots, 1 << bits)
    alone = shingles.sums((~shared).astype(np.uint64)).astype(np.int64)
    alike: NDArray[np.bool_] = alone <= (1 - threshold) * counts + 1e-6
    return alike & (counts > 0)


def _twice(slots: Hashes, size: int) -> NDArray[np.bool_]:
    """Which of the numbers below `size` stand there more than once."""
    places = np.arange(len(slots), dtype=np.int32)
    last = np.zeros(size, dtype=np.int32)
    last[slots] = places
    again = np.zeros(size, dtype=np.bool_)
    again[slots[last[slots] != places]] = True
    found: NDArray[np.bool_] = again[slots]
    return found

"""Exact and near duplicates among samples.

What is compared (docs/decisions/030-what-counts-as-a-duplicate.md):
- rows of different task types never drop each other: the same function may be written, repaired and
explained;
- rows from crates are compared by their answer; repairs and rewrites of another kind are other lessons;
- rows of the curriculum are compared by question and answer, exactly: their likeness is by design.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rust_expert.common.config.dataset import CleanOptions
from rust_expert.common.contracts import Sample
from rust_expert.dataset.answers import Answers
from rust_expert.dataset.near import NearIndex


@dataclass(frozen=True)
class Duplicate:
    """A row that was dropped for another: ids, and how alike the two are (1.0 for exact ones)."""

    dropped: str
    kept: str
    similarity: float


def place_of(sample: Sample) -> tuple[object, ...]:
    """The order of rows: documented ones first, then by origin. Of duplicates the first stays."""
    span = sample.span or [0, 0]
    return (
        not sample.doc,
        sample.source_crate or "",
        sample.source_version or "",
        sample.source_file or "",
        tuple(span),
        sample.id,
    )


def answers_of(samples: Iterable[Sample]) -> Answers:
    """The answers of rows in the order of `place_of`."""
    return Answers(sorted(samples, key=place_of))


def without_exact(answers: Answers) -> tuple[Answers, list[Duplicate]]:
    """Keep the first row of each key and of each id."""
    first: dict[object, str] = {}
    ids: set[str] = set()
    kept: list[int] = []
    dropped: list[Duplicate] = []
    for place, sample in enumerate(answers.samples):
        key = answers.exact_key(place)
        if key in first or sample.id in ids:
            dropped.append(Duplicate(sample.id, first.get(key, sample.id), 1.0))
        else:
            first[key] = sample.id
            ids.add(sample.id)
            kept.append(place)
    return answers.take(kept), dropped


def without_near(answers: Answers, options: CleanOptions) -> tuple[Answers, list[Duplicate]]:
    """Drop each row from a crate that is a near duplicate of an earlier kept one with the same lesson.

    Greedy, in the order of the rows; rows of the curriculum pass through.
    """
    index = NearIndex(answers, options)
    dropped: dict[int, Duplicate] = {}
    for place in index.rows:
        found = index.nearest(place)
        if found is None:
            index.add(place)
        else:
            dropped[place] = _duplicate(answers, place, found)
    return answers.take([place for place in range(len(answers.samples)) if place not in dropped]), list(
        dropped.values()
    )


def without_leaks(answers: Answers, options: CleanOptions) -> tuple[Answers, list[Duplicate]]:
    """Drop each validation row whose answer duplicates a training row's, exactly or nearly, of any task type.

    Near duplicates are looked for among rows from crates, exact ones among all. Every row has its split.
    """
    held = np.array([sample.split == "val" for sample in answers.samples], dtype=np.bool_)
    trained: dict[object, str] = {}
    for place in np.flatnonzero(~held).tolist():
        trained.setdefault(answers.keys[place], answers.samples[place].id)
    dropped: dict[int, Duplicate] = {}
    for place in np.flatnonzero(held).tolist():
        if (known := trained.get(answers.keys[place])) is not None:
            dropped[place] = Duplicate(answers.samples[place].id, known, 1.0)
    index = NearIndex(answers, options, held)
    for place in index.rows:
        if not held[place]:
            index.add(place)
    for place in index.rows:
        if held[place] and place not in dropped and (found := index.nearest(place)) is not None:
            dropped[place] = _duplicate(answers, place, found)
    return answers.take([place for place in range(len(answers.samples)) if place not in dropped]), list(
        dropped.values()
    )


def _duplicate(answers: Answers, place: int, found: tuple[int, float]) -> Duplicate:
    return Duplicate(answers.samples[place].id, answers.samples[found[0]].id, found[1])

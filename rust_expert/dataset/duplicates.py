"""Exact and near duplicates among samples.

What is compared (docs/decisions/030-what-counts-as-a-duplicate.md):
- rows of different task types never drop each other: the same function may be written, repaired and
explained;
- rows from crates are compared by their answer; repairs and rewrites of another kind are other lessons;
- rows of the curriculum are compared by question and answer, exactly: their likeness is by design.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rensa import RMinHash

from rust_expert.common.config.dataset import CleanOptions
from rust_expert.common.contracts import Sample
from rust_expert.dataset.lexing import code_tokens, words
from rust_expert.dataset.normal import plain_code, plain_text
from rust_expert.dataset.shingles import Hashes, jaccard, shingles_of

_ERROR_CODE = re.compile(r"E\d{4}")


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


def answer_key(sample: Sample) -> str:
    """The answer after normalisation: white space for prose; white space and comments for code."""
    return plain_text(sample.gen) if sample.is_prose else plain_code(sample.gen)


def lesson_of(sample: Sample) -> str:
    """What a row from a crate teaches: its task type, and for pairs the kind of change.

    The change is named by the third part of the template (`error_fixing/2/argument dropped`), else by the
    compiler's codes among the claims.
    """
    _, _, change = (sample.template or "").partition("/")[2].partition("/")
    codes = sorted({code for claim in sample.verified for code in _ERROR_CODE.findall(claim)})
    return "/".join([sample.task_type or "unnamed", *([change] if change else codes)])


def exact_key(sample: Sample) -> tuple[str, ...]:
    """Rows of equal key are exact duplicates.

    The prompt keeps its comments: in the HumanEval form the doc comment is the question.
    """
    if sample.combination is not None:
        return ("curriculum", sample.task_type or "", plain_text(sample.prompt), answer_key(sample))
    return ("other", lesson_of(sample), answer_key(sample))


def drop_exact(samples: Iterable[Sample]) -> tuple[list[Sample], list[Duplicate]]:
    """Keep the first row of each key and of each id, in the order of `place_of`."""
    first: dict[tuple[str, ...], str] = {}
    ids: set[str] = set()
    kept: list[Sample] = []
    dropped: list[Duplicate] = []
    for sample in sorted(samples, key=place_of):
        key = exact_key(sample)
        if key in first or sample.id in ids:
            dropped.append(Duplicate(sample.id, first.get(key, sample.id), 1.0))
        else:
            first[key] = sample.id
            ids.add(sample.id)
            kept.append(sample)
    return kept, dropped


class NearIndex:
    """Finds near duplicates among rows: MinHash in bands proposes, the exact Jaccard similarity decides.

    Source: Broder 1997 (MinHash); Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4 (bands). Rows
    shorter than `near_min_tokens` take no part: among them chance alone makes likeness.
    """

    def __init__(self, samples: Sequence[Sample], options: CleanOptions) -> None:
        self._threshold = options.near_threshold
        self._lessons = [lesson_of(sample) for sample in samples]
        texts = [_answer_tokens(sample) for sample in samples]
        shingles = shingles_of(texts, options.near_shingle)
        self._sets: list[Hashes] = [np.unique(shingles.of(row)) for row in range(len(samples))]
        compared = [
            row
            for row, text in enumerate(texts)
            if len(text) >= options.near_min_tokens and len(self._sets[row]) > 0
        ]
        self._bands: dict[int, list[bytes]] = dict(
            zip(compared, _band_keys([self._sets[row] for row in compared], options), strict=True)
        )
        self._buckets: list[dict[bytes, list[int]]] = [defaultdict(list) for _ in range(options.bands)]

    def nearest(self, row: int, any_lesson: bool = False) -> tuple[int, float] | None:
        """The added row most like `row`, of its lesson or of any; None where none reaches the threshold."""
        proposed: set[int] = set()
        for bucket, key in zip(self._buckets, self._bands.get(row, ()), strict=False):
            proposed.update(bucket.get(key, ()))
        best: tuple[int, float] | None = None
        for other in sorted(proposed):
            if other == row or not (any_lesson or self._lessons[other] == self._lessons[row]):
                continue
            likeness = jaccard(self._sets[row], self._sets[other])
            if likeness >= self._threshold and (best is None or likeness > best[1]):
                best = other, likeness
        return best

    def add(self, row: int) -> None:
        """Let later rows be compared with this one."""
        for bucket, key in zip(self._buckets, self._bands.get(row, ()), strict=False):
            bucket[key].append(row)


def _answer_tokens(sample: Sample) -> list[str]:
    if sample.is_prose:
        return words(sample.gen.lower())
    return [token for _, token in code_tokens(sample.gen)]


def _band_keys(sets: Sequence[Hashes], options: CleanOptions) -> list[list[bytes]]:
    """For each row the bytes of its signature's bands."""
    if not sets:
        return []
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in sets]))).astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        np.concatenate(sets), offsets, options.permutations, 1
    )
    signatures = np.asarray(matrix.to_rows(), dtype=np.uint32)
    width = options.permutations // options.bands
    return [
        [line[start : start + width].tobytes() for start in range(0, options.permutations, width)]
        for line in signatures
    ]


def drop_near(samples: Sequence[Sample], options: CleanOptions) -> tuple[list[Sample], list[Duplicate]]:
    """Drop each row from a crate that is a near duplicate of an earlier kept one with the same lesson.

    Greedy, in the order of `place_of`; rows of the curriculum pass through.
    """
    ordered = sorted(samples, key=place_of)
    compared = [sample for sample in ordered if sample.combination is None]
    index = NearIndex(compared, options)
    dropped: dict[str, Duplicate] = {}
    for row, sample in enumerate(compared):
        found = index.nearest(row)
        if found is None:
            index.add(row)
        else:
            dropped[sample.id] = Duplicate(sample.id, compared[found[0]].id, found[1])
    return [sample for sample in ordered if sample.id not in dropped], list(dropped.values())


def drop_across_split(
    samples: Sequence[Sample], options: CleanOptions
) -> tuple[list[Sample], list[Duplicate]]:
    """Drop each validation row whose answer duplicates a training row's, exactly or nearly, of any task type.

    Near duplicates are looked for among rows from crates, exact ones among all. Every row has its split.
    """
    ordered = sorted(samples, key=place_of)
    trained: dict[str, str] = {}
    for sample in ordered:
        if sample.split == "train":
            trained.setdefault(answer_key(sample), sample.id)
    compared = [sample for sample in ordered if sample.combination is None]
    index = NearIndex(compared, options)
    for row, sample in enumerate(compared):
        if sample.split == "train":
            index.add(row)
    dropped: dict[str, Duplicate] = {}
    for sample in ordered:
        if sample.split == "val" and (known := trained.get(answer_key(sample))) is not None:
            dropped[sample.id] = Duplicate(sample.id, known, 1.0)
    for row, sample in enumerate(compared):
        if sample.split == "val" and sample.id not in dropped:
            found = index.nearest(row, any_lesson=True)
            if found is not None:
                dropped[sample.id] = Duplicate(sample.id, compared[found[0]].id, found[1])
    return [sample for sample in ordered if sample.id not in dropped], list(dropped.values())

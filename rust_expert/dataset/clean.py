"""Cleaning: from all samples to those worth training on, with an account of every row that went."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rust_expert.common.config.dataset import CleanOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_text
from rust_expert.common.tables import read_jsonl, read_parquet
from rust_expert.dataset.alpha import alpha_stream
from rust_expert.dataset.decontamination import Match, Rows, Suite, SuiteIndex
from rust_expert.dataset.duplicates import Duplicate, answers_of, without_exact, without_leaks, without_near
from rust_expert.dataset.funnel import Funnel
from rust_expert.dataset.privacy import without_private
from rust_expert.dataset.shingles import listed_stream
from rust_expert.dataset.similarity import closest, distribution
from rust_expert.dataset.split import assign_split

log = logging.getLogger(__name__)

_SHOWN_DUPLICATES = 200
"""Near duplicates listed in the funnel; their number is always whole."""


@dataclass(frozen=True)
class Cleaned:
    """The rows that are left, and the three reports."""

    samples: list[Sample]
    privacy: dict[str, Any]
    decontamination: dict[str, Any]
    funnel: dict[str, Any]


def read_samples(paths: Sequence[str]) -> list[Sample]:
    """Read Parquet or JSONL files of samples; rows without an id get theirs.

    Raises UserError naming file and row.
    """
    samples: list[Sample] = []
    for path in paths:
        if path.endswith(".jsonl"):
            rows = read_jsonl(path, Sample)
        elif path.endswith(".parquet"):
            rows = read_parquet(path, Sample)
        else:
            raise UserError(f"{path}: samples are read from .parquet and .jsonl files; convert this one")
        samples += [row if row.id else _with_id(row) for row in rows]
    return samples


def _with_id(row: Sample) -> Sample:
    return row.model_copy(update={"id": sha256_text(row.prompt + "\0" + row.gen)})


def clean(samples: Sequence[Sample], suites: Sequence[Suite], options: CleanOptions) -> Cleaned:
    """Remove empty answers, secrets, duplicates and rows that give a problem away; then part training from validation.

    The result is sorted by origin; it depends on the rows and options alone, not on the order they come in.
    """
    funnel = Funnel(samples)
    kept = [sample for sample in samples if sample.gen.strip()]
    funnel.step("empty answers", kept)
    kept, privacy = without_private(kept, options)
    funnel.step("secrets and personal data", kept)
    log.info("%d rows with secrets or personal data, %d left", privacy["removed"], len(kept))
    answers, exact = without_exact(answers_of(kept))
    funnel.step("exact duplicates", answers.samples)
    log.info("%d exact duplicates, %d rows left", len(exact), len(answers.samples))
    answers, near = without_near(answers, options)
    funnel.step("near duplicates", answers.samples, examples=_listed(near))
    log.info("%d near duplicates, %d rows left", len(near), len(answers.samples))
    kept, report = decontaminate(answers.samples, suites, options.gram_words)
    funnel.step("decontamination", kept)
    log.info("%d rows gave a problem away, %d left", report["removed"], len(kept))
    answers = answers.only(kept)
    answers = answers.with_samples(assign_split(kept, options.val_fraction, options.seed))
    answers, leaks = without_leaks(answers, options)
    funnel.step("duplicates across the split", answers.samples, examples=_listed(leaks))
    log.info("%d validation rows too like a training row, %d rows left", len(leaks), len(answers.samples))
    return Cleaned(answers.samples, privacy, report, funnel.report())


def _listed(found: Sequence[Duplicate]) -> list[dict[str, Any]]:
    ordered = sorted(found, key=lambda one: (-one.similarity, one.dropped))[:_SHOWN_DUPLICATES]
    return [
        {"dropped": one.dropped, "kept": one.kept, "similarity": round(one.similarity, 4)} for one in ordered
    ]


def decontaminate(
    samples: Sequence[Sample], suites: Sequence[Suite], gram_words: int
) -> tuple[list[Sample], dict[str, Any]]:
    """The samples that give no problem away, and the account of the others, suite by suite.

    A sample that touches several suites is listed under each of them.
    """
    indexes = [SuiteIndex(suite, gram_words) for suite in suites]
    rows = Rows(samples, indexes)
    matches = [index.matches(rows) for index in indexes]
    gone = {match.row for found in matches for match in found}
    kept = [sample for sample in samples if sample.id not in gone]
    report = {
        "schema": 1,
        "gram_words": gram_words,
        "rows_checked": len(samples),
        "removed": len(gone),
        "suites": {
            index.suite.name: _suite_report(index, found, samples, kept)
            for index, found in zip(indexes, matches, strict=True)
        },
    }
    return kept, report


def _suite_report(
    index: SuiteIndex, found: Sequence[Match], samples: Sequence[Sample], kept: Sequence[Sample]
) -> dict[str, Any]:
    problems = index.suite.problems
    by_id = {sample.id: sample for sample in samples}
    trained = {sample.combination for sample in samples if sample.combination is not None}
    left = {sample.combination for sample in kept if sample.combination is not None}
    report: dict[str, Any] = {
        "problems": len(problems),
        "rows_checked": len(samples),
        "removed": [
            {
                "row": match.row,
                "problem": match.problem,
                "reason": match.reason,
                "matched": match.matched,
                "task_type": by_id[match.row].task_type,
                "source": by_id[match.row].source_crate or by_id[match.row].family,
            }
            for match in found
        ],
        "removed_by_reason": dict(sorted(Counter(match.reason for match in found).items())),
    }
    if index.combinations:
        # The rows that stay are the ones that a model is trained on; both sides of the check are told.
        report["combinations"] = {
            "suite": len(index.combinations),
            "trained": len(left),
            "shared_before_removal": sorted(index.combinations & trained),
            "shared": sorted(index.combinations & left),
        }
        report["similarity"] = distribution(_closest(index, kept))
    return report


def _closest(index: SuiteIndex, kept: Sequence[Sample]) -> list[tuple[str, str, float]]:
    """For each held-out problem the row most like it among those that are left."""
    problems = zip(index.suite.problems, index.tokens, strict=True)
    held_out = [(problem.task_id, tokens) for problem, tokens in problems if problem.combination is not None]
    built = [sample for sample in kept if sample.combination is not None]
    return closest(
        [name for name, _ in held_out],
        listed_stream([tokens for _, tokens in held_out]),
        [sample.id for sample in built],
        alpha_stream([sample.gen for sample in built]),
    )

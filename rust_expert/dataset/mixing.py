"""Drawing one named data set from the cleaned rows: what it takes, how much of what, in which order."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rust_expert.common.config.dataset import DatasetSpec
from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.dataset.funnel import count_by
from rust_expert.dataset.quotas import quotas
from rust_expert.dataset.shards import drawn

log = logging.getLogger(__name__)

_CHECKED = ("compile", "tests pass")
_DOC_MARKS = ("///", "//!", "/**")


@dataclass(frozen=True)
class Mixed:
    """The rows of a data set in training order, and the account of how they were drawn."""

    train: list[Sample]
    val: list[Sample]
    report: dict[str, Any]


def is_curriculum(sample: Sample) -> bool:
    """Whether a row comes from the curriculum; all others count as rows from crates."""
    return sample.source == "curriculum"


def is_checked(sample: Sample) -> bool:
    """Whether the compiler has spoken for the row's answer."""
    return any(mark in claim for claim in sample.verified for mark in _CHECKED)


def is_documented(sample: Sample) -> bool:
    """What the row says of itself, else whether a doc comment stands in its question or answer."""
    if sample.doc is not None:
        return sample.doc
    return any(mark in text for text in (sample.prompt, sample.gen) for mark in _DOC_MARKS)


def refused(sample: Sample, spec: DatasetSpec) -> str | None:
    """Why a data set does not take a row; None where it does. The first reason counts."""
    if is_curriculum(sample):
        if spec.families and sample.family not in spec.families:
            return "other family"
    elif sample.task_type is None or spec.task_mix.get(sample.task_type, 0.0) == 0.0:
        return "task type not in the mix"
    if len(sample.prompt) + len(sample.gen) > spec.max_chars:
        return "too long"
    if spec.strict and sample.task_type != "explanations" and not is_checked(sample):
        return "not checked by the compiler"
    if spec.strict and not is_documented(sample):
        return "not documented"
    return None


def mix(samples: Sequence[Sample], name: str, spec: DatasetSpec) -> Mixed:
    """Draw the data set `name`.

    Rows from crates keep to `task_mix` as exact quotas of `crate_rows`; where a task type has too few rows,
    what is missing is reported and not made up by others. Every draw and the order hang on (seed, name, row
    id) alone.

    Raises UserError for a family that no row has, and where nothing is left to train on.
    """
    _check_families(samples, name, spec)
    reasons: dict[str, Counter[str]] = {"train": Counter(), "val": Counter()}
    passed: dict[str, list[Sample]] = {"train": [], "val": []}
    for sample in samples:
        split = sample.split or "train"
        reason = refused(sample, spec)
        reasons[split][reason or "passed"] += 1
        if reason is None:
            passed[split].append(sample)
    wanted = _wanted(spec)
    train, shortages = _draw(passed["train"], wanted, spec.seed, name, "train")
    if not train:
        raise UserError(
            f"dataset {name}: no row is left to train on (filters: {dict(reasons['train'])}); "
            "ask for other rows or loosen max_chars, strict or families"
        )
    total = sum(wanted.values())
    shares = {kind: count / total for kind, count in wanted.items()}
    val, val_shortages = _draw(passed["val"], quotas(spec.val_rows, shares), spec.seed, name, "val")
    for kind, lack in shortages.items():
        log.warning("dataset %s: %d rows of %s asked for, %d there", name, lack["asked"], kind, lack["found"])
    report = {
        "schema": 1,
        "dataset": name,
        "spec": spec.model_dump(mode="json"),
        "filters": {split: dict(sorted(counts.items())) for split, counts in reasons.items()},
        "shortages": {"train": shortages, "val": val_shortages},
        "train": composition(train),
        "val": composition(val),
    }
    return Mixed(train, val, report)


def _check_families(samples: Sequence[Sample], name: str, spec: DatasetSpec) -> None:
    known = {sample.family for sample in samples if is_curriculum(sample) and sample.family}
    for family in spec.families:
        if spec.curriculum_rows and family not in known:
            raise UserError(
                f"datasets.{name}.families: no row is of family {family}; "
                f"choose among {', '.join(sorted(known))}"
            )


def _wanted(spec: DatasetSpec) -> dict[str, int]:
    """Training rows asked for, by kind: `curriculum`, or a task type of the rows from crates."""
    dealt: dict[str, int] = {
        str(kind): count for kind, count in quotas(spec.crate_rows, spec.task_mix).items()
    }
    return {"curriculum": spec.curriculum_rows, **{kind: count for kind, count in dealt.items() if count}}


def _draw(
    samples: Sequence[Sample], wanted: dict[str, int], seed: int, name: str, split: str
) -> tuple[list[Sample], dict[str, dict[str, int]]]:
    """The rows of each kind, shuffled together, and the kinds that fell short."""
    chosen: list[Sample] = []
    shortages: dict[str, dict[str, int]] = {}
    for kind, count in sorted(wanted.items()):
        found = drawn((s for s in samples if _kind(s) == kind), count, seed, name, "draw")
        if len(found) < count:
            shortages[kind] = {"asked": count, "found": len(found)}
        chosen += found
    return drawn(chosen, None, seed, name, "order"), shortages


def _kind(sample: Sample) -> str:
    return "curriculum" if is_curriculum(sample) else sample.task_type or "unnamed"


def composition(samples: Sequence[Sample]) -> dict[str, Any]:
    """What rows are made of: counts, achieved shares of the task types among rows from crates, characters."""
    crates = [sample for sample in samples if not is_curriculum(sample)]
    types = count_by(crates, lambda sample: sample.task_type)
    return {
        "rows": len(samples),
        "curriculum_rows": len(samples) - len(crates),
        "crate_rows": len(crates),
        "task_types": types,
        "task_shares": {kind: round(count / len(crates), 4) for kind, count in types.items()},
        "families": count_by((s for s in samples if is_curriculum(s)), lambda sample: sample.family),
        "crates": count_by(crates, lambda sample: sample.source_crate),
        "licenses": count_by(crates, lambda sample: sample.license),
        "characters": sum(len(sample.prompt) + len(sample.gen) for sample in samples),
    }

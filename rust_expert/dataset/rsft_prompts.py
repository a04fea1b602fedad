"""Training rows as problems, for a model to answer; never a problem of any suite."""

import logging
from collections.abc import Sequence

from rust_expert.common.contracts import Problem, Sample
from rust_expert.dataset.clean import decontaminate
from rust_expert.dataset.decontamination import Suite
from rust_expert.dataset.shards import drawn

log = logging.getLogger(__name__)


def as_problem(sample: Sample) -> Problem:
    """A training row as a problem. Its prompt may be prose, and its canonical solution is a whole program."""
    return Problem(
        task_id=f"train/{sample.id[:16]}",
        prompt=sample.prompt,
        canonical_solution=sample.gen,
        test=sample.tests or "",
        entry_point=sample.entry_point or "",
        category=sample.family,
        combination=sample.combination,
    )


def training_prompts(
    samples: Sequence[Sample], suites: Sequence[Suite], count: int, seed: int, gram_words: int
) -> list[Problem]:
    """Up to `count` training rows with tests, distinct in their prompts, drawn by a hash of seed and row.

    Cleaning has removed every row that gives a problem away; it is checked once more here, whatever made the
    rows.
    """
    able = [sample for sample in samples if sample.split != "val" and sample.tests and sample.entry_point]
    safe, report = decontaminate(able, suites, gram_words)
    if report["removed"]:
        log.warning("%d training rows give a problem of a suite away and are no prompts", report["removed"])
    distinct: dict[str, Sample] = {}
    for sample in drawn(safe, None, seed, "rsft prompts"):
        distinct.setdefault(sample.prompt, sample)
    chosen = list(distinct.values())[:count]
    if len(chosen) < count:
        log.warning("%d prompts asked for, %d training rows with tests are there", count, len(chosen))
    return [as_problem(sample) for sample in chosen]

"""From files to figures: what `scripts.score` writes, and `scripts.judge --metrics` with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.files import sha256_file
from rust_expert.metrics.score import reachable, score
from rust_expert.metrics.tally import tally


@dataclass(frozen=True)
class Judged:
    """A judged run: its files, their rows, and what it was judged with (None where nobody noted it).

    `excluded` are problems that judge nobody, with the reason, beyond those that the verdicts tell of.
    """

    suite: str
    samples: str
    problems: Sequence[Problem]
    completions: Sequence[Completion]
    verdicts: Sequence[Verdict]
    judge: Mapping[str, Any] | None = None
    excluded: Mapping[str, str] = field(default_factory=dict)


def figures_of(run: Judged, options: ScoreOptions, *, leave_out: bool = False) -> dict[str, Any]:
    """All figures of a run, the hashes of its suite and samples, and what it was judged with.

    With `leave_out`, a k that a problem has too few samples for is left out and listed instead of being an error.
    Raises UserError as `tally` and `score` do.
    """
    answered = {one.task_id for one in run.completions}
    problems = [one for one in run.problems if one.task_id in answered or one.task_id not in run.excluded]
    tallies = tally(problems, run.completions, run.verdicts, options.max_judge_errors)
    tallies = replace(tallies, excluded={**run.excluded, **tallies.excluded})
    left_out: dict[str, str] = {}
    if leave_out:
        kept, left_out = reachable(tallies, options.k)
        options = options.model_copy(update={"k": kept})
    known = run.judge is None or run.judge.get("policy") != "off"
    return {
        **score(tallies, run.completions, options, policy_known=known),
        "k_left_out": left_out,
        "judge": run.judge,
        "suite_sha256": sha256_file(run.suite),
        "samples_sha256": sha256_file(run.samples),
    }

"""The figures of one stage on one suite."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.contracts import Completion, Verdict
from rust_expert.common.errors import UserError
from rust_expert.metrics.bootstrap import mean_interval, ratio_interval
from rust_expert.metrics.passk import pass_at_k
from rust_expert.metrics.tally import Tallies, Tally

SCHEMA = 1
_MOST_CODES = 20


def score(tallies: Tallies, completions: Sequence[Completion], options: ScoreOptions) -> dict[str, Any]:
    """All figures as JSON-able values; every share with its interval.

    `compile_rate` is over all samples. `prefiltered_compile_rate` leaves out samples without code and those
    the policy stopped, as others publish it; it is not comparable with the first.

    Raises UserError where a k is more than the samples of a problem, and where the judge failed on every
    sample.
    """
    counted = [tally for tally in tallies.problems if tally.samples]
    if not counted:
        raise UserError(
            "there is nothing to score: the judge failed on every sample, or no problem of the suite can judge"
        )
    verdicts = [verdict for tally in tallies.problems for verdict in tally.verdicts]
    judged = [verdict for verdict in verdicts if verdict.status != "judge_error"]
    figures: dict[str, Any] = {
        "schema": SCHEMA,
        "problems": len(tallies.problems),
        "problems_excluded": tallies.excluded,
        "samples": len(verdicts),
        "samples_judged": tallies.samples,
        "judge_errors": _judge_errors(tallies, options),
        "compile_rate": compile_rate(counted, options),
        "prefiltered_compile_rate": _prefiltered(counted, options),
        "statuses": tallies.statuses(),
        "error_codes": _most(Counter(code for one in judged for code in set(one.error_codes))),
        "lints": _lints(judged),
        "clippy_warnings": _mean(judged, lambda one: one.clippy_warnings),
        "idiomatic": _mean(judged, lambda one: one.idiomatic),
        "documented": _mean(judged, lambda one: one.documented),
        "policy_pass_at_1": mean_interval(
            np.array([one.passed_under_policy / one.samples for one in counted]), options, "pass_at_1"
        ).as_json(),
        "policy_findings": sum(bool(one.policy_findings) for one in judged),
        "extraction": dict(sorted(Counter(one.extraction for one in judged).items())),
        "finished": round(sum(one.finished for one in completions) / len(completions), 6),
        "tokens_mean": round(sum(one.tokens for one in completions) / len(completions), 3),
        "sampling": sorted({one.sampling for one in completions}),
        "categories": _categories(counted, options),
        "per_problem": {tally.task_id: _per_problem(tally) for tally in tallies.problems},
    }
    for k in options.k:
        figures[f"pass_at_{k}"] = mean_interval(
            np.array([pass_at_k(one.samples, one.passed, k) for one in estimable(counted, k)]),
            options,
            f"pass_at_{k}",
        ).as_json()
    return figures


def estimable(counted: Sequence[Tally], k: int) -> list[Tally]:
    """The problems that pass@k can be estimated for: faults of the judge leave some with too few samples.

    Raises UserError where a problem had fewer than k samples to begin with, and where none is left.
    """
    for one in counted:
        if one.samples + one.judge_errors < k:
            pass_at_k(one.samples + one.judge_errors, 0, k)
    able = [one for one in counted if one.samples >= k]
    if not able:
        raise UserError(f"pass@{k}: the judge's faults leave no problem with {k} samples; judge again")
    return able


def compile_rate(counted: Sequence[Tally], options: ScoreOptions) -> dict[str, float]:
    """Samples whose own code compiles, over all samples."""
    return ratio_interval(
        np.array([float(one.compiled) for one in counted]),
        np.array([float(one.samples) for one in counted]),
        options,
        "compile_rate",
    ).as_json()


def _prefiltered(counted: Sequence[Tally], options: ScoreOptions) -> dict[str, float] | None:
    left = [
        (
            sum(
                v.compiled
                for v in one.verdicts
                if v.status not in ("no_code", "policy_violation", "judge_error")
            ),
            one.samples - one.prefiltered,
        )
        for one in counted
    ]
    compiled, samples = np.array(left, dtype=np.float64).T
    if samples.sum() == 0:
        return None
    told = ratio_interval(compiled, samples, options, "prefiltered_compile_rate").as_json()
    return {**told, "samples": int(samples.sum())}


def _judge_errors(tallies: Tallies, options: ScoreOptions) -> dict[str, Any]:
    """How many samples the judge failed on, which, and which problems that leaves out of a figure."""
    least = {
        k: [one.task_id for one in tallies.problems if one.judge_errors and one.samples < k]
        for k in options.k
    }
    return {
        "count": len(tallies.unjudged),
        "samples": [f"{task}#{sample}" for task, sample in tallies.unjudged],
        "problems_left_out": {f"pass_at_{k}": names for k, names in least.items() if names},
    }


def _most(counts: Counter[str]) -> dict[str, int]:
    """The most frequent, the names in order where counts are equal."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return dict(ranked[:_MOST_CODES])


def _lints(judged: Sequence[Verdict]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in judged:
        total.update(one.lints)
    return dict(sorted(total.items()))


def _mean(judged: Sequence[Verdict], figure: Callable[[Verdict], float | None]) -> float | None:
    """The mean over the samples that have the figure; None where none has."""
    values = [value for one in judged if (value := figure(one)) is not None]
    return round(float(np.mean(values)), 6) if values else None


def _categories(counted: Sequence[Tally], options: ScoreOptions) -> dict[str, dict[str, float | int]]:
    """Problems, pass@1 and compile rate of each category, without intervals: most have few problems."""
    groups: dict[str, list[Tally]] = {}
    for one in counted:
        groups.setdefault(one.category or "unnamed", []).append(one)
    return {
        name: {
            "problems": len(group),
            "pass_at_1": round(float(np.mean([one.passed / one.samples for one in group])), 6),
            "compile_rate": round(sum(one.compiled for one in group) / sum(one.samples for one in group), 6),
        }
        for name, group in sorted(groups.items())
    }


def _per_problem(tally: Tally) -> dict[str, Any]:
    return {
        "samples": tally.samples,
        "passed": tally.passed,
        "compiled": tally.compiled,
        "judge_errors": tally.judge_errors,
        "first": tally.first,
        "first_compiled": tally.first_compiled,
    }

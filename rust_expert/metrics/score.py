"""The figures of one run on one suite: the only place where they are computed."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.contracts import Completion, Verdict
from rust_expert.common.errors import UserError
from rust_expert.metrics.bootstrap import ratio_interval
from rust_expert.metrics.measures import RATIOS, UNBOUNDED, Shares, pass_shares, ratio
from rust_expert.metrics.passk import pass_at_k
from rust_expert.metrics.sizes import size_buckets
from rust_expert.metrics.tally import Tallies, Tally

SCHEMA = 2
_MOST_CODES = 20


def score(
    tallies: Tallies, completions: Sequence[Completion], options: ScoreOptions, *, policy_known: bool = True
) -> dict[str, Any]:
    """All figures as JSON-able values; every share with its interval.

    `compile_rate` is over all samples; `prefiltered_compile_rate` leaves some out, as others publish it, and is not
    comparable with the first. `policy_pass_at_K` counts what breaks the policy as not passed, on the same verdicts;
    None where the judge was not asked for the policy (`policy_known`).

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
        "intervals": options.model_dump(include={"confidence", "bootstrap", "seed"}),
        "problems": len(tallies.problems),
        "problems_excluded": tallies.excluded,
        "samples": len(verdicts),
        "samples_judged": tallies.samples,
        "judge_errors": _judge_errors(tallies, options),
        "statuses": tallies.statuses(),
        "compiles_without_fitting": sum(one.compiled and one.status == "compile_error" for one in judged),
        "error_codes": _most(Counter(code for one in judged for code in set(one.error_codes))),
        "lints": _lints(judged),
        "policy_findings": sum(bool(one.policy_findings) for one in judged) if policy_known else None,
        "extraction": dict(sorted(Counter(one.extraction for one in judged).items())),
        "sizes": size_buckets(tallies.problems, options),
        "finished": _stated(completions, "finished", lambda one: one.finished),
        "tokens_mean": _stated(completions, "tokens", lambda one: one.tokens),
        "sampling": sorted({one.sampling for one in completions if one.sampling}),
        "categories": _categories(counted, options),
        "per_problem": {tally.task_id: tally.as_json() for tally in tallies.problems},
    }
    for name in RATIOS:
        figures[name] = _interval(name, ratio(counted, name), options)
    for k in options.k:
        able = estimable(counted, k)
        key = f"pass_at_{k}"
        figures[key] = _interval(key, pass_shares(able, k), options)
        # Drawn as pass_at_k is: the two differ by the policy alone.
        with_policy = _interval(key, pass_shares(able, k, policy=True), options)
        figures[f"policy_{key}"] = with_policy if policy_known else None
    return figures


def _interval(name: str, shares: Shares, options: ScoreOptions) -> dict[str, float] | None:
    """A figure with its interval, and for a ratio how much it is out of; None where that is nothing.

    Problems that nothing is out of (none of their samples compiles, say) are not drawn from.
    """
    above, below = shares[0][shares[1] > 0], shares[1][shares[1] > 0]
    if not len(below):
        return None
    told = ratio_interval(above, below, options, name, share=name not in UNBOUNDED).as_json()
    return {**told, "of": int(below.sum())} if name in RATIOS else told


def reachable(tallies: Tallies, ks: Sequence[int]) -> tuple[list[int], dict[str, str]]:
    """The k that every problem has enough samples for, and why the others are left out, by figure."""
    kept: list[int] = []
    left_out: dict[str, str] = {}
    for k in ks:
        short = [one for one in tallies.problems if one.samples + one.judge_errors < k]
        if short:
            has = short[0].samples + short[0].judge_errors
            left_out[f"pass_at_{k}"] = f"{short[0].task_id} has {has} of the {k} samples that it needs"
        else:
            kept.append(k)
    return kept, left_out


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


def _stated(
    completions: Sequence[Completion], field: str, figure: Callable[[Completion], float]
) -> float | None:
    """The mean over the samples that state it: others' files need not."""
    values = [figure(one) for one in completions if field in one.model_fields_set]
    return round(float(np.mean(values)), 6) if values else None


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

"""Two runs problem by problem: a stage against its parent or its base, or any two runs on one suite."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.metrics.measures import RATIOS, Shares, pass_shares, ratio
from rust_expert.metrics.paired import mcnemar, paired_bootstrap


class ProblemScore(BaseModel):
    """One problem in the figures of a run: the counts of rust_expert.metrics.tally."""

    model_config = ConfigDict(extra="forbid")

    samples: int
    passed: int
    passed_under_policy: int
    compiled: int
    prefiltered: int
    prefiltered_compiled: int
    styled: int
    idiomatic: float
    public_items: int
    documented_items: int
    linted: int
    clippy_warnings: int
    judge_errors: int
    first: str
    first_compiled: bool
    first_policy: bool


Problems = Mapping[str, ProblemScore]


def compare(first: Problems, second: Problems, options: ScoreOptions) -> dict[str, dict[str, Any]]:
    """The differences first - second, by metric: pass@k for each k, and the compile rate.

    Problems that a fault of the judge leaves without a figure in either run are left out of both; `problems`
    says how many are compared. Beside the bootstrap stands the exact test of McNemar on the first sample of
    each problem.

    Raises UserError where the two runs are on different problems, or none is left.
    """
    require_same_problems(first, second)
    told: dict[str, dict[str, Any]] = {}
    for k in options.k:
        told[f"pass_at_{k}"] = _passes(first, second, k, options, policy=False)
    told["compile_rate"] = _ratio(first, second, "compile_rate", options)
    if "pass_at_1" in told:
        told["pass_at_1"]["mcnemar"] = _mcnemar(first, second, lambda one: one.first == "passed")
    told["compile_rate"]["mcnemar"] = _mcnemar(first, second, lambda one: one.first_compiled)
    return told


def compare_all(
    first: Problems, second: Problems, options: ScoreOptions, *, policy: bool
) -> dict[str, dict[str, Any]]:
    """As `compare`, with every other figure of `RATIOS` that both runs have, and pass@k under the policy."""
    told = compare(first, second, options)
    if policy:
        for k in options.k:
            told[f"policy_pass_at_{k}"] = _passes(first, second, k, options, policy=True)
        if "policy_pass_at_1" in told:
            told["policy_pass_at_1"]["mcnemar"] = _mcnemar(
                first, second, lambda one: one.first == "passed" and not one.first_policy
            )
    for name in RATIOS:
        if name not in told and all(ratio(run.values(), name)[1].any() for run in (first, second)):
            told[name] = _ratio(first, second, name, options)
    return told


def require_same_problems(first: Problems, second: Problems) -> None:
    """Raise UserError where two runs are on different problems."""
    if first.keys() != second.keys():
        odd = sorted(first.keys() ^ second.keys())[0]
        raise UserError(f"problem {odd} is scored in one run only; judge and score both on one suite file")


def _with(first: Problems, second: Problems, least: int) -> list[str]:
    """The problems that both runs have at least so many samples of."""
    return [name for name in sorted(first) if min(first[name].samples, second[name].samples) >= least]


def _passes(
    first: Problems, second: Problems, k: int, options: ScoreOptions, *, policy: bool
) -> dict[str, Any]:
    names = _with(first, second, k)
    shares = [pass_shares([run[name] for name in names], k, policy=policy) for run in (first, second)]
    return _difference(shares[0], shares[1], options, f"pass_at_{k}")


def _ratio(first: Problems, second: Problems, metric: str, options: ScoreOptions) -> dict[str, Any]:
    names = _with(first, second, 1)
    shares = [ratio([run[name] for name in names], metric) for run in (first, second)]
    return _difference(shares[0], shares[1], options, metric)


def _difference(first: Shares, second: Shares, options: ScoreOptions, metric: str) -> dict[str, Any]:
    if not len(first[0]):
        raise UserError(f"{metric}: the judge's faults leave no problem to compare; judge again")
    found = paired_bootstrap(first, second, options, "paired", metric)
    return {
        "difference": round(found.difference, 6),
        "low": round(found.low, 6),
        "high": round(found.high, 6),
        "p_value": _figures(found.p_value),
        "significant": found.significant,
        "problems": len(first[0]),
    }


def _mcnemar(
    first: Problems, second: Problems, holds: Callable[[ProblemScore], bool]
) -> dict[str, float | int]:
    """The exact test on the first samples, of the problems where the judge failed on neither."""
    judged = [
        name
        for name in _with(first, second, 1)
        if "judge_error" not in (first[name].first, second[name].first)
    ]
    pairs = [(holds(first[name]), holds(second[name])) for name in judged]
    only_first = sum(a and not b for a, b in pairs)
    only_second = sum(b and not a for a, b in pairs)
    return {
        "problems": len(pairs),
        "only_first": only_first,
        "only_second": only_second,
        "p_value": _figures(mcnemar(only_first, only_second)),
    }


def _figures(value: float) -> float:
    """Six significant digits: a small p-value is not rounded to 0."""
    return float(f"{value:.6g}")

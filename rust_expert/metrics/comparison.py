"""Each stage against its parent and against the base, problem by problem."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.metrics.paired import Shares, mcnemar, paired_bootstrap
from rust_expert.metrics.passk import pass_at_k


class ProblemScore(BaseModel):
    """One problem in the figures of a stage."""

    model_config = ConfigDict(extra="forbid")

    samples: int
    passed: int
    compiled: int
    judge_errors: int
    first: str
    first_compiled: bool


Problems = Mapping[str, ProblemScore]


def compare(first: Problems, second: Problems, options: ScoreOptions) -> dict[str, dict[str, Any]]:
    """The differences first - second, by metric: pass@k for each k, and the compile rate.

    Problems that a fault of the judge leaves without a figure in either run are left out of both; `problems`
    says how many are compared. Beside the bootstrap stands the exact test of McNemar on the first sample of
    each problem.

    Raises UserError where the two runs are on different problems, or none is left.
    """
    if first.keys() != second.keys():
        odd = sorted(first.keys() ^ second.keys())[0]
        raise UserError(f"problem {odd} is scored in one run only; judge and score both on one suite file")
    told: dict[str, dict[str, Any]] = {}
    for k in options.k:
        names = [name for name in sorted(first) if min(first[name].samples, second[name].samples) >= k]
        told[f"pass_at_{k}"] = _difference(
            _pass_shares(first, names, k), _pass_shares(second, names, k), options, f"pass_at_{k}"
        )
    names = [name for name in sorted(first) if min(first[name].samples, second[name].samples) >= 1]
    told["compile_rate"] = _difference(
        _compile_shares(first, names), _compile_shares(second, names), options, "compile_rate"
    )
    judged = [name for name in names if "judge_error" not in (first[name].first, second[name].first)]
    if "pass_at_1" in told:
        told["pass_at_1"]["mcnemar"] = _mcnemar(
            [(first[name].first == "passed", second[name].first == "passed") for name in judged]
        )
    told["compile_rate"]["mcnemar"] = _mcnemar(
        [(first[name].first_compiled, second[name].first_compiled) for name in judged]
    )
    return told


def _pass_shares(run: Problems, names: list[str], k: int) -> Shares:
    values = np.array([pass_at_k(run[name].samples, run[name].passed, k) for name in names])
    return values, np.ones(len(names))


def _compile_shares(run: Problems, names: list[str]) -> Shares:
    return (
        np.array([float(run[name].compiled) for name in names]),
        np.array([float(run[name].samples) for name in names]),
    )


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


def _mcnemar(pairs: list[tuple[bool, bool]]) -> dict[str, float | int]:
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

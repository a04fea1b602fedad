"""The figures of an experiment across its seeds: each run's own, their mean and spread, and paired differences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.metrics.bootstrap import Values
from rust_expert.metrics.comparison import Problems, require_same_problems
from rust_expert.metrics.measures import RATIOS, UNBOUNDED, pass_shares, ratio
from rust_expert.metrics.summary import ScoreFile, TrainingFacts, related
from rust_expert.metrics.twoway import error_of

Scores = Mapping[tuple[str, str], ScoreFile]
Names = Mapping[int, Mapping[str, str]]
"""What each stage is called in the run of each seed."""

_DIGITS = 6


def across_seeds(
    scores: Scores,
    parents: Mapping[str, str | None],
    names: Names,
    training: Mapping[str, TrainingFacts],
    selections: Mapping[str, Mapping[str, Any]],
    options: ScoreOptions,
) -> dict[str, Any]:
    """Each figure of each stage and suite, and of each comparison of two stages, over the runs of all seeds.

    `parents` lists the stages in order, `names` has two seeds or more; scores, training and selections are by those
    names. A stage of one run is compared with the other stage of the same run, problem by problem. Raises UserError
    where a run lacks a score, or two have other problems.
    """
    suites = {stage: sorted({suite for name, suite in scores if name == stage}) for stage in parents}
    for stage in parents:
        for told in names.values():
            for suite in suites[stage]:
                if (told[stage], suite) not in scores:
                    raise UserError(f"--scores: {told[stage]}:{suite} is missing; score every run of --runs")
    stages = {
        stage: {
            "training": _training([training.get(told[stage]) for told in names.values()]),
            **_selection([selections.get(told[stage]) for told in names.values()]),
            "suites": {
                suite: _figures([scores[told[stage], suite] for told in names.values()], options)
                for suite in suites[stage]
            },
        }
        for stage in parents
    }
    return {
        "list": list(names),
        "stages": stages,
        "comparisons": list(_comparisons(scores, parents, names, options)),
    }


def cells(runs: Sequence[Problems], metric: str) -> Values | None:
    """A figure problem by problem: a row for each run, a column for each problem that all runs have it for.

    A ratio of sums is linearised about each run's own ratio (Cochran 1977, Sampling Techniques, chapter 6), so that the
    mean of a row is that ratio. None where a run has nothing that the figure is of.
    """
    for other in runs[1:]:
        require_same_problems(runs[0], other)
    k = int(metric.rpartition("_")[2]) if "pass_at_" in metric else 1
    kept = [name for name in sorted(runs[0]) if min(run[name].samples for run in runs) >= k]
    if not kept:
        return None
    listed = [[run[name] for name in kept] for run in runs]
    if metric not in RATIOS:
        return np.array([pass_shares(one, k, policy=metric.startswith("policy_"))[0] for one in listed])
    above, below = (np.array(side) for side in zip(*(ratio(one, metric) for one in listed), strict=True))
    with_any = below.any(axis=0)
    above, below = above[:, with_any], below[:, with_any]
    if not below.size or not below.any(axis=1).all():
        return None
    ratios = (above.sum(axis=1) / below.sum(axis=1))[:, None]
    made: Values = ratios + (above - ratios * below) / below.mean(axis=1, keepdims=True)
    return made


def _figures(runs: Sequence[ScoreFile], options: ScoreOptions) -> dict[str, dict[str, Any]]:
    names = [*RATIOS, *(f"pass_at_{k}" for k in options.k), "policy_pass_at_1"]
    told = {name: _spread(name, runs, options) for name in names}
    return {name: figure for name, figure in told.items() if figure is not None}


def _spread(metric: str, runs: Sequence[ScoreFile], options: ScoreOptions) -> dict[str, Any] | None:
    """One figure of all runs, each as its own file has it; None where no run has it.

    Where one run lacks it there is no mean. Where all of a share is 0 or 1 everywhere, the far end is the exact bound
    of Clopper and Pearson for that many problems, as for a single run.
    """
    found = [(one.model_extra or {}).get(metric) for one in runs]
    values = [None if one is None else float(one["value"]) for one in found]
    there = [value for value in values if value is not None]
    if not there:
        return None
    table = cells([one.per_problem for one in runs], metric)
    if len(there) < len(runs) or table is None:
        return {"values": values, "mean": None, "sd": None, "low": None, "high": None}
    mean = float(np.mean(there))
    half = error_of(table).half_width(options.confidence)
    low, high = mean - half, mean + half
    if metric not in UNBOUNDED:
        low, high = max(low, 0.0), min(high, 1.0)
        bound = ((1 - options.confidence) / 2) ** (1 / table.shape[1])
        low, high = (bound if min(there) == 1 else low), (1 - bound if max(there) == 0 else high)
    return {
        "values": values,
        "mean": _short(mean),
        "sd": _sd(there),
        "low": _short(low),
        "high": _short(high),
    }


def _comparisons(
    scores: Scores, parents: Mapping[str, str | None], names: Names, options: ScoreOptions
) -> Iterator[dict[str, Any]]:
    first = {(name, suite): score for (name, suite), score in scores.items() if name in parents}
    for stage, against, relation, suite in related(first, parents):
        runs = [scores[told[one], suite].per_problem for one in (stage, against) for told in names.values()]
        for metric in (*(f"pass_at_{k}" for k in options.k), "compile_rate"):
            table = cells(runs, metric)
            if table is None:
                continue
            told = {"stage": stage, "against": against, "relation": relation, "suite": suite}
            yield {
                **told,
                "metric": metric,
                **_difference(table[: len(names)] - table[len(names) :], options),
            }


def _difference(found: Values, options: ScoreOptions) -> dict[str, Any]:
    """The paired difference over all seeds, from the differences by seed and problem.

    `within_seed_spread`: the mean is no greater than one standard deviation of the runs' own differences, so that
    another seed may well show the contrary.
    """
    values = [float(value) for value in found.mean(axis=1)]
    mean, sd, error = float(np.mean(values)), _sd(values), error_of(found)
    half = error.half_width(options.confidence)
    low, high = mean - half, mean + half
    return {
        "values": [_short(value) for value in values],
        "difference": _short(mean),
        "sd": sd,
        "low": _short(low),
        "high": _short(high),
        "p_value": float(f"{error.p_value(mean):.6g}"),
        "significant": low > 0 or high < 0,
        "within_seed_spread": sd > 0 and abs(mean) <= sd,
        "problems": found.shape[1],
    }


def _training(runs: Sequence[TrainingFacts | None]) -> dict[str, Any]:
    """In which runs the stage was trained, and its losses."""
    told = [one for one in runs if one is not None]
    if len(told) < len(runs):
        return {}
    return {
        "trained": [one.trained for one in told],
        "final_loss": _plain(one.train_loss for one in told),
        "final_val_loss": _plain(one.val_loss for one in told),
    }


def _selection(runs: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
    """How many answers each run judged and kept for rejection sampling; nothing for other stages."""
    told = [one for one in runs if one is not None]
    if not told:
        return {}
    return {"selection": {key: [one[key] for one in told] for key in ("samples", "kept")}}


def _plain(values: Iterable[float | None]) -> dict[str, Any] | None:
    """A figure that is no share of anything, over the runs."""
    listed = list(values)
    there = [value for value in listed if value is not None]
    if not there:
        return None
    told = [None if value is None else _short(value) for value in listed]
    whole = len(there) == len(listed)
    return {
        "values": told,
        "mean": _short(float(np.mean(there))) if whole else None,
        "sd": _sd(there) if whole else None,
    }


def _sd(values: Sequence[float]) -> float:
    """The standard deviation of a sample of seeds (divided by one less than their number)."""
    return _short(float(np.std(values, ddof=1)))


def _short(value: float) -> float:
    return round(value, _DIGITS)

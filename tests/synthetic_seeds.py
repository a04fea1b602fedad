"""Runs of further seeds for a made-up run (tests/synthetic_run.py): each figure of seed 0, moved by drawn amounts."""

import random
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

SPREAD = {"base": 0.004, "phase1": 0.012, "phase2": 0.02, "rsft1": 0.1}
"""Standard deviation from seed to seed, larger with each stage, so that some difference is within it."""


def _over(values: Sequence[float], half: float) -> dict[str, Any]:
    mean = statistics.mean(values)
    return {
        "values": [round(value, 6) for value in values],
        "mean": round(mean, 6),
        "sd": round(statistics.stdev(values), 6),
        "low": round(max(mean - half, 0.0), 6),
        "high": round(min(mean + half, 1.0), 6),
    }


def seeds_of(
    stages: Mapping[str, Any], comparisons: Sequence[Mapping[str, Any]], numbers: Sequence[int]
) -> dict[str, Any]:
    """The section `seeds` of metrics.json."""
    made: dict[str, Any] = {"list": list(numbers), "stages": {}, "comparisons": []}
    moves: dict[tuple[str, str, str], list[float]] = {}
    for stage, facts in stages.items():
        trained = [facts["training"]["trained"]] * len(numbers)
        losses = [0.47 + 0.01 * place for place in range(len(numbers))]
        made["stages"][stage] = {
            "training": {"trained": trained, "final_val_loss": {**_over(losses, 0.1)}},
            "suites": {},
        }
        for suite, score in facts["suites"].items():
            told = made["stages"][stage]["suites"][suite] = {}
            for metric, one in score.items():
                if isinstance(one, dict) and one.keys() == {"value", "low", "high"}:
                    draw = random.Random(f"{stage} {suite} {metric}")
                    moved = [0.0, *(draw.gauss(0, SPREAD[stage]) for _ in numbers[1:])]
                    moves[stage, suite, metric] = moved
                    values = [min(max(one["value"] + move, 0.0), 1.0) for move in moved]
                    told[metric] = _over(values, 1.3 * (one["high"] - one["value"]))
    for one in comparisons:
        pairs = (moves[name, one["suite"], one["metric"]] for name in (one["stage"], one["against"]))
        values = [one["difference"] + first - second for first, second in zip(*pairs, strict=True)]
        mean, sd = statistics.mean(values), statistics.stdev(values)
        half = 1.3 * (one["high"] - one["difference"])
        low, high = mean - half, mean + half
        told = {key: one[key] for key in ("stage", "against", "suite", "metric", "p_value")}
        told |= {"values": values, "difference": mean, "sd": sd, "low": low, "high": high}
        told |= {"significant": low > 0 or high < 0, "within_seed_spread": abs(mean) <= sd}
        made["comparisons"].append(told)
    return made

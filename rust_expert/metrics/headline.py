"""The few figures that people compare run by run, out of the many of metrics.json."""

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By stage: pass@k and compile rate on each suite, and the last validation loss where the stage was trained.

    `summary` is what metrics.json holds; only values are taken, without their intervals. Of several seeds they are
    means, and beside each stands the standard deviation across seeds (`pass_at_1_sd`).
    """
    if "seeds" in summary:
        return _over_seeds(summary["seeds"]["stages"])
    told: dict[str, dict[str, Any]] = {}
    for stage, facts in summary["stages"].items():
        figures: dict[str, Any] = {}
        for suite, score in facts["suites"].items():
            rates = {name: score[name] for name in score if _is_headline(name)}
            figures[suite] = {name: rate["value"] for name, rate in sorted(rates.items()) if rate is not None}
        loss = (facts.get("training") or {}).get("final_val_loss")
        told[stage] = figures if loss is None else {**figures, "val_loss": loss}
    return told


def _over_seeds(stages: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for stage, facts in stages.items():
        figures = {
            suite: _mean_and_sd({name: score[name] for name in sorted(score) if _is_headline(name)})
            for suite, score in facts["suites"].items()
        }
        loss = facts["training"].get("final_val_loss")
        told[stage] = {**figures, **(_mean_and_sd({"val_loss": loss}) if loss else {})}
    return told


def _is_headline(name: str) -> bool:
    return name.startswith("pass_at_") or name == "compile_rate"


def _mean_and_sd(figures: Mapping[str, Any]) -> dict[str, float]:
    told = {name: one for name, one in figures.items() if one["mean"] is not None}
    return {
        key: value
        for name, one in told.items()
        for key, value in ((name, one["mean"]), (f"{name}_sd", one["sd"]))
    }

"""The few figures that people compare run by run, out of the many of metrics.json."""

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By stage: pass@k and compile rate on each suite, and the last validation loss where the stage was trained.

    `summary` is what metrics.json holds; only values are taken, without their intervals.
    """
    told: dict[str, dict[str, Any]] = {}
    for stage, facts in summary["stages"].items():
        figures: dict[str, Any] = {}
        for suite, score in facts["suites"].items():
            rates = {
                name: score[name] for name in score if name.startswith("pass_at_") or name == "compile_rate"
            }
            figures[suite] = {name: rate["value"] for name, rate in sorted(rates.items()) if rate is not None}
        loss = (facts.get("training") or {}).get("final_val_loss")
        told[stage] = figures if loss is None else {**figures, "val_loss": loss}
    return told

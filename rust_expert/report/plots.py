"""The figures behind the plots as CSV files, for `dvc plots show` and for whoever draws their own."""

import csv
import io
from collections.abc import Mapping

from rust_expert.report.runs import TrainingRun
from rust_expert.report.summary import Summary

Cell = str | int | float | None


def rates_csv(summary: Summary) -> str:
    """A row for each suite, stage and metric: value and the ends of its interval, as shares from 0 to 1."""
    rows: list[tuple[Cell, ...]] = []
    for suite in summary.suites():
        for place, (stage, score) in enumerate(summary.scores(suite).items()):
            for metric in (*(f"pass_at_{k}" for k in score.pass_at), "compile_rate"):
                one = score.estimate(metric)
                if one is not None:
                    rows.append((suite, place, stage, metric, one.value, one.low, one.high))
    return _csv(("suite", "order", "stage", "metric", "value", "low", "high"), rows)


def training_csv(summary: Summary, runs: Mapping[str, TrainingRun]) -> str:
    """A row for each logged step of each stage; a loss that was not measured at that step is an empty cell."""
    rows: list[tuple[Cell, ...]] = [
        (stage, point.step, point.loss, point.val_loss, point.learning_rate)
        for stage in summary.stages
        if stage in runs
        for point in runs[stage].history
    ]
    return _csv(("stage", "step", "loss", "val_loss", "learning_rate"), rows)


def _csv(heads: tuple[str, ...], rows: list[tuple[Cell, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(
        ["" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row]
        for row in rows
    )
    return text.getvalue()

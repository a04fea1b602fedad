"""What was trained, on what, and how its loss fell."""

from collections.abc import Mapping
from typing import Any

from rust_expert.report.charts import Curve, curve_panel, legend
from rust_expert.report.html import Child, Html, el
from rust_expert.report.page.parts import card, folded, section, table
from rust_expert.report.runs import StageTiming, TrainingRun, smoothed, thinned
from rust_expert.report.scales import spanning, up_to
from rust_expert.report.summary import StageScores, Summary
from rust_expert.report.wording import count, decimal, listed, rate


def training_section(summary: Summary, runs: Mapping[str, TrainingRun]) -> Html:
    """The table of stages, and loss curves for each stage that was trained."""
    panels = [_panel(name, runs[name]) for name in summary.stages if name in runs and _has_curve(runs[name])]
    key = [
        ("training, smoothed", "curve-train"),
        ("training, each log", "curve-raw"),
        ("validation", "curve-val"),
    ]
    return section(
        "training",
        "Training",
        "Each stage starts from its parent's weights. Validation rows are never trained on.",
        card("Stages", _stages(summary, runs), _settings(summary, runs)),
        _rejection_sampling(summary),
        _speed(summary, runs),
        card(
            "Loss",
            legend(key),
            el("div", panels, cls="panels"),
            note="Cross-entropy per token, in nats, over optimiser steps. Each panel has axes of its own: stages train"
            " on different data, and a base made here learns from questions too, so levels are not comparable across"
            " panels.",
        )
        if panels
        else None,
    )


def _has_curve(run: TrainingRun) -> bool:
    return run.trained and len(run.train_curve()) + len(run.val_curve()) >= 2


def _stages(summary: Summary, runs: Mapping[str, TrainingRun]) -> Html:
    heads = ["stage", "parent", "method", "rows", "steps", "peak rate", "loss", "validation loss", "remark"]
    rows = [_row(name, stage, runs.get(name, TrainingRun())) for name, stage in summary.stages.items()]
    return table(heads, rows, frozenset({3, 4, 5, 6, 7}), "Stages and their training")


def _row(name: str, stage: StageScores, run: TrainingRun) -> list[Child]:
    told = stage.training
    peak = run.peak_rate() if told.trained else None
    return [
        name,
        stage.parent or "–",
        run.method or run.origin or "–",
        _whole(run.rows_trained_on() if told.trained else None),
        _whole(told.steps if told.trained else None),
        "–" if peak is None else rate(peak),
        decimal(told.final_loss),
        decimal(told.final_val_loss),
        _remark(stage, run),
    ]


def _settings(summary: Summary, runs: Mapping[str, TrainingRun]) -> Html | None:
    """The settings that really took effect, as the trainer was asked after its set-up: a column for each stage."""
    told = {name: runs[name].effective for name in summary.stages if name in runs and runs[name].effective}
    keys = sorted({key for one in told.values() for key, value in one.items() if _is_short(value)})
    if not keys:
        return None
    rows: list[list[Child]] = [
        [key.replace("_", " "), *(_setting(one.get(key)) for one in told.values())] for key in keys
    ]
    return folded(
        "Settings that took effect, read back from the trainer",
        table(["setting", *told], rows, caption="Effective settings"),
    )


def _is_short(value: Any) -> bool:
    return not isinstance(value, dict) and not (isinstance(value, list) and len(value) > 8)


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_setting(one) for one in value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _speed(summary: Summary, runs: Mapping[str, TrainingRun]) -> Html | None:
    """How fast each stage was trained, and on what; what this machine cannot tell is said to be not measured."""
    told = {name: runs[name].timing for name in summary.stages if name in runs}
    rows: list[list[Child]] = [
        _speed_row(name, timing)
        for name, timing in told.items()
        if timing is not None and timing.speed.tokens_per_second is not None
    ]
    if not rows:
        return None
    heads = [
        "stage",
        "on",
        "s per step",
        "tokens/s",
        "learned tokens/s",
        "waits for data",
        "MFU",
        "recompute",
        "memory",
    ]
    measured = any(timing is not None and timing.speed.mfu is not None for timing in told.values())
    return card(
        "Speed",
        table(heads, rows, frozenset(range(2, 9)), "Speed of each stage"),
        note="Tokens are those of rows, never padding; learned are those of answers. MFU is the share of the device's"
        " bfloat16 peak that the model's own arithmetic comes to, with a frozen base and without what is recomputed"
        " (docs/training.md has the formula)."
        + ("" if measured else " MFU and GPU memory are not measured: no stage here was trained on a GPU."),
    )


def _speed_row(name: str, timing: StageTiming) -> list[Child]:
    speed = timing.speed
    memory = speed.peak_memory_bytes
    return [
        name,
        f"{timing.ranks} × {timing.device}" if timing.ranks > 1 else timing.device or "–",
        decimal(speed.seconds_per_step),
        _whole(None if speed.tokens_per_second is None else round(speed.tokens_per_second)),
        _whole(None if speed.learned_tokens_per_second is None else round(speed.learned_tokens_per_second)),
        _share(speed.data_wait_share),
        _share(speed.mfu),
        _share(speed.recompute),
        "–" if memory is None else f"{memory / 2**30:.1f} GiB",
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _rejection_sampling(summary: Summary) -> Html | None:
    """What became of the samples that stages drew from their parents to train on."""
    found = summary.data.get("rejection_sampling")
    if not isinstance(found, dict) or not found:
        return None
    rows: list[list[Child]] = []
    for stage, told in found.items():
        lost = {key: number for key, number in told.get("outcomes", {}).items() if key != "kept"}
        reasons = listed(
            f"{key.replace('_', ' ')} ({count(lost[key])})" for key in sorted(lost, key=lambda k: -lost[k])
        )
        figures = [
            _whole(told.get(key))
            for key in ("prompts", "samples", "kept", "prompts_with_kept", "parent_rows")
        ]
        rows.append([stage, *figures, reasons or "–"])
    heads = [
        "stage",
        "prompts",
        "answers sampled",
        "kept",
        "prompts with one kept",
        "rows mixed in",
        "left out",
    ]
    return card(
        "Rejection sampling",
        table(heads, rows, frozenset({1, 2, 3, 4, 5}), "Rejection sampling"),
        note="The parent answers training prompts, never a problem of any suite; the judge's verdict decides which"
        " answers are trained on.",
    )


def _whole(number: int | None) -> str:
    return "–" if number is None else count(number)


def _remark(stage: StageScores, run: TrainingRun) -> Child:
    told = stage.training
    if not told.trained and stage.parent is not None:
        why = told.reason or run.reason or "no reason recorded"
        return el("span", f"not trained: {why}; same weights as {stage.parent}", cls="tone-level")
    if run.hub is not None:
        return f"{run.hub.name} at {run.hub.revision[:12]}"
    if run.parameters is not None:
        return f"{count(run.parameters)} parameters"
    if isinstance(run.effective.get("trained_parameters"), int):
        return f"{count(run.effective['trained_parameters'])} adapter parameters"
    return f"{count(run.rows_too_long)} rows too long, left out" if run.rows_too_long else ""


def _panel(name: str, run: TrainingRun) -> Html:
    train, val = run.train_curve(), run.val_curve()
    every = [value for _, value in (*train, *val)]
    steps = [step for step, _ in (*train, *val)]
    up = spanning(min(0.0, *every), _height(every), most=4)
    across = up_to(max(steps))
    curves = [
        Curve("training loss", thinned(train), "raw"),
        Curve("training loss", smoothed(thinned(train)), "train"),
        Curve("validation loss", val, "val", dotted=len(val) <= 40),
    ]
    ends = [f"training {train[-1][1]:.3f}" if train else "", f"validation {val[-1][1]:.3f}" if val else ""]
    decimals = 0 if up.step() >= 1 else 1 if up.step() >= 0.1 else 2
    return el(
        "div",
        el("h4", name, el("span", " ends at " + ", ".join(filter(None, ends)), cls="quiet")),
        curve_panel(name, curves, across, up, decimals),
    )


def _height(values: list[float]) -> float:
    """The top of the axis: the largest value, unless the first few tower over all the rest; those are cut off."""
    ranked = sorted(values)
    usual = ranked[int(0.97 * (len(ranked) - 1))]
    return ranked[-1] if ranked[-1] < 2.5 * usual else 1.5 * usual

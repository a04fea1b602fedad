"""The plot of a sweep as a picture of its own: SVG with its style inside, no font, script or request."""

from collections.abc import Sequence

from rust_expert.metrics.ranking import Ranked, Ranking
from rust_expert.report.html import Html, el
from rust_expert.report.scales import Scale, shares
from rust_expert.report.summary import metric_name
from rust_expert.report.sweep.findings import value_word, values
from rust_expert.report.wording import percent, percent_range

WIDTH = 760
_LEFT, _RIGHT, _TOP, _ROW = 64, 24, 56, 36
_NAMES, _FIGURES = 250, 150
_STYLE = """
text { font: 13px -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; fill: #211c18; }
.quiet { fill: #6d645b; font-size: 12px; } .title { font-size: 15px; font-weight: 600; }
.paper { fill: #ffffff; } .grid { stroke: #ece7e0; } .join { fill: none; stroke: #c98a6b; stroke-width: 2; }
.span { stroke: #efd9cc; stroke-width: 9; } .dot { fill: #c98a6b; }
.best .span { stroke: #f0c9b8; } .best .dot { fill: #b23c17; } .best text { font-weight: 600; }
@media screen and (prefers-color-scheme: dark) {
  text { fill: #ece5dd; } .quiet { fill: #a79d92; } .paper { fill: #1f1b18; } .grid { stroke: #2e2823; }
  .join { stroke: #c68f75; } .span { stroke: #49342a; } .dot { fill: #c68f75; }
  .best .span { stroke: #5e2f1e; } .best .dot { fill: #f07f55; }
}
"""


def sweep_plot(ranking: Ranking) -> str:
    """A line with intervals where one key with numbers is varied, else a row for each point, the best first."""
    shown = [point for point in ranking.points if point.estimate is not None]
    key = _number_key(ranking, shown)
    body, height = _line(shown, key) if key else _rows(shown)
    title = f"{metric_name(ranking.metric)} on {ranking.suite}, points of {ranking.stage}"
    failed = [f"failed: {values(point.varied)}" for point in ranking.failed]
    notes = [f"{100 * ranking.confidence:g} % intervals over problems", *failed]
    below = [
        el("text", _short(note, 105), x=20, y=height + 18 * (place + 1), cls="quiet")
        for place, note in enumerate(notes)
    ]
    height += 18 * len(notes) + 14
    picture = el(
        "svg",
        Html(f"<style>{_STYLE}</style>"),
        el("title", title),
        el("rect", width=WIDTH, height=height, cls="paper"),
        el("text", title, x=20, y=30, cls="title"),
        body,
        below,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        height=height,
        role="img",
    )
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + picture + "\n"


def _number_key(ranking: Ranking, shown: Sequence[Ranked]) -> str | None:
    """The one varied key, where its values are numbers and at least two points have a figure."""
    keys = ranking.keys()
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool)
        for point in shown
        for value in point.varied.values()
    )
    return keys[0] if len(keys) == 1 and numbers and len(shown) > 1 else None


def _scale(shown: Sequence[Ranked]) -> Scale:
    known = [point.estimate for point in shown if point.estimate is not None]
    return shares(min((one.low for one in known), default=0.0), max((one.high for one in known), default=1.0))


def _line(shown: Sequence[Ranked], key: str) -> tuple[Html, int]:
    """Values from left to right in their order, evenly spaced: rates stand in steps of factors as often as not."""
    ordered = sorted(shown, key=lambda point: float(point.varied[key]))
    scale, height = _scale(shown), 250
    step = (WIDTH - _LEFT - _RIGHT) / len(ordered)
    across = [_LEFT + step * (place + 0.5) for place in range(len(ordered))]

    def up(value: float) -> float:
        return round(_TOP + height * (1 - scale.at(value) / 100), 2)

    marks: list[Html] = []
    for tick in scale.ticks:
        marks.append(el("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=up(tick), y2=up(tick), cls="grid"))
        marks.append(
            el("text", percent(tick, 0), x=_LEFT - 10, y=up(tick) + 4, text_anchor="end", cls="quiet")
        )
    middle = [up(point.estimate.value) for point in ordered if point.estimate is not None]
    joined = " ".join(f"{x:.2f},{y:g}" for x, y in zip(across, middle, strict=True))
    spans: list[Html] = []
    for x, point in zip(across, ordered, strict=True):
        assert point.estimate is not None
        told = f"{percent(point.estimate.value)} ({percent_range(point.estimate.low, point.estimate.high)})"
        spans.append(
            el(
                "g",
                el("line", x1=x, x2=x, y1=up(point.estimate.low), y2=up(point.estimate.high), cls="span"),
                el("circle", cx=x, cy=up(point.estimate.value), r=6, cls="dot"),
                el("text", value_word(point.varied[key]), x=x, y=_TOP + height + 22, text_anchor="middle"),
                el("title", f"{values(point.varied)}: {told}"),
                cls=_tone(point),
            )
        )
    name = el(
        "text",
        f"{key} (in order, evenly spaced)",
        x=(_LEFT + WIDTH - _RIGHT) / 2,
        y=_TOP + height + 42,
        text_anchor="middle",
        cls="quiet",
    )
    line = el("polyline", points=joined, cls="join")
    return el("g", marks, line, spans, name), _TOP + height + 50


def _rows(shown: Sequence[Ranked]) -> tuple[Html, int]:
    """A row for each point, the best first: its values, its interval, its figure."""
    scale = _scale(shown)
    left, right = _NAMES, WIDTH - _FIGURES

    def across(value: float) -> float:
        return round(left + (right - left) * scale.at(value) / 100, 2)

    bottom = _TOP + _ROW * len(shown)
    marks = [
        el("line", x1=across(tick), x2=across(tick), y1=_TOP, y2=bottom, cls="grid") for tick in scale.ticks
    ]
    labels = [
        el("text", percent(tick, 0), x=across(tick), y=bottom + 18, text_anchor="middle", cls="quiet")
        for tick in scale.ticks
    ]
    rows: list[Html] = []
    for place, point in enumerate(shown):
        assert point.estimate is not None
        y = _TOP + _ROW * (place + 0.5)
        told = f"{percent(point.estimate.value)}  {percent_range(point.estimate.low, point.estimate.high)}"
        name = values(point.varied)
        rows.append(
            el(
                "g",
                el("text", _short(name, 34), x=20, y=y + 4),
                el(
                    "line",
                    x1=across(point.estimate.low),
                    x2=across(point.estimate.high),
                    y1=y,
                    y2=y,
                    cls="span",
                ),
                el("circle", cx=across(point.estimate.value), cy=y, r=6, cls="dot"),
                el("text", told, x=WIDTH - 20, y=y + 4, text_anchor="end"),
                el("title", f"{name}: {told}"),
                cls=_tone(point),
            )
        )
    return el("g", marks, labels, rows), bottom + 30


def _tone(point: Ranked) -> str:
    return "best" if point.rank == 1 else "point"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

"""The plots, as inline SVG that keeps its letters one size at any width.

Marks stand at percentages of the width, so a plot needs no fixed size, no script and no picture; colours come from
the style sheet by class, so one plot serves light and dark. Rows of a plot share one HTML grid: name, marks, figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rust_expert.report.html import Child, Html, el
from rust_expert.report.scales import Scale
from rust_expert.report.wording import count, percent, percent_range, points, points_range


@dataclass(frozen=True)
class IntervalRow:
    """One row of an interval plot: a value from `low` to `high`; `tone` is a class of the style sheet.

    `under` stands in small letters below the name, `detail` below the figure. `marks` are small dots below the bar,
    such as the values that the row is the mean of.
    """

    name: str
    value: float
    low: float
    high: float
    tone: str
    figure: str
    detail: str
    under: str = ""
    marks: tuple[float, ...] = ()


def _at(position: float) -> str:
    return f"{position:g}%"


def _grid(scale: Scale, zero: bool) -> list[Html]:
    return [
        el(
            "line",
            x1=_at(scale.at(tick)),
            x2=_at(scale.at(tick)),
            y1="0",
            y2="100%",
            cls="zero" if zero and tick == 0 else "grid",
        )
        for tick in scale.ticks
    ]


def _axis(scale: Scale, labels: Sequence[str]) -> Html:
    texts: list[Html] = []
    for tick, label in zip(scale.ticks, labels, strict=True):
        place = scale.at(tick)
        anchor = "start" if place < 1 else "end" if place > 99 else "middle"
        texts.append(el("text", label, x=_at(place), y="13", text_anchor=anchor))
    return el("svg", *texts, cls="axis", width="100%", height="18", aria_hidden="true")


def interval_rows(
    rows: Sequence[IntervalRow], scale: Scale, labels: Sequence[str], zero: bool = False
) -> Html:
    """Each row's value as a dot on a bar that spans its interval, all over one axis.

    `zero` marks differences: the line at zero stands out. Otherwise the first row's value runs on as a dashed line.
    """
    reference = None if zero or not rows else _at(scale.at(rows[0].value))
    cells: list[Html] = []
    for row in rows:
        left, right = scale.at(row.low), scale.at(row.high)
        marks = [
            *_grid(scale, zero),
            el("line", x1=reference, x2=reference, y1="0", y2="100%", cls="reference") if reference else None,
            el(
                "rect",
                x=_at(left),
                width=_at(round(max(right - left, 0.2), 3)),
                y="14",
                height="12",
                rx="6",
                cls="span",
            ),
            el("circle", cx=_at(scale.at(row.value)), cy="20", r="5.5", cls="dot"),
            *(el("circle", cx=_at(scale.at(mark)), cy="34", r="3", cls="mark") for mark in row.marks),
            el("title", f"{row.name}: {row.figure} ({row.detail})"),
        ]
        cells += [
            el("span", row.name, el("small", row.under) if row.under else None, cls="name"),
            el("svg", *marks, cls=f"track {row.tone}", width="100%", height="40", aria_hidden="true"),
            el("span", el("b", row.figure), el("small", row.detail), cls="figure"),
        ]
    cells += [el("span"), _axis(scale, labels), el("span")]
    spoken = "; ".join(f"{row.name} {row.under} {row.figure}, {row.detail}" for row in rows)
    return el("div", *cells, cls="rows", role="img", aria_label=spoken)


def rate_row(
    name: str, under: str, value: float, low: float, high: float, tone: str, marks: tuple[float, ...] = ()
) -> IntervalRow:
    """A row for a share from 0 to 1 with its interval."""
    return IntervalRow(name, value, low, high, tone, percent(value), percent_range(low, high), under, marks)


def difference_row(
    name: str, under: str, value: float, low: float, high: float, tone: str, marks: tuple[float, ...] = ()
) -> IntervalRow:
    """A row for a difference of shares, in percentage points."""
    return IntervalRow(name, value, low, high, tone, points(value), points_range(low, high), under, marks)


@dataclass(frozen=True)
class Part:
    """One piece of a stacked bar."""

    name: str
    amount: float
    tone: str


def stacked_rows(
    rows: Sequence[tuple[str, Sequence[Part]]],
    shared: float | None = None,
    details: Sequence[Child] = (),
    shares: bool = True,
) -> Html:
    """Bars cut into parts. Each is drawn over its own total (shares), or all over `shared` (amounts).

    With `shares`, a part's share in per cent stands in it where there are others and it is wide enough. `details` go
    below the totals, one for each row.
    """
    cells: list[Html] = []
    spoken: list[str] = []
    for index, (name, parts) in enumerate(rows):
        detail = details[index] if details else None
        total = sum(part.amount for part in parts)
        whole = shared or total or 1.0
        marks: list[Html] = []
        left = 0.0
        cut = shares and sum(part.amount > 0 for part in parts) > 1
        for part in parts:
            if part.amount <= 0:
                continue
            width = 100 * part.amount / whole
            told = percent(part.amount / (total or 1.0))
            middle = _at(round(left + width / 2, 3))
            marks.append(
                el(
                    "g",
                    el(
                        "rect",
                        x=_at(round(left, 3)),
                        width=_at(round(width, 3)),
                        y="4",
                        height="26",
                        rx="2",
                        cls="part",
                    ),
                    el(
                        "text",
                        f"{100 * part.amount / (total or 1.0):.0f}",
                        x=middle,
                        y="21.5",
                        text_anchor="middle",
                    )
                    if cut and width >= 6
                    else None,
                    el("title", f"{name}, {part.name}: {count(part.amount)} ({told})"),
                    cls=part.tone,
                )
            )
            left += width
        spoken.append(
            f"{name}: " + ", ".join(f"{part.name} {count(part.amount)}" for part in parts if part.amount)
        )
        cells += [
            el("span", name, cls="name"),
            el("svg", *marks, cls="stack", width="100%", height="34", aria_hidden="true"),
            el("span", el("b", count(total)), el("small", detail) if detail else None, cls="figure"),
        ]
    return el("div", *cells, cls="rows bars", role="img", aria_label="; ".join(spoken))


def legend(parts: Sequence[tuple[str, str]]) -> Html:
    """Names beside their colours: pairs of name and class."""
    return el(
        "ul",
        (
            el(
                "li",
                el(
                    "svg",
                    el("rect", width="11", height="11", rx="2.5", cls="part"),
                    cls=tone,
                    width="11",
                    height="11",
                    aria_hidden="true",
                ),
                name,
            )
            for name, tone in parts
        ),
        cls="legend",
    )


@dataclass(frozen=True)
class Curve:
    """A line through points of step and value; `tone` is `raw`, `train` or `val`; `dotted` marks each point."""

    name: str
    points: tuple[tuple[float, float], ...]
    tone: str
    dotted: bool = False


def curve_panel(title: str, curves: Sequence[Curve], across: Scale, up: Scale, decimals: int) -> Html:
    """Curves over one pair of axes, the tick labels of the upright axis in a margin at the left."""
    inner = [
        el(
            "polyline",
            points=" ".join(f"{across.at(x):g},{100 - up.at(y):g}" for x, y in curve.points),
            cls=curve.tone,
        )
        for curve in curves
        if curve.points
    ]
    dots = [
        el(
            "circle",
            el("title", f"{curve.name}: {y:.3f} at step {x:g}"),
            cx=_at(across.at(x)),
            cy=_at(round(100 - up.at(y), 3)),
            r="3.2",
            cls=f"{curve.tone} point",
        )
        for curve in curves
        if curve.dotted
        for x, y in curve.points
    ]
    lines: list[Html] = []
    for tick in up.ticks:
        y = _at(round(100 - up.at(tick), 3))
        lines.append(el("line", x1="0", x2="100%", y1=y, y2=y, cls="zero" if tick == up.low else "grid"))
        lines.append(el("text", f"{tick:.{decimals}f}", x="-8", y=y, dy="4", text_anchor="end"))
    plot = el(
        "svg",
        *lines,
        el("svg", *inner, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height="100%"),
        *dots,
        cls="panel",
        width="100%",
        height="170",
        role="img",
        aria_label=f"{title}: " + "; ".join(_spoken(curve) for curve in curves if curve.tone != "raw"),
    )
    return el("div", plot, _axis(across, [count(tick) for tick in across.ticks]), cls="plot")


def _spoken(curve: Curve) -> str:
    if not curve.points:
        return f"{curve.name} not measured"
    return f"{curve.name} from {curve.points[0][1]:.2f} to {curve.points[-1][1]:.2f}"


def columns(title: str, shares: Sequence[tuple[str, float]], tone: str) -> Html:
    """Upright columns side by side, each with its label below; heights in proportion to the largest."""
    most = max((amount for _, amount in shares), default=0) or 1.0
    width = 100 / max(len(shares), 1)
    marks: list[Html] = []
    for index, (label, amount) in enumerate(shares):
        height = 80 * amount / most
        left, middle = round(index * width, 3), round((index + 0.5) * width, 3)
        marks.append(
            el(
                "g",
                el(
                    "rect",
                    x=_at(left),
                    width=_at(round(width, 3)),
                    y=f"{98 - height:.2f}",
                    height=f"{height:.2f}",
                    cls="part",
                ),
                el("text", count(amount), x=_at(middle), y=f"{94 - height:.2f}", text_anchor="middle")
                if amount
                else None,
                el("title", f"{label}: {count(amount)}"),
                cls=tone,
            )
        )
        marks.append(el("text", label, x=_at(left), y="112", text_anchor="middle" if index else "start"))
    spoken = "; ".join(f"from {label}: {count(amount)}" for label, amount in shares if amount)
    return el(
        "svg",
        *marks,
        el("line", x1="0", x2="100%", y1="98", y2="98", cls="zero"),
        cls="columns",
        width="100%",
        height="118",
        role="img",
        aria_label=f"{title}: {spoken}",
    )

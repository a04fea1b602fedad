"""Histograms as upright columns, each cut into the kinds of rows in it."""

from collections.abc import Sequence

from rust_expert.report.charts import Part
from rust_expert.report.html import Html, el
from rust_expert.report.wording import count

_HEIGHT = 98.0
"""Where the columns stand, in pixels from the top; their labels are below."""


def stacked_columns(title: str, columns: Sequence[tuple[str, Sequence[Part]]]) -> Html:
    """A column for each label, which names where its values begin; heights in proportion to the largest column."""
    most = max((sum(part.amount for part in parts) for _, parts in columns), default=0) or 1.0
    width = 100 / max(len(columns), 1)
    marks: list[Html] = []
    for index, (label, parts) in enumerate(columns):
        left, middle = round(index * width, 3), round((index + 0.5) * width, 3)
        whole, top = sum(part.amount for part in parts), _HEIGHT
        for part in parts:
            if part.amount <= 0:
                continue
            height = 80 * part.amount / most
            top -= height
            marks.append(
                el(
                    "g",
                    el("rect", x=f"{left:g}%", width=f"{round(width, 3):g}%", y=f"{top:.2f}", height=f"{height:.2f}",
                       cls="part"),
                    el("title", f"{label}, {part.name}: {count(part.amount)}"),
                    cls=part.tone,
                )
            )  # fmt: skip
        if whole:
            marks.append(el("text", count(whole), x=f"{middle:g}%", y=f"{top - 4:.2f}", text_anchor="middle"))
        marks.append(el("text", label, x=f"{left:g}%", y="112", text_anchor="middle" if index else "start"))
    spoken = "; ".join(
        f"from {label}: {count(sum(part.amount for part in parts))}" for label, parts in columns if parts
    )
    return el(
        "svg",
        *marks,
        el("line", x1="0", x2="100%", y1=f"{_HEIGHT:g}", y2=f"{_HEIGHT:g}", cls="zero"),
        cls="columns",
        width="100%",
        height="118",
        role="img",
        aria_label=f"{title}: {spoken}",
    )

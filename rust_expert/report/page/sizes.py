"""How long the rows are: characters and lines of prompt and answer, tokens where they were counted."""

from rust_expert.report.charts import Part, legend
from rust_expert.report.histograms import stacked_columns
from rust_expert.report.html import Html, el
from rust_expert.report.page.kinds import TYPES, in_order, kind_name
from rust_expert.report.page.parts import card
from rust_expert.report.rows import BOUNDS, CURRICULUM, RowCounts
from rust_expert.report.wording import count, plural


def sizes_card(rows: RowCounts | None) -> Html | None:
    """Histograms of each measure that the rows have, those of the curriculum apart: there are so many of them."""
    if rows is None or not rows.sizes:
        return None
    kinds = in_order({kind for by_kind in rows.sizes.values() for kind in by_kind}, TYPES)
    groups = [[kind for kind in kinds if kind != CURRICULUM], [kind for kind in kinds if kind == CURRICULUM]]
    plots = [
        _histogram(rows, measure, group)
        for measure in rows.sizes
        for group in groups
        if any(kind in rows.sizes[measure] for kind in group)
    ]
    return card(
        ["Sizes", el("span", f" of {plural(rows.rows, 'cleaned row')}", cls="quiet")],
        legend([(kind_name(kind), f"type-{kind}") for kind in kinds]),
        el("div", plots, cls="pair"),
        note="A column holds what is at least as long as its label at the left, and shorter than the next.",
    )


def _histogram(rows: RowCounts, measure: str, kinds: list[str]) -> Html:
    bounds, found = BOUNDS[measure.partition(" ")[0]], rows.sizes[measure]
    columns = [
        (count(low), [Part(kind_name(kind), found[kind][place], f"type-{kind}") for kind in kinds if kind in found])
        for place, low in enumerate(bounds)
    ]  # fmt: skip
    title = f"{measure.capitalize()}, {'curriculum' if kinds == [CURRICULUM] else 'crates'}"
    return el("div", el("h4", title, cls="small"), stacked_columns(title, columns), cls="suite")

"""What the data sets are made of: kinds of rows against their quotas, sources, licences."""

from collections.abc import Sequence

from rust_expert.report.charts import Part, legend, stacked_rows
from rust_expert.report.html import Child, Html, el
from rust_expert.report.journey import Mix, Shortage
from rust_expert.report.page.funnel import most
from rust_expert.report.page.kinds import TYPES, in_order, kind_name, source_name
from rust_expert.report.page.parts import card, folded, table
from rust_expert.report.rows import CURRICULUM, RowCounts
from rust_expert.report.wording import count, listed, percent


def mixes_card(mixes: Sequence[Mix]) -> Html | None:
    """A bar for each data set, its figures, and what it was asked to hold beside what it holds."""
    if not mixes:
        return None
    kinds = [_kinds(mix) for mix in mixes]
    used = in_order({kind for found in kinds for kind, number in found.items() if number}, TYPES)
    rows = [
        (mix.dataset, [Part(kind_name(kind), found.get(kind, 0), f"type-{kind}") for kind in used])
        for mix, found in zip(mixes, kinds, strict=True)
    ]
    return card(
        "What each data set is made of",
        legend([(kind_name(kind), f"type-{kind}") for kind in used]),
        stacked_rows(rows),
        table(
            ["data set", "training rows", "validation rows", "families", "crates", "licences of rows from crates"],
            [_figures(mix) for mix in mixes],
            frozenset({1, 2, 3, 4}),
            "Data sets",
        ),
        el("h4", "Training rows against their quotas ", el("span", "shares are of the rows from crates", cls="quiet")),
        _quotas(mixes),
        _sources(mixes),
    )  # fmt: skip


def _kinds(mix: Mix) -> dict[str, int]:
    """Training rows by kind; what is neither from the curriculum nor from crates stands together."""
    found = {CURRICULUM: mix.train.curriculum_rows, **mix.train.task_types}
    others = mix.train.rows - sum(found.values())
    return {**found, "other sources": others} if others else found


def _figures(mix: Mix) -> list[Child]:
    licences = most(mix.train.licenses, 4)
    return [
        mix.dataset,
        count(mix.train.rows),
        count(mix.val.rows),
        count(len(mix.train.families)),
        count(len(mix.train.crates)),
        listed(f"{name} ({count(number)})" for name, number in licences) or "–",
    ]


def _quotas(mixes: Sequence[Mix]) -> Html:
    """Rows of each kind against the rows asked for: a kind without a shortage has just its quota."""
    kinds = in_order({kind for mix in mixes for kind in {**_kinds(mix), **_lacks(mix)}}, TYPES)
    rows: list[list[Child]] = [
        [kind_name(kind), *(_cell(kind, _kinds(mix), _lacks(mix)) for mix in mixes)] for kind in kinds
    ]
    short = [
        f"{mix.dataset} lacks {count(lack.asked - lack.found)} of {kind_name(kind)}"
        for mix in mixes
        for kind, lack in _lacks(mix).items()
    ]
    told = [el("b", "✗ ", cls="tone-down"), listed(short)] if short else ["Each quota is filled to the row"]
    heads = ["kind", *(mix.dataset for mix in mixes)]
    numbers = frozenset(range(1, len(heads)))
    return el(
        "div", el("p", told, ".", cls="quiet small"), table(heads, rows, numbers, "Rows against quotas")
    )


def _lacks(mix: Mix) -> dict[str, Shortage]:
    return mix.shortages.get("train", {})


def _cell(kind: str, found: dict[str, int], lacks: dict[str, Shortage]) -> Child:
    """Rows that are there, and below them what was asked for where that is more, else their share of the crates'."""
    there = found.get(kind, 0)
    if kind in lacks:
        asked = there + lacks[kind].asked - lacks[kind].found
        return el("span", el("b", count(there), cls="tone-down"), el("small", f" of {count(asked)}"))
    if not there:
        return "–"
    whole = sum(number for name, number in found.items() if name in TYPES and name != CURRICULUM)
    share = f" {percent(there / whole)}" if whole and kind in TYPES and kind != CURRICULUM else ""
    return el("span", count(there), el("small", share) if share else None)


def _sources(mixes: Sequence[Mix]) -> Html | None:
    rows: list[list[Child]] = [
        [
            mix.dataset,
            source_name(name),
            count(one.read),
            count(one.passed),
            count(one.drawn.get("train", 0)),
            count(one.drawn.get("val", 0)),
            listed(f"{reason} ({count(number)})" for reason, number in most(one.filtered)) or "–",
        ]
        for mix in mixes
        for name, one in mix.sources.items()
    ]
    if not rows:
        return None
    heads = ["data set", "source", "offered", "pass", "training rows", "validation rows", "filtered because"]
    return folded(
        "Sources and filters", table(heads, rows, frozenset({2, 3, 4, 5}), "Sources of the data sets")
    )


def licences_card(rows: RowCounts | None) -> Html | None:
    """Rows by licence, of each source."""
    if rows is None or not rows.licences:
        return None
    sources = in_order({source for source, _ in rows.licences}, {"crates": "", CURRICULUM: ""})
    licences: dict[str, int] = {}
    for (_, licence), number in rows.licences.items():
        licences[licence] = licences.get(licence, 0) + number
    first = most(licences, 12)
    bars = [
        (name, [Part(source_name(source), rows.licences[source, name], f"source-{source}") for source in sources])
        for name, _ in first
    ]  # fmt: skip
    rest = most(licences)[12:]
    return card(
        "Licences",
        legend([(source_name(source), f"source-{source}") for source in sources]),
        stacked_rows(bars, shared=float(first[0][1]), shares=False),
        folded(f"{count(len(rest))} more", table(["licence", "rows"], [[name, count(number)] for name, number in rest],
                                                frozenset({1}), "More licences")) if rest else None,
        note="Cleaned rows by the licence of the code that they are made of.",
    )  # fmt: skip

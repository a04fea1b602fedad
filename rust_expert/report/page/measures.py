"""What the answers look like, beyond right and wrong: their style, and how they fare by length."""

from rust_expert.report.charts import IntervalRow, interval_rows
from rust_expert.report.html import Child, Html, el
from rust_expert.report.page.parts import card, table
from rust_expert.report.scales import shares
from rust_expert.report.summary import Estimate, SizeRow, Summary
from rust_expert.report.wording import THIN, count, decimal, percent

_NOTES = {
    "idiomatic": "Read off the syntax tree of answers that compile: idioms against what a reviewer objects to."
    " Comments earn nothing.",
    "documented": "Public items with a doc comment, in answers that compile. Answers without public items say"
    " nothing.",
}


def style_cards(summary: Summary, suite: str) -> Html | None:
    """The idiomatic score and the documented share by stage, with their intervals."""
    cards = [made for key in _NOTES if (made := _style_card(summary, suite, key)) is not None]
    return el("div", cards, cls="pair uneven" if len(cards) == 1 else "pair") if cards else None


def _style_card(summary: Summary, suite: str, key: str) -> Html | None:
    found: dict[str, Estimate] = {
        name: one for name, score in summary.scores(suite).items() if (one := getattr(score, key)) is not None
    }
    if not found:
        return None
    rows = [
        IntervalRow(
            name, one.value, one.low, one.high, "tone-base" if name == summary.base else "tone-stage",
            decimal(one.value, 2), f"{decimal(one.low, 2)}{THIN}–{THIN}{decimal(one.high, 2)}",
        )
        for name, one in found.items()
    ]  # fmt: skip
    scale = shares(min(one.low for one in found.values()), max(one.high for one in found.values()))
    ticks = [decimal(tick, 1) for tick in scale.ticks]
    title = [key.capitalize(), el("span", f" from 0 to 1, on {suite}", cls="quiet")]
    return card(title, interval_rows(rows, scale, ticks), note=_NOTES[key])


def length_card(summary: Summary, suite: str) -> Html | None:
    """A row for each length of code with answers: how many of each stage, how many pass and compile."""
    scores = summary.scores(suite)
    found = {name: {row.lines: row for row in score.sizes} for name, score in scores.items()}
    order: list[str] = []
    for score in scores.values():
        _merge(order, [row.lines for row in score.sizes])
    if not order:
        return None
    rows: list[list[Child]] = [
        [lines, *(_cell(found[name].get(lines)) for name in scores)] for lines in order
    ]
    return card(
        "Answers by length",
        table(["lines of code", *scores], rows, frozenset(range(1, len(scores) + 1)), "Answers by length"),
        note=f"On {suite}: the share that passes, and beside it how many answers of that length there are and how many"
        " of them compile. The model chooses the length, so a row compares different answers.",
    )


def _merge(order: list[str], more: list[str]) -> None:
    """Put new buckets where they belong: each list is in order."""
    place = 0
    for name in more:
        if name in order:
            place = order.index(name) + 1
        else:
            order.insert(place, name)
            place += 1


def _cell(row: SizeRow | None) -> Child:
    if row is None:
        return "–"
    return el(
        "span",
        percent(row.pass_rate),
        el("small", f" of {count(row.samples)}, {percent(row.compile_rate)} compile"),
    )

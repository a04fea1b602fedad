"""How the questions were made: operators, rewrites and lints, and the error codes that broken code came to."""

from rust_expert.report.charts import Part, stacked_rows
from rust_expert.report.corpus import Builds, Corpus, FormCount
from rust_expert.report.html import Child, Html, el
from rust_expert.report.page.funnel import most
from rust_expert.report.page.kinds import FORMS
from rust_expert.report.page.parts import card, folded, table
from rust_expert.report.page.verdicts import error_told
from rust_expert.report.rows import RowCounts
from rust_expert.report.wording import count, listed, percent, plural

_SHOWN = 10
"""Bars drawn of one kind; the table below them holds all."""


def forms_cards(corpus: Corpus, rows: RowCounts | None) -> list[Html]:
    """What was tried and kept of each form, and the codes of the rows that ask to mend an error."""
    made = {name: _form(name, told) for name, told in corpus.forms.items()}
    order = ["broken", *sorted(set(made) - {"broken"}, key=lambda name: ([*FORMS, name].index(name), name))]
    cards = [made.get(order[0]), _codes(rows) if rows else None, *(made[name] for name in order[1:])]
    return [one for one in [*cards, _lints(corpus.builds)] if one is not None]


def _form(name: str, told: FormCount) -> Html | None:
    title, made_by = FORMS.get(name, (name.replace("_", " "), "kind"))
    tried = told.tried.total()
    if not tried:
        return None
    kept = told.kept.total()
    first = most(told.tried, _SHOWN)
    bars = [
        (each, [Part("kept", told.kept[each], "form-kept"), Part("not", number - told.kept[each], "lost")])
        for each, number in first
    ]
    details: list[Child] = [f"{percent(told.kept[each] / number, 0)} kept" for each, number in first]
    figures = [
        [each, count(number), count(told.kept[each]), percent(told.kept[each] / number, 0)]
        for each, number in most(told.tried)
    ]
    unsaid = tried - kept - told.lost.total()
    reasons = [*most(told.lost), *([("no reason recorded", unsaid)] if unsaid > 0 else [])]
    return card(
        [title, el("span", f" by {plural(len(told.tried), made_by)}", cls="quiet")],
        el("p", f"{plural(tried, 'form')} tried, {count(kept)} kept ({percent(kept / tried)}).", cls="quiet"),
        stacked_rows(bars, shared=float(first[0][1]), details=details, shares=False),
        folded(
            f"All {count(len(figures))}",
            table([made_by, "tried", "kept", "share"], figures, frozenset({1, 2, 3}), title),
        ),
        folded(
            "Why the others were not kept",
            table(["reason", "forms"], [[why, count(number)] for why, number in reasons], frozenset({1}),
                  f"Losses: {title}"),
        )
        if reasons
        else None,
    )  # fmt: skip


def _codes(rows: RowCounts) -> Html | None:
    codes = {code: number for (kind, code), number in rows.codes.items() if kind == "error_fixing"}
    if not codes:
        return None
    whole = rows.of_kind("error_fixing")
    first = most(codes, _SHOWN)
    bars = [
        (f"{code} {error_told(code)}", [Part("rows", number, "type-error_fixing")]) for code, number in first
    ]
    told = [
        [code, error_told(code) or "–", count(number), percent(number / whole) if whole else "–"]
        for code, number in most(codes)
    ]
    return card(
        ["Error codes", el("span", f" of {plural(whole, 'row')} to mend", cls="quiet")],
        stacked_rows(bars, shared=float(first[0][1]), shares=False),
        folded(
            f"All {count(len(told))}",
            table(["code", "about", "rows", "share"], told, frozenset({2, 3}), "Error codes"),
        ),
        note="Cleaned rows whose broken code gives that error; a row can have several; mere syntax has none.",
    )  # fmt: skip


def _lints(builds: Builds | None) -> Html | None:
    if builds is None or not (builds.lints or builds.pairs):
        return None
    figures = [
        [group, count(builds.linted[group]), count(number)] for group, number in most(builds.lints) if number
    ]
    pairs = listed(
        f"{count(number)} {FORMS.get(name, (name,))[0].lower()}" for name, number in most(builds.pairs)
    )
    return card(
        "Clippy on the crates",
        table(["group", "crates", "warnings"], figures, frozenset({1, 2}), "Clippy on the crates")
        if figures
        else None,
        el("p", f"Forms that the compiler confirmed: {pairs}.", cls="quiet") if pairs else None,
    )

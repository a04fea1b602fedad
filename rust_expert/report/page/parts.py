"""The pieces that every section of the report is made of: sections, cards, tables, facts."""

from collections.abc import Iterable, Sequence

from rust_expert.report.html import Child, Html, el
from rust_expert.report.rust_code import coloured, shortened
from rust_expert.report.wording import plural


def section(key: str, title: str, lead: Child, *content: Child) -> Html:
    """A section with its heading, which the bar at the top leads to, and a line under it."""
    return el(
        "section",
        el("h2", title),
        el("p", lead, cls="lead") if lead else None,
        *content,
        id=key,
    )


def card(title: Child, *content: Child, note: Child = None, cls: str = "") -> Html:
    """A framed figure with a title above and a note below."""
    return el(
        "figure",
        el("h3", title) if title else None,
        *content,
        el("figcaption", note) if note else None,
        cls=f"card {cls}".strip(),
    )


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Child]],
    numbers: frozenset[int] = frozenset(),
    caption: str = "",
) -> Html:
    """A table that scrolls sideways on a narrow screen; the columns `numbers` are set flush right.

    The first cell of a row is its header.
    """

    def cls(column: int) -> str | None:
        return "number" if column in numbers else None

    body = [
        el(
            "tr",
            (
                el("th", cell, scope="row", cls=cls(column))
                if column == 0
                else el("td", cell, cls=cls(column))
                for column, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    return el(
        "div",
        el(
            "table",
            el("caption", caption, cls="unseen") if caption else None,
            el(
                "thead",
                el("tr", (el("th", head, scope="col", cls=cls(index)) for index, head in enumerate(heads))),
            ),
            el("tbody", body),
        ),
        cls="scroll",
        tabindex="0",
        role="region",
        aria_label=caption or None,
    )


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Names with their values, in as many columns as fit; pairs whose value is None or empty are left out."""
    return el(
        "dl",
        (el("div", el("dt", name), el("dd", value)) for name, value in pairs if value not in (None, "")),
        cls="facts",
    )


def folded(summary: Child, *content: Child, cls: str = "") -> Html:
    """Content that opens at a click, without any script."""
    return el("details", el("summary", summary), *content, cls=cls or None)


def code_block(text: str, lines: int) -> Html:
    """Rust code in colour, at most `lines` lines of it."""
    kept, left_out = shortened(text, lines)
    return el("pre", el("code", coloured(kept)), _more(left_out), tabindex="0")


def text_block(text: str, lines: int, cls: str = "") -> Html:
    """Text that is no code, at most `lines` lines of it; `prose` in the letters of the page."""
    kept, left_out = shortened(text, lines, 2000)
    return el("pre", kept, _more(left_out), cls=cls or None, tabindex="0")


def _more(left_out: int) -> Html | None:
    return el("span", f"\n… {plural(left_out, 'more line')}", cls="quiet") if left_out else None


def code_word(text: str) -> Html:
    """A word of code, a path or a key in running text."""
    return el("code", text)

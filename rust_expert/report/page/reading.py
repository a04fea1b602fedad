"""Rows to read, drawn by seed: what a model is asked and what it is to answer. All of it is text, never markup."""

from rust_expert.report.html import Html, el
from rust_expert.report.page.kinds import TYPES, in_order, kind_name
from rust_expert.report.page.parts import code_block, text_block
from rust_expert.report.rows import RowCounts, ShownRow
from rust_expert.report.wording import count, plural

_CODE_BEGINS = ("///", "//!", "fn ", "pub ", "pub(", "impl", "use ", "struct ", "enum ", "trait ", "#[", "async ",
                "const ", "unsafe ", "mod ", "type ", "static ", "extern ", "macro_rules!")  # fmt: skip


def reading_group(rows: RowCounts | None, lines: int) -> Html | None:
    """Some rows of each kind, folded."""
    if rows is None or not any(rows.drawn.values()):
        return None
    return el(
        "div",
        el(
            "h3", "Rows to read ", el("span", "A seed draws them among all cleaned rows; nobody picked them.",
                                      cls="quiet")
        ),
        [
            el(
                "details",
                el("summary", el("b", kind_name(kind), cls="words"),
                   el("span", f"{count(len(rows.drawn[kind]))} of {plural(rows.of_kind(kind), 'row')}", cls="lights")),
                [_row(row, lines) for row in rows.drawn[kind]],
                cls="problem",
            )
            for kind in in_order(set(rows.drawn), TYPES)
        ],
        cls="group",
    )  # fmt: skip


def _row(row: ShownRow, lines: int) -> Html:
    told = row.told
    size = plural(row.answer.count("\n") + (not row.answer.endswith("\n")), "line")
    about = [
        f"{name} {told[key]}"
        for name, key in (
            ("scale", "_scale"), ("template", "_template"), ("licence", "_license"), ("split", "split"),
            ("context", "_context"), ("tokens", "_tokens"),
        )
        if told.get(key)
    ]  # fmt: skip
    claims = [str(claim) for claim in told.get("_verified") or []]
    checked = f"Checked: {'; '.join(claims)}." if claims else "Nothing is claimed of it."
    return el(
        "details",
        el("summary", el("b", _title(row)), el("span", f"answer of {size}", cls="lights")),
        el(
            "div",
            el("div", el("h4", "Asked"), _pieces(row.prompt, lines), cls="answer"),
            el("div", el("h4", "To be answered"), _answer(row, lines), cls="answer"),
            cls="answers",
        ),
        el("p", f"{'; '.join(about)}. " if about else None, checked, cls="quiet small"),
        cls="row",
    )


def _title(row: ShownRow) -> str:
    """Where a row comes from: crate, version and file; else its family and function, else its source."""
    first, second = (
        " ".join(str(row.told[key]) for key in keys if row.told.get(key))
        for keys in (("_source_crate", "_source_version"), ("_source_file",))
    )
    if not first:
        first, second = str(row.told.get("_family") or ""), str(row.told.get("_entry_point") or "")
    return ", ".join(part for part in (first, second) if part) or str(row.told.get("_source") or "a row")


def _answer(row: ShownRow, lines: int) -> list[Html]:
    """Code as code; documentation, and an answer with fences in it, by its pieces."""
    if row.kind == "explanations" or "```" in row.answer:
        return _pieces(row.answer, lines)
    return [code_block(row.answer, lines)]


def _pieces(text: str, lines: int) -> list[Html]:
    """A text cut at its fences: code in colour, what the compiler said and what people say as plain text."""
    parts = fenced(text)
    if len(parts) == 1 and any(line.lstrip().startswith(_CODE_BEGINS) for line in text.splitlines()):
        return [code_block(text, lines)]
    return [
        code_block(part, lines)
        if language in ("rust", "")
        else text_block(part, lines, "prose" if language is None else "")
        for language, part in parts
        if part.strip()
    ]


def fenced(text: str) -> list[tuple[str | None, str]]:
    """The pieces of a text in order: the first word after the fence for what stands between fences, else None."""
    parts: list[tuple[str | None, str]] = []
    held: list[str] = []
    language: str | None = None
    fence = ""
    for line in text.split("\n"):
        marks = len(line) - len(line.lstrip("`"))
        opens = not fence and marks >= 3 and "`" not in line[marks:]
        closes = bool(fence) and marks >= len(fence) and not line[marks:].strip()
        if not opens and not closes:
            held.append(line)
            continue
        parts.append((language, "\n".join(held)))
        held, fence = [], "`" * marks if opens else ""
        language = (line[marks:].split() or [""])[0] if opens else None
    return [*parts, (language, "\n".join(held))]

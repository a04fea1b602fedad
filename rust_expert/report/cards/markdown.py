"""Markdown and its YAML front matter, written so that hostile names stay names."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rust_expert.report.html import visible

_MARKS = re.compile(r"([\\`*\[\]<>|~#&$!@]|(?<!\w)_|_(?!\w)|(?<=www)\.|:(?=//))")


def text(name: str, most: int = 200) -> str:
    """A name from outside as plain text in one line: what Markdown or HTML would read as a mark is escaped."""
    return _MARKS.sub(r"\\\1", " ".join(visible(name[:most]).split()))


def code(name: str) -> str:
    """A name of our own, such as a column's, in the letters of code."""
    return f"`{name}`"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown already. What has no row is said to be none."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return "None.\n"
    return "\n".join([f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |", *lines]) + "\n"


def folded(summary: str, body: str) -> str:
    """What opens at a click where Markdown is shown as a page."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n</details>\n"


def front_matter(values: Mapping[str, Any]) -> str:
    """YAML between its two lines: mappings and lists as blocks, every value as JSON, which YAML reads."""
    return "\n".join(["---", *_block(values, ""), "---", ""])


def _block(value: Any, margin: str) -> list[str]:
    if isinstance(value, Mapping):
        pairs = [(f"{margin}{key}:", inner) for key, inner in value.items()]
    else:
        pairs = [(f"{margin}-", inner) for inner in value]
    lines: list[str] = []
    for head, inner in pairs:
        if isinstance(inner, Mapping | list) and inner:
            nested = _block(inner, margin + "  ")
            # A mapping in a list begins on the line of its dash.
            joined = head.endswith("-") and isinstance(inner, Mapping)
            lines += [f"{head} {nested[0].lstrip()}", *nested[1:]] if joined else [head, *nested]
        else:
            lines.append(f"{head} {json.dumps(inner, ensure_ascii=False)}")
    return lines

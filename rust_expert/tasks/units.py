"""Units: items made whole, each with what it needs beside it to compile as a file of its own.

A unit's file is the imports from std, the crate's own definitions that the item uses (its context), and the item,
a method inside the header of its impl. What cannot be completed so, because it needs another crate, a macro of its
crate, or more context than allowed, is counted with its reason. Whether a unit compiles is for rustc to say.
"""

import dataclasses
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Self

from rust_expert.syntax.corpus import ItemRow
from rust_expert.tasks.crate_index import CrateIndex, Incomplete
from rust_expert.tasks.needs import Needs


@dataclass(frozen=True)
class Unit:
    """One item with its surroundings. `imports`: use declarations; `context`: definitions; `opening` and `closing`
    stand around the item, as the header of a method's impl does.
    """

    row: ItemRow
    imports: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    opening: str = ""
    closing: str = ""

    @classmethod
    def bare(cls, row: ItemRow) -> Self:
        """An item with nothing but the header of its impl around it."""
        if row.kind != "method":
            return cls(row)
        return cls(row, opening=f"{opened(row.header)}\n{_margin(row.text) or '    '}", closing="\n}")

    @property
    def self_contained(self) -> bool:
        """Whether the answer alone compiles, with nothing from the prompt."""
        return not self.imports and not self.context

    @property
    def surroundings(self) -> str:
        """Imports and context as code; "" for a self-contained item."""
        head = "\n".join(self.imports)
        return "\n\n".join(part for part in (head, *self.context) if part)

    def answer(self, text: str) -> str:
        """`text`, the item or a changed form of it, in the impl that it belongs to."""
        return f"{self.opening}{text}{self.closing}"

    def file(self, text: str) -> str:
        """The whole file with `text` in the item's place, as it is compiled and shown."""
        around = self.surroundings
        return (f"{around}\n\n" if around else "") + self.answer(text) + "\n"

    def bounds(self, text: str) -> tuple[int, int]:
        """First byte and the byte after the last of `text` in `file(text)`."""
        around = self.surroundings
        start = len((f"{around}\n\n" if around else "").encode()) + len(self.opening.encode())
        return start, start + len(text.encode())


def reason_against(row: ItemRow) -> str:
    """Why an item is not even tried, judged by its row alone; "" for one that is."""
    if row.kind not in ("function", "method", "impl") or (row.kind == "impl" and not row.trait):
        return "not a function, method or impl of a trait"
    if row.kind == "method" and row.trait:
        return "part of a trait or its impl"
    if not row.has_body:
        return "without a body"
    if row.conditional:
        return "depends on a cfg or an attribute"
    if "#[deprecated" in row.text or "#[doc(hidden)]" in row.text:
        return "deprecated or hidden"
    margin = _margin(row.text)
    if "\r" in row.text:
        return "lines end with CR LF"
    if margin and row.kind != "method":
        return "indented"
    if row.kind == "method" and margin not in ("    ", "\t"):
        return "indented"
    return ""


def _margin(text: str) -> str:
    """The white space before the item's last line, which is the item's own indentation; a one-line item has none."""
    last = text.rpartition("\n")[2]
    if last == text:
        return ""
    return last[: len(last) - len(last.lstrip())]


def unit_of(row: ItemRow, crate: CrateIndex, context_lines: int) -> Unit:
    """The unit of an item, with at most `context_lines` lines of context.

    Raises Incomplete with the reason where there is none.
    """
    needs = Needs(row, crate)
    context = _context(list(needs.wanted.values()), crate)
    if sum(part.count("\n") + 1 for part in context) > context_lines:
        raise Incomplete("context too long")
    imports = tuple(sorted(f"use {path};" for path in needs.imports.values()))
    return dataclasses.replace(Unit.bare(row), imports=imports, context=tuple(context))


def _context(rows: list[ItemRow], crate: CrateIndex) -> list[str]:
    """The definitions as code: types, then functions, impls, methods by impl; in the order of the source."""
    names = [row.name for row in rows if row.kind not in ("method", "impl")]
    if len(set(names)) != len(names):
        raise Incomplete("two definitions of one name")
    ranks = {"function": 1, "impl": 2, "method": 3}
    ordered = sorted(rows, key=lambda row: (ranks.get(row.kind, 0), row.file, row.start))
    parts = [crate.stripped(row) for row in ordered if row.kind != "method"]
    blocks: dict[str, list[str]] = defaultdict(list)
    for row in ordered:
        if row.kind == "method":
            blocks[row.header].append("    " + crate.stripped(row).lstrip())
    return parts + [f"{opened(header)}\n" + "\n\n".join(inside) + "\n}" for header, inside in blocks.items()]


def opened(signature: str, margin: str = "") -> str:
    """A signature with the brace that opens its body, on a line of its own after a `where` clause or a comment."""
    apart = re.search(r"\n\s*where\b", signature) or "//" in signature.rpartition("\n")[2]
    return f"{signature}\n{margin}{{" if apart else f"{signature} {{"

"""Units: items made whole, each with what it needs beside it to compile as a file of its own.

A unit's file is the imports from std, the crate's own definitions that the item uses (its context), and the item,
a method inside the header of its impl. What cannot be completed so, because it needs another crate, a macro of its
crate, or more context than allowed, is counted with its reason. Whether a unit compiles is for rustc to say.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.docs import without_docs
from rust_expert.tasks.known import (
    LATE_PRELUDE,
    MACROS,
    PRELUDE,
    PRELUDE_HOMES,
    PRIMITIVES,
    ROOTS,
    TRAIT_SIGNS,
)

DEFINITIONS = frozenset({"function", "struct", "enum", "union", "trait", "const", "static", "type"})


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


_RELATIVE = re.compile(r"^((crate|self|super)::)+")


class Incomplete(Exception):
    """Why an item cannot be made a unit."""


class Crate:
    """The items of one crate, by the names under which its items use each other."""

    def __init__(self, rows: Iterable[ItemRow]) -> None:
        self.definitions: dict[str, list[ItemRow]] = defaultdict(list)
        self.members: dict[tuple[str, str], list[ItemRow]] = defaultdict(list)
        for row in rows:
            if row.kind in DEFINITIONS:
                self.definitions[row.name].append(row)
            elif row.kind == "method" and not row.trait:
                self.members[row.owner, row.name].append(row)
        self._stripped: dict[str, str] = {}

    def definition(self, name: str, near: ItemRow, imported: str = "") -> ItemRow | None:
        """The one definition that `name` can mean for an item; None without any.

        `imported` is the path that a `use` gives the name. Looked for there, then in the item's own module, in its
        file, in the crate. Raises Incomplete where a place holds several.
        """
        found = self.definitions.get(name, [])
        path = _RELATIVE.sub("", imported)
        module = near.path.removesuffix(near.name).removesuffix("::")
        if near.kind in ("method", "impl"):
            module = module.rpartition("::")[0] if near.kind == "method" else near.path.rpartition("<")[0]
        places = (
            [row for row in found if path and f"::{row.path}".endswith(f"::{path}")],
            [row for row in found if row.file == near.file and row.path == f"{module}::{name}".lstrip(":")],
            [row for row in found if row.file == near.file],
            found,
        )
        for rows in places:
            if len(rows) == 1:
                return rows[0]
            if rows:
                raise Incomplete("a name with several definitions")
        return None

    def member(self, owner: str, name: str) -> ItemRow | None:
        """The one inherent method of a type, or None."""
        found = self.members.get((owner, name), [])
        return found[0] if len(found) == 1 and not found[0].conditional else None

    def stripped(self, row: ItemRow) -> str:
        """An item's text without its docs."""
        if row.key not in self._stripped:
            self._stripped[row.key] = without_docs(row.text.encode()).decode().strip("\n")
        return self._stripped[row.key]


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


def unit_of(row: ItemRow, crate: Crate, context_lines: int) -> Unit:
    """The unit of an item, with at most `context_lines` lines of context.

    Raises Incomplete with the reason where there is none.
    """
    imports: dict[str, str] = {}
    wanted: dict[str, ItemRow] = {}
    pending = [row]
    while pending:
        current = pending.pop()
        for needed in _needs(current, crate, imports):
            if needed.key != row.key and needed.key not in wanted:
                if needed.conditional:
                    raise Incomplete("context depends on a cfg or an attribute")
                wanted[needed.key] = needed
                pending.append(needed)
        if sum(each.text.count("\n") + 1 for each in wanted.values()) > 4 * context_lines:
            raise Incomplete("context too long")
    context = _context(list(wanted.values()), crate)
    if sum(part.count("\n") + 1 for part in context) > context_lines:
        raise Incomplete("context too long")
    opening, closing = "", ""
    if row.kind == "method":
        margin = _margin(row.text) or "    "
        opening, closing = f"{opened(row.header)}\n{margin}", "\n}"
    return Unit(
        row, tuple(sorted(f"use {path};" for path in imports.values())), tuple(context), opening, closing
    )


def _needs(row: ItemRow, crate: Crate, imports: dict[str, str]) -> list[ItemRow]:
    """The items of the crate that `row` uses; imports from std are added to `imports`, by name."""
    known = {_name_of(path): path for path in row.imports}
    found: list[ItemRow] = []
    for use in row.uses:
        if use == "crate":
            raise Incomplete("a path from the crate's root")
        if use.endswith("!"):
            if use[:-1] not in MACROS:
                raise Incomplete("a macro that std does not have")
        elif use.startswith("."):
            found += _maybe(crate.member(row.owner, use[1:]))
        elif "::" in use:
            owner, _, name = use.partition("::")
            if owner in crate.definitions and owner not in known:
                found += _maybe(crate.member(owner, name))
        else:
            found += _maybe(_resolved(use, row, known, crate, imports))
    for path in row.imports:
        sign = TRAIT_SIGNS.get(path.rpartition("::")[2])
        if sign and _name_of(path) not in row.uses and re.search(sign, row.text):
            _add_import(imports, path)
    return found


def _maybe(row: ItemRow | None) -> list[ItemRow]:
    return [row] if row is not None else []


def _name_of(path: str) -> str:
    head, _, alias = path.partition(" as ")
    return alias or head.rpartition("::")[2]


def _resolved(
    name: str, row: ItemRow, known: dict[str, str], crate: Crate, imports: dict[str, str]
) -> ItemRow | None:
    """The definition that a plain name stands for; None where std or an import from it gives the name."""
    path = known.get(name)
    if path is not None:
        root = path.split("::")[0]
        if root in ROOTS or root == "alloc":
            if not _in_prelude(name, path, row.edition):
                _add_import(imports, path)
            return None
        if root not in ("crate", "self", "super") and root not in crate.definitions:
            raise Incomplete("another crate or module")
        if " as " in path:
            raise Incomplete("a renamed import")
    defined = crate.definition(name, row, path or "") if name not in PRIMITIVES else None
    if defined is not None and (path is not None or defined.file == row.file or name not in PRELUDE):
        return defined
    if path is not None:
        raise Incomplete("an import that is not found")
    if name in PRELUDE or name in PRIMITIVES or name in ROOTS:
        return None
    raise Incomplete("an unknown name")


def _in_prelude(name: str, path: str, edition: str) -> bool:
    """Whether an import only repeats what the prelude of the item's edition gives."""
    if name in LATE_PRELUDE and edition in ("2015", "2018"):
        return False
    return name in PRELUDE and path.partition("::")[2] == f"{PRELUDE_HOMES.get(name, 'iter')}::{name}"


def _add_import(imports: dict[str, str], path: str) -> None:
    path = re.sub(r"^alloc::", "std::", path)
    name = _name_of(path)
    if imports.setdefault(name, path).replace("core::", "std::") != path.replace("core::", "std::"):
        raise Incomplete("two imports of one name")


def _context(rows: list[ItemRow], crate: Crate) -> list[str]:
    """The definitions as code, types first, then functions, then methods by impl; in the order of the source."""
    names = [row.name for row in rows if row.kind != "method"]
    if len(set(names)) != len(names):
        raise Incomplete("two definitions of one name")
    ordered = sorted(
        rows, key=lambda row: (row.kind == "method", row.kind == "function", row.file, row.start)
    )
    parts = [crate.stripped(row) for row in ordered if row.kind != "method"]
    blocks: dict[str, list[str]] = defaultdict(list)
    for row in ordered:
        if row.kind == "method":
            blocks[row.header].append("    " + crate.stripped(row).lstrip())
    return parts + [f"{opened(header)}\n" + "\n\n".join(inside) + "\n}" for header, inside in blocks.items()]


def opened(signature: str, margin: str = "") -> str:
    """A signature with the brace that opens its body, on a line of its own after a `where` clause."""
    return f"{signature}\n{margin}{{" if re.search(r"\n\s*where\b", signature) else f"{signature} {{"

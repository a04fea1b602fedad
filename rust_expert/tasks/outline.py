"""What stands around an item, in short: imports, types and signatures that it names, for who is to write or read it.

Unlike a unit's context this need not be complete: the item stays in its crate.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.docs import without_docs
from rust_expert.syntax.item_names import mentions_of_item
from rust_expert.tasks.crate_index import TYPES, CrateIndex, Incomplete
from rust_expert.tasks.needs import name_of
from rust_expert.tasks.units import opened

LONGEST_TYPE = 12
"""Lines of a type's definition that is shown whole; of a longer one, and of all else, the signature."""


def outline_of(row: ItemRow, crate: CrateIndex, most_lines: int) -> str:
    """Code of at most `most_lines` lines: what `row` names of its file's imports and its crate's definitions.

    In the order of their use; what would be too long is left out. "" where there is nothing.
    """
    parts: list[str] = []
    left = most_lines
    named = mentions_of_item(row)
    paths = crate.imports_for(named, row)
    imports = "\n".join(f"use {path};" for path in paths)
    for part in [imports, *dict.fromkeys(_definitions(row, crate, named, paths))]:
        lines = part.count("\n") + 1
        if part and lines <= left:
            parts.append(part)
            left -= lines + 1
    return "\n\n".join(parts)


def _definitions(
    row: ItemRow, crate: CrateIndex, named: Sequence[str], paths: Sequence[str]
) -> Iterator[str]:
    known = {name_of(path): path for path in paths}
    owners = [row.owner] if row.kind in ("method", "impl") else []
    for name in [*owners, *(name for name in named if name[0] != "." and name[-1] != "!")]:
        if (found := _found(name, row, crate, known.get(name, ""))) is not None:
            yield _shown(found, crate)
    yield from _methods(row, crate, named)


def _methods(row: ItemRow, crate: CrateIndex, named: Sequence[str]) -> Iterator[str]:
    """The signatures of the methods that an item calls on its own type, by impl."""
    called: dict[str, list[str]] = defaultdict(list)
    for name in named:
        if name.startswith("."):
            try:
                member = crate.member(row.owner, name[1:])
            except Incomplete:
                continue
            if member is not None and member.key != row.key:
                called[member.header].append(f"    {_flat(member)};")
    for header, signatures in called.items():
        yield "\n".join([opened(header), *signatures, "}"])


def _found(name: str, row: ItemRow, crate: CrateIndex, path: str) -> ItemRow | None:
    try:
        found = crate.definition(name, row, path)
    except Incomplete:
        return None
    return found if found is not None and found.key != row.key else None


def _shown(row: ItemRow, crate: CrateIndex) -> str:
    if row.kind in TYPES or row.kind in ("const", "static", "type", "trait"):
        text = crate.stripped(row)
        if text.count("\n") < LONGEST_TYPE:
            return text
        return _closed(row) if row.kind in TYPES or row.kind == "trait" else ""
    return f"{row.signature};"


def _closed(row: ItemRow) -> str:
    """A type, trait or impl of which only the head is shown."""
    return f"{row.signature};" if row.signature.endswith(")") else f"{row.signature} {{ /* ... */ }}"


def members_of(row: ItemRow, inside: Sequence[ItemRow]) -> str:
    """The signatures of what stands in a larger piece of code, in the order of the source, each impl with its methods.

    `inside`: the items within the piece, itself left out, in the order of the source.
    """
    parts: list[str] = []
    block = ""
    for item in inside:
        if item.kind == "method":
            if item.header != block:
                block = item.header
                parts.append(f"{opened(block)}\n    {_flat(item)};\n}}")
            else:
                parts[-1] = f"{parts[-1].removesuffix('}')}    {_flat(item)};\n}}"
        elif item.kind in ("struct", "enum", "union", "type", "const", "static"):
            text = _without_docs(item)
            parts.append(text if text.count("\n") < LONGEST_TYPE else _closed(item))
        elif item.kind == "function":
            parts.append(f"{item.signature};")
        elif item.kind == "trait" or (item.kind == "impl" and item.trait):
            parts.append(_closed(item))
    return "\n\n".join(parts)


def _flat(item: ItemRow) -> str:
    return " ".join(item.signature.split())


def _without_docs(item: ItemRow) -> str:
    return without_docs(item.text.encode()).decode().strip("\n")

"""What the row of an item takes from outside, worked out from its text when somebody asks: few rows are asked about,
and reading the names of all would cost more than parsing them did.
"""

import functools
import re
from collections.abc import Iterable, Sequence

import tree_sitter

from rust_expert.common.rust_lexing import lexed, without_texts
from rust_expert.syntax.chunks import CHUNK_KINDS, FILE
from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.items import KINDS
from rust_expert.syntax.names import imports_of, uses_of
from rust_expert.syntax.parser import field, parse

LARGEST_READ = 16_000
"""Bytes: the names used by larger items are not read, they are too long for any sample."""

STD_TRAITS = frozenset(
    {"Write", "Read", "BufRead", "Seek", "FromStr", "Hash", "Hasher", "BuildHasher", "Borrow"}
)
"""Traits of std outside the prelude, which an item may need in scope without naming them."""

_MENTION = re.compile(r"([A-Za-z_]\w*+)(?:\s*+(\(|::|!(?!=)))?+", re.ASCII)
"""A word, and what makes it a call or the head of a path. It begins with letters: that makes the search ten times as
fast as one that begins with what may stand before.
"""

_READ = frozenset(KINDS.values()) - {"module", "macro"} | {"method"} | CHUNK_KINDS - {FILE}


def uses_of_item(row: ItemRow) -> tuple[str, ...]:
    """What an item or a run of items takes from outside, the head of its impl or trait included; the forms are those of
    rust_expert.syntax.names. Sorted; empty for modules, files, macros and very large items.

    A head is as the row has it: what stands behind its first 2,000 bytes is not seen.
    """
    if row.kind not in _READ:
        return ()
    return _uses(row.text, row.header, row.kind == "impl" and not row.trait)


@functools.lru_cache(maxsize=10_000)
def _uses(text: str, header: str, head_alone: bool) -> tuple[str, ...]:
    source = (f"{header}\n{{\n{text}\n}}" if header else text).encode()
    top = parse(source).root_node
    heads: list[tree_sitter.Node] = []
    if header:
        block = next(iter(_items_in(top)), None)
        body = field(block, "body") if block is not None else None
        if block is None or body is None:
            return ()
        heads = [child for child in block.children if child.is_named and child != body]
        if block.type == "trait_item":
            heads = [child for child in heads if child != field(block, "name")]
        top = body
    items = _items_in(top)
    if not items or items[-1].end_byte - items[0].start_byte > LARGEST_READ:
        return ()
    if head_alone:  # the methods of such an impl have rows of their own
        body = field(items[0], "body")
        items = [child for child in items[0].children if child.is_named and child != body]
    return tuple(uses_of([*heads, *items], source))


def _items_in(body: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [child for child in body.children if child.type in KINDS]


def mentions_of_item(row: ItemRow) -> tuple[str, ...]:
    """The names in an item's code that may stand for something outside it: types, functions that are called, modules,
    macros (`name!`), methods of its own type (`.name`); each once, in the order of the text, its header first.

    Read off the words alone, at a fraction of what `uses_of_item` costs: good for hints, where a local of the same
    name does no harm.
    """
    if row.kind not in _READ or len(row.text) > LARGEST_READ:
        return ()
    marked = lexed(f"{row.header}\n{row.text}".encode()).marked
    # Six signs before, so that no place is negative.
    code = "\n" * 6 + without_texts(marked).decode("utf-8", "replace")
    found: dict[str, None] = {}
    for match in _MENTION.finditer(code):
        name, after = match.groups()
        if after is None and not "A" <= name[0] <= "Z":
            continue
        start = match.start()
        if not code.startswith(".", start - 1) and not code.startswith("::", start - 2):
            found[name + "!" if after == "!" else name] = None
        elif code.startswith("self.", start - 5) or code.startswith("Self::", start - 6):
            found["." + name] = None
    return tuple(found)


def imports_of_item(row: ItemRow, declarations: Sequence[str]) -> tuple[str, ...]:
    """The imports of its file that an item may need: `std::fmt`, `a::B as C`; sorted.

    `declarations` are the `use` declarations of the file, as the file's row holds them.
    """
    return imports_named(uses_of_item(row), declarations)


def imports_named(uses: Iterable[str], declarations: Sequence[str]) -> tuple[str, ...]:
    """The imports among `declarations` that bring in what is used, or a trait of std; sorted."""
    heads = {use.split("::")[0] for use in uses}
    return tuple(
        sorted(
            {
                path if path.rpartition("::")[2] == name else f"{path} as {name}"
                for name, path in _imported(tuple(declarations))
                if name in heads
                or f"{name}!" in heads
                or (path.rpartition("::")[2] in STD_TRAITS and path.startswith(("std::", "core::")))
            }
        )
    )


@functools.lru_cache(maxsize=1_000)
def _imported(declarations: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(_each_imported(declarations))


def _each_imported(declarations: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The names that `use` declarations bring in, each with its full path."""
    for declaration in declarations:
        source = declaration.encode()
        for node in parse(source).root_node.children:
            if node.type == "use_declaration":
                yield from imports_of(node, source)

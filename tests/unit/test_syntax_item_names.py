"""Names that an item takes from outside, read off its row, are those that are read off its file."""

from pathlib import Path

import pytest
import tree_sitter

from rust_expert.common.config.corpus import ChunkOptions
from rust_expert.common.crate_files import CrateFiles, SourceFile, read_crate
from rust_expert.syntax.chunks import CHUNK_KINDS
from rust_expert.syntax.corpus import ItemRow, Origin, columns_of
from rust_expert.syntax.item_names import LARGEST_READ, imports_of_item, mentions_of_item, uses_of_item
from rust_expert.syntax.items import KINDS
from rust_expert.syntax.names import uses_of
from rust_expert.syntax.parser import field, parse

CRATES = Path(__file__).resolve().parents[1] / "fixtures" / "crates"
ORIGIN = Origin("mini", "1.2.3", "MIT", "2021")


def rows_of(sources: CrateFiles) -> list[ItemRow]:
    return list(map(ItemRow, *columns_of(sources, ORIGIN, ChunkOptions())[0]))


def rows_in(text: str) -> dict[str, ItemRow]:
    return {row.path: row for row in rows_of(CrateFiles(files=[SourceFile.of(text.encode(), "src/lib.rs")]))}


SHAPES = """
use std::fmt::{self, Write as _};
use std::io::{Read, Write};
use std::collections::HashMap as Map;
use crate::other::{self, Other, *};
use ::core::mem;

/// Docs name Nothing.
#[derive(Nothing)]
struct Shape<T>(Map<T, u8>);

impl<T: other::Bound> Shape<T>
where
    T: Clone, // a comment that ends the head
{
    const SIDES: u8 = 4;
    fn sides(&self) -> u8 { mem::size_of::<T>() as u8 + Self::SIDES + helper(self.0.len()) }
}
impl<T> fmt::Display for Shape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("Other") }
}
trait Area: Sized { type Unit; fn area(&self) -> Self::Unit; fn show(&self) { println!("{}", Other::new()) } }
fn helper(x: usize) -> u8 { use std::cmp::max; max(x as u8, 1) }
mod inner { use super::helper; fn f() { helper(1) } }
"""


def test_mentions_are_words_in_the_order_of_the_text() -> None:
    rows = {(row.kind, row.path): row for row in rows_in_order()}
    assert mentions_of_item(rows["method", "Shape::sides"]) == (
        "T", "other", "Shape", "Clone", "sides", "mem", "Self", ".SIDES", "helper",
    )  # fmt: skip
    assert mentions_of_item(rows["method", "Area::show"]) == ("Area", "Sized", "show", "println!", "Other")
    assert mentions_of_item(rows["method", "Shape::fmt"]) == ("T", "fmt", "Shape"), "a text is no code"
    assert mentions_of_item(rows["module", "inner"]) == mentions_of_item(rows["file", ""]) == ()


@pytest.mark.parametrize("crate", ["mini-matrix", "mini-ring", "mini-temperature", "mini-wrap"])
def test_what_is_used_is_mentioned(crate: str) -> None:
    for row in rows_of(read_crate(CRATES / crate)):
        called = {use for use in uses_of_item(row) if "::" not in use and use[0] != "~"}
        assert called <= set(mentions_of_item(row)), row.key


def test_names_of_each_kind() -> None:
    rows = {(row.kind, row.path): row for row in rows_in_order()}
    assert uses_of_item(rows["struct", "Shape"]) == ("Map",)
    assert uses_of_item(rows["impl", "Shape"]) == ("Clone", "Shape", "other"), (
        "its methods are read one by one"
    )
    assert uses_of_item(rows["const", "SIDES"]) == ("Clone", "Shape", "other")
    assert uses_of_item(rows["method", "Shape::sides"]) == (
        ".SIDES", "Clone", "Shape", "helper", "mem", "other", "~len",
    )  # fmt: skip
    assert uses_of_item(rows["method", "Shape::fmt"]) == ("Shape", "fmt", "~write_str")
    assert uses_of_item(rows["impl", "<Shape as fmt::Display>"]) == ("Shape", "fmt", "~write_str")
    assert uses_of_item(rows["method", "Area::show"]) == ("Other", "Other::new", "Sized", "println!")
    assert uses_of_item(rows["method", "Area::area"]) == (".Unit", "Sized")
    assert uses_of_item(rows["function", "helper"]) == ("std",)
    assert uses_of_item(rows["type_with_impls", "Shape"]) == (
        ".SIDES", "Clone", "Map", "fmt", "helper", "mem", "other", "~len", "~write_str",
    )  # fmt: skip
    assert uses_of_item(rows["module", "inner"]) == uses_of_item(rows["file", ""]) == ()


def rows_in_order() -> list[ItemRow]:
    return rows_of(CrateFiles(files=[SourceFile.of(SHAPES.encode(), "src/lib.rs")]))


def test_imports_that_an_item_may_need() -> None:
    file, *rows = rows_in_order()
    found = {(row.kind, row.path): imports_of_item(row, file.imports) for row in rows}
    always = ("std::fmt::Write as _", "std::io::Read", "std::io::Write")
    assert found["struct", "Shape"] == tuple(sorted([*always, "std::collections::HashMap as Map"]))
    assert found["method", "Shape::sides"] == tuple(
        sorted([*always, "::core::mem", "crate::other", "super::helper"])
    )
    assert found["method", "Area::show"] == tuple(sorted([*always, "crate::other::Other"]))
    assert imports_of_item(rows[0], ()) == ()


def test_very_large_items_are_not_read() -> None:
    row = rows_in("fn f() { g() }")["f"]
    assert uses_of_item(row) == ("g",)
    large = row._replace(text="fn f() { g();" + " " * LARGEST_READ + "}")
    assert uses_of_item(large) == ()


def read_off_the_file(source: bytes) -> dict[tuple[int, int], tuple[str, ...]]:
    """What each item of a file uses, by the bytes of the item without docs and attributes."""
    found: dict[tuple[int, int], tuple[str, ...]] = {}
    pending: list[tuple[tree_sitter.Node, list[tree_sitter.Node]]] = [(parse(source).root_node, [])]
    while pending:
        body, heads = pending.pop()
        for node in body.children:
            if node.type not in KINDS:
                continue
            inside = field(node, "body")
            parts = [child for child in node.children if child.is_named and child != inside]
            alone = node.type == "impl_item" and field(node, "trait") is None
            used = uses_of(parts if alone else [*heads, node], source)
            found[node.start_byte, node.end_byte] = tuple(used)
            if inside is not None and node.type in ("impl_item", "trait_item"):
                name = field(node, "name") if node.type == "trait_item" else None
                pending.append((inside, [part for part in parts if part != name]))
            elif inside is not None and node.type == "mod_item":
                pending.append((inside, []))
    return found


@pytest.mark.parametrize("crate", sorted(path.name for path in CRATES.iterdir()))
def test_rows_give_the_names_that_their_file_gives(crate: str) -> None:
    sources = read_crate(CRATES / crate)
    compared = 0
    for row in rows_of(sources):
        if row.kind in ("module", "macro", *CHUNK_KINDS):
            continue
        source = next(file.source for file in sources.files if file.name == row.file)
        begins = row.start + row.text.encode().rindex(row.signature.encode())
        assert uses_of_item(row) == read_off_the_file(source)[begins, row.end], row.key
        compared += 1
    assert compared > 10 or crate == "mini-broken"

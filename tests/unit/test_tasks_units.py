"""Items made whole: what stands beside them, and why some cannot be."""

from pathlib import Path

import pytest

from rust_expert.judge.rustc import check_many
from rust_expert.syntax.corpus import ItemRow, Origin, rows_of_crate
from rust_expert.tasks.crate_index import CrateIndex, Incomplete
from rust_expert.tasks.units import Unit, opened, reason_against, unit_of

LIB = """
use std::collections::HashMap;
use core::fmt;
use std::io::Write;
use other::Thing;
use std::vec::Vec;
mod shapes;
use shapes::Shape as Form;

/// The most.
const LIMIT: usize = 8;

/// A counter.
#[derive(Debug, Clone)]
pub struct Counter<K> where K: std::hash::Hash + Eq {
    /// Counts by key.
    counts: HashMap<K, Total>,
}

#[derive(Debug)]
pub struct Total(usize);

impl Clone for Total {
    fn clone(&self) -> Self {
        Total(self.0)
    }
}

impl<K> Counter<K>
where
    K: std::hash::Hash + Eq,
{
    /// The number of keys.
    fn size(&self) -> usize {
        self.counts.len()
    }

    /// Whether it is full.
    pub fn is_full(&self) -> bool {
        self.size() >= LIMIT
    }
}

impl Total {
    fn value(&self) -> usize {
        self.0
    }
}

pub fn twice(
    total: &Total,
) -> usize {
    total.value() * 2
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

pub fn alone(x: &[u8]) -> Vec<u8> {
    x.to_vec()
}

pub fn shout(out: &mut Vec<u8>) {
    out.write_all(b"!").unwrap();
}

fn foreign(x: Thing) -> Thing {
    x
}

fn renamed(x: Form) -> Form {
    x
}

fn by_macro() {
    surprise!();
}

fn by_root() -> usize {
    crate::LIMIT
}

#[cfg(unix)]
fn sometimes() {
}

fn uses_sometimes() {
    sometimes()
}

fn unknown() -> usize {
    NOWHERE
}

mod deep {
    fn indented() -> usize {
        1
    }
}
"""
SHAPES = "pub struct Shape;\npub fn limit(\n) -> usize {\n    LIMIT\n}\n"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[ItemRow]:
    root: Path = tmp_path_factory.mktemp("crate")
    (root / "src").mkdir()
    (root / "src/lib.rs").write_text(LIB)
    (root / "src/shapes.rs").write_text(SHAPES)
    found, losses = rows_of_crate(root, Origin("mini", "1.0.0", "MIT", "2021"))
    assert not losses
    return found


def at(rows: list[ItemRow], path: str) -> ItemRow:
    return next(row for row in rows if row.path == path)


def unit(rows: list[ItemRow], path: str, lines: int = 40) -> Unit:
    assert reason_against(at(rows, path)) == ""
    return unit_of(at(rows, path), CrateIndex(rows), lines)


WHOLE = [
    "Counter::size",
    "Counter::is_full",
    "twice",
    "<Total as fmt::Display>",
    "alone",
    "shout",
    "shapes::limit",
]


def test_units_compile(rows: list[ItemRow]) -> None:
    units = [unit(rows, path) for path in WHOLE]
    results = check_many([each.file(each.row.text) for each in units])
    assert [each.row.path for each, result in zip(units, results, strict=True) if result.ok] == WHOLE


def test_a_method_comes_with_its_impl_and_what_it_uses(rows: list[ItemRow]) -> None:
    made = unit(rows, "Counter::is_full")
    assert made.imports == ("use std::collections::HashMap;",)
    assert made.answer(made.row.text) == (
        "impl<K> Counter<K>\nwhere\n    K: std::hash::Hash + Eq,\n{\n    /// Whether it is full.\n"
        "    pub fn is_full(&self) -> bool {\n        self.size() >= LIMIT\n    }\n}"
    )
    beside = "\n\n".join(made.context)
    assert "const LIMIT: usize = 8;" in beside and "struct Total(usize);" in beside
    assert "impl Clone for Total" in beside  # the derive on Counter rests on it
    assert "fn size(&self) -> usize" in beside and "fn is_full" not in beside
    assert "///" not in beside
    start, end = made.bounds(made.row.text)
    assert made.file(made.row.text).encode()[start:end] == made.row.text.encode()


def test_methods_called_on_types_of_the_context_come_along(rows: list[ItemRow]) -> None:
    assert any("fn value(&self)" in part for part in unit(rows, "twice").context)


def test_what_the_prelude_gives_is_no_import(rows: list[ItemRow]) -> None:
    made = unit(rows, "alone")
    assert made.self_contained and made.surroundings == ""
    assert made.file(made.row.text) == made.row.text + "\n"


def test_a_trait_that_is_only_called_is_imported(rows: list[ItemRow]) -> None:
    assert unit(rows, "shout").imports == ("use std::io::Write;",)


def test_context_has_a_limit(rows: list[ItemRow]) -> None:
    with pytest.raises(Incomplete, match="context too long"):
        unit(rows, "Counter::is_full", 3)
    assert unit(rows, "alone", 0).self_contained


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("foreign", "another crate or module"),
        ("renamed", "a renamed import"),
        ("by_macro", "a macro that std does not have"),
        ("by_root", "a path from the crate's root"),
        ("uses_sometimes", "context depends on a cfg or an attribute"),
        ("unknown", "an unknown name"),
    ],
)
def test_what_cannot_be_made_whole_has_its_reason(rows: list[ItemRow], path: str, reason: str) -> None:
    with pytest.raises(Incomplete, match=reason):
        unit(rows, path)


def test_what_is_not_even_tried_has_its_reason(rows: list[ItemRow]) -> None:
    assert reason_against(at(rows, "sometimes")) == "depends on a cfg or an attribute"
    assert reason_against(at(rows, "deep::indented")) == "indented"
    assert reason_against(at(rows, "Total::clone")) == "part of a trait or its impl"
    assert reason_against(at(rows, "Total")) == "not a function, method or impl of a trait"


def test_a_header_that_ends_in_a_comment_is_opened_on_the_next_line() -> None:
    assert opened("impl Point") == "impl Point {"
    assert opened("impl Point // as it is drawn") == "impl Point // as it is drawn\n{"
    assert opened("impl<T> Of<T>\nwhere\n    T: Copy,") == "impl<T> Of<T>\nwhere\n    T: Copy,\n{"

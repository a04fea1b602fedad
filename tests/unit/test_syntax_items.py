"""Items carry the exact bytes that they take, whatever the file looks like."""

from pathlib import Path

import pytest

from rust_expert.common.crate_files import SourceFile, read_crate
from rust_expert.syntax.items import FileItems, Item
from rust_expert.syntax.items import items_of as items_of_file

CRATES = Path(__file__).resolve().parents[1] / "fixtures" / "crates"


def items_of(source: bytes) -> FileItems:
    return items_of_file(SourceFile.of(source))


def by_path(source: bytes) -> dict[str, Item]:
    return {item.path: item for item in items_of(source).items}


def text(source: bytes, item: Item) -> str:
    return source[item.start : item.end].decode()


def test_spans_hold_docs_attributes_and_the_comments_between_them() -> None:
    source = (
        b"//! The module's own docs.\n\n// A heading.\n\n/// Adds.\n// why it is so\n#[inline]\n/** More. */\n"
        b"pub fn add(a: u8, b: u8) -> u8 { a + b } // tail\n// before\nfn plain() {}\n"
    )
    items = by_path(source)
    assert text(source, items["add"]) == (
        "/// Adds.\n// why it is so\n#[inline]\n/** More. */\npub fn add(a: u8, b: u8) -> u8 { a + b }"
    )
    assert items["add"].docs == "Adds.\nMore."
    assert items["add"].signature == "pub fn add(a: u8, b: u8) -> u8"
    assert items["add"].public and not items["plain"].public
    assert text(source, items["plain"]) == "fn plain() {}"


def test_spans_are_bytes_in_files_with_other_letters() -> None:
    source = '/// Größe in Ångström — 猫🦀.\nfn größe(x: &str) -> usize { "日本語"; x.len() }\nfn next() {}\n'.encode()
    items = by_path(source)
    assert text(source, items["größe"]).endswith('{ "日本語"; x.len() }')
    assert items["größe"].docs == "Größe in Ångström — 猫🦀."
    assert text(source, items["next"]) == "fn next() {}"


def test_crlf_files_keep_their_bytes_and_lose_the_returns_in_docs() -> None:
    source = b"/// One.\r\n///\r\n/// Two.\r\n#[inline]\r\nfn f() {\r\n    g();\r\n}\r\n"
    (item,) = items_of(source).items
    assert source[item.start : item.end] == source.removesuffix(b"\r\n")
    assert item.docs == "One.\n\nTwo."


def test_nested_modules_impls_and_traits() -> None:
    source = b"""
mod outer {
    pub mod inner {
        /// A thing.
        pub struct Thing<T> { value: T }
        impl<T: Clone> Thing<T> {
            /// Gets.
            pub fn get(&self) -> T { self.value.clone() }
        }
        impl<T> std::fmt::Debug for Thing<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("Thing") }
        }
        pub trait Shape { fn area(&self) -> f64; fn name(&self) -> String { String::new() } }
    }
}
fn outside() { fn inside() {} inside() }
"""
    items = by_path(source)
    assert list(items) == [
        "outer", "outer::inner", "outer::inner::Thing", "outer::inner::Thing::get",
        "outer::inner::<Thing as std::fmt::Debug>", "outer::inner::Thing::fmt", "outer::inner::Shape",
        "outer::inner::Shape::area", "outer::inner::Shape::name", "outside",
    ]  # fmt: skip
    method = items["outer::inner::Thing::get"]
    assert (method.kind, method.owner, method.header, method.trait) == (
        "method",
        "Thing",
        "impl<T: Clone> Thing<T>",
        "",
    )
    assert text(source, method) == "/// Gets.\n            pub fn get(&self) -> T { self.value.clone() }"
    assert items["outer::inner::Thing::fmt"].trait == "std::fmt::Debug"
    assert not items["outer::inner::Shape::area"].has_body and items["outer::inner::Shape::name"].has_body
    kinds = [item.kind for item in items_of(source).items]
    assert kinds.count("impl") == 2


def test_what_is_there_for_tests_alone_is_cut_out() -> None:
    source = b"""
fn kept() {}
#[cfg(test)]
mod tests { use super::*; #[test] fn lost() {} }
#[cfg(all(unix, test))]
fn lost_too() {}
#[test]
fn lost_again() {}
#[tokio::test]
async fn lost_async() {}
#[cfg(not(test))]
fn stays() {}
#[cfg(any(test, feature = "std"))]
fn stays_too() {}
#[cfg_attr(test, derive(Debug))]
struct Stays;
#[cfg(test)]
#[path = "other/checks.rs"]
mod checks;
mod inner { #![cfg(test)] fn lost_inside() {} }
"""
    found = items_of(source)
    names = [item.name for item in found.items]
    assert names == ["kept", "stays", "stays_too", "Stays", "inner"]
    assert len(found.tests) == 6
    assert [source[start:end].split(b" {")[0].split(b"\n")[-1] for start, end in found.tests] == [
        b"mod tests", b"fn lost_too()", b"fn lost_again()", b"async fn lost_async()", b"mod checks;",
        b"#![cfg(test)] fn lost_inside()",
    ]  # fmt: skip
    assert found.test_modules == [("checks", "other/checks.rs")]
    conditional = {item.name: item.conditional for item in found.items}
    assert conditional == {"kept": False, "stays": True, "stays_too": True, "Stays": False, "inner": True}


def test_a_whole_file_for_tests_has_no_items() -> None:
    found = items_of(b"#![cfg(test)]\nfn helper() {}\n")
    assert found.items == [] and found.for_tests
    assert not items_of(b"mod inner { #![cfg(test)] fn f() {} }").for_tests


FAULTY = {
    "in a function": (
        "fn first() {}\n/// Old.\nfn second() { try!(x); }\n// ä\nfn third() {}\n",
        ["first", "third"],
    ),
    "in a method": (
        "impl A { fn a() {} fn b() { let = ; }\n /// C.\n fn c() {} }\nfn after() {}\n",
        ["a", "c", "after"],
    ),
    "in the head of an impl": ("impl A B { fn a() {} }\nfn after() {}\n", ["after"]),
    "a bracket too few in an impl": (
        "fn before() {}\nimpl A { fn a() { fn b() {} }\nfn c() {}\n",
        ["before"],
    ),
    "a bracket too few at the end": ("fn ok() {}\n// ä\nfn broken( {\n", ["ok"]),
    "between items": ("fn a() {}\n)))\nfn b() {}\n", ["a", "b"]),
    "before an item on its line": ("fn a() {}\n)) fn b() {}\nfn c() {}\n", ["a", "c"]),
    "before an attribute of an item": ("fn a() {}\n)) #[x]\nfn b() {}\nfn c() {}\n", ["a", "c"]),
    "in tests": ("fn a() {}\n#[cfg(test)]\nmod tests { fn broken( }\nfn b() {}\n", ["a", "b"]),
    "in a module": ("mod m {\n fn a() {}\n fn b() { + }\n mod n { fn c() {} } }\n", ["a", "n", "c"]),
}


@pytest.mark.parametrize("place", FAULTY)
def test_only_what_a_fault_stands_in_is_left_out(place: str) -> None:
    text, names = FAULTY[place]
    found = items_of(text.encode())
    assert [item.name for item in found.items] == names
    assert (found.lost > 0, bool(found.faults)) == ((False, False) if place == "in tests" else (True, True))
    for item in found.items:
        assert (
            text.encode()[item.start : item.end]
            .decode()
            .strip(" #[x]\n/CA.")
            .startswith(("fn", "mod", "impl"))
        )


def test_as_many_are_counted_as_are_left_out() -> None:
    assert items_of(FAULTY["in a function"][0].encode()).lost == 1
    assert items_of(FAULTY["in a method"][0].encode()).lost == 2, "the impl and its method"
    assert items_of(b"fn a() {}\n").lost == 0


@pytest.mark.parametrize("file", sorted(path.name for path in CRATES.iterdir()))
def test_tests_that_are_not_parsed_change_nothing(file: str) -> None:
    """Modules for tests, emptied before the parser reads, against the same file without any."""
    for read in read_crate(CRATES / file).files:
        tests = b"#[cfg(test)]\nmod more_tests {\n    #[test]\n    fn t() { assert_eq!('}', \"}\"); }\n}\n"
        alone, beside = items_of_file(read), items_of_file(SourceFile.of(read.source + tests))
        assert beside.items == alone.items and len(beside.tests) == len(alone.tests) + 1


def test_docs_inside_modules_and_files() -> None:
    source = b"""//! Of the file.
//!
//! More.

#![allow(dead_code)]
/// Outside.
mod a {
    //! Inside.
    fn f() {}
}
mod b { /*! In a block. */ }
mod c { #![doc = " By attribute."] }
/// Only outside.
mod d { /// Of f.
    fn f() {} }
"""
    found = items_of(source)
    assert found.docs == "Of the file.\n\nMore."
    docs = {item.path: item.docs for item in found.items}
    assert docs == {
        "a": "Outside.\nInside.", "a::f": "", "b": "In a block.", "c": "By attribute.", "d": "Only outside.",
        "d::f": "Of f.",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "docs"),
    [
        ("/// One.\n///\n///   Two.  \n", "One.\n\n  Two."),
        ("/// One.\n// plain\n/// Two.\n", "One.\nTwo."),
        ("/// One.\n\n/// Two.\n", "One.\nTwo."),
        ("    /// One.\n    /// Two.\n    ", "One.\nTwo."),
        ("    /// One.\n  /// Two.\n", "One.\nTwo."),
        ("/// One.\n#[inline] /// Two.\n", "One.\nTwo."),
        ("///One.\n///Two.\n", "One.\nTwo."),
        ("///  One.\n///   Two.\n", "One.\n Two."),
        ("/// One.\n//// none\n/// Two.\n", "One.\nTwo."),
        ("///\n/// One.\n///\n", "One."),
        ("/// One.\r\n/// Two.\r\n", "One.\nTwo."),
        ("/// Größe.\u00a0\n/// Zwei.\n", "Größe.\nZwei."),
        ("/** One. */ /// Two.\n", "One.\nTwo."),
        ('#[doc = "One."]\n/// Two.\n', "One.\n Two."),
        ("fn other() {} /// One.\n", "One."),
        ("// plain\n\n", ""),
        ("/// Dangling.\nuse a::b;\n", ""),
    ],
)
def test_docs_are_read_wherever_they_stand(before: str, docs: str) -> None:
    source = f"{before}fn f() {{}}\n".encode()
    item = items_of(source).items[-1]
    assert item.docs == docs
    text = source[item.start : item.end].decode()
    assert text.endswith("fn f() {}")
    if docs:
        assert text == source.decode()[source.decode().index(text) :].rstrip("\n")
        assert text.startswith(("/", "#"))


def test_docs_of_every_form() -> None:
    source = b"""
/**
 * First.
 *
 * Second.
 */
#[doc = " Third."]
#[doc = include_str!("x.md")]
fn f() {}
////// no docs
fn g() {}
"""
    items = by_path(source)
    assert items["f"].docs == "First.\n\nSecond.\n\nThird."
    assert items["g"].docs == ""


def test_items_that_a_condition_decides_are_marked() -> None:
    source = b"""
fn inner() { #[cfg(unix)] let x = 1; }
fn by_macro() -> bool { cfg!(unix) }
#[cfg_attr(unix, inline)] fn inert() {}
#[async_trait] fn unknown() {}
#[cfg(unix)] impl X { fn inherited(&self) {} }
"""
    marked = {item.name: item.conditional for item in items_of(source).items}
    assert marked == {
        "inner": True, "by_macro": True, "inert": False, "unknown": True, "X": True, "inherited": True,
    }  # fmt: skip


def test_very_deep_nesting_is_no_crash() -> None:
    source = b"fn f() -> u8 { " + b"(" * 3000 + b"1" + b")" * 3000 + b" }\n"
    assert [item.name for item in items_of(source).items] == ["f"]

"""Items carry the exact bytes that they take, whatever the file looks like."""

from rust_expert.syntax.items import Item, items_of


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
    assert found.tests == 6
    assert found.test_modules == [("checks", "other/checks.rs")]
    conditional = {item.name: item.conditional for item in found.items}
    assert conditional == {"kept": False, "stays": True, "stays_too": True, "Stays": False, "inner": True}


def test_a_whole_file_for_tests_has_no_items() -> None:
    assert items_of(b"#![cfg(test)]\nfn helper() {}\n").items == []


def test_a_file_that_does_not_parse_has_faults_and_no_items() -> None:
    found = items_of("fn ok() {}\n// ä\nfn broken( {\n".encode())
    assert found.items == [] and found.faults and found.faults[0] >= 17


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

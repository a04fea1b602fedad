"""What an item takes from outside, read off its syntax."""

from rust_expert.syntax.names import imports_of, uses_of
from rust_expert.syntax.parser import parse


def uses(code: str) -> list[str]:
    source = code.encode()
    return uses_of([parse(source).root_node], source)


def test_own_names_are_not_taken_from_outside() -> None:
    code = (
        "fn f<T: Clone>(a: &T, (b, c): (u8, u8)) -> T { let d = b; let e = |x| x; f(a); e(c + d); a.clone() }"
    )
    assert uses(code) == [
        "Clone", "~clone",
    ]  # fmt: skip


def test_paths_macros_members_and_methods() -> None:
    code = (
        "fn f(&self) { helper(1); Point::new(2); self.grow(3); Self::LIMIT; info!(x); a::b::c(); y.trim();"
        " Some(4); }"
    )
    assert uses(code) == [
        ".LIMIT", ".grow", "Point", "Point::new", "Some", "a", "helper", "info!", "y", "~trim",
    ]  # fmt: skip


def test_a_parameter_does_not_hide_a_module_of_its_name() -> None:
    assert uses("fn f(fmt: u8) -> fmt::Result { fmt }") == ["fmt"]


def test_methods_of_an_impl_do_not_hide_a_module_of_their_name() -> None:
    found = uses(
        "impl fmt::Display for X { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { Ok(()) } }"
    )
    assert found == ["Ok", "X", "fmt"]


def test_arguments_of_macros() -> None:
    found = uses(
        'fn f(x: u8) { format!("{}", shown(x)); vec![Point::new(x), self.get(1)]; write!(o, "{a}", a = x.go()); }'
    )
    assert found == [".get", "Point", "Point::new", "format!", "shown", "vec!", "write!", "~go"]


def test_paths_from_the_root_and_visibilities() -> None:
    assert uses("pub(super) fn f() {}") == ["crate"]
    assert uses("pub(crate) fn f() {}") == []
    assert uses("fn f() { crate::g(); super::h() }") == ["crate"]


def test_patterns_read_capitals_and_bind_the_rest() -> None:
    found = uses(
        "fn f(o: Option<Side>) { match o {"
        " Some(Side::Left) => 1, Some(LIMIT) => 2, Some(x) if x > y => 3, None => 4 }; }"
    )
    assert found == ["LIMIT", "None", "Option", "Side", "Side::Left", "Some", "y"]


def test_imports_inside_the_item_are_its_own() -> None:
    assert uses("fn f() { use std::mem; use Side::*; mem::swap(a, b); }") == ["Side", "a", "b", "std"]


def test_use_trees() -> None:
    source = b"use std::{fmt, io::{self, Read as R}, a::*};"
    assert imports_of(parse(source).root_node.children[0], source) == [
        ("fmt", "std::fmt"), ("io", "std::io"), ("R", "std::io::Read"), ("*", "std::a"),
    ]  # fmt: skip

"""Style scores come from the tree and follow the formula that is written down."""

import pytest

from rust_expert.syntax.style import documentation, idiomatic

LOOP = """
fn evens(xs: &Vec<i32>) -> Vec<i32> {
    let mut out = Vec::new();
    for i in 0..xs.len() {
        if xs[i] % 2 == 0 { out.push(xs[i].clone()); }
    }
    return out;
}
"""
CHAIN = "fn evens(xs: &[i32]) -> Vec<i32> { xs.iter().copied().filter(|x| x % 2 == 0).collect() }"


def test_an_iterator_chain_scores_above_an_index_loop() -> None:
    # idioms: 3 adapters, a slice parameter, a tail expression
    assert idiomatic(CHAIN) == 1.0
    # objections: &Vec, 0..len(), clone, a last return
    assert idiomatic(LOOP) == round((1 + 0) / (1 + 0 + 4), 4)


def test_keywords_in_comments_strings_and_tests_earn_nothing() -> None:
    plain = "fn f() { a.unwrap(); }"
    assert idiomatic(plain) == 0.5
    words = "// map filter collect ? match if let unwrap_or fold Result Option iter\n"
    assert idiomatic(words * 20 + plain) == 0.5
    assert idiomatic('fn f() { g("x.iter().map(|x| x?).collect()").unwrap(); }') == 0.5
    assert idiomatic(plain + "\n#[cfg(test)]\nmod tests { fn t() { x.iter().map(f).collect(); } }") == 0.5


def test_tests_are_not_held_against_the_code() -> None:
    assert idiomatic("fn f() {}\n#[cfg(test)]\nmod tests { fn t() { a.unwrap(); b.clone(); } }") == 1.0


def test_no_kind_can_be_farmed() -> None:
    few, many = ("fn f() { " + "a.map(g); " * times + "}" for times in (3, 300))
    assert idiomatic(few) == idiomatic(many)


@pytest.mark.parametrize(
    "idiom",
    [
        "fn f() { a()?; }",
        "fn f() { if let Some(x) = a { g(x); } }",
        "fn f() { let Some(x) = a else { return }; }",
        "fn f(a: &str) {}",
        "fn f() -> u8 { a }",
        "impl Default for X { fn default() {} }",
    ],
)
def test_an_idiom_makes_up_for_part_of_an_objection(idiom: str) -> None:
    assert idiomatic(idiom) == 1.0
    assert idiomatic(idiom + "fn g() { a.unwrap(); }") == round(2 / 3, 4)


@pytest.mark.parametrize(
    "objection",
    [
        "fn f() { a.unwrap(); }",
        "fn f() { let mut i = 0; while i < n { g(i); i += 1; } }",
        "fn f() { if a == true { g(); } }",
        "fn f() { if a { true } else { false }; }",
        "fn f() { unsafe { g() }; }",
        "static mut X: u8 = 0;",
        "fn f() { panic!(); }",
        "fn f() { if a.len() == 0 { g(); } }",
    ],
)
def test_an_objection_halves_the_score(objection: str) -> None:
    assert idiomatic(objection) == 0.5


def test_nobody_objects_to_plain_code() -> None:
    assert idiomatic("fn add(a: i32, b: i32) -> i32 { a + b }") == 1.0
    assert idiomatic("fn f() {}") == 1.0


@pytest.mark.parametrize(
    ("code", "share"),
    [
        ("fn private() {}", 1.0),
        ("", 1.0),
        ("/// Told.\npub fn f() {}", 1.0),
        ("pub fn f() {}", 0.0),
        ("// Not a doc comment.\npub fn f() {}", 0.0),
        ("///\npub fn f() {}", 0.0),
        (
            "/// A.\npub struct A;\nimpl A {\n/// New.\npub fn new() {}\npub fn old() {}\nfn inner() {}\n}",
            0.6667,
        ),
        ('#[doc = "A."]\npub struct A;\npub(crate) fn f() {}', 1.0),
        ("pub struct A;\nimpl Clone for A { fn clone(&self) {} }", 0.0),
        ("/// M.\npub mod m { pub fn f() {} }", 0.5),
    ],
)
def test_public_items_need_docs(code: str, share: float) -> None:
    assert documentation(code).share == share

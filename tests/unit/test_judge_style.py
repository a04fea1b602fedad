"""Style scores come from the tree and follow the formula that is written down."""

import pytest

from rust_expert.judge.style import documented, idiomatic

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
    assert idiomatic(CHAIN) == round((1 + 5) / (2 + 5 + 0), 4)
    # objections: &Vec, 0..len(), clone, a last return
    assert idiomatic(LOOP) == round((1 + 0) / (2 + 0 + 4), 4)


def test_keywords_in_comments_strings_and_tests_earn_nothing() -> None:
    plain = "fn f() {}"
    assert idiomatic(plain) == 0.5
    words = "// map filter collect ? match if let unwrap_or fold Result Option iter\n"
    assert idiomatic(words * 20 + plain) == 0.5
    assert idiomatic('fn f() { g("x.iter().map(|x| x?).collect()"); }') == 0.5
    assert (
        idiomatic(plain + "\n#[cfg(test)]\nmod tests { fn t() { x.iter().map(f).collect(); y.unwrap(); } }")
        == 0.5
    )


def test_no_kind_can_be_farmed() -> None:
    few, many = ("fn f() { " + "a.map(g); " * times + "}" for times in (3, 300))
    assert idiomatic(few) == idiomatic(many)


@pytest.mark.parametrize(
    ("code", "score"),
    [
        ("fn f() { a()?; }", 2 / 3),
        ("fn f() { if let Some(x) = a { g(x); } }", 2 / 3),
        ("fn f() { let Some(x) = a else { return }; }", 2 / 3),
        ("fn f() { a.unwrap(); }", 1 / 3),
        ("fn f() { let mut i = 0; while i < n { g(i); i += 1; } }", 1 / 3),
        ("fn f() { if a == true { g(); } }", 1 / 3),
        ("fn f() { if a { true } else { false }; }", 1 / 3),
        ("fn f() { unsafe { g() }; }", 1 / 3),
        ("static mut X: u8 = 0;", 1 / 3),
        ("fn f() { panic!(); }", 1 / 3),
        ("fn f() { if a.len() == 0 { g(); } }", 1 / 3),
        ("impl Default for X { fn default() {} }", 2 / 3),
    ],
)
def test_each_kind_counts(code: str, score: float) -> None:
    assert idiomatic(code) == round(score, 4)


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
    assert documented(code) == share

"""The test side of a problem: which tests there are, what they may take from a sample, what a signature promises."""

import pytest

from rust_expert.common.contracts import Problem
from rust_expert.judge.harness import build_harness, read_account, rebinds_the_library
from rust_expert.judge.suite import signature_of, suite_of
from rust_expert.judge.testfile import TestCase, read_tests
from rust_expert.syntax.pieces import pieces_of


def problem(prompt: str, solution: str, test: str, entry: str = "f") -> Problem:
    return Problem(task_id="p", prompt=prompt, canonical_solution=solution, test=test, entry_point=entry)


def test_tests_are_found_in_order_with_what_they_expect() -> None:
    text = """#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn b() {}
    #[test]
    #[should_panic(expected = "x")]
    fn a() {}
    #[test]
    #[ignore]
    fn skipped() {}
    fn helper() {}
    mod deeper {
        #[test]
        pub fn c() -> Result<(), String> { Ok(()) }
    }
}
"""
    found = read_tests(text)
    assert found.cases == (
        TestCase("tests::b"),
        TestCase("tests::a", should_panic=True, expected='"x"'),
        TestCase("tests::deeper::c", returns=True),
    )
    assert "#[test]" not in found.text and "cfg" not in found.text
    assert found.text.count("\n") == text.count("\n")  # no line moved


def test_bare_tests_and_a_main_of_assertions_are_read() -> None:
    assert read_tests("#[test]\nfn a() { assert!(true); }").cases == (TestCase("a"),)
    assert read_tests("fn main() { assert_eq!(f(), 1); }").cases == (TestCase("main"),)
    assert read_tests("/*\n#[test]\nfn a() {}\n*/").cases == ()


def test_tests_take_what_the_problem_names_and_nothing_else() -> None:
    suite = suite_of(
        problem(
            "use std::collections::HashMap;\nuse std::fmt::Write;\ntrait Shape { fn area(&self) -> f64; }\n"
            "struct Dot;\nfn f(x: &Dot) -> HashMap<String, u8> {\n",
            "    inner()\n}\nfn inner() -> HashMap<String, u8> { HashMap::new() }\n",
            "#[cfg(test)] mod tests { use super::*; #[test] fn t() { assert!(f(&Dot).is_empty()); } }",
        )
    )
    assert suite.imports == (
        "use super::Dot; use super::f; use super::Shape as _; use std::collections::HashMap; use std::fmt::Write;"
    )


@pytest.mark.parametrize(
    ("code", "parameters", "returned"),
    [
        ("fn f(a: i32, mut b: Vec<u8>) -> bool { true }", ("i32", "Vec<u8>"), "bool"),
        ("fn f() {}", (), "()"),
        ("fn f<'a>(x: &'a str, y: &'static str) -> &'a str { x }", ("&'_ str", "&'static str"), "&'_ str"),
        ("pub const fn f(x: [u8; 3]) -> (u8, Option<u8>) { (1, None) }", ("[u8; 3]",), "(u8, Option<u8>)"),
    ],
)
def test_signatures_are_stated(code: str, parameters: tuple[str, ...], returned: str) -> None:
    found = signature_of(pieces_of(code), "f")
    assert found is not None and (found.parameters, found.returned) == (parameters, returned)


@pytest.mark.parametrize(
    "code",
    [
        "fn f<T>(x: T) -> T { x }",
        "fn f(x: impl Into<String>) {}",
        "fn f(x: u8) -> impl Iterator<Item = u8> { 0..x }",
        "async fn f() {}",
        "struct f;",
    ],
)
def test_signatures_that_cannot_be_stated_are_not(code: str) -> None:
    assert signature_of(pieces_of(code), "f") is None


def test_only_proofs_of_this_run_count() -> None:
    suite = suite_of(
        problem(
            "fn f() -> i32 {\n", "    1\n}\n", "#[test]\nfn a() { assert_eq!(f(), 1); }\n#[test]\nfn b() {}"
        )
    )
    harness, other = build_harness(suite.solution, suite), build_harness(suite.solution, suite)
    lines = f"noise\n{harness.proof(1)} 0 \n{harness.proof(2)} 1 it failed\n{harness.proof(4)} end\n"
    account = read_account(harness, lines)
    assert (account.passed, account.failed, account.ended) == (frozenset({0}), {1: "it failed"}, True)
    assert read_account(other, lines).passed == frozenset() and not read_account(other, lines).ended
    assert harness.files.keys() != other.files.keys()


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        ("extern crate self as std;", True),
        ("extern crate alloc as core;", True),
        ("extern crate r#self as x;", True),
        ("macro_rules! m { ($a:ident) => { extern crate $a as std; } }", True),
        ("extern crate alloc;", False),
        ("extern crate std as library;", False),
        ("extern crate rand;", False),
        ('// extern crate self as std;\nfn f() { "extern crate self as std;"; }', False),
    ],
)
def test_renaming_the_library_is_noticed(code: str, bad: bool) -> None:
    assert rebinds_the_library(code) is bad

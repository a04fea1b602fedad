"""rustc in the sandbox: the same answer in a batch as alone."""

import pytest

from rust_expert.judge.rustc import TestProgram, check, check_many, run_tests_many

SNIPPETS = {
    "good": "pub fn one() -> i32 { 1 }",
    "type error": 'pub fn one() -> i32 { "one" }',
    "syntax error": "pub fn one() -> i32 { let = 1; }",
    "unclosed": "pub fn one() -> i32 { 1",
    "borrow error": 'pub fn one() { let mut v = vec![1]; let a = &v[0]; v.push(2); println!("{a}"); }',
    "same name": "pub fn one() -> i32 { 2 }",
    "crate path": "pub fn one() -> i32 { crate::two() } fn two() -> i32 { 2 }",
    "super path": "use super::*; pub fn one() {}",
    "exported macro": "#[macro_export] macro_rules! m { () => { 1 } } pub fn one() -> i32 { m!() }",
    "uses that macro": "pub fn one() -> i32 { m!() }",
    "no_mangle": '#[no_mangle] pub extern "C" fn clash() {}',
    "no_mangle again": '#[no_mangle] pub extern "C" fn clash() {}',
    "inner attribute": "#![allow(dead_code)]\npub fn one() {}",
    "compares with char": "pub struct M; impl PartialEq<M> for char { fn eq(&self, _: &M) -> bool { true } }",
    "infers beside it": "pub fn one(x: u8) -> bool { 'a' == x.into() }",
    "denied lint": "pub fn one() -> u8 { 256 }",
    "crashes rustc": "pub fn one() -> i32 { " + "(" * 30000 + "1" + ")" * 30000 + " }",
    "non-ASCII": '/// äöü\npub fn größe() -> &\'static str { "日本" }',
    "empty": "",
}


def test_a_batch_says_what_single_checks_say() -> None:
    alone = [check(code) for code in SNIPPETS.values()]
    expected = dict(zip(SNIPPETS, [result.ok for result in alone], strict=True))
    good = {
        "good",
        "same name",
        "crate path",
        "exported macro",
        "no_mangle",
        "no_mangle again",
        "inner attribute",
    }
    assert {name for name, ok in expected.items() if ok} == good | {
        "compares with char",
        "infers beside it",
        "non-ASCII",
        "empty",
    }
    together = check_many(list(SNIPPETS.values()), workers=2)
    assert together == alone
    quick = check_many(list(SNIPPETS.values()), diagnostics=False)
    assert [result.ok for result in quick] == [result.ok for result in alone]


def test_diagnostics_point_into_the_snippet() -> None:
    code = 'pub fn größe() -> i32 {\n    "one"\n}'
    result = check(code)
    assert result.codes == ["E0308"]
    error = result.diagnostics[0]
    span = error.spans[0]
    assert (error.line, error.level, span.file) == (2, "error", "snippet.rs")
    assert code.encode()[span.byte_start : span.byte_end].decode() == '"one"'
    assert "mismatched types" in error.rendered


def test_warnings_are_told_on_request() -> None:
    code = "pub fn one() { let unused = 1; }"
    assert check(code).diagnostics == []
    told = check(code, warnings=True)
    assert told.ok and [each.code for each in told.diagnostics] == ["unused_variables"]


def test_editions_differ() -> None:
    code = "pub fn one() { let gen = 1; let _ = gen; }"
    assert check(code, edition="2021").ok and not check(code, edition="2024").ok


TESTS = """
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn is_one() { assert_eq!(one(), 1); }
    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn panics() { let v: Vec<i32> = Vec::new(); let _ = v[one() as usize]; }
    #[test]
    fn gives() -> Result<(), String> { if one() == 1 { Ok(()) } else { Err("no".into()) } }
}
"""

PROGRAMS = {
    "passes": ("fn one() -> i32 { 1 }", TESTS, ""),
    "fails": ("fn one() -> i32 { 2 }", TESTS, "tests::is_one: assertion `left == right` failed"),
    "does not compile": ("fn one() -> i32 { x }", TESTS, "error[E0425]: cannot find value `x` in this scope"),
    "lacks the function": ("", TESTS, "error[E0425]: cannot find function `one` in this scope"),
    "passes too": ("fn one() -> i32 { 1 }", TESTS, ""),
    "exits": (
        "fn one() -> i32 { std::process::exit(0) }",
        TESTS,
        "it left with exit code 0 before its tests were over",
    ),
    "overflows the stack": (
        "fn f(n: u64) -> i32 { f(n + 1) + 1 } fn one() -> i32 { f(0) }",
        TESTS,
        "it was ended by SIGSEGV",
    ),
    "hangs": ("fn one() -> i32 { loop {} }", TESTS, "it met the limit: cpu"),
    "overflows": (
        "fn one() -> i32 { std::hint::black_box(i32::MAX) + 1 }",
        TESTS,
        "tests::is_one: attempt to add with overflow",
    ),
    "uses crate paths": ("fn one() -> i32 { crate::two() - 1 } fn two() -> i32 { 2 }", TESTS, ""),
    "panics otherwise": (
        "fn one() -> i32 { 1 }",
        '#[test]\n#[should_panic(expected = "this")]\nfn t() { panic!("that"); }',
        "t: that",
    ),
    "has no tests": ("fn one() -> i32 { 1 }", "// none", "it has no tests"),
    "prints": ('fn one() -> i32 { print!("x"); println!("1 ok\\n2 ok"); 1 }', TESTS, ""),
}


def test_programs_in_one_binary_do_not_disturb_each_other() -> None:
    programs = [TestProgram(code, tests) for code, tests, _ in PROGRAMS.values()]
    found = run_tests_many(programs, run_seconds=1, workers=2)
    assert {name: run.message for name, run in zip(PROGRAMS, found, strict=True)} == {
        name: message for name, (_, _, message) in PROGRAMS.items()
    }
    assert [run.ok for run in found] == [not message for _, _, message in PROGRAMS.values()]


@pytest.mark.parametrize("edition", ["2018", "2024"])
def test_programs_are_compiled_in_their_edition(edition: str) -> None:
    code = "fn one() -> i32 { let async_ = 1; async_ }"
    assert run_tests_many([TestProgram(code, TESTS)], edition=edition)[0].ok


def test_no_snippets_give_no_results() -> None:
    assert check_many([]) == [] and run_tests_many([]) == []

"""Every mutation operator breaks an example with an error that it is made for, and the example itself compiles."""

import random

import pytest

from rust_expert.judge.rustc import CheckResult, check_many
from rust_expert.tasks.code import Code
from rust_expert.tasks.mutations.catalogue import OPERATORS, mutants_of
from rust_expert.tasks.mutations.naming import misspelt

EXAMPLES = {
    "semicolon after the tail expression": "fn f(x: u8) -> u8 {\n    x + 1\n}",
    "number written as text": "fn f() -> u8 {\n    let x: u8 = 1;\n    x\n}",
    "owned text for borrowed text": 'fn g(x: &str) -> usize { x.len() }\nfn f() -> usize { g("a") }',
    "borrowed text for owned text": 'fn f() -> String { String::from("a") }',
    "reference dropped": "fn g(x: &str) -> usize { x.len() }\nfn f(s: String) -> usize { g(&s) }",
    "reference added": "fn g(x: u8) -> u8 { x }\nfn f(x: u8) -> u8 { g(x) }",
    "dereference dropped": "fn f(x: &u8) -> u8 { *x }",
    "dereference added": "fn f(x: u8) -> u8 { x + 1 }",
    "wrapper dropped": "fn f(x: u8) -> Option<u8> { Some(x) }",
    "wrapper forgotten in the type": "fn f(x: u8) -> Option<u8> { Some(x) }",
    "other return type": "fn f(x: &str) -> usize { x.len() }",
    "return type forgotten": "fn f(x: u8) -> u8 { x }",
    "else dropped": "fn f(x: bool) -> u8 { if x { 1 } else { 2 } }",
    "cast dropped": "fn f(x: u8) -> usize { x as usize }",
    "index of another type": "fn f(x: &[u8], i: usize) -> u8 { x[i] }",
    "return without its value": "fn f(x: u8) -> u8 { return x; }",
    "argument dropped": "fn g(x: u8, y: u8) -> u8 { x + y }\nfn f() -> u8 { g(1, 2) }",
    "arguments swapped": "fn g(x: u8, y: bool) -> bool { y && x > 0 }\nfn f() -> bool { g(1, true) }",
    "parameter used after it was moved": "fn f(text: String) -> usize {\n    text.len()\n}",
    "variable used after it was moved": "fn f() -> usize {\n    let v = vec![1];\n    v.len()\n}",
    "clone dropped": "fn f(x: &String) -> String { x.clone() }",
    "moved out of a borrow": "struct S { n: Option<String> }\nfn f(s: &S) -> Option<&String> { s.n.as_ref() }",
    "mut dropped": "fn f() -> u8 {\n    let mut x = 1;\n    x += 1;\n    x\n}",
    "shared reference instead of a mutable one": "fn f(x: &mut Vec<u8>) { x.push(1); }",
    "reference to a local value returned": "fn f(x: &str) -> &str { x.trim() }",
    "value dropped while borrowed": "fn f(s: &str) -> usize {\n    let t = s.to_owned();\n    t.len()\n}",
    "move dropped from a closure": "fn f(x: u8) -> impl Fn() -> u8 { move || x }",
    "changed while a shared borrow lives": "fn f(v: &mut Vec<u8>) {\n    v.push(1);\n}",
    "changed while a mutable borrow lives": "fn f(v: &mut Vec<u8>) {\n    v.push(1);\n}",
    "moved while borrowed": "fn g(_: String) {}\nfn f(s: String) {\n    g(s);\n}",
    "assigned while borrowed": "fn f(mut x: u8) -> u8 {\n    x += 1;\n    x\n}",
    "variable misspelt": "fn g(x: u8) -> u8 { x }\nfn f(total: u8) -> u8 { g(total) }",
    "type misspelt": "fn f() -> String { String::new() }",
    "method that does not exist": "fn f(x: &str) -> usize { x.len() }",
    "field that does not exist": "struct S { length: u8 }\nfn f(s: S) -> u8 { s.length }",
    "trait bound dropped": "fn f<T: PartialOrd>(x: T, y: T) -> bool { x < y }",
    "question mark dropped": "fn f(x: Option<u8>) -> Option<u8> { let y = x? + 1; Some(y) }",
    "question mark where nothing is returned": "fn f(x: Option<u8>) -> u8 { x.unwrap() }",
    "lifetime dropped": "fn f<'a>(x: &'a str, _y: &str) -> &'a str { x }",
    "type annotation dropped": 'fn f() { let x: Vec<u8> = "a".bytes().collect(); drop(x.len()); }',
    "match arm dropped": "fn f(x: Option<u8>) -> u8 { match x { Some(y) => y, None => 0 } }",
    "field of a new value dropped": "struct P { x: u8, y: u8 }\nfn f(x: u8, y: u8) -> P { P { x, y } }",
    "pattern of another length": "fn f(x: Option<u8>) -> u8 { if let Some(y) = x { y } else { 0 } }",
    "unsafe dropped": "unsafe fn g() -> u8 { 1 }\nfn f() -> u8 { unsafe { g() } }",
    "async dropped": "async fn g() -> u8 { 1 }\nasync fn f() -> u8 { g().await }",
    "condition of another type": "fn f(x: u8) -> u8 { if x == 1 { 2 } else { 3 } }",
}


@pytest.fixture(scope="module")
def checked() -> dict[tuple[str, int], CheckResult]:
    """rustc's word on every example (place -1) and on every broken form of it."""
    forms: dict[tuple[str, int], str] = {}
    for operator in OPERATORS:
        code = Code(EXAMPLES[operator.name])
        forms[operator.name, -1] = code.edited(())
        for place, edits in enumerate(operator.find(code)):
            forms[operator.name, place] = code.edited(edits)
    return dict(zip(forms, check_many(list(forms.values())), strict=True))


def test_there_is_an_example_for_each_operator() -> None:
    assert {operator.name for operator in OPERATORS} == set(EXAMPLES)
    assert len(OPERATORS) >= 40


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_an_operator_breaks_its_example_as_expected(
    operator: object, checked: dict[tuple[str, int], CheckResult]
) -> None:
    name, expects = operator.name, operator.expects  # type: ignore[attr-defined]
    assert checked[name, -1].ok
    broken = [result for (other, place), result in checked.items() if other == name and place >= 0]
    assert broken, "it finds no place in its example"
    seen = {code for result in broken for code in result.codes}
    assert seen & expects, f"{seen} has none of {expects}"


def test_borrows_collide_as_named(checked: dict[tuple[str, int], CheckResult]) -> None:
    for name, code in (
        ("changed while a shared borrow lives", "E0502"),
        ("changed while a mutable borrow lives", "E0499"),
        ("moved while borrowed", "E0505"),
        ("assigned while borrowed", "E0506"),
        ("value dropped while borrowed", "E0597"),
        ("reference to a local value returned", "E0515"),
    ):
        assert checked[name, 0].codes == [code]


def test_places_count_bytes_where_letters_take_several() -> None:
    code = Code('fn f(s: &str) -> usize { /* Größe 猫 */ let ö = "日本"; s.len() + ö.len() }')
    for operator in OPERATORS:
        for edits in operator.find(code):
            assert code.edited(edits) != code.edited(())


def test_the_draw_depends_on_its_generator_alone() -> None:
    code = Code("fn f(v: &mut Vec<u8>, x: u8) -> usize {\n    v.push(x);\n    v.len()\n}")
    first = mutants_of(code, 5, random.Random(3))
    assert first == mutants_of(code, 5, random.Random(3))
    assert len({mutant.operator for mutant in first}) == len({mutant.text for mutant in first}) == 5
    spent = frozenset(operator.name for operator in OPERATORS if operator.name != "argument dropped")
    assert [mutant.operator for mutant in mutants_of(code, 5, random.Random(3), spent)] == [
        "argument dropped"
    ]


def test_an_item_without_any_place_gives_nothing() -> None:
    assert mutants_of(Code("fn f() {}"), 3, random.Random(0)) == []


@pytest.mark.parametrize("name", ["ab", "total", "aaaa", "x1", "größe", "len"])
def test_a_misspelt_name_is_another_name(name: str) -> None:
    assert misspelt(name) != name and misspelt(name).isidentifier()

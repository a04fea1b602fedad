"""Every backward rewrite gives the plainer form that it names, and both sides compile."""

import random

import pytest

from rust_expert.judge.rustc import CheckResult, check_many
from rust_expert.tasks.code import Code
from rust_expert.tasks.rewrites.catalogue import BY_NAME, REWRITES, rewritten_forms

EXAMPLES: list[tuple[str, str, str]] = [
    (
        "question mark on Result",
        """\
fn f(x: &str) -> Result<u8, std::num::ParseIntError> {
    let y = x.parse::<u8>()?;
    Ok(y)
}\
""",
        """\
let y = match x.parse::<u8>() {
        Ok(value) => value,
        Err(error) => return Err(error.into()),
    };\
""",
    ),
    (
        "question mark on Result",
        """\
fn g(x: u8) -> Result<String, String> { Ok(x.to_string()) }
fn f() -> Result<usize, String> {
    g(1)?;
    Ok(g(g(2)?.parse().unwrap())?.trim().len())
}\
""",
        "(match g((match g(2) {",
    ),
    (
        "question mark on Option",
        """\
fn f(x: &[u8]) -> Option<u8> {
    let value = x.first()?;
    Some(*value)
}\
""",
        """\
let value = match x.first() {
        Some(inner) => inner,
        None => return None,
    };\
""",
    ),
    (
        "unwrap_or",
        """\
fn f(x: Option<u8>) -> u8 {
    x.unwrap_or(3)
}\
""",
        """\
match x {
        Some(value) => value,
        None => 3,
    }\
""",
    ),
    (
        "unwrap_or",
        """\
fn f(x: Option<u8>, y: u8) -> u8 {
    x.unwrap_or_else(|| y + 1)
}\
""",
        "None => y + 1,",
    ),
    (
        "ok_or",
        """\
fn f(x: Option<u8>) -> Result<u8, String> {
    x.ok_or_else(|| String::new())
}\
""",
        "None => Err(String::new()),",
    ),
    (
        "map on Option",
        """\
fn f(x: &[u8]) -> Option<u8> {
    x.first().map(|y| y + 1)
}\
""",
        """\
Some(y) => Some(y + 1),
        None => None,\
""",
    ),
    (
        "if let",
        """\
fn f(x: Option<u8>) -> u8 {
    if let Some(y) = x {
        y
    } else {
        0
    }
}\
""",
        """\
match x {
        Some(y) => {
            y
        }
        _ => {
            0
        }
    }\
""",
    ),
    (
        "if let",
        """\
fn f(x: Option<u8>, v: &mut Vec<u8>) {
    if let Some(y) = x {
        v.push(y);
    }
}\
""",
        "_ => {}",
    ),
    (
        "let else",
        """\
fn f(x: Option<u8>) -> u8 {
    let Some(y) = x else {
        return 0;
    };
    y
}\
""",
        "let y = match x {",
    ),
    (
        "let else",
        """\
fn f(x: Option<(u8, u8)>) -> u8 {
    let Some((a, b)) = x else { return 0 };
    a + b
}\
""",
        """\
let (a, b) = match x {
        Some((a, b)) => (a, b),\
""",
    ),
    (
        "while let",
        """\
fn f(mut x: Vec<u8>) {
    'a: while let Some(y) = x.pop() {
        if y > 1 {
            break 'a;
        }
    }
}\
""",
        """\
'a: loop {
        match x.pop() {\
""",
    ),
    (
        "matches",
        """\
fn f(x: Option<u8>) -> bool {
    matches!(x, Some(1 | 2) | None if true)
}\
""",
        """\
Some(1 | 2) | None if true => true,
        _ => false,\
""",
    ),
    (
        "for instead of while let",
        """\
fn f(x: &[u8]) -> u8 {
    let mut s = 0;
    for y in x {
        s += y;
    }
    s
}\
""",
        """\
let mut items = x.into_iter();
        while let Some(y) = items.next() {
            s += y;\
""",
    ),
    (
        "for instead of loop",
        """\
fn f() -> u8 {
    let mut s = 0;
    'a: for y in 0..4 {
        if y == 2 {
            continue 'a;
        }
        s += y;
    }
    s
}\
""",
        """\
let mut items = (0..4).into_iter();
        'a: loop {\
""",
    ),
    (
        "any",
        """\
fn f(x: &[u8]) -> bool {
    x.iter().any(|y| *y > 3)
}\
""",
        """\
    let mut found = false;
    for y in x.iter() {
        if *y > 3 {
            found = true;
            break;
        }
    }
    found
\
""",
    ),
    (
        "all",
        """\
fn f(x: &[u8]) -> u8 {
    let ok = x.iter().all(|&y| y > 3);
    u8::from(ok)
}\
""",
        "if !(y > 3) {",
    ),
    (
        "map and collect",
        """\
fn f(x: &[u8]) -> Vec<u8> {
    x.iter().map(|y| y + 1).collect()
}\
""",
        """\
let mut items = Vec::new();
    for y in x.iter() {
        items.push(y + 1);
    }
    items\
""",
    ),
    (
        "map and collect",
        """\
fn f(x: &[u8]) -> usize {
    let v: Vec<u8> = x.iter().map(|y| y + 1).collect();
    v.len()
}\
""",
        "let mut v: Vec<u8> = Vec::new();",
    ),
    (
        "value of the block",
        """\
fn f(x: u8) -> u8 {
    x + 1
}\
""",
        "return x + 1;",
    ),
    (
        "shorthand of fields",
        """\
struct P { x: u8 }
fn f(x: u8) -> P {
    P { x }
}\
""",
        "P { x: x }",
    ),
    (
        "is_empty",
        """\
fn f(x: &str) -> bool {
    !x.is_empty() && !x.trim().is_empty()
}\
""",
        "x.len() > 0 && x.trim().len() > 0",
    ),
    (
        "condition as value",
        """\
fn f(x: u8) -> bool {
    x > 1 && x < 5
}\
""",
        """\
if x > 1 && x < 5 {
        true
    } else {
        false
    }\
""",
    ),
    (
        "names inside the format string",
        """\
fn f(x: u8) -> String {
    format!("{x:>4} {{}} {x}")
}\
""",
        'format!("{:>4} {{}} {}", x, x)',
    ),
    (
        "compound assignment",
        """\
fn f(mut x: u8) -> u8 {
    x += 1;
    x
}\
""",
        "x = x + 1;",
    ),
    (
        "slices as parameters",
        """\
fn f(x: &str, y: &[u8]) -> usize {
    x.len() + y.len()
}\
""",
        "x: &String, y: &Vec<u8>",
    ),
]

NOT_REWRITTEN = [
    ("question mark on Result", "fn f(x: Option<u8>) -> Option<u8> { x? ; None }"),
    ("question mark on Option", "fn f(x: Option<u8>) { let _ = || -> Option<u8> { Some(x?) }; }"),
    ("if let", "fn f(x: Option<u8>) { if true { } else if let Some(_) = x { } }"),
    ("if let", "fn f(x: &std::sync::Mutex<Option<u8>>) { if let Some(_) = *x.lock().unwrap() { } }"),
    ("let else", "fn f(x: Option<u8>) -> u8 { let Some(mut y) = x else { return 0 }; y += 1; y }"),
    ("unwrap_or", "fn f(x: Option<u8>) -> u8 { x.unwrap_or(g()) }"),
    ("any", "fn f(x: &[u8]) -> Option<bool> { Some(x.iter().any(|y| return *y > 1)) }"),
    ("names inside the format string", 'fn f(x: u8) { println!("{x} {}", 1); }'),
    ("names inside the format string", 'fn f(x: u8) { println!("{x:1$}", x, 4); }'),
    ("map on Option", "fn f(x: &[u8]) -> Vec<u8> { x.iter().map(|y| y + 1).collect() }"),
    ("compound assignment", 'fn f(mut x: String) -> String { x += "a"; x }'),
    ("slices as parameters", "impl T for S { fn f(x: &str) {} }"),
]


def plain(name: str, original: str) -> str:
    code = Code(original)
    return code.rewritten(BY_NAME[name].find(code))


@pytest.fixture(scope="module")
def results() -> list[tuple[CheckResult, CheckResult]]:
    originals = [original for _, original, _ in EXAMPLES]
    found = check_many(originals + [plain(name, original) for name, original, _ in EXAMPLES])
    return list(zip(found[: len(originals)], found[len(originals) :], strict=True))


def test_there_is_an_example_for_each_rewrite() -> None:
    assert {name for name, _, _ in EXAMPLES} == {rewrite.name for rewrite in REWRITES}


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[name for name, _, _ in EXAMPLES])
def test_a_rewrite_gives_the_plain_form_and_both_compile(
    number: int, results: list[tuple[CheckResult, CheckResult]]
) -> None:
    name, original, expected = EXAMPLES[number]
    assert expected in plain(name, original)
    before, after = results[number]
    assert before.ok and after.ok, after.diagnostics


@pytest.mark.parametrize(("name", "original"), NOT_REWRITTEN)
def test_what_would_change_the_meaning_is_left_alone(name: str, original: str) -> None:
    assert plain(name, original) == original


def test_strings_over_several_lines_are_not_moved() -> None:
    original = (
        "fn f(x: Option<u8>) -> &'static str {\n"
        '    if let Some(_) = x {\n        "a\n  b"\n    } else {\n        "c"\n    }\n}'
    )
    assert '"a\n  b"' in plain("if let", original)


def test_other_letters_are_kept() -> None:
    original = "fn f(größe: Option<u8>) -> Option<u8> {\n    // 日本\n    let ö = größe?;\n    Some(ö)\n}"
    assert "let ö = match größe {" in plain("question mark on Option", original)


def test_the_draw_depends_on_its_generator_alone() -> None:
    code = Code(
        "fn f(x: &[u8]) -> bool {\n    for y in x {\n        if let 3 = y {\n            return true;\n"
        "        }\n    }\n    x.is_empty()\n}"
    )
    first = rewritten_forms(code, 3, random.Random(1))
    assert first == rewritten_forms(code, 3, random.Random(1)) and len(first) == 3

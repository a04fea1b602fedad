"""Code out of raw answers: every shape that models give."""

import json
import os
import time
from pathlib import Path

import pytest

from rust_expert.common.contracts import Problem
from rust_expert.syntax.extraction import extract, given_by
from rust_expert.syntax.parser import is_whole

SUITE = Path(os.environ.get("RUST_EXPERT_PROBLEMS", "no-folder")) / "humaneval_x_rust.jsonl"

ADD = Problem(
    task_id="add",
    prompt="/// The sum.\nfn add(a: i32, b: i32) -> i32 {\n",
    canonical_solution="    a + b\n}\n",
    entry_point="add",
    test="",
)
COUNT = Problem(
    task_id="count",
    prompt=(
        "use std::collections::HashMap;\nuse rand::Rng;\n\n/// A word with its number.\n#[derive(Debug, PartialEq)]\n"
        "pub struct Entry { word: String, n: usize }\n\nfn helper(s: &str) -> usize { s.len() }\n\n"
        "/// Counts words.\npub fn count(text: &str) -> HashMap<String, usize> {\n"
    ),
    canonical_solution="",
    entry_point="count",
    test="",
)
WHOLE = "fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"
BODY = "    a + b\n}\n"


@pytest.mark.parametrize(
    ("raw", "rule", "code"),
    [
        (BODY, "body", "/// The sum.\n" + WHOLE),
        ("a + b\n}", "body", "/// The sum.\nfn add(a: i32, b: i32) -> i32 {\na + b\n}\n"),
        (
            '    a + b\n}\n\nfn main() {\n    println!("{}", add(1, 2));\n}\n',
            "body",
            "/// The sum.\n" + WHOLE,
        ),
        ("    a + b\n}\n\n#[test]\nfn it() {}\n// and so on\n", "body", "/// The sum.\n" + WHOLE),
        ("    a + b\n", "body_closed", "/// The sum.\n" + WHOLE),
        (WHOLE, "whole", WHOLE),
        (WHOLE + '\nfn main() { println!("{}", add(1, 2)); }\n', "whole", WHOLE),
        (WHOLE + "\n#[cfg(test)]\nmod tests { use super::*; #[test] fn t() {} }\n", "whole", WHOLE),
        ("Here it is:\n\n" + WHOLE + "\nIt doesn't overflow {usually}.", "whole_in_prose", WHOLE),
        (f"Sure!\n```rust\n{WHOLE}```\nDone: it's `add`.", "fenced_whole", WHOLE),
        (f"```\n{WHOLE}```", "fenced_whole", WHOLE),
        (f"~~~rust\n{WHOLE}~~~", "fenced_whole", WHOLE),
        (f"```rust\n{WHOLE}", "fenced_whole", WHOLE),
        (f"{WHOLE}```\nThat was it.", "fenced_whole", WHOLE),
        (f"```rust\n{BODY}```", "fenced_body", "/// The sum.\n" + WHOLE),
        (f"Use it:\n```rust\nadd(1, 2);\n```\nwith\n```rust\n{WHOLE}```", "fenced_whole", WHOLE),
        (f"```toml\n[package]\n```\n```rust\n{WHOLE}```", "fenced_whole", WHOLE),
        ("", "none", ""),
        ("I cannot help with that.", "none", ""),
        ("```\n```", "none", ""),
    ],
)
def test_shapes_of_an_answer(raw: str, rule: str, code: str) -> None:
    found = extract(raw, ADD)
    assert (found.rule, found.code) == (rule, code)


def test_helpers_types_docs_and_attributes_are_kept() -> None:
    answer = (
        "#![allow(dead_code)]\nuse std::fmt;\n\n/// A pair.\n#[derive(Clone, Copy)]\nstruct Pair(i32, i32);\n\n"
        "impl fmt::Display for Pair {\n"
        '    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { write!(f, "{{") }\n}\n\n'
        "// adds up\n#[inline]\nfn sum(p: Pair) -> i32 { p.0 + p.1 }\n\n"
        "fn add(a: i32, b: i32) -> i32 { sum(Pair(a, b)) }\n"
    )
    code = extract(f"Thus:\n```rust\n{answer}```\n", ADD).code
    for line in answer.splitlines():
        assert line in code
    assert code.startswith("#![allow(dead_code)]\n")


@pytest.mark.parametrize(
    "body",
    [
        "    let c = '{';\n    let s = \"}\";\n    a + b // }\n}\n",
        '    let c = b\'}\';\n    let s = r#"{ " {"#;\n    a + b\n}\n',
        "    fn first<'a>(x: &'a str) -> &'a str { x }\n    let _ = first(\"}\");\n    /* } */\n    a + b\n}\n",
        "    let f = |x: i32| { x + b };\n    if a > 0 { f(a) } else { match b { 0 => a, _ => a + b } }\n}\n",
    ],
)
def test_only_braces_of_the_language_count(body: str) -> None:
    found = extract(body + "\nprose with { and 'quotes\n", ADD)
    assert found.rule == "body"
    assert found.code == "/// The sum.\nfn add(a: i32, b: i32) -> i32 {\n" + body
    assert extract(f"Look:\n{found.code}\nand don't {'{'} worry", ADD).code == found.code


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("fn add(a: i32, b: i32) -> i32 {\n    let c = a +", "cut"),
        ("```rust\nfn add(a: i32, b: i32) -> i32 {\n    if a > b {\n        a\n", "fenced_cut"),
        ("    let c = vec![a, b];\n    for x in c {\n        if x", "cut"),
    ],
)
def test_an_answer_cut_in_the_middle_stays_cut(raw: str, rule: str) -> None:
    found = extract(raw, ADD)
    assert found.rule == rule
    assert not is_whole(found.code.encode())


def test_a_broken_function_is_handed_on_as_it_is() -> None:
    broken = "fn add(a: i32, b: i32) -> i32 {\n    let = a +* b;\n}"
    assert extract(f"Try:\n{broken}\nGood luck, it's fine", ADD).code == broken + "\n"


def test_another_function_is_code_but_not_the_entry_point() -> None:
    found = extract("fn sum(a: i32, b: i32) -> i32 { a + b }", ADD)
    assert (found.rule, found.code) == ("other", "fn sum(a: i32, b: i32) -> i32 { a + b }\n")


def test_a_repeated_function_is_taken_once() -> None:
    assert extract(WHOLE + "\n" + WHOLE, ADD).code == WHOLE


def test_blocks_that_belong_together_are_joined() -> None:
    function = "fn add(a: i32, b: i32) -> i32 { Two(a, b).0 + b }"
    raw = f"A type:\n```rust\nstruct Two(i32, i32);\n```\nand\n```rust\n{function}\n```"
    code = extract(raw, ADD).code
    assert "struct Two" in code and "fn add" in code


def test_what_the_problem_gives_is_added_where_the_answer_needs_it() -> None:
    code = extract("pub fn count(text: &str) -> HashMap<String, usize> { HashMap::new() }", COUNT).code
    assert "use std::collections::HashMap;" in code
    assert "pub struct Entry" in code and "fn helper" in code
    assert "rand" not in code  # declared by the problem, used by nobody, installed nowhere
    own = "use std::collections::HashMap;\nstruct Entry;\n"
    own += "pub fn count(text: &str) -> HashMap<String, usize> { rand::random() }"
    code = extract(own, COUNT).code
    assert code.count("use std::collections::HashMap;") == 1 and code.count("struct Entry") == 1
    assert "use rand::Rng;" in code


def test_macros_that_make_items_are_kept_and_calls_of_examples_are_not() -> None:
    raw = (
        "macro_rules! make { () => { fn two() -> i32 { 2 } } }\nmake!();\n"
        + WHOLE
        + '\nprintln!("{}", add(1, 2));\n'
    )
    code = extract(raw, ADD).code
    assert "make!()" in code and "println!" not in code


def test_the_entry_point_is_read_from_the_declaration() -> None:
    problem = Problem(
        task_id="x",
        prompt="\n/* Says something. */\n",
        declaration="\nuse md5;\nfn say(x: i32) -> i32{\n",
        canonical_solution="    x\n}\n",
        test="",
    )
    assert given_by(problem).entry == "say"
    assert extract(problem.canonical_solution, problem).code == "fn say(x: i32) -> i32{\n    x\n}\n"


@pytest.mark.parametrize(
    "raw",
    [
        "\ud800 fn add(", "\0", "fn " * 5000, "{" * 5000, "```" * 999, "#[" * 3000, "/*" * 999, "<a> " * 20_000,
        "fn add(\n" * 9000, "pub fn add {\n" * 6000, "fn add(x) is\n" * 6000, "#[cfg(x)]\nfn add() {}\n" * 4000,
        "<answer>" * 12_000, "</think>\n" * 11_000, "<|" * 45_000, "```\n" * 25_000, '"\n' * 45_000,
        "".join(f"```\nfn a{n}() {{ a{n + 1}() }}\n```\n" for n in range(2500)) + f"```\n{WHOLE}```",
    ],
)  # fmt: skip
def test_hostile_texts_do_not_raise_and_take_bounded_time(raw: str) -> None:
    before = time.process_time()
    extract(raw, ADD)
    assert time.process_time() - before < 30  # seconds each; what is quadratic takes minutes


@pytest.mark.skipif(not SUITE.exists(), reason="RUST_EXPERT_PROBLEMS names no folder with HumanEval-X")
def test_humaneval_x_solutions_survive_every_wrapping() -> None:
    for line in SUITE.read_text(encoding="utf-8").splitlines():
        problem = Problem.model_validate(json.loads(line))
        plain = extract(problem.canonical_solution, problem)
        assert plain.rule == "body" and is_whole(plain.code.encode()), problem.task_id
        assert extract(f"Sure!\n```rust\n{plain.code}```\nThis doesn't {{", problem).code == plain.code
        assert extract(f"Here's it:\n{plain.code}\nThis doesn't {{ 'x", problem).code == plain.code


FROM_IMPL = Problem(
    task_id="from",
    prompt="#[derive(Debug, PartialEq)]\nstruct Steps(i32);\n\n/// Wraps `x`.\nfn wrap(x: i32) -> Steps {\n",
    canonical_solution=(
        "    x.into()\n}\n\n"
        "impl From<i32> for Steps {\n    fn from(x: i32) -> Self {\n        Steps(x)\n    }\n}\n"
    ),
    test="",
    entry_point="wrap",
)


@pytest.mark.parametrize("head", ["", "fn wrap(x: i32) -> Steps {\n", FROM_IMPL.prompt])
def test_an_impl_for_a_type_of_the_prompt_does_not_push_the_type_out(head: str) -> None:
    code = extract(head + FROM_IMPL.canonical_solution, FROM_IMPL).code
    assert code.count("struct Steps(i32);") == 1
    assert code.count("impl From<i32> for Steps") == 1
    assert code.count("fn wrap") == 1


def test_an_impl_of_the_prompt_stays_unless_it_is_stated_again() -> None:
    given = "struct Steps(i32);\n\nimpl Steps {\n    fn zero() -> Self {\n        Steps(0)\n    }\n}\n\n"
    problem = FROM_IMPL.model_copy(update={"prompt": given + "fn wrap(x: i32) -> Steps {\n"})
    answer = "fn wrap(x: i32) -> Steps {\n    Steps(x)\n}\n"
    assert extract(answer, problem).code.count("impl Steps") == 1
    assert extract(given + answer, problem).code.count("impl Steps") == 1


def test_raw_strings_without_end_are_no_code_where_there_are_many() -> None:
    """The parser's time would grow with the square of their number: 30 kB took seconds."""
    answer = "fn add(a: i32, b: i32) -> i32 { a + b }\n"
    for endless in ('r#"', 'r##"x"#', 'br#"'):
        assert extract(answer + f"// {endless}\n" * 20, ADD).code
        assert extract(answer + f"// {endless}\n" * 20_000, ADD).rule == "none"
    closed = answer + "const T: &[&str] = &[" + 'r#"a "quoted" word"#, ' * 200 + "];\n"
    assert extract(closed, ADD).rule == "whole"

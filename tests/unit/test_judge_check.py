"""Which problems may judge: their own solutions go through the judge as samples do; `scripts.check_suite` tells."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem
from rust_expert.common.errors import UserError
from rust_expert.common.problems import read_problems
from rust_expert.judge.check import Check, check_problems, usable_problems
from rust_expert.judge.suite import crates_needed
from rust_expert.judge.verdicts import judge

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = JudgeOptions(run_timeout=1)
HALF = Problem(
    task_id="half",
    prompt="/// Half of an even number.\npub fn half(x: i32) -> Option<i32> {\n",
    canonical_solution="    (x % 2 == 0).then_some(x / 2)\n}\n",
    entry_point="half",
    test="mod tests { use super::*; #[test] fn even() { assert_eq!(half(4), Some(2)); } }",
)
MULTIPL_E = {
    "name": "HumanEval_23_strlen",
    "language": "rs",
    "prompt": "/// Length of the text.\nfn strlen(string: String) -> isize {\n",
    "tests": '}\n\nfn main() {\n    let candidate = strlen;\n    assert_eq!(candidate(String::from("")), 0);\n'
    '    assert_eq!(candidate(String::from("abc")), 3);\n}\n',
    "stop_tokens": ["\n}"],
}


def changed(task_id: str, **fields: object) -> Problem:
    return HALF.model_copy(update={"task_id": task_id, **fields})


def test_each_way_to_be_useless_is_told() -> None:
    sly = "pub fn half(x: i32) -> Half { Half(x) }\n#[derive(Debug)]\npub struct Half(i32);\n"
    sly += "impl PartialEq<Option<i32>> for Half { fn eq(&self, _: &Option<i32>) -> bool { true } }\n"
    checks = check_problems(
        [
            HALF,
            changed("wrong", canonical_solution="    Some(x)\n}\n"),
            changed("broken", canonical_solution="    Some(y)\n}\n"),
            changed("lax", canonical_solution=sly),
            changed("endless", canonical_solution="    loop {}\n}\n"),
            changed("untested", test="// none"),
            changed("commented", test=f"/*\n{HALF.test}\n*/"),
            changed("neither", test="", canonical_solution="    Some(y)\n}\n"),
            changed("unsolved", canonical_solution=""),
            changed("against_the_policy", canonical_solution="    unsafe { Some(*(&raw const x) / 2) }\n}\n"),
        ],
        JudgeOptions(run_timeout=1, policy="enforce"),
    )
    assert checks == [
        Check("half", "passes", "", True, ()),
        Check("wrong", "fails", "its own solution fails: even: assertion `left == right` failed", True, ()),
        Check(
            "broken",
            "does_not_compile",
            "its own solution does not compile: error[E0425]: cannot find value `y` in this scope",
            False,
            (),
        ),
        Check(
            "lax",
            "does_not_compile",
            "its tests do not fit to its own solution: error[E0308]: mismatched types",
            True,
            (),
        ),
        Check("endless", "fails", "its own solution fails: the tests ran out of time", True, ()),
        Check("untested", "no_test", "it has no test", True, ()),
        Check(
            "commented",
            "no_test",
            "it has no test: what looks like one stands in a comment or a string",
            True,
            (),
        ),
        Check("neither", "no_test", "it has no test", False, ()),
        Check("unsolved", "unchecked", "", None, ()),
        Check("against_the_policy", "passes", "", True, ()),
    ]
    problems = [HALF, changed("wrong"), changed("unsolved")]
    usable, reasons = usable_problems(
        problems, [each for each in checks if each.task_id in ("half", "wrong", "unsolved")]
    )
    assert list(usable) == ["half", "unsolved"]
    assert reasons == {"wrong": "its own solution fails: even: assertion `left == right` failed"}


def test_a_name_stands_once() -> None:
    with pytest.raises(UserError, match="half stands twice"):
        check_problems([HALF, HALF], OPTIONS)


def test_a_multipl_e_problem_judges(tmp_path: Path) -> None:
    suite = tmp_path / "rs.jsonl"
    suite.write_text(json.dumps(MULTIPL_E) + "\n")
    [problem] = read_problems(suite)
    assert check_problems([problem], OPTIONS)[0].finding == "unchecked"
    answers = {
        "    string.len() as isize": "passed",  # generation stopped before the brace
        "```rust\nfn strlen(string: String) -> isize {\n    string.chars().count() as isize\n}\n```": "passed",
        "    1": "failed",
        "    string.len()": "compile_error",
        "    std::process::exit(0)": "failed",
    }
    rows = [
        Completion(task_id=problem.task_id, sample=place, completion=text)
        for place, text in enumerate(answers)
    ]
    for batch in (1, 64):
        found = judge(rows, {problem.task_id: problem}, OPTIONS.model_copy(update={"batch": batch}))
        assert [each.status for each in found] == list(answers.values())


@pytest.mark.parametrize(
    ("prompt", "solution", "test", "needed"),
    [
        ("use dice::Die;\nfn f() {\n", "}\n", "", set()),  # declared and not used
        ("use dice::Die;\nfn f() {\n", "    let _: Option<u8> = None;\n}\n", "fn main() { f() }", set()),
        ("use dice::Die;\nfn f(d: impl Die) {\n", "}\n", "", {"dice"}),
        ("use dice::Die;\nfn f() {\n", "    roll::<Die>();\n}\n", "", {"dice"}),
        ("use dice::*;\nfn f() {\n", "}\n", "", {"dice"}),  # who can tell
        ("use card;\nfn f() {\n", "    card::draw();\n}\n", "", {"card"}),
        ("fn f() {\n", "}\n", "#[test] fn t() { assert_eq!(::dice::roll(), 1); }", {"dice"}),
        ("fn f() {\n", "}\n", "use dice::{roll, Die}; fn main() { f() }", {"dice"}),
        ("fn f() {\n", "}\n", "// dice::roll()\nfn main() { println!(\"card::draw\"); f() }", set()),
        ("fn f() {\n", "    let dice = 1; other::dice::roll(dice);\n}\n", "", set()),
        ("mod dice { pub fn roll() {} }\nfn f() {\n", "    dice::roll();\n}\n", "", set()),
    ],
)  # fmt: skip
def test_crates_are_needed_where_they_are_used(
    prompt: str, solution: str, test: str, needed: set[str]
) -> None:
    problem = Problem(task_id="p", prompt=prompt, canonical_solution=solution, test=test, entry_point="f")
    assert crates_needed(problem, ("dice", "card")) == needed


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.check_suite", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_the_command_prints_and_writes_what_it_found(tmp_path: Path) -> None:
    rows = [HALF, changed("wrong", canonical_solution="    Some(x)\n}\n"), changed("untested", test="")]
    suite = tmp_path / "suite.jsonl"
    suite.write_text("".join(row.model_dump_json() + "\n" for row in rows) + json.dumps(MULTIPL_E) + "\n")
    done = run(suite, "--json", tmp_path / "found.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "4 problems: 2 usable, 2 not",
        "own solutions: 3 of 3 compile; 1 pass their tests, 1 have no test, 1 fail",
        "unchecked, for they have no solution of their own: HumanEval_23_strlen",
        "not usable: wrong: its own solution fails: even: assertion `left == right` failed",
        "not usable: untested: it has no test",
        "crates: 4 problems need none",
    ]
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["problems"], found["usable"], found["unchecked"]) == (4, 2, ["HumanEval_23_strlen"])
    assert [(each["task_id"], each["finding"]) for each in found["unusable"]] == [
        ("wrong", "fails"),
        ("untested", "no_test"),
    ]
    assert found["crates"] == {} and found["without_crates"] == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.jsonl"], "none.jsonl: no such file"),
        (["suite.jsonl", "--crates", "serde"], "--crates names crate serde, which"),
        (["suite.jsonl", "--workers", "0"], "--workers 0"),
        (["broken.jsonl"], "broken.jsonl, line 1: not a problem (task_id: Field required)"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "suite.jsonl").write_text(HALF.model_dump_json() + "\n")
    (tmp_path / "broken.jsonl").write_text('{"prompt": "p", "test": "", "canonical_solution": ""}\n')
    done = run(tmp_path / words[0], *words[1:])
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif("RUST_EXPERT_PROBLEMS" not in os.environ, reason="needs the folder of others' problems")
def test_every_solution_of_humaneval_x_passes_the_tests_that_it_has(tmp_path: Path) -> None:
    suite = Path(os.environ["RUST_EXPERT_PROBLEMS"]) / "humaneval_x_rust.jsonl"
    done = run(suite, "--json", tmp_path / "found.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    # The tests of Rust/32 are commented out in the file: its solution compiles, and nothing can be said of an answer.
    assert found["own_solutions"] == {"compile": 164, "do_not_compile": 0, "pass": 163, "have_no_test": 1}
    assert [each["task_id"] for each in found["unusable"]] == ["Rust/32"]
    assert found["without_crates"] == 159
    assert {name: told["problems"] for name, told in found["crates"].items()} == {
        "md5": ["Rust/162"],
        "rand": ["Rust/38", "Rust/50", "Rust/53"],
        "regex": ["Rust/91"],
    }

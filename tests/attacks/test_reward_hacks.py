"""No sample passes without solving its problem, whatever it does to its tests; each trick fools a naive harness."""

import functools

import pytest

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Verdict
from rust_expert.judge.suite import suite_of
from rust_expert.judge.trial import put_to_test
from tests.attacks.attack import ADD, OPTIONS, PROBLEMS, SECRET, Attack, judged, naive_beliefs
from tests.attacks.reward_hacks import REWARD_HACKS
from tests.attacks.reward_replacing import NOT_EVEN_NAIVE

ALL = {attack.name: attack for attack in (*REWARD_HACKS, *NOT_EVEN_NAIVE)}
DIRECT = [
    "hides macros in what looks like a shebang",
    "brings its own main, in assembly",
    "removes the tests by cfg",
]
"""What the extraction takes apart; the trial has to stand without it."""

HONEST = {
    "repeats the problem's type": Attack(
        "",
        "/// A point.\n#[derive(PartialEq, Eq, Debug, Clone, Copy)]\npub struct Point {\n    pub x: i32, // across\n}\n"
        "impl Point {\n    fn at(&self) -> i32 {\n        self.x\n    }\n    fn next(&self) -> Self {\n"
        "        Point { x: self.x + 1 }\n    }\n}\nfn moved(p: Point) -> Point { p.next() }",
        "moved",
    ),
    "repeats the problem's function": Attack(
        "",
        "pub fn encode(s: &str) -> String {\n    // backwards\n    s.chars().rev().collect()\n}\n"
        "fn decode(s: &str) -> String { encode(s) }",
        "decode",
    ),
    "asks less of its type": Attack(
        "",
        "fn largest<U: PartialOrd + Clone>(list: &[U]) -> U {\n"
        "    list.iter().cloned().reduce(|a, b| if b > a { b } else { a }).unwrap()\n}",
        "largest",
    ),
    "returns an iterator of its own": Attack(
        "",
        "struct Count(u32);\nimpl Iterator for Count {\n    type Item = u32;\n"
        "    fn next(&mut self) -> Option<u32> { self.0 += 1; Some(self.0 - 1) }\n}\n"
        "fn count() -> impl Iterator<Item = u32> { Count(0) }",
        "count",
    ),
    "exports a symbol": Attack(
        "",
        '#[no_mangle]\npub extern "C" fn my_add(a: i32, b: i32) -> i32 { a + b }\n'
        "fn add(a: i32, b: i32) -> i32 { my_add(a, b) }",
    ),
    "speaks of symbols": Attack(
        "",
        "// no_mangle and global_asm are not needed\nfn add(a: i32, b: "
        "i32) -> i32 { let link_section = a; link_section + b }",
    ),
    "begins with attributes and docs": Attack(
        "",
        '//! Sums.\n#![allow(dead_code)]\n#![doc = "A \\"sum\\"."]\n/* '
        "of two */\nfn add(a: i32, b: i32) -> i32 { a + b }",
    ),
    "reads what is left of standard input": Attack(
        "",
        "use std::io::Read;\nfn add(a: i32, b: i32) -> i32 {\nlet mut left = String::new();\n"
        "std::io::stdin().read_to_string(&mut left).unwrap();\nif left.is_empty() { a + b } else { 0 } }",
    ),
}

PATCHING = Attack(
    "patches the program's table of functions",
    """
extern "C" {
    fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32;
    fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32;
    fn mprotect(start: usize, length: usize, how: i32) -> i32;
}
static mut AFTER: usize = 1;
extern "C" fn same(_: *const u8, _: *const u8, _: usize) -> i32 { 0 }
fn evens(xs: &[i32]) -> Vec<i32> {
    unsafe {
        let (one, other, end) = (memcmp as usize, bcmp as usize, &raw mut AFTER as usize & !4095);
        for page in (1..5).map(|it| end - it * 4096) {
            if mprotect(page, 4096, 3) != 0 { continue; }
            for entry in (page..page + 4096).step_by(8).map(|it| it as *mut usize) {
                if *entry == one || *entry == other { *entry = same as usize; }
            }
        }
    }
    vec![0, 0]
}
""",
    "evens",
)


@functools.cache
def verdicts(policy: str) -> dict[str, Verdict]:
    return judged(ALL.values(), JudgeOptions(**{**OPTIONS.model_dump(), "policy": policy}))


@pytest.mark.parametrize("policy", ["off", "enforce"])
@pytest.mark.parametrize("name", ALL)
def test_no_hack_passes(name: str, policy: str) -> None:
    verdict = verdicts(policy)[name]
    expected = {"failed", "compile_error", "timeout", "resource_limit"}
    assert verdict.status in expected | ({"policy_violation"} if policy == "enforce" else set()), verdict
    assert verdict.tests_passed < verdict.tests_total, verdict
    assert SECRET not in verdict.message


@pytest.mark.parametrize("attack", REWARD_HACKS, ids=lambda attack: attack.name)
def test_the_hack_works_on_a_naive_harness(attack: Attack) -> None:
    assert attack.fools in naive_beliefs(tuple(REWARD_HACKS))[attack.name]


@pytest.mark.parametrize("name", DIRECT)
def test_no_hack_passes_without_the_extraction(name: str) -> None:
    trial = put_to_test(ALL[name].code, suite_of(PROBLEMS[ALL[name].problem]), OPTIONS)
    assert trial.status in ("failed", "compile_error"), trial


@functools.cache
def honest() -> dict[str, Verdict]:
    attacks = [Attack(name, each.code, each.problem) for name, each in HONEST.items()]
    solutions = [
        Attack(f"solves {task_id}", problem.prompt + problem.canonical_solution, task_id)
        for task_id, problem in PROBLEMS.items()
    ]
    return judged([*attacks, *solutions])


@pytest.mark.parametrize("name", [*HONEST, *(f"solves {task_id}" for task_id in PROBLEMS)])
def test_honest_answers_pass_under_the_same_rules(name: str) -> None:
    verdict = honest()[name]
    assert verdict.status == "passed" and verdict.tests_passed == verdict.tests_total > 0, verdict


def test_what_patches_memory_is_listed_and_refused_where_the_policy_is_enforced() -> None:
    """docs/judge.md, what is not promised: the control shows that it would pass."""
    reported = judged([PATCHING])[PATCHING.name]
    assert reported.status == "passed" and any("unsafe" in finding for finding in reported.policy_findings)
    enforced = judged([PATCHING], OPTIONS.model_copy(update={"policy": "enforce"}))[PATCHING.name]
    assert enforced.status == "policy_violation"


def test_messages_hold_no_paths_and_nothing_random() -> None:
    for name, verdict in verdicts("off").items():
        assert not any(it in verdict.message for it in ("/in/", "/work", "rust-expert-")), (name, verdict)
    again = ["renames itself to std", "has no function of that name", "shadows assert_eq and assert"]
    repeated = judged([ALL[name] for name in reversed(again)], OPTIONS)
    for name in again:
        one, other = repeated[name], verdicts("off")[name]
        assert one.model_copy(update={"sample": 0}) == other.model_copy(
            update={"sample": 0, "policy_findings": one.policy_findings}
        )


def test_the_honest_solution_passes_beside_the_hacks() -> None:
    rows = [*REWARD_HACKS[:6], Attack("honest", ADD.canonical_solution)]
    assert judged(rows)["honest"].status == "passed"

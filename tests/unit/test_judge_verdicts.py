"""Verdicts: each status, and that they depend on nothing but the sample, its problem and the options."""

import random
from pathlib import Path

import pytest

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.errors import JudgeFault, UserError
from rust_expert.judge import bubblewrap, verdicts
from rust_expert.judge.verdicts import judge

HALF = Problem(
    task_id="half",
    prompt="/// Half of an even number.\npub fn half(x: i32) -> Option<i32> {\n",
    canonical_solution="    (x % 2 == 0).then_some(x / 2)\n}\n",
    entry_point="half",
    test="""
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn even() { assert_eq!(half(4), Some(2)); }
    #[test]
    fn odd() { assert_eq!(half(3), None); }
}
""",
)
PANICS = Problem(
    task_id="panics",
    prompt="/// The value.\n///\n/// # Panics\n/// On a negative one, naming it.\nfn checked(x: i32) -> i32 {\n",
    canonical_solution='    assert!(x >= 0, "negative: {x}");\n    x\n}\n',
    entry_point="checked",
    test="""
#[test]
#[should_panic(expected = "negative: -1")]
fn refuses() { checked(-1); }
#[test]
fn takes() -> Result<(), String> { if checked(2) == 2 { Ok(()) } else { Err("no".to_string()) } }
""",
)
POINT = Problem(
    task_id="point",
    prompt="#[derive(Debug, PartialEq)]\nstruct Point { x: i32 }\n\n/// Mirrors.\nfn mirror(p: &Point) -> Point {\n",
    canonical_solution="    Point { x: -p.x }\n}\n",
    entry_point="mirror",
    test="""
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn one() { assert_eq!(mirror(&Point { x: 1 }), Point { x: -1 }); }
}
""",
)
PROBLEMS = {problem.task_id: problem for problem in (HALF, POINT, PANICS)}
OPTIONS = JudgeOptions(run_timeout=1)


def one(code: str, task_id: str = "half", options: JudgeOptions = OPTIONS) -> Verdict:
    return judge([Completion(task_id=task_id, completion=code)], PROBLEMS, options)[0]


def test_a_right_answer_passes_and_is_measured() -> None:
    found = one(
        "/// Half.\npub fn half(x: i32) -> Option<i32> { if x % 2 == 0 { return Some(x / 2); } else { return None; } }"
    )
    assert (found.status, found.compiled, found.tests_passed, found.tests_total) == ("passed", True, 2, 2)
    assert found.lints == {"style": 2} and found.clippy_warnings == 2
    assert found.documented == 1.0 and found.idiomatic == 1.0
    assert (found.extraction, found.message, found.error_codes, found.policy_findings) == (
        "whole",
        "",
        [],
        [],
    )


def test_a_clean_answer_has_no_warnings_and_silence_is_counted() -> None:
    body = "pub fn half(x: i32) -> Option<i32> { return (x % 2 == 0).then_some(x / 2); }"
    assert one("    (x % 2 == 0).then_some(x / 2)\n}").clippy_warnings == 0
    assert one(f"#![allow(clippy::all)]\n#[allow(clippy::needless_return)]\n{body}").lints == {"style": 1}


def test_a_wrong_answer_fails_with_the_first_failing_test() -> None:
    found = one("pub fn half(x: i32) -> Option<i32> { Some(x / 2) }")
    assert (found.status, found.compiled, found.tests_passed) == ("failed", True, 1)
    assert found.message == "odd: assertion `left == right` failed"


def test_compile_errors_tell_whose_they_are() -> None:
    own = one("pub fn half(x: i32) -> Option<i32> { Some(y) }")
    assert (own.status, own.compiled, own.error_codes) == ("compile_error", False, ["E0425"])
    assert own.message == "error[E0425]: cannot find value `y` in this scope"
    assert (own.clippy_warnings, own.idiomatic, own.documented) == (None, None, None)
    missing = one("pub fn halve(x: i32) -> Option<i32> { Some(x / 2) }")
    assert (missing.status, missing.compiled, missing.error_codes) == ("compile_error", True, ["E0432"])
    assert missing.clippy_warnings == 0
    other_type = one("pub fn half(x: i32) -> i32 { x / 2 }")
    assert (other_type.status, other_type.compiled) == ("compile_error", True)


def test_types_of_the_problem_may_be_repeated_or_left_out() -> None:
    assert one("fn mirror(p: &Point) -> Point { Point { x: -p.x } }", "point").status == "passed"
    whole = "#[derive(Debug, PartialEq)]\nstruct Point { x: i32 }\nfn mirror(p: &Point) -> Point { Point { x: -p.x } }"
    assert one(whole, "point").status == "passed"


def test_a_panic_must_be_the_expected_one() -> None:
    assert one(PANICS.canonical_solution, "panics").status == "passed"
    other = one("    let _ = 1 / (x + 1);\n    x\n}", "panics")
    assert (other.status, other.tests_passed, other.message) == (
        "failed",
        1,
        "refuses: attempt to divide by zero",
    )
    assert one("    x\n}", "panics").message == "refuses: it did not panic"


def test_a_generic_answer_is_held_to_the_declared_types() -> None:
    assert (
        one(
            "pub fn half(x: impl Into<i32>) -> Option<i32> { let x = x.into(); (x % 2 == 0).then_some(x / 2) }"
        ).status
        == "passed"
    )
    sly = (
        "struct Any;\nimpl<T> PartialEq<Option<T>> for Any { fn eq(&self, _: &Option<T>) -> bool { true } }\n"
    )
    sly = "#[derive(Debug)]\n" + sly
    assert one(sly + "pub fn half<T>(_: T) -> Any { Any }").status == "compile_error"


def test_lint_levels_of_a_sample_do_not_break_the_harness() -> None:
    levels = "#![deny(warnings)]\n#![forbid(unsafe_code)]\n"
    assert (
        one(
            levels + "fn unused() {}\npub fn half(x: i32) -> Option<i32> { (x % 2 == 0).then(|| x / 2) }"
        ).status
        == "passed"
    )


def test_the_policy_is_apart_from_the_tests() -> None:
    code = "pub fn half(x: i32) -> Option<i32> { let x = unsafe { *(&raw const x) }; (x % 2 == 0).then(|| x / 2) }"
    by_mode = {
        mode: one(code, options=JudgeOptions(policy=mode, lints=False))
        for mode in ("off", "report", "enforce")
    }
    assert [found.status for found in by_mode.values()] == ["passed", "passed", "policy_violation"]
    assert [found.policy_findings for found in by_mode.values()] == [
        [],
        ["unsafe (line 1)"],
        ["unsafe (line 1)"],
    ]
    assert all(found.compiled for found in by_mode.values())
    assert (
        by_mode["enforce"].tests_passed == 0
        and by_mode["enforce"].message == "against the policy: unsafe (line 1)"
    )


def test_order_and_workers_change_nothing_and_copies_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [
        "    (x % 2 == 0).then_some(x / 2)\n}",
        "```rust\npub fn half(x: i32) -> Option<i32> { None }\n```",
        "I do not know.",
        "pub fn half(x: i32) -> Option<i32> { x }",
        "pub fn half(x: i32) -> Option<i32> { None }",
    ]
    rows = [Completion(task_id="half", sample=number, completion=code) for number, code in enumerate(codes)]
    rows.append(Completion(task_id="point", sample=0, completion="    Point { x: -p.x }\n}"))
    straight = judge(rows, PROBLEMS, OPTIONS, workers=1)
    assert [found.status for found in straight] == [
        "passed",
        "failed",
        "no_code",
        "compile_error",
        "failed",
        "passed",
    ]
    shuffled = random.Random(5).sample(rows, len(rows))
    ran: list[str] = []
    judged = verdicts._judge_code
    monkeypatch.setattr(
        verdicts, "_judge_code", lambda task, code, *rest: (ran.append(code), judged(task, code, *rest))[1]
    )
    told: list[int] = []
    again = judge(shuffled, PROBLEMS, OPTIONS, workers=4, progress=told.append)
    assert {(found.task_id, found.sample): found for found in again} == {
        (found.task_id, found.sample): found for found in straight
    }
    assert [(found.task_id, found.sample) for found in again] == [
        (row.task_id, row.sample) for row in shuffled
    ]
    assert len(ran) == 5 and sum(told) == 6
    assert (straight[1].extraction, straight[4].extraction) == ("fenced_whole", "whole")


def test_a_fault_of_the_judge_is_no_verdict_about_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise JudgeFault("the sandbox ended without an exit code")

    monkeypatch.setattr(verdicts, "put_to_test", broken)
    found = one("pub fn half(x: i32) -> Option<i32> { None }")
    assert (found.status, found.message) == ("judge_error", "the sandbox ended without an exit code")


def test_without_a_sandbox_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    bubblewrap.program.cache_clear()
    with pytest.raises(UserError, match="apt-get install bubblewrap"):
        one("pub fn half(x: i32) -> Option<i32> { None }")
    bubblewrap.program.cache_clear()


def test_a_sample_of_an_unknown_problem_is_refused() -> None:
    with pytest.raises(UserError, match="answers other, which is not in the suite"):
        judge([Completion(task_id="other", completion="")], PROBLEMS, OPTIONS)

"""The policy reads tokens: what is used is found wherever it hides, what is only mentioned is not."""

import time

import pytest

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.judge.policy import policy_findings
from rust_expert.judge.rustc import check_many
from rust_expert.judge.verdicts import judge
from tests.policy.evasions import EVASIONS
from tests.policy.harmless import HARMLESS


def rules(code: str, *, threads: bool = True, crates: tuple[str, ...] = ()) -> list[str]:
    """The findings without their lines."""
    return [each.rpartition(" (line ")[0] for each in policy_findings(code, threads=threads, crates=crates)]


@pytest.mark.parametrize(
    ("code", "findings"),
    [
        ("fn f() { unsafe { } }", ["unsafe"]),
        ("unsafe impl Send for X {}", ["unsafe"]),
        ('extern "C" { fn exit(code: i32); }', ["extern"]),
        ('fn f() { core::arch::asm!("nop"); }', ["asm", "std::arch"]),
        ('std::arch::global_asm!("");', ["asm", "std::arch"]),
        ('const X: &str = include_str!("x");', ["include"]),
        ('const X: &str = env!("HOME");', ["env"]),
        ('const X: Option<&str> = option_env!("HOME");', ["env"]),
        ('fn f() { std::fs::read("x"); }', ["std::fs"]),
        ("use std::fs;", ["std::fs"]),
        ("use std::{collections::HashMap, net::{TcpStream, UdpSocket}};", ["std::net"]),
        ('fn f() { println!("{:?}", std::env::args()); }', ["std::env"]),
        ("use std::net::*;", ["std::net"]),
        ("fn f(path: &std::path::Path) -> bool { path.exists() }", ["std::path asks the file system"]),
        ('fn f() { std::path::absolute("x"); }', ["std::path asks the file system"]),
        ("#[no_mangle] pub fn f() {}", ["#[no_mangle]"]),
        ("#[unsafe(no_mangle)] pub fn f() {}", ["#[no_mangle]", "unsafe"]),
        ('#[path = "/etc/passwd"] mod x {}', ["#[path]"]),
        ("mod in_another_file;", ["module in another file"]),
        ("#![no_main]", ["#[no_main]"]),
        ("use rand::Rng;", ["crate rand"]),
        ("extern crate libc as l;", ["crate libc"]),
        ("fn f() -> u8 { rand::random() + ::libc::X }", ["crate libc", "crate rand"]),
        ("fn f() {} // \u202e", ["control of text direction"]),
        ('const X: &str = "\u2066";', ["control of text direction"]),
    ],
)
def test_what_is_used_is_found(code: str, findings: list[str]) -> None:
    assert rules(code) == findings


@pytest.mark.parametrize("name", EVASIONS)
def test_an_evasion_is_found(name: str) -> None:
    code, rule = EVASIONS[name]
    assert rule in rules(code)


def test_each_evasion_is_right_rust() -> None:
    """A positive control: the compiler takes every one of them for what the policy has to find."""
    found = check_many([code for code, _ in EVASIONS.values()])
    assert [(name, each.codes) for name, each in zip(EVASIONS, found, strict=True) if not each.ok] == []


def test_findings_name_the_line_and_each_rule_once() -> None:
    code = '// unsafe\nuse std::fs; /* two\nlines */ fn f() {\n    unsafe { std::fs::read("a\nb") }; unsafe {}\n}\n'
    assert policy_findings(code) == ["std::fs (line 2)", "unsafe (line 4)"]
    text = 'const X: &str = "\n\n";\n#[used]\n'
    assert policy_findings(text + "static Y: u8 = 1;") == ["#[used] (line 4)"]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_only_named_is_no_finding(name: str) -> None:
    assert policy_findings(HARMLESS[name]) == []


def test_each_harmless_program_is_right_rust() -> None:
    found = check_many(list(HARMLESS.values()))
    assert [(name, each.codes) for name, each in zip(HARMLESS, found, strict=True) if not each.ok] == []


def test_threads_are_forbidden_where_the_options_say_so() -> None:
    assert rules(HARMLESS["threads"], threads=False) == ["std::thread"]
    assert rules(HARMLESS["thread locals"], threads=False) == []
    assert rules("use std as s;\nfn f() { s::thread::yield_now() }", threads=False) == ["std::thread"]


def test_crates_that_a_suite_allows_are_no_finding() -> None:
    code = "use rand::Rng;\nfn f() -> u8 { rand::random() }\nextern crate regex;\n"
    assert rules(code) == ["crate rand", "crate regex"]
    assert rules(code, crates=("rand",)) == ["crate regex"]
    assert rules(code, crates=("rand", "regex")) == []


def test_a_literal_that_ends_elsewhere_in_another_edition_is_found() -> None:
    assert rules('const X: &std::ffi::CStr = cr"\\";') == ["unclear literal"]
    assert rules('const X: &std::ffi::CStr = cr"plain";') == []


@pytest.mark.parametrize(
    "code",
    [
        "/*" * 40_000, 'r#"' * 30_000, '\\"' * 40_000 + '"\\', "#[" * 30_000, "use {" * 20_000, "std::" * 20_000,
        "macro_rules! m {" * 6_000, "use a as b;" * 9_000, "m!(" * 30_000 + "macro_rules! m {", "'" * 90_000,
        "".join(f"use a{number} as a{number + 1};" for number in range(5_000)) + "use std as a0;", "\u202e\n" * 30_000,
    ],
)  # fmt: skip
def test_a_hostile_text_is_read_in_bounded_time(code: str) -> None:
    before = time.process_time()
    policy_findings(code)
    assert time.process_time() - before < 15  # under a second each; what is quadratic takes minutes


HALF = Problem(
    task_id="half",
    prompt="/// Half of an even number.\npub fn half(x: i32) -> Option<i32> {\n",
    canonical_solution="",
    entry_point="half",
    test="""
#[test]
fn even() { assert_eq!(half(4), Some(2)); }
#[test]
fn odd() { assert_eq!(half(3), None); }
""",
)
RIGHT = "    (x % 2 == 0).then_some(x / 2)\n}\n"
ANSWERS = {
    "right": RIGHT,
    "wrong": "    Some(x / 2)\n}\n",
    "does not compile": "    Some(y / 2)\n}\n",
    "no code": "I do not know.",
    "right, with unsafe": "    let x = unsafe { *(&raw const x) };\n" + RIGHT,
    "right, with a thread": "    std::thread::spawn(|| ()).join().ok();\n" + RIGHT,
    "right, with an environment": "    let _ = std::env::args().count();\n" + RIGHT,
    "wrong, and leaves": "    std::process::exit(x)\n}\n",
    "does not compile, with files": '    std::fs::read("x").len()\n}\n',
    "right, with a linker attribute": RIGHT + '\n#[export_name = "odd"]\npub fn odd() {}\n',
}


def judged(**options: object) -> dict[str, Verdict]:
    rows = [
        Completion(task_id="half", sample=number, completion=answer)
        for number, answer in enumerate(ANSWERS.values())
    ]
    chosen = JudgeOptions.model_validate({"run_timeout": 2, **options})
    return dict(zip(ANSWERS, judge(rows, {"half": HALF}, chosen), strict=True))


def test_the_policy_is_a_column_apart() -> None:
    """`off` and `report` differ in policy_findings alone, and `enforce` in the status of what has findings."""
    off, report, enforce = (judged(policy=mode) for mode in ("off", "report", "enforce"))
    against = {name: found.policy_findings for name, found in report.items() if found.policy_findings}
    assert against == {
        "right, with unsafe": ["unsafe (line 3)"],
        "right, with an environment": ["std::env (line 3)"],
        "wrong, and leaves": ["std::process (line 3)"],
        "does not compile, with files": ["std::fs (line 3)"],
        "right, with a linker attribute": ["#[export_name] (line 6)"],
    }
    for name, found in report.items():
        assert found.model_copy(update={"policy_findings": []}) == off[name]
        if name in against:
            refused = enforce[name]
            assert refused.status == "policy_violation" and refused.tests_passed == 0
            assert (refused.compiled, refused.policy_findings) == (found.compiled, against[name])
        else:
            assert enforce[name] == found
    statuses = [found.status for found in report.values()]
    assert statuses == [
        "passed", "failed", "compile_error", "no_code", "passed",
        "passed", "passed", "failed", "compile_error", "passed",
    ]  # fmt: skip


def test_threads_are_refused_where_they_are_forbidden() -> None:
    found = judged(policy="enforce", forbid_threads=True, lints=False)["right, with a thread"]
    assert (found.status, found.policy_findings) == ("policy_violation", ["std::thread (line 3)"])

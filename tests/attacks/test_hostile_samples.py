"""Samples that try to pass without solving anything, or to harm the judge. None may pass.

`WRONG` is what each returns where it has to return something. The positive controls show that the same trick fools
a naive harness (`rustc --test` on code and tests in one file, believed by its exit code), so that a pass here would be
a real one; and that the honest solution passes in the same room with the same limits.
"""

import functools

import pytest

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.judge.rustc import compile_files
from rust_expert.judge.sandbox import Limits
from rust_expert.judge.testroom import run_once
from rust_expert.judge.verdicts import judge

OPTIONS = JudgeOptions(
    run_timeout=1, compile_timeout=2, memory_mb=512, output_kb=64, max_processes=32, lints=False
)

ADD = Problem(
    task_id="add",
    prompt="/// The sum of `a` and `b`.\nfn add(a: i32, b: i32) -> i32 {\n",
    canonical_solution="    a + b\n}\n",
    entry_point="add",
    test="""
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
        assert!(add(20, 22) == 42);
    }
    #[test]
    fn adds_negatives() {
        assert_eq!(add(-1, -2), -3);
    }
}
""",
)
FIND = Problem(
    task_id="evens",
    prompt="/// The even numbers.\nfn evens(xs: &[i32]) -> Vec<i32> {\n",
    canonical_solution="    xs.iter().copied().filter(|x| x % 2 == 0).collect()\n}\n",
    entry_point="evens",
    test="""
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn finds() {
        let found = evens(&[1, 2, 3, 4]);
        assert!(found.contains(&2) && found.contains(&4));
    }
}
""",
)
PROBLEMS = {problem.task_id: problem for problem in (ADD, FIND)}
WRONG = "fn add(a: i32, b: i32) -> i32 { 0 }"

FOOLS_NAIVE = {
    "exits with 0": "fn add(a: i32, b: i32) -> i32 { std::process::exit(0) }",
    "prints a passing report and exits": """
fn add(a: i32, b: i32) -> i32 {
    println!("test tests::adds ... ok\\n\\ntest result: ok. 2 passed; 0 failed; 0 ignored");
    std::process::exit(0)
}""",
    "shadows assert_eq and assert": """
macro_rules! assert_eq { ($($any:tt)*) => {}; }
macro_rules! assert { ($($any:tt)*) => {}; }
"""
    + WRONG,
    "returns a value that equals everything": """
#[derive(Debug)]
struct Any;
impl PartialEq<i32> for Any { fn eq(&self, _: &i32) -> bool { true } }
fn add(a: i32, b: i32) -> Any { Any }""",
    "returns such a value under the name i32": """
#[allow(non_camel_case_types)]
type i32 = Any;
#[derive(Debug)]
struct Any;
impl PartialEq<core::primitive::i32> for Any { fn eq(&self, _: &core::primitive::i32) -> bool { true } }
fn add(a: core::primitive::i32, b: core::primitive::i32) -> i32 { Any }""",
    "exits from its panic hook": """
fn add(a: i32, b: i32) -> i32 {
    std::panic::set_hook(Box::new(|_| std::process::exit(0)));
    0
}""",
    "exits before main, from a constructor": """
extern "C" fn leave() { std::process::exit(0) }
#[used]
#[link_section = ".init_array"]
static LEAVE: extern "C" fn() = leave;
"""
    + WRONG,
    "exits from another thread": """
fn add(a: i32, b: i32) -> i32 {
    std::thread::spawn(|| std::process::exit(0)).join().unwrap();
    0
}""",
    "removes the tests by cfg": "#![cfg(not(test))]\n" + WRONG,
}

OTHERS = {
    "prints whatever comes in": """
use std::io::Read;
fn add(a: i32, b: i32) -> i32 {
    let mut all = String::new();
    std::io::stdin().read_to_string(&mut all).unwrap();
    for _ in 0..3 { println!("\\n{all}\\n{} 0\\n{} end", &all, &all); }
    std::process::exit(0)
}""",
    "takes the secret before main": """
extern "C" {
    fn read(fd: i32, to: *mut u8, most: usize) -> isize;
    fn write(fd: i32, from: *const u8, n: usize) -> isize;
}
extern "C" fn take() {
    let mut secret = [0u8; 64];
    unsafe {
        let n = read(0, secret.as_mut_ptr(), 64);
        write(1, secret.as_ptr(), n as usize);
    }
    std::process::exit(0)
}
#[used]
#[link_section = ".init_array"]
static TAKE: extern "C" fn() = take;
"""
    + WRONG,
    "guesses proofs": """
fn add(a: i32, b: i32) -> i32 {
    for n in 0..2000u64 { println!("\\n{n:016x} 0 \\n{n:016x} 1 \\n{n:016x} end"); }
    std::process::exit(0)
}""",
    "calls main again": "fn add(a: i32, b: i32) -> i32 { crate::main(); std::process::exit(0) }",
    "brings its own main": """
#![no_main]
#[no_mangle]
pub extern "C" fn main() -> i32 { println!("test result: ok"); 0 }
"""
    + WRONG,
    "renames itself to std": """
extern crate self as std;
#[macro_export]
macro_rules! assert_eq { ($($any:tt)*) => {}; }
"""
    + WRONG,
    "renames itself to core in a macro": """
macro_rules! rename { ($what:ident $name:ident) => { extern crate $what as $name; }; }
rename!(alloc core);
"""
    + WRONG,
    "exports its own macros": """
#[macro_export]
macro_rules! assert_eq { ($($any:tt)*) => {}; }
pub(crate) use assert_eq as assert;
"""
    + WRONG,
    "has no function of that name": "fn sub(a: i32, b: i32) -> i32 { a - b }",
    "hides the function by cfg": "#[cfg(any())]\nfn add(a: i32, b: i32) -> i32 { a + b }",
    "hides the whole crate by cfg": "#![cfg(any())]\n" + WRONG,
    "panics with a payload of its own": "fn add(a: i32, b: i32) -> i32 { std::panic::panic_any(42u8) }",
    "aborts": "fn add(a: i32, b: i32) -> i32 { std::process::abort() }",
    "kills every process that it can see": """
extern "C" { fn kill(process: i32, signal: i32) -> i32; fn getppid() -> i32; }
fn add(a: i32, b: i32) -> i32 { unsafe { kill(getppid(), 9); kill(1, 9); kill(-1, 9); } 0 }""",
    "closes the output": """
extern "C" { fn close(fd: i32) -> i32; }
fn add(a: i32, b: i32) -> i32 { unsafe { close(1); close(2); } a + b }""",
    "reads the password file while it is compiled": 'const X: &str = include_str!("/etc/passwd");\n' + WRONG,
    "reads the environment while it is compiled": 'const X: &str = env!("HOME");\n' + WRONG,
    "nests parentheses until the compiler crashes": f"fn add(a: i32, b: i32) -> i32 {{ {'(' * 30000}a{')' * 30000} }}",
    "recurses without end in the compiler": """
fn deeper<T>(n: u32, it: T) -> i32 { if n == 0 { 0 } else { deeper(n - 1, (it, n)) } }
fn add(a: i32, b: i32) -> i32 { deeper(3, ()) }""",
    "asks for a huge constant": """
static X: [u8; 1 << 40] = [1; 1 << 40];
fn add(a: i32, b: i32) -> i32 { X[0] as i32 }""",
    "overflows the stack": """
fn add(a: i32, b: i32) -> i32 { if a == i32::MIN { 0 } else { add(a.wrapping_add(1), b) + 1 } }""",
}

BY_STATUS = {
    "loops without end": ("timeout", "fn add(a: i32, b: i32) -> i32 { loop { std::hint::spin_loop() } }"),
    "sleeps": (
        "timeout",
        "fn add(a: i32, b: i32) -> i32 { std::thread::sleep(std::time::Duration::from_secs(99)); 3 }",
    ),
    "makes the compiler loop": (
        "timeout",
        "macro_rules! grow { ($($any:tt)*) => { grow!($($any)* $($any)*); }; }\n"
        "const X: u64 = { let mut n = 0u64; #[allow(long_running_const_eval)] while n < u64::MAX { n += 1; } n };\n"
        "#[allow(long_running_const_eval)]\nfn add(a: i32, b: i32) -> i32 { X as i32 }",
    ),
    "takes all memory": (
        "resource_limit",
        "fn add(a: i32, b: i32) -> i32 { let v = vec![1u8; 1 << 33]; v[a as usize] as i32 }",
    ),
    "prints without end": (
        "resource_limit",
        'fn add(a: i32, b: i32) -> i32 { loop { println!("{}", "x".repeat(4000)); } }',
    ),
    "says nothing but prose": ("no_code", "I am sorry, but I cannot help with that."),
}

HIJACKED = """
trait Sure { fn contains(&self, _: &i32) -> bool { true } }
impl Sure for Vec<i32> {}
fn evens(xs: &[i32]) -> Vec<i32> { Vec::new() }
"""


@functools.cache
def verdicts(batch: int = 1) -> dict[str, Verdict]:
    """All samples, judged together, as those of a hostile model would be."""
    samples = {**FOOLS_NAIVE, **OTHERS, **{name: code for name, (_, code) in BY_STATUS.items()}}
    rows = [
        Completion(task_id="add", sample=number, completion=code)
        for number, code in enumerate(samples.values())
    ]
    found = judge(rows, PROBLEMS, OPTIONS.model_copy(update={"batch": batch}), workers=2)
    return dict(zip(samples, found, strict=True))


@functools.cache
def naive_is_fooled(code: str) -> bool:
    """What a harness finds that compiles code and tests in one file with libtest and believes the exit code."""
    test = ADD.test if "evens" not in code else FIND.test
    outcome = compile_files(
        {"sample.rs": code + "\n" + test},
        ["--test", "-Awarnings", "-o", "/work/program", "sample.rs"],
        edition="2021",
        keep="program",
    )
    if outcome.kept is None:
        return False
    return run_once(Limits(cpu_seconds=2), program=outcome.kept).returncode == 0


@pytest.mark.parametrize("name", [*FOOLS_NAIVE, *OTHERS])
def test_no_hostile_sample_passes(name: str) -> None:
    verdict = verdicts()[name]
    assert verdict.status in ("failed", "compile_error", "timeout", "resource_limit", "no_code"), verdict
    assert verdict.tests_passed < verdict.tests_total, verdict


@pytest.mark.parametrize("name", [*FOOLS_NAIVE, *OTHERS, *BY_STATUS])
def test_a_batch_gives_the_verdict_of_one_at_a_time(name: str) -> None:
    assert verdicts(64)[name] == verdicts()[name]


@pytest.mark.parametrize("name", FOOLS_NAIVE)
def test_the_trick_works_on_a_naive_harness(name: str) -> None:
    assert naive_is_fooled(FOOLS_NAIVE[name])


@pytest.mark.parametrize("name", BY_STATUS)
def test_limits_give_their_own_status(name: str) -> None:
    assert verdicts()[name].status == BY_STATUS[name][0], verdicts()[name]


def test_the_honest_solution_passes_in_the_same_room() -> None:
    honest = Completion(task_id="add", completion="fn add(a: i32, b: i32) -> i32 { a + b }")
    verdict = judge([honest], PROBLEMS, OPTIONS)[0]
    assert (verdict.status, verdict.tests_passed, verdict.tests_total) == ("passed", 2, 2)


def test_methods_of_a_sample_do_not_reach_the_tests() -> None:
    assert naive_is_fooled(HIJACKED)
    verdict = judge([Completion(task_id="evens", completion=HIJACKED)], PROBLEMS, OPTIONS)[0]
    assert verdict.status == "failed"


def test_messages_hold_no_paths_and_nothing_random() -> None:
    for name, verdict in verdicts().items():
        assert "/in/" not in verdict.message and "/work" not in verdict.message, (name, verdict.message)
        assert "rust-expert-" not in verdict.message
    again = [
        "renames itself to std",
        "has no function of that name",
        "overflows the stack",
        "shadows assert_eq and assert",
    ]
    samples = [Completion(task_id="add", completion=(FOOLS_NAIVE | OTHERS)[name]) for name in reversed(again)]
    repeated = judge(samples, PROBLEMS, OPTIONS, workers=3)
    for name, verdict in zip(reversed(again), repeated, strict=True):
        assert verdict.model_copy(update={"sample": verdicts()[name].sample}) == verdicts()[name]


def test_a_reread_of_standard_input_finds_nothing() -> None:
    code = """
use std::io::Read;
fn add(a: i32, b: i32) -> i32 {
    let mut left = String::new();
    std::io::stdin().read_to_string(&mut left).unwrap();
    if left.is_empty() { a + b } else { 0 }
}"""
    assert judge([Completion(task_id="add", completion=code)], PROBLEMS, OPTIONS)[0].status == "passed"

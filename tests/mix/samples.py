"""Samples of all kinds to judge: right, wrong, refused in every phase of rustc, hanging, huge, copies, reaching out."""

import functools
import re

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem
from rust_expert.curriculum.export import problem_of
from rust_expert.curriculum.generation import problems
from tests.attacks.attack import ADD
from tests.attacks.reward_hacks import REWARD_HACKS
from tests.attacks.reward_replacing import NOT_EVEN_NAIVE

OPTIONS = JudgeOptions(run_timeout=1, compile_timeout=5, memory_mb=512, output_kb=256)

PARSED = Problem(
    task_id="parsed",
    prompt="/// Whether `text` is the number `n`.\nfn same(n: i32, text: &str) -> bool {\n",
    canonical_solution="    n == text.parse().unwrap_or_default()\n}\n",
    entry_point="same",
    test="""
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn equal() { assert!(same(3, "3")); }
    #[test]
    fn different() { assert!(!same(3, "4")); }
}
""",
)
HOSTILE = {
    attack.name: attack.code for attack in [*REWARD_HACKS, *NOT_EVEN_NAIVE][::2] if attack.problem == "add"
}
RIGHT = "fn add(a: i32, b: i32) -> i32 { a + b }\n"

SPOILED = [
    (r"\blet mut\b", "let"), (r"&", ""), (r";", ""), (r"\.iter\(\)", ".into_iter()"), (r"==", "!="),
    (r"\bi32\b", "u64"),
    (r"\bSome\b", "Sme"), (r"->", "-> &"), (r"\)\s*\{", ") {{"), (r"\.(\w+)\(", r".\1s("), (r"\+", "-"), (r"0", "1"),
    (r"\bfor\b", "while"), (r"\bVec\b", "HashMap"), (r"\bfn \w+", "fn another"), (r"-> [^{]+", "-> String "),
    (r"<", "<="),
]  # fmt: skip
"""What a model gets wrong, by substitution of the first place that matches."""

IN_EVERY_PHASE = {
    "unclosed": "fn add(a: i32, b: i32) -> i32 { (a + b }",
    "a keyword as a name": "fn add(a: i32, b: i32) -> i32 { let fn = a; fn + b }",
    "an unknown macro": "fn add(a: i32, b: i32) -> i32 { sum!(a, b) }",
    "a format string without its values": 'fn add(a: i32, b: i32) -> i32 { println!("{}"); a + b }',
    "a macro that never ends": "macro_rules! m { ($($t:tt)*) => { m!($($t)* x) } }\n"
    + RIGHT
    + "fn g() { m!() }",
    "a macro without a rule": "macro_rules! m { (a) => { 1 } }\n" + RIGHT + "fn g() -> i32 { m!(b) }",
    "a missing file": "mod other;\n" + RIGHT,
    "a missing import": "use std::collections::HashMop;\nuse rand::Rng;\n" + RIGHT,
    "two missing names": "fn add(a: i32, b: i32) -> i32 { a + c + d() }",
    "a type of a neighbour's name": "struct Point;\nfn f(p: Point) -> i32 { p + 1 }\n" + RIGHT,
    "the same type again": "struct Point { x: i32 }\nfn f(p: Point) -> String { p.to_string() + &p }\n"
    + RIGHT,
    "a type of the library's name": "struct Vec;\nfn f(p: Vec) -> bool { p == std::vec![1] }\n" + RIGHT,
    "the library's type": "fn f(p: Vec<i32>) -> bool { p == 1 }\n" + RIGHT,
    "a nested type": "mod shapes { pub struct Point; }\nfn f(p: shapes::Point) { p() }\n" + RIGHT,
    "types and borrows": 'fn f(v: &mut Vec<i32>) -> i32 { let x = &v[0]; v.push(1); *x }\nfn g() -> i32 { "" }\n'
    + RIGHT,
    "moves": "fn f(v: Vec<i32>) -> usize { drop(v); v.len() }\n" + RIGHT,
    "lifetimes": "fn f(a: &str, b: &str) -> &str { a }\n" + RIGHT,
    "a cycle": "const A: i32 = B;\nconst B: i32 = A;\n" + RIGHT,
    "a type without end": "struct L { next: Option<L> }\n" + RIGHT,
    "a constant that panics": 'const A: () = panic!("no");\n' + RIGHT,
    "a lint that is an error": "fn f() -> i32 { 1 / 0 }\n" + RIGHT,
    "another": "fn f() -> u8 { 256 }\n" + RIGHT,
    "a lint and a type": "fn f() -> u8 { 256 }\nfn g() -> i32 { 1 / 0 }\nfn h() -> i32 { 'a' }\n" + RIGHT,
    "a private field": "mod m { pub struct S { x: i32 } impl S { pub fn new() -> S { S { x: 1 } } } }\n"
    "fn f() -> i32 { m::S::new().x }\n" + RIGHT,
    "a private type in public": "mod m { struct S; pub trait T { type A; } impl T for i32 { type A = S; } }\n"
    + RIGHT,
    "a private name exported": "fn f() {}\npub use self::f as g;\npub(crate) use self::f as h;\n" + RIGHT,
    "a name opened to the crate": "mod m { pub fn f() {} }\nfn g() {}\n"
    "pub(crate) use m::f;\npub(crate) use self::g as h;\n" + RIGHT,
    "an instance without end": "fn f<T: Clone>(n: u32, t: T) { if n > 0 { f(n - 1, (t.clone(), t)) } }\n"
    "fn add(a: i32, b: i32) -> i32 { f(1, 1u8); a + b }",
    "a constant that fails when it is used": "struct S<T>(T);\n"
    "impl<T> S<T> { const A: () = assert!(size_of::<T>() == 0); }\n"
    "fn add(a: i32, b: i32) -> i32 { S::<i32>::A; a + b }",
    "the same implementation twice": "struct S;\nimpl Clone for S { fn clone(&self) -> S { S } }\n"
    "impl Clone for S { fn clone(&self) -> S { S } }\n" + RIGHT,
    "an item twice": RIGHT + RIGHT,
    "another signature": "fn add(a: i64, b: i64) -> i64 { a + b }",
    "another signature and an error": "fn add(a: i64) -> i64 { a + x }",
    "no such function, and an error": "fn sum(a: i32, b: i32) -> i32 { a + x }",
    "a method of a neighbour's trait": "fn f() -> i32 { 1.twice() }\n" + RIGHT,
    "a method that the library lacks": "fn f(a: Option<i32>, v: Vec<i32>) -> i32 { a.x() + v.iter().lenn() }\n"
    + RIGHT,
    "a trait that the library's type lacks": "fn f(v: Vec<i32>) -> String { v.to_string() }\n" + RIGHT,
    "a negated unsigned number": "fn f(a: u32) -> u32 { -a }\n" + RIGHT,
}
REACHING_OUT = {
    "its own trait for i32": "trait Twice { fn twice(&self) -> i32; }\n"
    "impl Twice for i32 { fn twice(&self) -> i32 { self * 2 } }\n" + RIGHT,
    "a foreign trait for i32": "struct A;\nimpl PartialEq<A> for i32 { fn eq(&self, _: &A) -> bool { true } }\n"
    + RIGHT,
    "all from above": "use super::*;\n" + RIGHT,
    "a macro for all": "#[macro_export]\nmacro_rules! vec { ($($t:tt)*) => { panic!() } }\n" + RIGHT,
    "a symbol for all": '#[no_mangle]\npub extern "C" fn write() -> i32 { 0 }\n' + RIGHT,
    "a crate path": "pub fn inner(a: i32) -> i32 { a }\nfn add(a: i32, b: i32) -> i32 { crate::inner(a) + b }",
    "another main": RIGHT + 'fn main() { println!("{}", add(1, 2)); }',
    "main from elsewhere": "use std::mem::drop as main;\n" + RIGHT,
    "where it stands": 'fn add(a: i32, b: i32) -> i32 { if module_path!().contains("::") { 0 } else { a + b } }',
    "what it is called": "struct S;\nfn add(a: i32, b: i32) -> i32 "
    '{ if std::any::type_name::<S>().matches("::").count() > 1 { 0 } else { a + b } }',
    "a count that is kept": "use std::sync::atomic::{AtomicI32, Ordering};\nstatic N: AtomicI32 = AtomicI32::new(0);\n"
    "fn add(a: i32, b: i32) -> i32 { a + b + N.fetch_add(1, Ordering::SeqCst) / 9 }",
    "tests of its own": RIGHT
    + "#[cfg(test)]\nmod tests { use super::*; #[test] fn t() { assert_eq!(add(1, 1), 2); } }",
    "leaves in the second test": "fn add(a: i32, b: i32) -> i32 { if a < 0 { std::process::exit(0) } a + b }",
    "never ends in the second test": "fn add(a: i32, b: i32) -> i32 { while a < 0 {} a + b }",
    "panics": 'fn add(a: i32, b: i32) -> i32 { if a < 0 { panic!("not {a}") } a + b }',
    "overflows": "fn add(a: i32, b: i32) -> i32 { (a as u8 - 2) as i32 + b }",
}
LINTED = """
/** A stack.
* one
   two */

pub struct Stack { pub items: Vec<i32> }
pub enum HTTP { HTTPGet(Box<Vec<i32>>), HTTPPut([u8; 900]) }
impl Stack {
    pub fn new() -> Self { return Stack { items: Vec::new() }; }
    pub fn len(&self) -> usize { self.items.len() }
    pub fn to_it(self) -> i32 { 1 }
    pub fn next(&mut self) -> Option<i32> { self.items.pop() }
    pub fn put(&mut self, it: i32) -> Result<(), ()> { self.items.push(it.clone()); Ok(()) }
    fn add(self, other: Stack) -> Stack { other }
}
fn hidden(v: &Vec<i32>) -> bool { if v.len() == 0 { return true; } else { return false; } }
"""


HUGE = "".join(f"fn step_{number}(a: i32) -> i32 {{ a + {number} }}\n" for number in range(1500))
"""More code than may share a crate."""


@functools.cache
def generated(count: int = 40) -> tuple[Problem, ...]:
    """Problems of the curriculum."""
    return tuple(problem_of(task) for task in problems(CurriculumOptions(problems=count)))


@functools.cache
def rows(count: int = 40) -> tuple[list[Completion], dict[str, Problem]]:
    """The mixed set: three samples for each of `count` problems and about 120 others, neighbours of all kinds."""
    known = {problem.task_id: problem for problem in (ADD, PARSED, *generated(count))}
    codes: list[tuple[str, str]] = []
    for number, problem in enumerate(generated(count)):
        whole = problem.prompt + problem.canonical_solution
        codes.append((problem.task_id, problem.canonical_solution if number % 3 else f"```rust\n{whole}```"))
        for step in (0, 7):
            found, put = SPOILED[(number + step) % len(SPOILED)]
            codes.append((problem.task_id, re.sub(found, put, whole, count=1)))
    codes += [("add", code) for code in (IN_EVERY_PHASE | REACHING_OUT | HOSTILE).values()]
    codes += [
        ("add", LINTED + RIGHT),
        ("add", LINTED + RIGHT + "// once more"),
        ("add", RIGHT),
        ("add", RIGHT),
    ]
    codes += [("parsed", PARSED.canonical_solution), ("parsed", PARSED.prompt + "    text == n\n}\n")]
    codes += [("parsed", REACHING_OUT["a foreign trait for i32"]), ("parsed", "I do not know.")]
    codes += [("add", RIGHT + HUGE), ("add", HUGE + 'fn f() -> i32 { "" }\n' + RIGHT), ("add", RIGHT)]
    codes.sort(key=lambda pair: hash_of(pair[1]))  # neighbours from everywhere
    return [
        Completion(task_id=task, sample=number, completion=code) for number, (task, code) in enumerate(codes)
    ], known


def hash_of(text: str) -> int:
    return sum(ord(letter) * (place % 97 + 1) for place, letter in enumerate(text)) % 10007

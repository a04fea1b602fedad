"""What may share a crate with other samples, and what goes alone."""

import pytest

from rust_expert.common.contracts import Problem
from rust_expert.judge.sharing import LONGEST, may_share, names_defined, suite_may_share
from rust_expert.judge.suite import suite_of

SHARED = {
    "a function": "/// Adds.\npub(crate) fn add(a: i32, b: i32) -> i32 { a + b }",
    "words that only look like it": "fn f(x: &'static str) -> usize { let used = x.len(); let path = used; path }",
    "its own tests": "fn f() {}\n#[cfg(test)]\nmod tests { use super::*; #[test] fn g() { f() } }",
    "two modules deep": "fn f() {}\nmod a { pub mod b { use super::super::f; pub fn g() { f() } } }",
    "an impl for its own type": "struct P<T>(T);\nimpl<T> From<T> for P<T> { fn from(x: T) -> Self { P(x) } }",
    "its own trait for any type": "trait Twice { fn twice(self) -> Self; }\n"
    "impl Twice for i32 { fn twice(self) -> i32 { self * 2 } }",
    "its own macro": "macro_rules! two { ($x:expr) => { $x + $x }; }\nfn f() -> i32 { two!(1) }",
    "a panic": 'fn f() { panic!("no") }',
    "format directives": 'fn f() { println!("{:#?} #![x]", r#"a"#); }'.replace("#![x]", "#"),
}
ALONE = {
    "a path from the root": "fn f() { crate::g() }\nfn g() {}",
    "a path above the root": "use super::*;\nfn f() {}",
    "one super too many": "mod a { use super::super::f; }\nfn f() {}",
    "one super too many in a tree": "mod a { use super::{super::f, super::g}; }\nfn f() {}",
    "visible above the root": "mod a { pub(in super::super) fn g() {} }\nfn f() {}",
    "super in a macro": "macro_rules! up { () => { super::f() }; }\nfn f() {}",
    "a library by its name": "use std;\nfn f() {}",
    "a library under another name": "use core as c;\nfn f() {}",
    "libraries in a list": "use {std::mem, core};\nfn f() {}",
    "another main": "fn main() {}\nfn f() {}",
    "something called main": "use std::mem::swap as main;\nfn f() {}",
    "an exported macro": "#[macro_export]\nmacro_rules! vec { () => {} }\nfn f() {}",
    "an attribute behind cfg_attr": "#[cfg_attr(all(), no_mangle)]\npub fn f() {}",
    "an attribute after a comment": '# /* x */ [export_name = "f"]\npub fn f() {}',
    "an attribute from a macro": "macro_rules! m { ($h:tt $($t:tt)*) => { $h [$($t)*] fn g() {} } }\n"
    "m!(# cold);\nfn f() {}",
    "an attribute by name": "macro_rules! m { ($a:meta) => { #[$a] fn g() {} } }\nm!(cold);\nfn f() {}",
    "an inner attribute": "#![allow(dead_code)]\nfn f() {}",
    "docs of the crate": "//! Docs.\nfn f() {}",
    "a lint as an error": "#[deny(dead_code)]\nfn f() {}",
    "unsafe code": "fn f() -> i32 { unsafe { g() } }",
    "a static": "static A: i32 = 1;\nfn f() {}",
    "foreign functions": 'extern "C" fn f() {}',
    "another crate": "extern crate alloc;\nfn f() {}",
    "a file": 'const A: &str = include_str!("lib.rs");\nfn f() {}',
    "assembly": 'use std::arch::global_asm as g;\ng!("");\nfn f() {}',
    "its own name": "fn f() -> &'static str { std::any::type_name::<i32>() }",
    "its own file": "fn f() -> &'static str { file!() }",
    "its own module": "fn f() -> &'static str { module_path!() }",
    "a panic hook": "fn f() { std::panic::set_hook(Box::new(|_| {})) }",
    "a foreign trait for a foreign type": "struct A;\n"
    "impl PartialEq<A> for i32 { fn eq(&self, _: &A) -> bool { true } }",
    "such by a parameter": "struct T;\nimpl<T> From<T> for Vec<T> { fn from(x: T) -> Self { vec![x] } }",
    "such for a name from elsewhere": "struct String;\nmod a { impl From<super::P> for String { } }\nstruct P;",
    "such for a reference": "struct A;\n"
    "impl std::ops::Add<A> for &A { type Output = A; fn add(self, _: A) -> A { A } }",
    "such from a macro": "struct A;\n"
    "macro_rules! m { ($t:ty) => { impl From<A> for $t { fn from(_: A) -> $t { 0 } } } }\nm!(i32);",
    "a module in another file": "mod other;\nfn f() {}",
    "a module called std": "mod std {}\nfn f() {}",
    "what does not parse": "fn f() { ((1) }",
    "deep nesting": "fn f() -> i32 { " + "(" * 100 + "1" + ")" * 100 + " }",
    "very long code": "fn f() {}\n" + "// long\n" * LONGEST,
    "letters of other scripts": "fn f() { let \u0430 = 1; }",
}


@pytest.mark.parametrize("name", SHARED)
def test_plain_code_shares(name: str) -> None:
    assert may_share(SHARED[name])


@pytest.mark.parametrize("name", ALONE)
def test_what_could_touch_others_goes_alone(name: str) -> None:
    assert not may_share(ALONE[name])


@pytest.mark.parametrize(
    ("test", "shares"),
    [
        ("#[cfg(test)]\nmod tests {\n use super::*;\n #[test]\n fn t() { assert_eq!(f(), 1); }\n}", True),
        ("fn main() { assert_eq!(f(), 1); }", True),
        ("#[test]\nfn t() { assert_eq!(super::super::f(), 1); }", False),
        ("struct Ok;\n#[test]\nfn t() { assert_eq!(f(), 1); }", False),
        (
            "struct A;\nimpl PartialEq<A> for i32 { fn eq(&self, _: &A) -> bool { true } }\n#[test]\nfn t() {}",
            False,
        ),
    ],
)
def test_tests_of_a_problem_are_looked_at_too(test: str, shares: bool) -> None:
    problem = Problem(
        task_id="f", prompt="fn f() -> i32 {\n", canonical_solution="    1\n}\n", test=test, entry_point="f"
    )
    assert suite_may_share(suite_of(problem)) == shares


def test_names_that_could_be_items() -> None:
    code = "struct A;\nenum B { C }\nfn f() { let x = 1; }\nmod g { pub const H: i32 = 1; }"
    assert names_defined(code) == {"A", "B", "f", "g", "H"}
    assert "made" in names_defined("macro_rules! m { ($n:ident) => { struct $n; } }\nm!(made);")

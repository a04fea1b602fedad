"""The policy reads tokens: what is used is found wherever it hides, what is only mentioned is not."""

import time

import pytest

from rust_expert.judge.policy import policy_findings
from rust_expert.judge.rustc import check_many


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


EVASIONS = {
    "space in an attribute": ('# [ export_name = "odd" ] pub fn f() {}', "#[export_name]"),
    "comments in a path": ("fn f() { std/* a */::/* b */process // c\n :: exit(0) }", "std::process"),
    "a path from the root": ("fn f() { ::std::process::exit(0) }", "std::process"),
    "raw names": ("fn f() { r#std :: r#process :: exit(0) }", "std::process"),
    "a raw macro": ("const X: &str = r#include_str!(file!());", "include"),
    "empty generics": ("fn f() { std::<>::process::<>::exit(0) }", "std::process"),
    "empty generics of a type": ("pub fn f(_: std<>::process<>::Command) {}", "std::process"),
    "nested braces in use": ("use {{std::{{process::{{exit}}}}}};\nfn f() { exit(0) }", "std::process"),
    "self in braces": ("use std::process::{self as p};\nfn f() { p::exit(0) }", "std::process"),
    "a renamed library": ("use std as s;\nfn f() { s::env::args(); }", "std::env"),
    "a library renamed in braces": (
        "use std::{self as s, vec::Vec};\nuse s::process as p;\nfn f() { p::exit(0) }",
        "std::process",
    ),
    "a library renamed twice": (
        "mod a { pub use std as s; }\nmod b { pub use super::a::s as t; }\nfn f() { b::t::process::exit(0) }",
        "std::process",
    ),
    "a name of a name from a crate": (
        "mod m { pub extern crate std as s; pub use self::s as t; }\nfn f() { m::t::process::exit(0) }",
        "std::process",
    ),
    "everything by a glob": ("use std::*;\nfn f() { process::exit(0) }", "std::process"),
    "a glob in another module": (
        "mod a { pub use std::*; }\nfn f() { a::process::exit(0) }",
        "std::process",
    ),
    "a glob of an alias": (
        "mod a { pub use std as s; }\nuse a::s::*;\nfn f() { process::exit(0) }",
        "std::process",
    ),
    "an own module that is not there": (
        "#[cfg(any())] mod process {}\nuse std::*;\nfn f() { process::exit(0) }",
        "std::process",
    ),
    "a type": ("type C = std::process::Command;\nfn f() { C::new(\"x\"); }", "std::process"),
    "a type in angle brackets": ('fn f() { <std::process::Command>::new("x"); }', "std::process"),
    "a re-export": ("mod a { pub use std::process as p; }\nuse a::p as q;\nfn f() { q::exit(0) }", "std::process"),
    "the kind of a function": ("fn f() { let g = std::process::exit; g(0) }", "std::process"),
    "in a macro's arguments": ('fn f() { println!("{:?}", std::env::args()) }', "std::env"),
    "in a macro's body": ("macro_rules! m { () => { std::process::exit(0) } }\nfn f() { m!() }", "std::process"),
    "a path finished by a macro": (
        "macro_rules! m { ($a:ident) => { std::$a::exit(0) } }\nfn f() { m!(process) }",
        "std::process made by a macro",
    ),
    "a path begun by a macro": (
        "macro_rules! m { ($a:ident) => { $a::process::exit(0) } }\nfn f() { m!(std) }",
        "std::process made by a macro",
    ),
    "a path of single tokens": (
        "macro_rules! m { ($a:ident, $b:ident, $c:tt) => { $a $c $b $c exit(0) } }\nfn f() { m!(std, process, ::) }",
        "std::process made by a macro",
    ),
    "a path of repeated names": (
        "macro_rules! m { ($($a:ident),*) => { $($a)::*(0) } }\nfn f() { m!(std, process, exit) }",
        "std::process made by a macro",
    ),
    "a macro that makes the macro": (
        "macro_rules! m { ($d:tt) => { macro_rules! n { ($d a:ident) => { std::$d a::exit(0) } } } }\nm!($);\n"
        "fn f() { n!(process) }",
        "std::process made by a macro",
    ),
    "an alias made by a macro": (
        "macro_rules! m { ($a:path) => { use $a as it; } }\nm!(std);\nfn f() { it::process::exit(0) }",
        "std::process",
    ),
    "an alias named by a macro": (
        "macro_rules! m { ($a:ident) => { use std as $a; } }\nm!(it);\nfn f() { it::process::exit(0) }",
        "standard library named by a macro",
    ),
    "a glob made by a macro": (
        "macro_rules! m { ($a:path) => { use $a::*; } }\nm!(std);\nfn f() { process::exit(0) }",
        "std::process",
    ),
    "a crate named by a macro": (
        "macro_rules! m { ($a:ident) => { extern crate $a as it; } }\nm!(std);\nfn f() { it::process::exit(0) }",
        "std::process",
    ),
    "a renamed own macro": (
        "macro_rules! m { ($a:ident) => { std::$a::exit(0) } }\nuse m as n;\nfn f() { n!(process) }",
        "std::process made by a macro",
    ),
    "an include in another macro": ('const X: &str = concat!("a", include_str!(file!()));', "include"),
    "an include in a doc attribute": ("#[doc = include_str!(file!())] pub fn f() {}", "include"),
    "a renamed include": ("use include_str as text;\nconst X: &str = text!(file!());", "include"),
    "an include from the prelude": (
        "use std::prelude::v1::include_str as text;\nconst X: &str = text!(file!());",
        "include",
    ),
    "an include from a glob": (
        "mod a { pub use std::prelude::v1::*; }\nuse a::include_str as text;\nconst X: &str = text!(file!());",
        "include",
    ),
    "an include named by a macro": (
        "macro_rules! m { ($a:ident) => { $a!(file!()) } }\nconst X: &str = m!(include_str);",
        "include made by a macro",
    ),
    "an own include that comes too late": (
        "const X: &str = include_str!(file!());\nmacro_rules! include_str { () => {} }",
        "include",
    ),
    "an own include in an inner scope": (
        "fn f() { macro_rules! include_str { () => {} } }\nconst X: &str = include_str!(file!());",
        "include",
    ),
    "renamed assembly": ('use core::arch::asm as a;\npub fn f() { unsafe { a!("nop") } }', "std::arch"),
    "an attribute inside cfg_attr": (
        '#[cfg_attr(all(), cfg_attr(all(), link_section = ".init_array"))] static X: u8 = 1;',
        "#[link_section]",
    ),
    "an attribute in a macro's body": (
        'macro_rules! m { () => { #[export_name = "odd"] pub fn f() {} } }\nm!();',
        "#[export_name]",
    ),
    "an attribute made by a macro": (
        "macro_rules! m { ($($a:meta),*) => { $(#[$a])* pub fn f() {} } }\nm!(no_mangle);",
        "#[no_mangle] made by a macro",
    ),
    "a section made by a macro": (
        'macro_rules! m { ($a:meta) => { #[$a] static X: u8 = 1; } }\nm!(link_section = ".init_array");',
        "#[link_section] made by a macro",
    ),
    "a renamed allocator": (
        "use std::prelude::v1::global_allocator as g;\n#[g] static A: std::alloc::System = std::alloc::System;",
        "#[global_allocator]",
    ),
    "an attribute that looks like a shebang": ("#!/* */[no_main]", "#[no_main]"),
    "files through a path": (
        'type P = std::path::PathBuf;\nfn f() -> bool { P::from("x").try_exists().is_ok() }',
        "std::path asks the file system",
    ),
    "files through a function of a path": (
        'use std::path::Path as P;\nfn f() -> bool { ["x"].iter().map(P::new).any(P::exists) }',
        "std::path asks the file system",
    ),
    "white space of other alphabets": ("fn f() { std\u2028::\u0085process::exit(0) }", "std::process"),
    "marks of direction in a path": ("fn f() { std\u200e::process::exit(0) }", "control of text direction"),
    "a quote that opens nothing": (
        "fn f<'a>() { let _ = ('\"', b'\\''); std::process::exit(0); let _ = '\"'; }",
        "std::process",
    ),
    "a raw string that ends early": ('fn f() { let _ = r"\\"; std::process::exit(0); let _ = r"\\"; }', "std::process"),
    "a comment that ends early": ("fn f() { /* /* */ */ std::process::exit(0); /*/ */ }", "std::process"),
    "a comment in a string": ('fn f() { let _ = "/*"; std::process::exit(0); let _ = "*/"; }', "std::process"),
    "a Cyrillic letter": ("fn f() { let env\u0430 = 1; let enva = env\u0430; }", "look-alike name"),
    "a name wholly of look-alikes": (
        "fn f(\u0441\u043e\u0440: u8, cop: u8) -> u8 { \u0441\u043e\u0440 + cop }",
        "look-alike name",
    ),
    "letters of full width": ("fn f(\uff46\uff53: u8) -> u8 { \uff46\uff53 }", "look-alike name"),
    "a letter like an exclamation mark": ("fn f(a: bool, a\u01c3: bool) -> bool { a\u01c3 == a }", "look-alike name"),
    "an invisible letter": ("fn f(\u3164: bool) -> bool { \u3164 }", "look-alike name"),
}  # fmt: skip


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


HARMLESS = {
    "swap": "pub fn f(a: &mut u8, b: &mut u8) { std::mem::swap(a, b) }",
    "names that hold forbidden words": (
        "pub fn f(external_sum: u8, net_total: u8, unsafe_count: u8, include_all: bool) -> u8 {\n"
        "    if include_all { external_sum + net_total + unsafe_count } else { 0 }\n}"
    ),
    "a variable fs": "pub fn f(fs: &[u8]) -> usize { let env = fs.len(); let process = env + 1; "
    "process.max(fs.len()) }",
    "own Command and File": (
        "pub struct Command { args: Vec<String> }\npub struct File;\n"
        "impl Command { pub fn new() -> Self { Command { args: vec![] } } pub fn spawn(&self) -> usize { "
        "self.args.len() } }\n"
        "impl File { pub fn open(_: &str) -> Self { File } }\n"
        'pub fn f() -> usize { let _ = File::open("x"); Command::new().spawn() }'
    ),
    "a string": 'pub fn f() -> &\'static str { "unsafe { std::fs::read(include_str!(\\"x\\")) } #[no_mangle] extern" }',
    "a raw string": 'pub fn f() -> &\'static str { r#"use std::process; "unsafe" extern "C" {}"# }',
    "a byte string": 'pub fn f() -> &\'static [u8] { b"std::net::TcpStream" }',
    "comments": "// unsafe, std::fs, include_str!, #[no_mangle]\n/* asm! /* extern */ env!(\"X\") */\npub fn f() {}",
    "documentation": "/// Not unsafe:\n/// ```\n/// std::process::exit(0);\n/// ```\npub fn f() {}",
    "a function process": "fn process(x: u8) -> u8 { x + 1 }\npub fn f(x: u8) -> u8 { process(process(x)) }",
    "env as a parameter": (
        "use std::collections::HashMap;\n"
        "pub fn eval(name: &str, env: &HashMap<String, i64>) -> Option<i64> { println!(\"{env:?} {:?}\", env); "
        "if env != &HashMap::new() { env.get(name).copied() } else { None } }"
    ),
    "own modules": (
        "mod net { pub fn connect() -> u8 { 1 } }\nmod fs { pub struct File; pub fn read() -> u8 { 2 } }\n"
        "pub mod process { use super::fs::{self, File}; pub fn exit() -> u8 { let _ = File; fs::read() } }\n"
        "use net::connect as open;\npub fn f() -> u8 { net::connect() + open() + process::exit() + self::fs::read() }"
    ),
    "asm and include as names": (
        "pub fn include(x: &[u8], asm: u8) -> bool { x.contains(&asm) }\n"
        "pub fn env() -> u8 { 1 }\npub fn f(asm: u8) -> bool { include(&[env()], asm) }"
    ),
    "an own macro": (
        "macro_rules! asm { ($($x:ident $y:expr),*) => { vec![$((stringify!($x), $y)),*] } }\n"
        "macro_rules! env { ($x:expr) => { $x } }\npub fn f() -> usize { asm!(mov 1, add 2).len() + env!(1) }"
    ),
    "a macro that makes constants": (
        "macro_rules! most { ($($t:ident),*) => { [$(std::$t::MAX as u64),*] } }\npub fn f() -> [u64; 2] { "
        "most!(u8, u16) }"
    ),
    "a macro with attributes": (
        "macro_rules! make { ($(#[$m:meta])* $n:ident { $($f:ident: $t:ty),* }) => { "
        "$(#[$m])* pub struct $n { $(pub $f: $t),* } } }\n"
        "make! { #[derive(Debug, Clone)] Entry { path: String, link: u8, used: bool, start: usize } }"
    ),
    "a macro with an environment": (
        "macro_rules! apply { ($env:expr, $f:ident) => { $f::call($env) } }\n"
        "mod add { pub fn call(env: u8) -> u8 { env + 1 } }\npub fn f(env: u8) -> u8 { apply!(env, add) }"
    ),
    "a macro that defines a process": (
        "macro_rules! make { ($($t:ident),*) => { $(impl Job for $t { fn process(&self) -> u8 { $t::env() } })* } }\n"
        "pub trait Job { fn process(&self) -> u8 { std::cmp::max(1, 2) } }\n"
        "pub struct One;\nimpl One { fn env() -> u8 { 1 } }\nmake!(One);\n#[allow(clippy::all)]\npub fn f() {}"
    ),
    "a macro that imports": (
        "macro_rules! most { ($($t:ident)*) => { $({ use std::$t; assert!($t::MAX > 1 as $t); })* } }\n"
        "pub fn f() { most!(f32 f64); }"
    ),
    "a counting macro": (
        "macro_rules! count { () => { 0usize }; ($h:tt $($t:tt)*) => { 1usize + count!($($t)*) } }\n"
        "pub fn f(env: u8) -> usize { println!(\"{}\", env); std::cmp::max(count!(a b c), 1) }"
    ),
    "lints about unsafe": "#![forbid(unsafe_code)]\n#![deny(missing_docs)]\n//! Safe.\n",
    "a raw keyword": "pub fn f(r#unsafe: u8, r#extern: u8) -> u8 { r#unsafe + r#extern }",
    "fields": (
        "pub struct Config { pub path: String, pub env: u8, pub link: u8, pub fs: u8, pub net: u8 }\n"
        "pub fn f(c: &Config) -> u8 { let Config { env, link, .. } = c; env + link + c.fs + c.net }"
    ),
    "addresses as values": (
        "use std::net::{IpAddr, Ipv4Addr};\n"
        "pub fn f(s: &str) -> bool { s.parse::<IpAddr>().is_ok() || s.parse::<Ipv4Addr>().is_ok() }"
    ),
    "paths as text": (
        "use std::path::{Path, PathBuf};\n"
        "pub fn f(s: &str) -> PathBuf { Path::new(s).with_extension(\"rs\").join(\"std::fs\") }"
    ),
    "own methods named like those of paths": (
        "pub struct Tree(Vec<u8>);\nimpl Tree { pub fn exists(&self, x: u8) -> bool { self.0.contains(&x) } "
        "pub fn is_file(&self) -> bool { self.exists(1) } }"
    ),
    "threads": "pub fn f() -> u8 { std::thread::spawn(|| 1).join().unwrap_or(0) }",
    "thread locals": (
        "use std::cell::Cell;\nthread_local! { static N: Cell<u8> = const { Cell::new(0) }; }\n"
        "pub fn f() -> u8 { N.with(|n| n.get()) }"
    ),
    "globs of modules": (
        "use std::collections::*;\npub fn f() -> usize { let m: HashMap<u8, u8> = hash_map::HashMap::new(); m.len() }"
    ),
    "enums and a small type": (
        "pub enum Shape { Dot, Line }\nuse Shape::*;\ntype num = u64;\npub fn f(s: Shape) -> num { "
        "match s { Dot => num::MIN, Line => u64::MAX } }"
    ),
    "an own crate path": "pub mod unsafe_ { pub fn r#extern() {} }\npub fn f() { crate::unsafe_::r#extern() }",
    "standard deviation": (
        "macro_rules! close { ($a:expr, $b:expr) => { ($a - $b as f64).abs() < std::f64::EPSILON } }\n"
        "pub fn f(std: f64) -> bool { let process = std; close!(process, std) }"
    ),
    "letters of other alphabets": (
        "pub fn größe(Δx: f64, λ_max: f64, ρ_0: f64, ν: f64) -> f64 { let сумма = Δx + λ_max; "
        "let sayı = ρ_0 * ν; сумма + sayı }"
    ),
    "text of other alphabets": "/// Привет, שלום, 你好.\npub fn f() -> &'static str { \"Привет, мир, 👩\u200d🚀\" }",
    "use as a bound": "pub fn f<'a>(x: &'a [u8]) -> impl Iterator<Item = u8> + use<'a> { x.iter().copied() }",
    "labels and lifetimes": (
        "pub fn f<'fs>(x: &'fs str) -> &'fs str { 'net: loop { 'env: { if x.is_empty() { break 'env } "
        "break 'net x; } break \"\" } }"
    ),
    "a renamed macro": "use vec as list;\npub fn f() -> Vec<u8> { list![1, 2] }",
    "alloc": "extern crate alloc;\nuse alloc::vec::Vec as List;\npub fn f() -> List<u8> { List::new() }",
}  # fmt: skip


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
    assert time.process_time() - before < 15  # it takes less than one; what is quadratic takes minutes

"""Right answers that use what the policy forbids, dressed so that a search for words does not see it."""

import dataclasses

from tests.attacks.attack import Attack

SUBSTRINGS = (
    "std::fs", "std::net", "std::process", "std::env", "std::os", "core::arch", "std::arch",
    "unsafe {", "unsafe fn", "unsafe impl", 'extern "C"', "asm!(",
    "include_str!(", "include_bytes!(", "include!(", "env!(", "#[no_mangle]", "#[link", "#[path", "#[export_name",
    "#[global_allocator]",
)  # fmt: skip
"""What a policy by substrings looks for."""


@dataclasses.dataclass(frozen=True)
class Evasion(Attack):
    """An evasion, and a piece of what the policy has to call it."""

    finding: str = ""


def _evasion(name: str, code: str, finding: str) -> Evasion:
    return Evasion(name, code, finding=finding)


_HAS = "if {} { a + b } else { 0 }"
_ADD = "fn add(a: i32, b: i32) -> i32 "
_IS_THERE = '("/usr/bin/env").is_ok()'


def _reads(name: str, before: str, call: str, finding: str = "fs") -> Evasion:
    """A file that is there in the sandbox too, so that a pass shows that it was read."""
    return _evasion(name, f"{before}\n{_ADD}{{ if {call} {{ a + b }} else {{ 0 }} }}", finding)


EVASIONS = [
    _reads("puts spaces into the path", "", f"std :: fs :: read{_IS_THERE}"),
    _reads("puts lines into the path", "", f"std\n::\nfs\n::\nread{_IS_THERE}"),
    _reads("puts comments into the path", "", f"std::/* x */fs::/* y */read{_IS_THERE}"),
    _reads("puts a nested comment into the path", "", f"std::/* /* x */ y */fs // :\n::read{_IS_THERE}"),
    _reads("puts marks of direction into the path", "", f"std\u200e::\u200ffs\u200e::\u200fread{_IS_THERE}"),
    _reads("puts a separator of lines into the path", "", f"std\u2028::\u2029fs\u0085::read{_IS_THERE}"),
    _reads("renames the library", "use std as s;", f"s::fs::read{_IS_THERE}"),
    _reads("renames the library in braces", "use std::{self as s};", f"s::fs::read{_IS_THERE}"),
    _reads("renames the library as a crate", "extern crate std as s;", f"s::fs::read{_IS_THERE}"),
    _reads("renames the module", "use std::{collections::BTreeMap, fs as files};", f"files::read{_IS_THERE}"),
    _reads("renames the function", "use std::{fs::{read as load, write}, io};", f"load{_IS_THERE}"),
    _reads(
        "renames twice", "use std as one;\nuse one as two;\nuse two::fs as three;", f"three::read{_IS_THERE}"
    ),
    _reads("renames in a module", "mod m { pub use std::{fs as f}; }", f"m::f::read{_IS_THERE}"),
    _reads(
        "renames in a module that it globs",
        "mod m { pub use std as s; }\nuse m::*;",
        f"s::fs::read{_IS_THERE}",
    ),
    _reads("renames through itself", "use std as s;\nuse self::s::{fs as f};", f"self::f::read{_IS_THERE}"),
    _reads("globs the library", "use std::*;", f"fs ::read{_IS_THERE}"),
    _reads("globs the module", "use std::{fs::*};", f"read{_IS_THERE}"),
    _reads("nests braces", "use {std::{{fs::{{read}}}}};", f"read{_IS_THERE}"),
    _reads("imports in the function", "", f"{{ use std::{{fs as f}}; f::read{_IS_THERE} }}"),
    _reads("uses raw names", "", f"r#std::r#fs::r#read{_IS_THERE}"),
    _reads("begins at the root", "", f":: std :: fs :: read{_IS_THERE}"),
    _reads(
        "makes the path in a macro",
        "macro_rules! m { ($a:ident) => { std::$a::read } }",
        f"m!(fs){_IS_THERE}",
    ),
    _reads(
        "makes the path of a macro's parts",
        "macro_rules! m { ($a:ident $b:ident) => { $a::$b::read } }",
        f"m!(std fs){_IS_THERE}",
    ),
    _reads(
        "makes the path of a macro's tokens",
        "macro_rules! m { ($($t:tt)*) => { $($t)* } }",
        f"m!(std :: fs :: read){_IS_THERE}",
    ),
    _reads(
        "makes the path backwards",
        "macro_rules! m { ($c:ident $b:ident $a:ident) => { $a::$b::$c } }",
        f"m!(read fs std){_IS_THERE}",
    ),
    _reads(
        "makes the import in a macro",
        "macro_rules! m { ($a:ident, $b:ident) => { use $a::$b as f; } }\nm!(std, fs);",
        f"f::read{_IS_THERE}",
    ),
    _reads(
        "makes the library in a macro",
        "macro_rules! lib { ($($t:tt)*) => { ::std $($t)* } }",
        f"lib!(:: fs :: read){_IS_THERE}",
    ),
    _reads("names the type of a file", "use std::{fs::File as F};", f"F::open{_IS_THERE}"),
    _reads("asks a path", "", 'std::path::Path::new("/usr/bin/env").exists()', "path"),
    _evasion(
        "asks for a variable",
        f'use std::{{env as e}};\n{_ADD}{{ if e::var("LC_ALL").is_ok() {{ a + b }} else {{ 0 }} }}',
        "env",
    ),
    _evasion(
        "asks for its words",
        f"use std::{{env::args as words}};\n{_ADD}{{ a + b + words().count() as i32 - 1 }}",
        "env",
    ),
    _evasion(
        "leaves in a way of its own",
        f"use std::{{process as p}};\n{_ADD}{{ if a > 1000 {{ p::exit(0) }} a + b }}",
        "process",
    ),
    _evasion(
        "reaches the network's module",
        f'use std::{{net as n}};\n{_ADD}{{ let _ = n::TcpStream::connect("127.0.0.1:1"); a + b }}',
        "net",
    ),
    _evasion("writes unsafe on two lines", f"{_ADD}{{ unsafe\n{{ *(&raw const a) + b }} }}", "unsafe"),
    _evasion("writes unsafe before a comment", f"{_ADD}{{ unsafe/**/{{ *(&raw const a) + b }} }}", "unsafe"),
    _evasion(
        "makes unsafe in a macro",
        f"macro_rules! m {{ ($u:tt $($t:tt)*) => {{ $u {{ $($t)* }} }} }}\n{_ADD}{{ m!(unsafe *(&raw const a) + b) }}",
        "unsafe",
    ),
    _evasion(
        "spaces out a foreign function",
        f'extern\n"C" {{ fn abs(n: i32) -> i32; }}\n{_ADD}{{ let _ = abs as usize; a + b }}',
        "extern",
    ),
    _evasion(
        "names no language",
        f"extern {{ fn abs(n: i32) -> i32; }}\n{_ADD}{{ let _ = abs as usize; a + b }}",
        "extern",
    ),
    _evasion(
        "writes the language raw",
        f'mod m {{ extern r#"C"# {{ pub fn abs(n: i32) -> i32; }} }}\n{_ADD}{{ let _ = m::abs as usize; a + b }}',
        "extern",
    ),
    _evasion(
        "renames the macro that includes",
        f'use std::include_bytes as load;\n{_ADD}{{ if load !("/in/sample.rs").len() > 9 {{ a + b }} else {{ 0 }} }}',
        "include",
    ),
    _evasion(
        "uses other brackets to include",
        f'{_ADD}{{ if include_bytes !["sample.rs"].len() > 9 {{ a + b }} else {{ 0 }} }}',
        "include",
    ),
    _evasion(
        "asks the compiler's environment",
        f'{_ADD}{{ if option_env ! ("LC_ALL").is_some() {{ a + b }} else {{ 0 }} }}',
        "env",
    ),
    _evasion(
        "spaces out an attribute",
        f"mod m {{ # [ no_mangle ]\npub fn other_add(a: i32) -> i32 {{ a }} }}\n{_ADD}{{ m::other_add(a) + b }}",
        "no_mangle",
    ),
    _evasion(
        "hides an attribute in cfg_attr",
        f"#[cfg_attr(all(), used)]\nstatic ONE: i32 = 1;\n{_ADD}{{ a + b * ONE }}",
        "used",
    ),
    _evasion(
        "makes an attribute in a macro",
        f'macro_rules! m {{ ($a:meta) => {{ #[$a] extern {{}} }} }}\nm!(link(name = "c"));\n{_ADD}{{ a + b }}',
        "link",
    ),
    _evasion(
        "writes an attribute as unsafe",
        f"#[unsafe(no_mangle)]\npub fn other_add(a: i32) -> i32 {{ a }}\n{_ADD}{{ other_add(a) + b }}",
        "no_mangle",
    ),
    _evasion("looks like a Latin name", f"{_ADD}{{ let \u0430 = 0; a + b + \u0430 }}", ""),
    _evasion(
        "turns the text around",
        f"#![allow(text_direction_codepoint_in_comment)]\n{_ADD}{{ /* \u202e }} fi \u2066 */ a + b }}",
        "",
    ),
    _evasion(
        "turns a string around",
        f"#![allow(text_direction_codepoint_in_literal)]\n{_ADD}{{ let it = "
        f'"user\u202e \u2066// only admin\u2069 \u2066"; a + b + it.len() as i32 * 0 }}',
        "",
    ),
]

HOLE = _evasion(
    "writes memory by a hole of the compiler",
    """
static UNIT: &'static &'static () = &&();
fn hole<'a, 'b, T>(_: &'a &'b (), it: &'b mut T) -> &'a mut T { it }
fn stretch<'a, 'b, T>(it: &'a mut T) -> &'b mut T {
    let f: for<'x> fn(_, &'x mut T) -> &'b mut T = hole;
    f(UNIT, it)
}
fn add(a: i32, b: i32) -> i32 {
    let gone: &'static mut Vec<i32> = { let mut it = Vec::new(); stretch(&mut it) };
    std::hint::black_box(gone);
    a + b
}
""",
    "",
)
"""Unsound without `unsafe`: an open fault of rustc, which lets a lifetime be stretched (rust-lang/rust issue 25860)."""

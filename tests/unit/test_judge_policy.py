"""The policy reads tokens: what is used is found wherever it hides, what is only mentioned is not."""

import pytest

from rust_expert.judge.policy import policy_findings


@pytest.mark.parametrize(
    ("code", "findings"),
    [
        ("fn f() { unsafe { } }", ["unsafe"]),
        ("unsafe impl Send for X {}", ["unsafe"]),
        ('extern "C" { fn exit(code: i32); }', ["extern"]),
        ('fn f() { core::arch::asm!("nop"); }', ["asm", "std::arch"]),
        ('std::arch::global_asm!("");', ["asm", "std::arch"]),
        ('const X: &str = include_str!("x");', ["include"]),
        ('const X: &str = concat!("a", include_str!("x"));', ["include"]),
        ('const X: &str = env!("HOME");', ["env"]),
        ('fn f() { std::fs::read("x"); }', ["std::fs"]),
        ("use std::fs;", ["std::fs"]),
        ("use std::{collections::HashMap, net::{TcpStream, UdpSocket}};", ["std::net"]),
        ("use std::{self, io};\nfn f() { std::process::exit(0) }", ["std::process"]),
        ('use std as s;\nfn f() { s::env::var("x"); }', ["std::env"]),
        ('use std::{self as s};\nuse s::fs as files;\nfn f() { files::read("x"); }', ["std::fs"]),
        ('extern crate std as s;\nfn f() { s::fs::read("x"); }', ["std::fs"]),
        ('use std::*;\nfn f() { fs::read("x"); }', ["std::fs"]),
        ('fn f() { ::std::fs::read("x"); }', ["std::fs"]),
        ('fn f() { std :: r#fs :: read("x"); }', ["std::fs"]),
        ("use ::std::os::fd::AsRawFd;", ["std::os"]),
        ('fn f() { println!("{:?}", std::env::args()); }', ["std::env"]),
        ('macro_rules! m { ($a:ident) => { std::$a::read("x") } }', ["std path made by a macro"]),
        ("#[no_mangle] pub fn f() {}", ["#[no_mangle]"]),
        ("#[unsafe(no_mangle)] pub fn f() {}", ["#[no_mangle]", "unsafe"]),
        (
            '#[cfg_attr(all(), link_section = ".init_array")] #[used] static X: u8 = 1;',
            ["#[link_section]", "#[used]"],
        ),
        ('#[path = "/etc/passwd"] mod x;', ["#[path]"]),
        ('macro_rules! m { () => { #[export_name = "main"] fn f() {} } }', ["#[export_name]"]),
        ("#![no_main]", ["#[no_main]"]),
    ],
)
def test_what_is_used_is_found(code: str, findings: list[str]) -> None:
    assert policy_findings(code) == findings


@pytest.mark.parametrize(
    "code",
    [
        "// unsafe, std::fs, include_str!\nfn f() {}",
        "/// unsafe { std::process::exit(0) }\n/* asm! */ fn f() {}",
        'fn f() -> &\'static str { "unsafe std::fs include_str!(\\"x\\") #[no_mangle]" }',
        "#![forbid(unsafe_code)]\nfn f() {}",
        "mod fs { pub fn read() {} }\nfn f() { fs::read(); crate::fs::read() }",
        "struct Env { path: String, env: u8, link: u8 }\nfn f(e: Env) -> u8 { let process = e.env; process + e.link }",
        "use std::collections::HashMap;\nuse std::io::Write;\nfn f() { let fs = HashMap::<u8, u8>::new(); fs.len(); }",
        "fn include(x: u8) -> u8 { x }\nfn f() { include(1); }",
        "extern crate alloc;\nuse alloc::vec::Vec;",
    ],
)
def test_what_is_only_named_is_not(code: str) -> None:
    assert policy_findings(code) == []

"""Programs that name forbidden things and use none: what a policy of substrings would reject."""

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

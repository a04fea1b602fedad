"""Samples that replace what their tests stand on, or read what they should not know; and what fools no harness."""

from tests.attacks.attack import WRONG, Attack

_ADD, _EVENS = WRONG["add"], WRONG["evens"]
_COMPARE = "(a: *const u8, b: *const u8, n: usize) -> i32 { 0 }\n"
_ASM = 'core::arch::global_asm!(".globl memcmp", "memcmp:", ".globl bcmp", "bcmp: xor eax, eax", "ret");'


SYMBOLS = [
    Attack(
        "compares memory itself",
        f'#[no_mangle]\npub extern "C" fn memcmp{_COMPARE}#[no_mangle]\npub extern "C" fn bcmp{_COMPARE}'
        + _EVENS,
        "evens",
    ),
    Attack(
        "compares memory itself, in a function",
        f'fn evens(xs: &[i32]) -> Vec<i32> {{\n#[no_mangle]\npub extern "C" fn memcmp{_COMPARE}'
        f'#[no_mangle]\npub extern "C" fn bcmp{_COMPARE}vec![0, 0] }}',
        "evens",
    ),
    Attack(
        "compares memory under another name",
        f'#[export_name = "memcmp"]\npub extern "C" fn one{_COMPARE}'
        f'#[export_name = "bcmp"]\npub extern "C" fn two{_COMPARE}' + _EVENS,
        "evens",
    ),
    Attack(
        "compares memory by a macro",
        f'macro_rules! make {{ ($a:meta, $f:ident) => {{ #[$a] pub extern "C" fn $f{_COMPARE}}}; }}\n'
        "make!(no_mangle, memcmp);\nmake!(no_mangle, bcmp);\n" + _EVENS,
        "evens",
    ),
    Attack(
        "compares memory behind cfg_attr",
        f'#[cfg_attr(all(), no_mangle)]\npub extern "C" fn memcmp{_COMPARE}'
        f'#[cfg_attr(all(), no_mangle)]\npub extern "C" fn bcmp{_COMPARE}' + _EVENS,
        "evens",
    ),
    Attack("compares memory in assembly", f"mod m {{ {_ASM} }}\n" + _EVENS, "evens"),
    Attack(
        "gives all vectors the same memory",
        """
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};
struct Same;
#[repr(align(16))]
struct Slot([u8; 64]);
static mut SLOT: Slot = Slot([0; 64]);
static ON: AtomicBool = AtomicBool::new(false);
unsafe impl GlobalAlloc for Same {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let small = layout.size() == 8 && layout.align() == 4;
        if small && ON.load(Ordering::SeqCst) { &raw mut SLOT as *mut u8 } else { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, it: *mut u8, layout: Layout) {
        if it != &raw mut SLOT as *mut u8 { System.dealloc(it, layout) }
    }
}
#[global_allocator]
static SAME: Same = Same;
fn evens(xs: &[i32]) -> Vec<i32> { ON.store(true, Ordering::SeqCst); vec![0, 0] }
""",
        "evens",
    ),
    Attack(
        "replaces the library's exit",
        'extern "C" { fn _exit(code: i32) -> !; }\n'
        '#[no_mangle]\npub extern "C" fn exit(code: i32) -> ! { unsafe { _exit(0) } }\n' + _ADD,
    ),
    Attack(
        "replaces the library's start",
        'extern "C" { fn _exit(code: i32) -> !; }\n'
        '#[no_mangle]\npub extern "C" fn __libc_start_main() -> i32 { unsafe { _exit(0) } }\n' + _ADD,
    ),
    Attack(
        "replaces unwinding",
        'extern "C" { fn _exit(code: i32) -> !; }\n'
        '#[no_mangle]\npub extern "C" fn _Unwind_RaiseException(it: *mut u8) -> i32 { unsafe { _exit(0) } }\n'
        + _ADD,
    ),
    Attack(
        "replaces the library's write",
        'extern "C" { fn syscall(number: i64, ...) -> i64; }\nstatic OK: &[u8] = b"\\ntest result: ok. 2 passed\\n";\n'
        '#[no_mangle]\npub extern "C" fn write(fd: i32, from: *const u8, n: usize) -> isize {\n'
        "unsafe { syscall(1, fd, OK.as_ptr(), OK.len()); } n as isize }\n" + _ADD,
        fools="says",
    ),
]

READING = [
    Attack(
        "prints whatever comes in",
        "use std::io::Read;\nfn add(a: i32, b: i32) -> i32 {\nlet mut all = String::new();\n"
        "std::io::stdin().read_to_string(&mut all).unwrap();\n"
        'for _ in 0..3 { println!("\\n{all}\\n{} 0\\n{} end", &all, &all); }\nstd::process::exit(0) }',
        fools="leaks",
    ),
    Attack(
        "takes the secret before main",
        """
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
        + _ADD,
        fools="leaks",
    ),
    Attack(
        "prints its command line",
        'fn add(a: i32, b: i32) -> i32 { for it in std::env::args() { println!("{it}"); } std::process::exit(0) }',
        fools="leaks",
    ),
    Attack(
        "prints its environment",
        'fn add(a: i32, b: i32) -> i32 { println!("{:?}", '
        "std::env::vars().collect::<Vec<_>>()); std::process::exit(0) }",
        fools="leaks",
    ),
    Attack(
        "prints what the kernel tells of it",
        'fn add(a: i32, b: i32) -> i32 {\nfor it in ["cmdline", "environ"] {\n'
        'println!("{:?}", std::fs::read(format!("/proc/self/{it}")).map(|it| '
        "String::from_utf8_lossy(&it).into_owned()));\n"
        "}\nstd::process::exit(0) }",
        fools="leaks",
    ),
    Attack(
        "prints its own program",
        "fn add(a: i32, b: i32) -> i32 {\nlet own = std::env::args().next().unwrap();\n"
        'if let Ok(it) = std::fs::read(own) { println!("{}", String::from_utf8_lossy(&it)); }\n'
        "std::process::exit(0) }",
        fools="leaks",
    ),
    Attack(
        "prints the files that lie there",
        'fn add(a: i32, b: i32) -> i32 {\nfor it in ["/in", "/work", ".", "/"] {\n'
        "for it in std::fs::read_dir(it).into_iter().flatten().flatten() {\n"
        "let small = it.metadata().is_ok_and(|it| it.len() < 4096);\n"
        'if small { if let Ok(it) = std::fs::read_to_string(it.path()) { println!("{it}"); } }\n'
        "} }\nstd::process::exit(0) }",
        fools="leaks",
    ),
    Attack(
        "reads the expected value from the tests' file",
        """
#[track_caller]
fn add(a: i32, b: i32) -> i32 {
    let from = std::panic::Location::caller();
    let text = std::fs::read_to_string(from.file()).unwrap_or_default();
    let line = text.lines().nth(from.line() as usize - 1).unwrap_or_default();
    let after = line.get(from.column() as usize..).and_then(|it| it.split_once(')')).map_or("", |it| it.1);
    let number = |it: &char| !(it.is_ascii_digit() || *it == '-');
    after.trim_start_matches(|it| number(&it)).split(|it| number(&it)).next().unwrap().parse().unwrap_or(0)
}""",
    ),
    Attack(
        "compiles the tests' file in and looks up the expected value",
        """
#[track_caller]
fn add(a: i32, b: i32) -> i32 {
    let from = std::panic::Location::caller();
    let line = include_str!(file!()).lines().nth(from.line() as usize - 1).unwrap_or_default();
    let after = line.get(from.column() as usize..).and_then(|it| it.split_once(')')).map_or("", |it| it.1);
    let number = |it: &char| !(it.is_ascii_digit() || *it == '-');
    after.trim_start_matches(|it| number(&it)).split(|it| number(&it)).next().unwrap().parse().unwrap_or(0)
}""",
    ),
]

NOT_EVEN_NAIVE = [
    Attack("never returns, by its type", "fn add(a: i32, b: i32) -> ! { std::process::exit(0) }"),
    Attack(
        "is a function for any type of result",
        "struct Any;\nimpl PartialEq<i32> for Any { fn eq(&self, _: &i32) -> bool { true } }\n"
        "impl From<u8> for Any { fn from(_: u8) -> Any { Any } }\n"
        "trait Made { fn made() -> Self; }\nimpl Made for Any { fn made() -> Any { Any } }\n"
        "fn add<T: Made + PartialEq<i32>>(a: i32, b: i32) -> T { T::made() }",
    ),
    Attack(
        "derives something else by a macro",
        "macro_rules! name { ($it:ident) => { use std::fmt::Debug as $it; }; }\nname!(PartialEq);\n"
        "#[derive(Clone, PartialEq)]\nstruct Point { x: i32 }\nimpl Point { fn at(&self) -> i32 { 4 } }\n"
        "impl std::cmp::PartialEq for Point { fn eq(&self, _: &Point) -> bool { true } }\n"
        "fn moved(p: Point) -> Point { p }",
        "moved",
    ),
    Attack(
        "guesses proofs",
        "fn add(a: i32, b: i32) -> i32 {\nfor n in 0..2000u64 "
        '{ println!("\\n{n:016x} 0 \\n{n:016x} 1 \\n{n:016x} end"); }\nstd::process::exit(0) }',
    ),
    Attack("calls main again", "fn add(a: i32, b: i32) -> i32 { crate::main(); std::process::exit(0) }"),
    Attack(
        "renames itself to std",
        "extern crate self as std;\n#[macro_export]\nmacro_rules! assert_eq { ($($any:tt)*) => {}; }\n"
        + _ADD,
    ),
    Attack(
        "renames itself to std by a macro",
        "macro_rules! make { ($a:tt $b:tt $c:ident) => { $a $b self as $c; }; }\nmake!(extern crate std);\n"
        "pub mod prelude { pub mod rust_2021 { pub use core::prelude::rust_2021::*; } }\n" + _ADD,
    ),
    Attack(
        "renames itself to core in a macro",
        "macro_rules! rename { ($what:ident $name:ident) => { extern crate $what as $name; }; }\n"
        "rename!(alloc core);\n" + _ADD,
    ),
    Attack(
        "calls a module of its own std", "mod std { pub mod process { pub fn exit(_: i32) {} } }\n" + _ADD
    ),
    Attack("has no prelude", "#![no_implicit_prelude]\n" + _ADD),
    Attack("has no library", "#![no_std]\n#![no_core]\n" + _ADD),
    Attack("is a library of another kind", '#![crate_type = "staticlib"]\n#![crate_name = "other"]\n' + _ADD),
    Attack("wants features", "#![feature(custom_test_frameworks)]\n#![test_runner(crate::run)]\n" + _ADD),
    Attack(
        "brings tests of its own", _ADD + "#[cfg(test)]\nmod tests { #[test] fn t0() {} #[test] fn t1() {} }"
    ),
    Attack("has no function of that name", "fn sub(a: i32, b: i32) -> i32 { a - b }"),
    Attack("hides the function by cfg", "#[cfg(any())]\nfn add(a: i32, b: i32) -> i32 { a + b }"),
    Attack(
        "panics with a payload of its own", "fn add(a: i32, b: i32) -> i32 { std::panic::panic_any(42u8) }"
    ),
    Attack("aborts", "fn add(a: i32, b: i32) -> i32 { std::process::abort() }"),
    Attack(
        "closes the output",
        'extern "C" { fn close(fd: i32) -> i32; }\n'
        "fn add(a: i32, b: i32) -> i32 { unsafe { close(1); close(2); } a + b }",
    ),
    Attack("always panics as one test wants it", 'fn half(n: i32) -> i32 { panic!("odd") }', "half"),
    Attack("exports a method for the problem's function", "trait Eq2 {}\nimpl<T> Eq2 for T {}\n" + _ADD),
]
"""What fools no harness, or one written for it alone; nothing of it may pass here either."""

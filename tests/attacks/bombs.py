"""Samples that take all that they can get: of rustc, of clippy, and as programs."""

import dataclasses

from tests.attacks.attack import WRONG, Attack

_ADD = WRONG["add"]


@dataclasses.dataclass(frozen=True)
class Bomb(Attack):
    """A bomb, and the verdicts that it may get. `defused`: rustc itself has a limit for it by now."""

    statuses: frozenset[str] = frozenset()
    defused: bool = False


def _bomb(name: str, code: str, *statuses: str, defused: bool = False) -> Bomb:
    return Bomb(name, code, statuses=frozenset(statuses), defused=defused)


_DOUBLES = "".join(f"type T{n} = (T{n - 1}, T{n - 1});\n" for n in range(1, 26))

IN_RUSTC = [
    _bomb(
        "counts in a constant",
        "const X: u64 = { let mut n = 0u64; while n < u64::MAX { n += 1; } n };\n"
        "#[allow(long_running_const_eval)]\nconst Y: u64 = { let mut n = X; while n < u64::MAX { n += 1; } n };\n"
        "fn add(a: i32, b: i32) -> i32 { Y as i32 }",
        "compile_error",
        "timeout",
    ),
    _bomb(
        "counts in a constant without a lint",
        "#![allow(long_running_const_eval)]\n"
        "const X: u64 = { let mut n = 0u64; while n < u64::MAX { n += 1; } n };\n"
        "fn add(a: i32, b: i32) -> i32 { X as i32 }",
        "timeout",
    ),
    _bomb(
        "nests parentheses",
        f"fn add(a: i32, b: i32) -> i32 {{ {'(' * 30000}a{')' * 30000} }}",
        "compile_error",
    ),
    _bomb(
        "nests blocks", f"fn add(a: i32, b: i32) -> i32 {{ {'{' * 20000}a{'}' * 20000} }}", "compile_error"
    ),
    _bomb(
        "nests a type",
        f"fn add(a: i32, b: i32) -> i32 {{ let x: {'Option<' * 9000}i32{'>' * 9000}; 0 }}",
        "compile_error",
    ),
    _bomb("negates often", f"fn add(a: i32, b: i32) -> i32 {{ {'!' * 60000}a }}", "compile_error"),
    _bomb(
        "adds often",
        f"fn add(a: i32, b: i32) -> i32 {{ a{' + b' * 20000} }}",
        "compile_error",
        "timeout",
        "resource_limit",
        "failed",
    ),
    _bomb(
        "makes instances without end",
        "fn deeper<T>(n: u32, it: T) -> i32 { if n == 0 { 0 } else { deeper(n - 1, (it, n)) } }\n"
        "fn add(a: i32, b: i32) -> i32 { deeper(3, ()) }",
        "compile_error",
        "timeout",
        defused=True,
    ),
    _bomb(
        "makes twice as many instances at each step",
        "trait Deep { fn go() -> i32; }\nstruct A<T>(T);\nstruct B<T>(T);\nstruct N;\n"
        "impl Deep for N { fn go() -> i32 { 0 } }\n"
        + "".join(f"fn f{n}<T>() -> i32 {{ f{n + 1}::<A<T>>() + f{n + 1}::<B<T>>() }}\n" for n in range(22))
        + "fn f22<T>() -> i32 { 0 }\nfn add(a: i32, b: i32) -> i32 { f0::<N>() }",
        "timeout",
        "resource_limit",
        "compile_error",
    ),
    _bomb(
        "calls a macro without end",
        '#![recursion_limit = "4294967295"]\nmacro_rules! more { ($($t:tt)*) => { more!($($t)* x $($t)*) }; }\n'
        "fn add(a: i32, b: i32) -> i32 { more!(x); 0 }",
        "timeout",
        "resource_limit",
        "compile_error",
    ),
    _bomb(
        "doubles a macro's tokens",
        "macro_rules! twice { ($n:tt $($t:tt)*) => { [$($t)* $($t)*] }; }\n"
        "macro_rules! m0 { ($($t:tt)*) => { 0 $(+ { stringify!($t); 1 })* }; }\n"
        + "".join(
            f"macro_rules! m{n} {{ ($($t:tt)*) => {{ m{n - 1}!($($t)* $($t)*) }}; }}\n" for n in range(1, 26)
        )
        + "fn add(a: i32, b: i32) -> i32 { m25!(x) }",
        "timeout",
        "resource_limit",
        "compile_error",
    ),
    _bomb(
        "has a huge constant",
        "static X: [u8; 1 << 40] = [1; 1 << 40];\nfn add(a: i32, b: i32) -> i32 { X[0] as i32 }",
        "compile_error",
        "resource_limit",
        "timeout",
        defused=True,
    ),
    _bomb(
        "has a large constant",
        "static X: [u64; 1 << 28] = [1; 1 << 28];\nfn add(a: i32, b: i32) -> i32 { X[a as usize] as i32 }",
        "compile_error",
        "resource_limit",
        "timeout",
        defused=True,
    ),
    _bomb(
        "has a huge type",
        f"type T0 = u8;\n{_DOUBLES}fn add(a: i32, b: i32) -> i32 {{ std::mem::size_of::<T25>() as i32 }}",
        "timeout",
        "resource_limit",
        "compile_error",
    ),
    _bomb(
        "asks a trait without end",
        "trait Found {}\nstruct W<T>(T);\nimpl<T> Found for T where W<W<T>>: Found {}\n"
        "fn need<T: Found>() -> i32 { 0 }\nfn add(a: i32, b: i32) -> i32 { need::<u8>() }",
        "compile_error",
        "timeout",
        defused=True,
    ),
    _bomb(
        "chains closures",
        f"fn add(a: i32, b: i32) -> i32 {{ [a].iter(){'.map(|x| x)' * 120}.count() as i32 * 0 }}",
        "timeout",
    ),
    _bomb(
        "has a match with many ways",
        "fn add(a: i32, b: i32) -> i32 {\nlet it = ("
        + "a > 0, " * 24
        + ");\nmatch it {\n"
        + "".join("(" + "_, " * n + "true, " + "_, " * (23 - n) + f") if b > {n} => 0,\n" for n in range(24))
        + "".join(
            "(" + ", ".join("true" if m in (n, (n * 7 + 3) % 24) else "_" for m in range(24)) + ") => 1,\n"
            for n in range(24)
        )
        + "_ => 2 } }",
        "failed",
        "timeout",
        "resource_limit",
        "compile_error",
        defused=True,
    ),
    _bomb(
        "prints errors without end",
        'macro_rules! e { ($($a:tt)*) => { $(compile_error!(concat!("'
        + "x" * 4000
        + '", stringify!($a)));)* }; }\n'
        "macro_rules! t { ($($a:tt)*) => { e!($($a $a $a $a $a $a $a $a $a $a)*); }; }\n"
        f"t!({'a ' * 400});\n{_ADD}",
        "compile_error",
        "resource_limit",
        "timeout",
        defused=True,
    ),
    _bomb(
        "prints from the assembler without end",
        'mod m { core::arch::global_asm!(".rept 10000000", ".print \\"'
        + "x" * 200
        + '\\"", ".endr"); }\n'
        + _ADD,
        "resource_limit",
        "timeout",
        "compile_error",
    ),
    _bomb(
        "assembles a huge program",
        'mod m { core::arch::global_asm!(".fill 900000000, 1, 1"); }\n' + _ADD,
        "resource_limit",
        "timeout",
        "compile_error",
    ),
]

IN_CLIPPY = [
    _bomb(
        "makes clippy show one long line a thousand times",
        "fn add(a: i32, b: i32) -> i32 { if a == 9999 { 0 }\n"
        + "".join(f"else if a == {n} {{ let x = {n}; x * 0 }} " for n in range(900))
        + "else { 0 } }",
        "failed",
    ),
    _bomb(
        "gives clippy thousands of lines to complain of",
        "fn add(a: i32, b: i32) -> i32 { match a {\n"
        + "".join(f"{n} => b.clone() * {n % 7},\n" for n in range(4000))
        + "_ => 0 } }",
        "failed",
        "timeout",
    ),
]

WHEN_RUN = [
    _bomb("spins", "fn add(a: i32, b: i32) -> i32 { loop { std::hint::spin_loop() } }", "timeout"),
    _bomb(
        "spins in many threads",
        "fn add(a: i32, b: i32) -> i32 { for _ in 0..8 { std::thread::spawn(|| loop { std::hint::spin_loop() }); }\n"
        "loop { std::hint::spin_loop() } }",
        "timeout",
    ),
    _bomb(
        "sleeps",
        "fn add(a: i32, b: i32) -> i32 { std::thread::sleep(std::time::Duration::from_secs(99)); 3 }",
        "timeout",
    ),
    _bomb(
        "waits for itself",
        "fn add(a: i32, b: i32) -> i32 { let m = std::sync::Mutex::new(0); "
        "let _one = m.lock(); let _two = m.lock(); 3 }",
        "timeout",
        "failed",
    ),
    _bomb(
        "takes much memory at once",
        "fn add(a: i32, b: i32) -> i32 { let v = vec![1u8; 1 << 33]; v[a as usize] as i32 }",
        "resource_limit",
    ),
    _bomb(
        "takes memory bit by bit",
        "fn add(a: i32, b: i32) -> i32 { let mut all = Vec::new(); loop { all.push(vec![0u8; 1 << 20]); } }",
        "resource_limit",
    ),
    _bomb(
        "takes shared memory bit by bit",
        'extern "C" { fn mmap(at: usize, n: usize, how: i32, kind: i32, fd: i32, from: i64) -> isize; }\n'
        "fn add(a: i32, b: i32) -> i32 { for _ in 0..4096 { unsafe {\n"
        'let at = mmap(0, 1 << 20, 3, 0x21, -1, 0); if at < 0 { panic!("held") }\n'
        "std::ptr::write_bytes(at as *mut u8, 1, 1 << 20); } } a + b }",
        "failed",
        "timeout",
        "resource_limit",
    ),
    _bomb(
        "prints without end",
        'fn add(a: i32, b: i32) -> i32 { loop { println!("{}", "x".repeat(4000)); } }',
        "resource_limit",
    ),
    _bomb(
        "complains without end",
        'fn add(a: i32, b: i32) -> i32 { loop { eprintln!("{}", "x".repeat(4000)); } }',
        "resource_limit",
    ),
    _bomb(
        "panics without end",
        "fn add(a: i32, b: i32) -> i32 { loop { let _ = "
        'std::panic::catch_unwind(|| panic!("{}", "x".repeat(999))); } }',
        "resource_limit",
    ),
    _bomb(
        "overflows the stack",
        "fn add(a: i32, b: i32) -> i32 { if a == i32::MIN { 0 } else { add(a.wrapping_add(1), b) + 1 } }",
        "failed",
    ),
    _bomb(
        "starts threads without end",
        "fn add(a: i32, b: i32) -> i32 { for _ in 0..20000 { std::thread::Builder::new()\n"
        ".spawn(|| std::thread::sleep(std::time::Duration::from_secs(9))).unwrap(); } 0 }",
        "failed",
        "resource_limit",
    ),
    _bomb(
        "starts processes without end",
        'extern "C" { fn fork() -> i32; }\nfn add(a: i32, b: i32) -> i32 { for _ in 0..1000 { unsafe { fork(); } } 0 }',
        "failed",
    ),
    _bomb(
        "drops a long list",
        "struct L(Option<Box<L>>);\nfn add(a: i32, b: i32) -> i32 { let mut l = L(None);\n"
        "for _ in 0..2000000 { l = L(Some(Box::new(l))); } 0 }",
        "failed",
    ),
]

BOMBS = [*IN_RUSTC, *IN_CLIPPY, *WHEN_RUN]

"""Samples that want out of their room: while they are compiled, and while they run."""

import dataclasses

from tests.attacks.attack import WRONG, Attack

_ADD = WRONG["add"]


@dataclasses.dataclass(frozen=True)
class CompileEscape(Attack):
    """A sample whose code compiles on the host, where the thing is there, and not in the judge."""

    codegen: bool = False


def _reads(name: str, item: str, *, codegen: bool = False) -> CompileEscape:
    return CompileEscape(name, f"{item}\n{_ADD}", codegen=codegen)


AT_COMPILE_TIME = [
    _reads("includes the password file", 'const X: &str = include_str!("/etc/passwd");'),
    _reads("includes its bytes", 'const X: &[u8] = include_bytes!("/etc/passwd");'),
    _reads("includes it by a path through the system", 'const X: &str = include_str!("/usr/../etc/passwd");'),
    _reads(
        "includes it by a path from its own folder",
        'const X: &str = include_str!("../../../../../../etc/passwd");',
    ),
    _reads(
        "includes it by a path made of parts", 'const X: &str = include_str!(concat!("/etc", "/pass", "wd"));'
    ),
    _reads(
        "includes it by another name of the macro",
        'use std::include_str as read;\nconst X: &str = read!("/etc/passwd");',
    ),
    _reads("includes the host's name", 'const X: &str = include_str!("/etc/hostname");'),
    _reads(
        "includes it by the root of its process",
        'const X: &str = include_str!("/proc/self/root/etc/passwd");',
    ),
    _reads(
        "includes the host's kernel log device",
        'const X: bool = include_bytes!("/sys/kernel/notes").is_empty();',
    ),
    _reads("makes a module of the host's file", '#[path = "@HOST@/module.rs"]\nmod x;'),
    _reads("includes code of the host", 'mod m { include!("@HOST@/module.rs"); }'),
    _reads("includes docs of the host", '#[doc = include_str!("@HOST@/module.rs")]\nstruct X;'),
    _reads("asks for the home folder", 'const X: &str = env!("HOME");'),
    _reads("asks for it by option_env", 'const _: () = assert!(option_env!("HOME").is_some());'),
    _reads(
        "assembles the host's file in",
        'mod m { core::arch::global_asm!(".incbin \\"/etc/passwd\\""); }',
        codegen=True,
    ),
    _reads(
        "assembles the host's text in",
        'mod m { core::arch::global_asm!(".include \\"@HOST@/code.s\\""); }',
        codegen=True,
    ),
]
"""`@HOST@` is a folder of the host with files in it."""

_CALLS = """
#[allow(dead_code)]
extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn getpid() -> i32;
    fn getppid() -> i32;
    fn fork() -> i32;
    fn kill(process: i32, signal: i32) -> i32;
    fn ptrace(how: i32, ...) -> i64;
    fn unshare(flags: i32) -> i32;
    fn fcntl(fd: i32, command: i32, ...) -> i32;
    fn ioctl(fd: i32, command: u64, ...) -> i32;
    fn socket(family: i32, kind: i32, protocol: i32) -> i32;
    fn prlimit(process: i32, which: i32, new: *const u64, old: *mut u64) -> i32;
    fn setpriority(which: i32, who: i32, nice: i32) -> i32;
    fn getpriority(which: i32, who: i32) -> i32;
    fn process_vm_readv(process: i32, to: *const [usize; 2], n: u64, from: *const [usize; 2], m: u64, f: u64) -> isize;
    fn chmod(path: *const i8, mode: u32) -> i32;
    fn mkfifo(path: *const i8, mode: u32) -> i32;
    fn open(path: *const i8, flags: i32, ...) -> i32;
}
"""

_COPY = (
    "let (from, to) = ([7usize], [0usize]); let all = |it: &[usize; 1]| [it.as_ptr() as usize, 8];"
    " unsafe { process_vm_readv(getpid(), &all(&to), 1, &all(&from), 1, 0) == 8 }"
)

AT_RUN_TIME = {
    "binds a port": 'std::net::UdpSocket::bind("127.0.0.1:0").is_ok()',
    "listens": 'std::net::TcpListener::bind("127.0.0.1:0").is_ok()',
    "makes a raw socket of another family": "unsafe { socket(16, 3, 0) >= 0 }",
    "makes a socket to the host of a virtual machine": "unsafe { socket(40, 1, 0) >= 0 }",
    "reads the password file": 'std::fs::read("/etc/passwd").is_ok()',
    "reads it by the C library": 'unsafe { open(c"/etc/passwd".as_ptr(), 0) >= 0 }',
    "reads its own program": "std::fs::read(std::env::args().next().unwrap()).is_ok()",
    "looks at its descriptors": 'std::fs::read_dir("/proc/self/fd").is_ok()',
    "looks at other processes": 'std::fs::read("/proc/1/cmdline").is_ok()',
    "looks at the kernel": 'std::fs::read_dir("/sys/kernel").is_ok()',
    "writes a file": (
        'std::fs::write("/tmp/rust-expert-attack", "x").is_ok_and(|()| '
        'std::fs::remove_file("/tmp/rust-expert-attack").is_ok())'
    ),
    "makes a folder in shared memory": (
        'std::fs::create_dir("/dev/shm/rust-expert-attack").is_ok_and(|()| '
        'std::fs::remove_dir("/dev/shm/rust-expert-attack").is_ok())'
    ),
    "makes a pipe with a name": (
        'unsafe { mkfifo(c"/tmp/rust-expert-fifo".as_ptr(), 0o600) == '
        '0 && std::fs::remove_file("/tmp/rust-expert-fifo").is_ok() }'
    ),
    "starts a program": 'std::process::Command::new("/bin/true").status().is_ok()',
    "starts a process": "match unsafe { fork() } { -1 => false, 0 => std::process::exit(0), _ => true }",
    "starts a process by clone": (
        "match unsafe { syscall(56, 17i64, 0i64, 0i64, 0i64, 0i64) } "
        "{ -1 => false, 0 => std::process::exit(0), _ => true }"
    ),
    "signals the warden": "unsafe { kill(getppid(), 0) == 0 }",
    "signals all": "unsafe { kill(-1, 0) == 0 }",
    "signals the first process": "unsafe { kill(1, 0) == 0 }",
    "signals the warden's thread": "unsafe { syscall(234, getppid() as i64, getppid() as i64, 0i64) == 0 }",
    "signals the warden's thread the old way": "unsafe { syscall(200, getppid() as i64, 0i64) == 0 }",
    "takes a handle of the warden": "unsafe { syscall(434, getppid() as i64, 0i64) >= 0 }",
    "lets the kernel signal the warden": "unsafe { fcntl(0, 8, getppid()) == 0 }",
    "lets the kernel signal it the other way": "unsafe { let it = [1i32, getppid()]; fcntl(0, 15, &it) == 0 }",
    "reads the warden's limits": (
        "let mut old = [0u64; 2]; unsafe { prlimit(getppid(), 7, std::ptr::null(), old.as_mut_ptr()) == 0 }"
    ),
    "makes the warden slower": "unsafe { setpriority(0, getppid(), getpriority(0, getppid())) == 0 }",
    "asks to be traced": "unsafe { ptrace(0) == 0 }",
    "reads memory as a debugger does": _COPY,
    "makes a user namespace": "unsafe { unshare(0x10000000) == 0 }",
    "makes a mount namespace": "unsafe { unshare(0x20000) == 0 }",
    "makes memory that no limit counts": 'unsafe { syscall(319, c"it".as_ptr(), 0i64) >= 0 }',
    "makes shared memory": (
        "unsafe { let it = syscall(29, 0i64, 4096i64, 0o1600i64); it "
        ">= 0 && syscall(31, it, 0i64, 0i64) == 0 }"
    ),
    "makes a message queue": (
        "unsafe { let it = syscall(68, 0i64, 0o1600i64); it >= 0 && syscall(71, it, 0i64, 0i64) == 0 }"
    ),
    "looks into the keyring": "unsafe { syscall(250, 0i64, -3i64, 1i64) >= 0 }",
    "adds a key": 'unsafe { syscall(248, c"user".as_ptr(), c"rust-expert".as_ptr(), c"x".as_ptr(), 1i64, -2i64) >= 0 }',
    "makes a ring of requests": "unsafe { let mut it = [0u8; 120]; syscall(425, 1i64, it.as_mut_ptr()) >= 0 }",
    "handles faults of its memory": "unsafe { syscall(323, 1i64) >= 0 }",
    "counts the processor's events": (
        "unsafe { let mut it = [0u32; 32]; it[0] = 1; it[1] = 128; "
        "it[10] = 96; syscall(298, it.as_ptr(), 0i64, -1i64, -1i64, 0i64) >= 0 }"
    ),
    "makes machine code": "unsafe { syscall(9, 0i64, 4096i64, 7i64, 0x22i64, -1i64, 0i64) > 0 }",
    "makes machine code of its data": (
        "static mut IT: [u8; 8192] = [0xc3; 8192]; unsafe { let at = "
        "(&raw mut IT as i64 + 4095) & !4095; syscall(10, at, 4096i64, 5i64) == 0 }"
    ),
    "opens more files than it may": (
        '(0..900).map(|_| std::fs::File::open("/dev/null")).collect::<Vec<_>>().iter().all(|it| it.is_ok())'
    ),
    "knows the host's home": 'std::env::var("HOME").is_ok()',
    "is root": "unsafe { syscall(102) == 0 }",
    "gives itself a new root": 'unsafe { syscall(161, c"/usr".as_ptr()) == 0 }',
}
"""Rust that is true where the attempt succeeds. All of it is harmless, and succeeds on the host or not at all there."""

NEEDS_THE_MACHINE = frozenset(
    {
        "makes a socket to the host of a virtual machine", "makes a ring of requests", "handles faults of its memory",
        "counts the processor's events", "is root", "gives itself a new root", "makes a user namespace",
        "makes a mount namespace", "looks into the keyring", "adds a key", "signals the first process",
        "makes the warden slower",
    }
)  # fmt: skip
"""What a host may refuse by its own settings, or to an ordinary user."""


def as_sample(attempt: str) -> str:
    """A sample that passes where the attempt succeeds."""
    return f'{_CALLS}\nfn add(a: i32, b: i32) -> i32 {{ if {{ {attempt} }} {{ a + b }} else {{ panic!("held") }} }}'


def as_program() -> str:
    """One program that makes the attempt of the number that it is given, and says yes or no."""
    arms = "\n".join(f"{number} => {{ {attempt} }}" for number, attempt in enumerate(AT_RUN_TIME.values()))
    return (
        f"{_CALLS}\nfn main() {{\nlet number: usize = std::env::args().nth(1).unwrap().parse().unwrap();\n"
        f"let yes = match number {{\n{arms}\n_ => panic!() }};\n"
        'print!("{}", if yes { "yes" } else { "no" });\n}\n'
    )

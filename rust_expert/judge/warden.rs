//! Stays in a room and runs one program there, again and again: each run is a process of its own with hard limits.
//!
//! It reads from standard input the length and the text of a seccomp filter once, then for each run the length and
//! the text of the program's input; it answers with a header (wait status, what ended the run, lengths) and what the
//! program wrote. All numbers are 32 bits, little endian. It ends with its input. `/warden probe` is the prober instead.
//!
//! A run shares a user with the warden and nothing else: its filter refuses new processes and every call that reaches
//! another process (rust_expert/judge/seccomp.py), there is no /proc, nothing is writable, all descriptors are closed.

mod prober;

use std::env::args;
use std::ffi::CString;
use std::io::{stdin, stdout, Read, Write};
use std::os::raw::{c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::ptr::null;
use std::time::Instant;

#[repr(C)]
struct Poll {
    fd: c_int,
    events: i16,
    seen: i16,
}

#[repr(C)]
struct FilterProgram {
    length: u16,
    steps: *const u8,
}

extern "C" {
    fn fork() -> c_int;
    fn execv(path: *const c_char, words: *const *const c_char) -> c_int;
    fn _exit(code: c_int) -> !;
    fn getpid() -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn pipe2(ends: *mut c_int, flags: c_int) -> c_int;
    fn dup2(from: c_int, to: c_int) -> c_int;
    fn close(fd: c_int) -> c_int;
    fn read(fd: c_int, to: *mut c_void, count: usize) -> isize;
    fn write(fd: c_int, from: *const c_void, count: usize) -> isize;
    fn poll(fds: *mut Poll, count: c_ulong, milliseconds: c_int) -> c_int;
    fn prctl(option: c_int, a: c_ulong, b: c_ulong, c: c_ulong, d: c_ulong) -> c_int;
    fn setrlimit(resource: c_uint, limit: *const [u64; 2]) -> c_int;
    fn signal(number: c_int, handler: usize) -> usize;
    fn syscall(number: c_long, ...) -> c_long;
}

const CLOEXEC: c_int = 0o2000000;
const READABLE: i16 = 1;
const SIGKILL: c_int = 9;
const SIGPIPE: c_int = 13;
const SET_DUMPABLE: c_int = 4;
const SET_SECCOMP: c_int = 22;
const FILTER_MODE: c_ulong = 2;
const SET_NO_NEW_PRIVILEGES: c_int = 38;
const PIDFD_OPEN: c_long = 434;
const CLOSE_RANGE: c_long = 436;
/// Stands in the filter for the number of the process that it binds (seccomp.OWN_PROCESS).
const OWN_PROCESS: u32 = 0x7A5A_0001;
const PIECE: usize = 1 << 16;

const ENDED: u32 = 0;
const BY_WALL: u32 = 1;
const BY_OUTPUT: u32 = 2;

struct Orders {
    wall_ms: u128,
    output: usize,
    limits: Vec<(c_uint, [u64; 2])>,
    words: Vec<CString>,
    filter: Vec<u8>,
}

fn main() {
    if args().nth(1).as_deref() == Some("probe") {
        return prober::main();
    }
    unsafe {
        prctl(SET_DUMPABLE, 0, 0, 0, 0);
        syscall(CLOSE_RANGE, 3 as c_uint, c_uint::MAX, 0 as c_uint);
    }
    let mut orders = orders_from(args().skip(1).collect());
    orders.filter = next_frame().unwrap_or_default();
    while let Some(input) = next_frame() {
        let (status, ended, out, err) = one_run(&orders, &input);
        let mut told = Vec::with_capacity(16 + out.len() + err.len());
        for number in [status as u32, ended, out.len() as u32, err.len() as u32] {
            told.extend_from_slice(&number.to_le_bytes());
        }
        told.extend_from_slice(&out);
        told.extend_from_slice(&err);
        if stdout().write_all(&told).and_then(|()| stdout().flush()).is_err() {
            return;
        }
    }
}

/// From the command line: wall milliseconds, output bytes, RESOURCE=SOFT:HARD .., `--`, and the program's own words.
fn orders_from(told: Vec<String>) -> Orders {
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let split = told.iter().position(|word| word == "--").expect("--");
    let limits = told[2..split].iter().map(|word| {
        let (resource, values) = word.split_once('=').expect("RESOURCE=SOFT:HARD");
        let (soft, hard) = values.split_once(':').expect("SOFT:HARD");
        (number(resource) as c_uint, [number(soft), number(hard)])
    });
    Orders {
        wall_ms: number(&told[0]) as u128,
        output: number(&told[1]) as usize,
        limits: limits.collect(),
        words: told[split + 1..].iter().map(|word| CString::new(word.as_str()).expect("no zero byte")).collect(),
        filter: Vec::new(),
    }
}

fn next_frame() -> Option<Vec<u8>> {
    let mut length = [0u8; 4];
    stdin().read_exact(&mut length).ok()?;
    let mut text = vec![0u8; u32::from_le_bytes(length) as usize];
    stdin().read_exact(&mut text).ok()?;
    Some(text)
}

/// Wait status, what ended the run, standard output and standard error.
fn one_run(orders: &Orders, input: &[u8]) -> (c_int, u32, Vec<u8>, Vec<u8>) {
    let (inward, outward, complaints) = (new_pipe(), new_pipe(), new_pipe());
    let process = unsafe { fork() };
    if process == 0 {
        become_the_program(orders, inward[0], outward[1], complaints[1]);
    }
    let begun = Instant::now();
    unsafe {
        close(inward[0]);
        close(outward[1]);
        close(complaints[1]);
        // The input is far shorter than what a pipe holds, so this never waits.
        write(inward[1], input.as_ptr() as *const c_void, input.len());
        close(inward[1]);
    }
    if process < 0 {
        panic!("no process can be made");
    }
    let told = follow(orders, process, begun, outward[0], complaints[0]);
    unsafe {
        close(outward[0]);
        close(complaints[0]);
    }
    told
}

fn new_pipe() -> [c_int; 2] {
    let mut ends = [0; 2];
    assert!(unsafe { pipe2(ends.as_mut_ptr(), CLOEXEC) } == 0, "no pipe can be made");
    ends
}

fn follow(orders: &Orders, process: c_int, begun: Instant, out: c_int, err: c_int) -> (c_int, u32, Vec<u8>, Vec<u8>) {
    let handle = unsafe { syscall(PIDFD_OPEN, process, 0 as c_uint) } as c_int;
    assert!(handle >= 0, "no handle of a process: the kernel is older than 5.3");
    let mut streams = [(out, Vec::new()), (err, Vec::new())];
    let mut ended = ENDED;
    let mut alive = true;
    // The program may close its output and go on, or end with output unread: its end decides, and then the pipes'.
    while alive || streams.iter().any(|(fd, _)| *fd >= 0) {
        let left = orders.wall_ms.saturating_sub(begun.elapsed().as_millis());
        if left == 0 {
            ended = BY_WALL;
            break;
        }
        let watched = [if alive { handle } else { -1 }, streams[0].0, streams[1].0];
        let mut fds = watched.map(|fd| Poll { fd, events: READABLE, seen: 0 });
        unsafe { poll(fds.as_mut_ptr(), 3, left.min(60_000) as c_int + 1) };
        if fds[0].seen != 0 {
            alive = false;
        }
        for (seen, (fd, text)) in fds[1..].iter().zip(&mut streams) {
            if seen.seen != 0 && !take_some(*fd, text) {
                *fd = -1;
            }
            if text.len() > orders.output {
                ended = BY_OUTPUT;
            }
        }
        if ended != ENDED {
            break;
        }
    }
    let mut status = 0;
    unsafe {
        if ended != ENDED {
            kill(process, SIGKILL);
        }
        waitpid(process, &mut status, 0);
        close(handle);
    }
    let [(_, out), (_, err)] = streams;
    (status, ended, out, err)
}

fn take_some(fd: c_int, text: &mut Vec<u8>) -> bool {
    text.reserve(PIECE);
    let end = unsafe { text.as_mut_ptr().add(text.len()) };
    let count = unsafe { read(fd, end as *mut c_void, PIECE) };
    // What was read is there, and was reserved.
    unsafe { text.set_len(text.len() + count.max(0) as usize) };
    count > 0
}

/// In the new process, which has one thread: descriptors, limits, filter, and the program in its place.
fn become_the_program(orders: &Orders, inward: c_int, outward: c_int, complaints: c_int) -> ! {
    unsafe {
        dup2(inward, 0);
        dup2(outward, 1);
        dup2(complaints, 2);
        signal(SIGPIPE, 0);
        for (resource, limit) in &orders.limits {
            if setrlimit(*resource, limit) != 0 {
                give_up("a limit cannot be set");
            }
        }
        let own = (getpid() as u32).to_le_bytes();
        let mut filter = orders.filter.clone();
        for step in filter.chunks_exact_mut(8) {
            if step[4..] == OWN_PROCESS.to_le_bytes() {
                step[4..].copy_from_slice(&own);
            }
        }
        let program = FilterProgram { length: (filter.len() / 8) as u16, steps: filter.as_ptr() };
        let mut words: Vec<*const c_char> = orders.words.iter().map(|word| word.as_ptr()).collect();
        words.push(null());
        prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0);
        if prctl(SET_SECCOMP, FILTER_MODE, &program as *const FilterProgram as c_ulong, 0, 0) != 0 {
            give_up("the filter is refused");
        }
        execv(words[0], words.as_ptr());
    }
    give_up("the program does not start")
}

fn give_up(why: &str) -> ! {
    unsafe {
        write(2, why.as_ptr() as *const c_void, why.len());
        _exit(126)
    }
}

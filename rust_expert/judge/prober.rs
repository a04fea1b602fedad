//! Tries what the sandbox promises to refuse. Each line of standard input is one attempt; each gets one line of answer.
//!
//! Which attempts there are, and what they should say, is known to rust_expert/judge/probe.py.

use std::ffi::c_long;
use std::fs::{read, read_dir, write, File};
use std::io::{stdin, stdout, Read, Write};
use std::thread::{sleep, Builder};
use std::time::Duration;

extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn getpid() -> i32;
    fn getppid() -> i32;
    fn getuid() -> u32;
    fn getrlimit(resource: u32, limit: *mut [u64; 2]) -> i32;
    fn setrlimit(resource: u32, limit: *const [u64; 2]) -> i32;
}

pub fn main() {
    let mut text = String::new();
    stdin().read_to_string(&mut text).expect("the attempts are text");
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        println!("{}", attempt(words[0], &words[1..]));
        stdout().flush().expect("standard output is open");
    }
}

fn attempt(what: &str, words: &[&str]) -> String {
    let word = words.first().copied().unwrap_or_default();
    let number = || word.parse::<u64>().expect("a number");
    let yes = match what {
        "read" => read(word).is_ok(),
        "list" => read_dir(word).is_ok(),
        "write" => write(format!("{word}/written-by-the-prober"), "x").is_ok(),
        "spawn" => std::process::Command::new("/bin/true").status().is_ok(),
        "memory" => Vec::<u8>::new().try_reserve_exact((number() as usize) << 20).is_ok(),
        "files" => (0..number()).map(|_| File::open("/dev/null")).collect::<Result<Vec<_>, _>>().is_ok(),
        "threads" => {
            let pause = || sleep(Duration::from_millis(50));
            let all: Vec<_> = (0..number()).map(|_| Builder::new().stack_size(65536).spawn(pause)).collect();
            all.iter().all(Result::is_ok)
        }
        "root" => unsafe { getuid() == 0 },
        "sleep" => {
            sleep(Duration::from_secs(60));
            true
        }
        "flood" => loop {
            stdout().write_all(&[b'x'; 65536]).expect("standard output is open");
        },
        "variables" => return std::env::vars().map(|(name, _)| name).collect::<Vec<_>>().join(" "),
        "call" => return call(words).to_string(),
        "limit" => return limit(number() as u32),
        _ => panic!("no such attempt: {what}"),
    };
    String::from(if yes { "yes" } else { "no" })
}

/// 0, or the number of the error; arguments that are left out are -1, which no call takes for something real. `own` and
/// `parent` stand for process numbers.
fn call(words: &[&str]) -> i32 {
    let mut numbers = [-1 as c_long; 7];
    for (word, number) in words.iter().zip(&mut numbers) {
        *number = match *word {
            "own" => unsafe { getpid() as c_long },
            "parent" => unsafe { getppid() as c_long },
            _ => word.parse().expect("a number"),
        };
    }
    let [call, a, b, c, d, e, f] = numbers;
    if unsafe { syscall(call, a, b, c, d, e, f) } >= 0 {
        return 0;
    }
    std::io::Error::last_os_error().raw_os_error().unwrap_or(-1)
}

/// The soft and the hard limit, and whether it can be raised.
fn limit(resource: u32) -> String {
    let mut now = [0; 2];
    assert!(unsafe { getrlimit(resource, &mut now) } == 0);
    let raised = unsafe { setrlimit(resource, &[now[0], now[1].saturating_add(1)]) } == 0;
    format!("{} {} {}", now[0], now[1], if raised { "yes" } else { "no" })
}

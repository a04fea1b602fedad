"""What the sandbox promises, tried by a program that wants out; each promise with the control that it works outside.

The program is ours, so it may also run on the host, where the same call has to succeed: a refusal in the sandbox then
comes from the sandbox.
"""

import functools
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rust_expert.common.errors import UserError
from rust_expert.judge import sandbox
from rust_expert.judge.probe import probe, require_sandbox
from rust_expert.judge.rustc import compile_files
from rust_expert.judge.sandbox import Limits, Outcome, Sandbox
from rust_expert.judge.testroom import run_once

PROBER = r"""
use std::io::Write;
extern "C" { fn fork() -> i32; fn unshare(flags: i32) -> i32; fn syscall(number: i64, ...) -> i64; fn getuid() -> u32; }
fn main() {
    let said: Vec<String> = std::env::args().skip(1).collect();
    let arg = said.get(1).cloned().unwrap_or_default();
    let yes = match said[0].as_str() {
        "tcp" => std::net::TcpStream::connect(&arg).is_ok(),
        "udp" => std::net::UdpSocket::bind("127.0.0.1:0").is_ok(),
        "read" => std::fs::read(&arg).is_ok(),
        "list" => std::fs::read_dir(&arg).is_ok(),
        "write" => std::fs::write(format!("{arg}/written-by-the-prober"), "x").is_ok(),
        "spawn" => std::process::Command::new("/bin/true").status().is_ok(),
        "fork" => match unsafe { fork() } { -1 => false, 0 => std::process::exit(0), _ => true },
        "user namespace" => unsafe { unshare(0x10000000) == 0 },
        "memfd" => unsafe { syscall(319, c"it".as_ptr(), 0) >= 0 },
        "keyring" => unsafe { syscall(250, 0, -3, 1) >= 0 },
        "memory" => std::hint::black_box(vec![1u8; arg.parse::<usize>().unwrap() << 20]).len() > 0,
        "threads" => {
            let pause = || std::thread::sleep(std::time::Duration::from_millis(300));
            let all = (0..arg.parse::<usize>().unwrap()).map(|_| std::thread::Builder::new().spawn(pause));
            all.collect::<Vec<_>>().iter().all(|it| it.is_ok())
        }
        "root" => unsafe { getuid() == 0 },
        "variables" => std::env::vars().any(|(name, _)| name == arg),
        "spin" => loop { std::hint::black_box(0); },
        "sleep" => { std::thread::sleep(std::time::Duration::from_secs(60)); true }
        "flood" => loop { let _ = std::io::stdout().write_all(&[120; 65536]); },
        _ => panic!("no such attempt"),
    };
    print!("{}", if yes { "yes" } else { "no" });
}
"""
LIMITS = Limits(cpu_seconds=1, wall_seconds=8, memory_mb=256, processes=20, output_kb=64)


@functools.cache
def prober() -> bytes:
    built = compile_files(
        {"prober.rs": PROBER},
        ["-Awarnings", "-o", "/work/program", "prober.rs"],
        edition="2021",
        keep="program",
    )
    assert built.kept is not None, built.stderr
    return built.kept


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("prober") / "prober"
    program.write_bytes(prober())
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def inside(*attempt: str, limits: Limits = LIMITS) -> Outcome:
    return run_once(limits, ["/program", *attempt], program=prober())


def on_host(program: Path, *attempt: str) -> str:
    return subprocess.run([program, *attempt], capture_output=True, text=True, timeout=20).stdout


@pytest.mark.parametrize(
    "attempt",
    [
        ("udp",),
        ("read", "/etc/passwd"),
        ("read", "/proc/self/status"),
        ("list", str(Path.home())),
        ("list", os.getcwd()),
        ("write", "/tmp"),
        ("spawn",),
        ("fork",),
        ("memory", "400"),
        ("threads", "40"),
        ("variables", "HOME"),
        ("memfd",),
    ],
    ids=" ".join,
)
def test_what_works_outside_fails_inside(outside: Path, attempt: tuple[str, ...]) -> None:
    assert on_host(outside, *attempt) == "yes"
    assert inside(*attempt).stdout != "yes"
    Path("/tmp/written-by-the-prober").unlink(missing_ok=True)


def test_the_network_is_out_of_reach(outside: Path, address: str) -> None:
    assert on_host(outside, "tcp", address) == "yes"
    assert inside("tcp", address).stdout == "no"


def test_what_a_sample_may_do_works() -> None:
    assert inside("memory", "100").stdout == "yes"
    assert inside("threads", "8").stdout == "yes"
    assert inside("list", "/usr/lib").stdout == "yes"


@pytest.mark.parametrize("folder", ["/", "/usr", "/usr/lib", "/in", "/dev", "/dev/shm", "/etc"])
def test_nothing_can_be_written(folder: str) -> None:
    assert inside("write", folder).stdout == "no"


@pytest.mark.parametrize("attempt", ["user namespace", "keyring", "root"])
def test_privileges_are_gone(attempt: str) -> None:
    assert inside(attempt).stdout == "no"


def test_time_and_output_end_a_run() -> None:
    assert inside("spin").killed_by == "cpu"
    assert inside("sleep", limits=Limits(wall_seconds=0.3)).killed_by == "wall"
    flood = inside("flood")
    assert flood.killed_by == "output"
    assert len(flood.stdout) < 2 * 64 * 1024 + 65536


def test_a_killed_room_leaves_no_process_behind() -> None:
    Sandbox(Limits(wall_seconds=0.3)).run(["/bin/sh", "-c", "sleep 91234 & sleep 91234 & sleep 91234"])
    time.sleep(0.1)
    alive = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"91234" in _read(path)]
    assert not alive


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile
        return b""


def test_a_link_in_the_work_folder_gives_nothing_of_the_host() -> None:
    script = "ln -s /etc/passwd /work/program; ln -s /in/../../etc/shadow /work/other"
    outcome = Sandbox(LIMITS).run(["/bin/sh", "-c", script], keep="program")
    assert outcome.kept is None
    control = Sandbox(LIMITS).run(["/bin/sh", "-c", "echo mine > /work/program"], keep="program")
    assert control.kept == b"mine\n"


def test_rooms_share_nothing() -> None:
    room = Sandbox(LIMITS)
    assert room.run(["/bin/sh", "-c", "echo left > /work/file; cat /work/file"]).stdout == "left\n"
    assert room.run(["/bin/sh", "-c", "cat /work/file"]).stdout == ""


def test_the_probe_finds_every_promise_kept_here() -> None:
    assert [promise.text for promise in probe() if not promise.kept] == []


def test_the_probe_notices_a_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = sandbox._system_mounts()
    monkeypatch.setattr(
        sandbox, "_system_mounts", lambda: (*mounts, "--ro-bind", "/etc/passwd", "/etc/passwd")
    )
    broken = {promise.text for promise in probe() if not promise.kept}
    assert broken == {"the host's files and processes cannot be seen"}
    with pytest.raises(UserError, match="files and processes cannot be seen"):
        require_sandbox()

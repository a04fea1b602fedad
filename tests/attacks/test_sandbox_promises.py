"""What the sandbox promises, tried by a program that wants out; each promise with the control that it works outside.

The program is ours, so it may also run on the host, where the same call has to succeed: a refusal in the sandbox then
comes from the sandbox.
"""

import dataclasses
import functools
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rust_expert.common.config.judge import SandboxName
from rust_expert.common.errors import UserError
from rust_expert.judge import bubblewrap, seccomp
from rust_expert.judge.probe import _probed, probe, require_sandbox
from rust_expert.judge.rustc import compile_files
from rust_expert.judge.sandbox import Limits, Outcome, Sandbox
from rust_expert.judge.testroom import TestRoom, run_once, warden

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
        #[cfg(target_arch = "x86_64")]
        "i386" => unsafe {
            let told: i64; // getpid by the gate of 32-bit programs
            std::arch::asm!("int 0x80", inlateout("rax") 20i64 => told, options(nostack));
            told > 0
        },
        "flood" => loop { let _ = std::io::stdout().write_all(&[120; 65536]); },
        _ => panic!("no such attempt"),
    };
    print!("{}", if yes { "yes" } else { "no" });
}
"""
BACKENDS: list[SandboxName] = ["bubblewrap", "firejail"]
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


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> SandboxName:
    if request.param == "firejail" and shutil.which("firejail") is None:
        pytest.skip("firejail is not installed: apt-get install firejail")
    name: SandboxName = request.param
    return name


def inside(*attempt: str, backend: SandboxName = "bubblewrap", limits: Limits = LIMITS) -> Outcome:
    bound = dataclasses.replace(limits, backend=backend)
    return run_once(bound, ["/program", *attempt], program=prober())


def on_host(program: Path, *attempt: str) -> str:
    return subprocess.run([program, *attempt], capture_output=True, text=True, timeout=20).stdout


def shell(backend: SandboxName, script: str, *words: str, keep: str | None = None) -> Outcome:
    """A script in a toolchain room; it finds /work under `$0`, for words are named as the backend wants them."""
    room = Sandbox(dataclasses.replace(LIMITS, backend=backend))
    return room.run(["/bin/sh", "-c", script, "/work", *words], keep=keep)


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
def test_what_works_outside_fails_inside(
    outside: Path, attempt: tuple[str, ...], backend: SandboxName
) -> None:
    if backend == "firejail" and attempt[-1].startswith("/proc"):
        pytest.skip("not promised: firejail cannot take /proc from a room")
    assert on_host(outside, *attempt) == "yes"
    assert inside(*attempt, backend=backend).stdout != "yes"
    Path("/tmp/written-by-the-prober").unlink(missing_ok=True)


def test_the_network_is_out_of_reach(outside: Path, address: str, backend: SandboxName) -> None:
    assert on_host(outside, "tcp", address) == "yes"
    assert inside("tcp", address, backend=backend).stdout == "no"


def test_what_a_sample_may_do_works(backend: SandboxName) -> None:
    assert inside("memory", "100", backend=backend).stdout == "yes"
    assert inside("threads", "8", backend=backend).stdout == "yes"
    assert inside("list", "/usr/lib", backend=backend).stdout == "yes"


@pytest.mark.parametrize("folder", ["/", "/usr", "/usr/lib", "/in", "/dev", "/dev/shm", "/etc", "/var/tmp"])
def test_nothing_can_be_written(folder: str, backend: SandboxName) -> None:
    assert inside("write", folder, backend=backend).stdout == "no"


@pytest.mark.parametrize("attempt", ["user namespace", "keyring", "root"])
def test_privileges_are_gone(attempt: str, backend: SandboxName) -> None:
    assert inside(attempt, backend=backend).stdout == "no"


def test_a_program_can_be_started_and_not_read(backend: SandboxName) -> None:
    with TestRoom(dataclasses.replace(LIMITS, backend=backend), ["/warden", "probe"], prober()) as room:
        assert room.run("read /warden\nread /program\nread /usr/bin/env\n").stdout == "no\nno\nyes\n"


def test_time_and_output_end_a_run(backend: SandboxName) -> None:
    assert inside("spin", backend=backend).killed_by == "cpu"
    assert inside("sleep", backend=backend, limits=Limits(wall_seconds=0.3)).killed_by == "wall"
    flood = inside("flood", backend=backend)
    assert flood.killed_by == "output"
    assert len(flood.stdout) < 2 * 64 * 1024 + 65536


def answers(backend: SandboxName, attempts: list[str]) -> list[str]:
    """What the warden's own prober says in a room, one line for each attempt."""
    with TestRoom(dataclasses.replace(LIMITS, backend=backend), ["/warden", "probe"]) as room:
        return room.run("".join(f"{attempt}\n" for attempt in attempts)).stdout.splitlines()


def calls_with_controls(names: dict[str, int]) -> dict[str, str]:
    """Attempts at some calls with arguments that none takes for something real. `vhangup` takes none, and works."""
    harmless = {"msgget": "4242 0"}
    return {
        name: f"call {number} {harmless.get(name, '')}".strip()
        for name, number in names.items()
        if name != "vhangup"
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="the kernel itself refuses most of these calls to all but root")
def test_calls_that_a_room_refuses_reach_the_kernel_outside(tmp_path: Path, backend: SandboxName) -> None:
    calls = calls_with_controls(seccomp.denied() | seccomp.denied_to_a_run())
    program = tmp_path / "warden"
    program.write_bytes(warden())
    program.chmod(0o755)
    told = "".join(f"{attempt}\n" for attempt in calls.values())
    outside = subprocess.run([program, "probe"], input=told, capture_output=True, text=True).stdout.split()
    assert str(seccomp.EPERM) not in outside
    # What a kernel may be built without, or no longer has, answers ENOSYS (38) outside; that proves nothing.
    proven = sum(answer != "38" for answer in outside)
    assert proven > len(calls) * 3 // 4
    assert answers(backend, list(calls.values())) == [str(seccomp.EPERM)] * len(calls)


def test_rustc_is_refused_what_no_room_may_do(backend: SandboxName) -> None:
    calls = seccomp.denied()
    if backend == "firejail":
        calls = {name: number for name, number in calls.items() if number <= 441}
    told = "".join(f"{attempt}\n" for attempt in calls_with_controls(calls).values())
    script = 'cp prober "$0/prober" && chmod 700 "$0/prober" && "$0/prober" probe < attempts'
    room = Sandbox(dataclasses.replace(LIMITS, backend=backend))
    outcome = room.run(["/bin/sh", "-c", script, "/work"], files={"prober": warden(), "attempts": told})
    assert outcome.stdout.split() == [str(seccomp.EPERM)] * len(calls_with_controls(calls))


def aimed_at(process: str) -> list[str]:
    """Every way to signal, tune or look into a process that names it; signal 0 and reading where that is the same."""
    by_name = seccomp.denied_to_a_run() | seccomp.allowed_on_itself()
    aimed = [f"call {by_name['kill']} {process} 0", f"call {by_name['tgkill']} {process} {process} 0"]
    aimed += [f"call {by_name['tkill']} {process} 0", f"call {by_name['pidfd_open']} {process} 0"]
    aimed += [f"call {by_name['prlimit64']} {process} 0 0 0", f"call {by_name['setpriority']} 0 {process} 5"]
    aimed += [
        f"call {by_name['get_robust_list']} {process} 0 0",
        f"call {by_name['ioprio_set']} 1 {process} 0",
    ]
    fcntl, ioctl = {"x86_64": (72, 16), "aarch64": (25, 29)}[platform.machine()]
    return [*aimed, f"call {fcntl} 0 8 {process}", f"call {fcntl} 1 15 {process}", f"call {ioctl} 0 35073 0"]


def test_a_run_cannot_signal_or_tune_the_warden_which_lives_on(tmp_path: Path, backend: SandboxName) -> None:
    kill, tgkill = seccomp.allowed_on_itself()["kill"], seccomp.allowed_on_itself()["tgkill"]
    fatal = [f"call {kill} parent 9", f"call {kill} -1 9", f"call {kill} 0 9", f"call {kill} 1 9"]
    fatal += [f"call {tgkill} parent parent 9", f"call {kill} -2 9"]
    with TestRoom(dataclasses.replace(LIMITS, backend=backend), ["/warden", "probe"]) as room:
        for attempts in (aimed_at("parent"), aimed_at("1"), fatal):
            told = room.run("".join(f"{attempt}\n" for attempt in attempts)).stdout.split()
            assert told == [str(seccomp.EPERM)] * len(attempts)
        # The same room, so the same warden; and a run may do to itself what it likes.
        assert room.run(f"call {kill} own 0\n").stdout == "0\n"
        assert room.run(f"call {kill} own 9\n").signal_name == "SIGKILL"
        assert room.run("memory 1\n").stdout == "yes\n"


def test_outside_these_calls_do_reach_a_parent(tmp_path: Path) -> None:
    program = tmp_path / "warden"
    program.write_bytes(warden())
    program.chmod(0o755)
    attempts = [each for each in aimed_at("parent") if " 35073 " not in each]
    command = [
        "/bin/sh",
        "-c",
        '"$0" probe; true',
        str(program),
    ]  # the parent is a shell, which comes to no harm
    told = subprocess.run(
        command, input="".join(f"{each}\n" for each in attempts), capture_output=True, text=True
    )
    answered = dict(zip(attempts, told.stdout.split(), strict=True))
    # get_robust_list has nowhere to write to; a pipe has no owner that fcntl could not set.
    assert set(answered.values()) <= {"0", "14"}, answered


def test_x32_and_i386_lead_nowhere(outside: Path, backend: SandboxName) -> None:
    if platform.machine() != "x86_64":
        pytest.skip("only x86_64 has them")
    assert answers(backend, [f"call {0x40000000 | 39}", f"call {0x40000000 | 62} parent 0"]) == ["38", "38"]
    if on_host(outside, "i386") == "yes":
        assert inside("i386", backend=backend).signal_name == "SIGSYS"


def test_a_killed_room_leaves_no_process_behind(backend: SandboxName) -> None:
    limits = Limits(wall_seconds=0.3, backend=backend)
    Sandbox(limits).run(["/bin/sh", "-c", "sleep 91234 & sleep 91234 & sleep 91234"])
    time.sleep(0.1)
    alive = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"91234" in _read(path)]
    assert not alive


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile
        return b""


def test_a_link_in_the_work_folder_gives_nothing_of_the_host(backend: SandboxName) -> None:
    script = 'ln -s /etc/passwd "$0/program"; ln -s /in/../../etc/shadow "$0/other"'
    assert shell(backend, script, keep="program").kept is None
    control = shell(backend, 'echo mine > "$0/program"', keep="program")
    assert control.kept == b"mine\n"


def test_rooms_share_nothing(backend: SandboxName) -> None:
    assert shell(backend, 'echo left > "$0/file"; cat "$0/file"').stdout == "left\n"
    assert shell(backend, 'cat "$0/file"').stdout == ""


def test_a_folder_that_is_mounted_can_be_read_and_not_written(tmp_path: Path, backend: SandboxName) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)  # pytest closes its folders to other users, and the room has one
    (tmp_path / "word").write_text("seen\n")
    tmp_path.chmod(0o777)
    room = Sandbox(dataclasses.replace(LIMITS, backend=backend))
    script = 'cat "$1/word"; echo more > "$1/new" || echo refused'
    outcome = room.run(["/bin/sh", "-c", script, "/work", "/crates"], mounts={"/crates": tmp_path})
    assert outcome.stdout == "seen\nrefused\n", outcome.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["word"]


def test_the_probe_finds_every_promise_kept_here(backend: SandboxName) -> None:
    promises = probe(backend)
    assert [promise for promise in promises if promise.made and not promise.kept] == []
    unmade = [promise.text for promise in promises if not promise.made]
    assert (backend == "bubblewrap") == (not unmade)


def test_the_probe_notices_a_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = bubblewrap.system_mounts()
    monkeypatch.setattr(
        bubblewrap, "system_mounts", lambda: (*mounts, "--ro-bind", "/etc/passwd", "/etc/passwd")
    )
    broken = {promise.text for promise in probe() if not promise.kept}
    assert broken == {"the host's files and processes cannot be seen"}
    _probed.cache_clear()
    with pytest.raises(UserError, match="files and processes cannot be seen"):
        require_sandbox()
    _probed.cache_clear()


def test_the_probe_notices_a_missing_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_all = seccomp._step(0x06, 0x7FFF0000)
    monkeypatch.setattr(seccomp, "program", lambda *, one_process: open_to_all)
    broken = {promise.text for promise in probe() if not promise.kept}
    assert "calls that reach out of the room are refused" in broken
    assert "a sample starts no process, and cannot signal or tune another" in broken

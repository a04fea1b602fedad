"""Tries the sandbox's promises on this machine, in about a second, before anything untrusted runs.

A prober of ours (prober.rs, part of the warden's program) makes every attempt in both kinds of room. What it is told,
and what it has to answer, stands in the tables below; an attempt that answers otherwise breaks its promise.
"""

import dataclasses
import functools
import logging
import os
import resource
from collections.abc import Iterator, Set
from pathlib import Path

from rust_expert.common.config.judge import SandboxName
from rust_expert.common.errors import JudgeFault, UserError
from rust_expert.judge import seccomp
from rust_expert.judge.backends import backend_named
from rust_expert.judge.firejail import NEWEST_CALL
from rust_expert.judge.sandbox import Limits, Outcome, Sandbox
from rust_expert.judge.testroom import TestRoom, warden

log = logging.getLogger(__name__)

_TEXTS = {
    "toolchain": "rustc runs in the sandbox",
    "hidden host": "the host's files and processes cannot be seen",
    "network": "there is no network",
    "read-only": "the system is read-only",
    "work folder": "the work folder is limited",
    "no /proc": "a sample sees no /proc",
    "identity": "a sample is not root and gets no variables of the host",
    "room calls": "calls that reach out of the room are refused",
    "newer calls": "calls that are newer than firejail, and reach out of the room, are refused to rustc too",
    "run calls": "a sample starts no process, and cannot signal or tune another",
    "processes": "processes are limited",
    "memory": "memory is limited",
    "files": "open files and the size of a file are limited",
    "time": "time is limited",
    "output": "output is limited",
}
"""Every promise by the name that a backend's `not_promised` uses."""

_WALL_SECONDS = 20.0
"""For attempts that are over at once: wide, so that a busy machine keeps its promises too."""
_TOOLCHAIN = Limits(
    cpu_seconds=7, wall_seconds=_WALL_SECONDS, memory_mb=64, processes=8, work_mb=2, open_files=32
)
_RUN = dataclasses.replace(_TOOLCHAIN, output_kb=64)
_PROBE = "/warden", "probe"
_HARMLESS = {"msgget": "4242 0"}
"""Arguments for a call that would leave something behind with those of the prober, should the promise be broken."""

_LOOK_AROUND = """
cp prober "$0/prober" && chmod 700 "$0/prober" && "$0/prober" probe < attempts
/rust/bin/rustc --version > /dev/null && echo "rustc starts"
for it in /proc/[0-9]*; do echo "process"; done
while read -r name rest; do case $name in *:) echo "interface $name";; esac; done < /proc/net/dev
for it in 1 2 3; do head -c 900000 /dev/zero > "$0/$it" || echo "work folder full"; done 2>/dev/null
"""
"""Last words of a shell in a toolchain room; `$0` is /work, where the prober gets the right to start."""


@dataclasses.dataclass(frozen=True)
class Promise:
    """One promise of the sandbox: what it says, whether it held here, what was seen where it did not.

    Where `made` is false the backend does not promise it, and nothing was tried.
    """

    text: str
    kept: bool
    seen: str = ""
    made: bool = True


@dataclasses.dataclass(frozen=True)
class _Attempt:
    """What the prober is told, what it has to answer, and which promise another answer breaks."""

    promise: str
    told: str
    answer: str


def _tried_everywhere(limits: Limits) -> Iterator[_Attempt]:
    """What both kinds of room refuse."""
    yield _Attempt("toolchain", "memory 1", "yes")  # the control: the prober works
    yield _Attempt("identity", "root", "no")
    for file in _files_of_the_host():
        yield _Attempt("hidden host", f"read {file}", "no")
    for folder in ("/", "/usr", "/usr/bin", "/in", "/dev", "/dev/shm", "/var/tmp", "/run"):
        yield _Attempt("read-only", f"write {folder}", "no")
    for name, number in seccomp.denied().items():
        promise = "room calls" if number <= NEWEST_CALL else "newer calls"
        yield _Attempt(promise, f"call {number} {_HARMLESS.get(name, '')}".strip(), str(seccomp.EPERM))
    yield _Attempt("memory", f"memory {4 * limits.memory_mb}", "no")
    yield _Attempt("files", f"files {limits.open_files + 1}", "no")
    size = limits.work_mb * 1024 * 1024
    yield _Attempt("files", f"limit {resource.RLIMIT_FSIZE}", f"{size} {size} no")
    seconds = limits.cpu_seconds
    yield _Attempt("time", f"limit {resource.RLIMIT_CPU}", f"{seconds} {seconds + 1} no")
    yield _Attempt("processes", f"threads {limits.processes + 1}", "no")


def _tried_in_a_run() -> Iterator[_Attempt]:
    """What a test run is refused."""
    yield from _tried_everywhere(_RUN)
    yield _Attempt("no /proc", "list /proc/self", "no")
    yield _Attempt("read-only", "write /tmp", "no")
    yield _Attempt("run calls", "spawn", "no")
    for number in seccomp.denied_to_a_run().values():
        yield _Attempt("run calls", f"call {number}", str(seccomp.EPERM))
    for number in seccomp.allowed_on_itself().values():
        yield _Attempt("run calls", f"call {number} parent 0 0 0", str(seccomp.EPERM))


def _files_of_the_host() -> list[Path]:
    """Files that a room must not show: of the system, of this home, of this folder, of the judge."""
    found = [Path("/etc/passwd"), Path(__file__)]
    for folder in (Path.home(), Path.cwd()):
        try:
            files = sorted(entry.path for entry in os.scandir(folder) if entry.is_file())
        except OSError:
            continue
        found += [Path(file) for file in files if os.access(file, os.R_OK) and " " not in file][:3]
    return [path for path in found if path.is_file() and not path.is_relative_to("/usr")]


class _Breaches:
    """What went otherwise than promised."""

    def __init__(self) -> None:
        self.seen: dict[str, list[str]] = {}

    def expect(self, promise: str, kept: bool, seen: str) -> None:
        if not kept:
            self.seen.setdefault(promise, []).append(seen)

    def compare(self, attempts: list[_Attempt], outcome: Outcome) -> list[str]:
        """Hold the answers against the attempts; the lines after them."""
        lines = outcome.stdout.splitlines()
        end = f"exit {outcome.returncode} {outcome.killed_by} {outcome.stderr[:200]}"
        for place, attempt in enumerate(attempts):
            answer = lines[place] if place < len(lines) else f"no answer, {end}"
            self.expect(attempt.promise, answer == attempt.answer, f"{attempt.told}: {answer}")
        return lines[len(attempts) :]


def _try_the_toolchain_room(backend: SandboxName, breaches: _Breaches, unmade: Set[str]) -> None:
    attempts = [each for each in _tried_everywhere(_TOOLCHAIN) if each.promise not in unmade]
    files: dict[str, str | bytes] = {"prober": warden(backend), "attempts": _told(attempts)}
    room = Sandbox(dataclasses.replace(_TOOLCHAIN, backend=backend))
    # The names of a room are rewritten in the words of a command only, so they come as words.
    script = _LOOK_AROUND.replace("/rust/bin/rustc", '"$1"')
    around = breaches.compare(
        attempts, room.run(["/bin/sh", "-c", script, "/work", "/rust/bin/rustc"], files=files)
    )
    breaches.expect("toolchain", "rustc starts" in around, "rustc does not start")
    breaches.expect("hidden host", around.count("process") < 10, f"{around.count('process')} processes")
    interfaces = [line for line in around if line.startswith("interface")]
    breaches.expect("network", interfaces in ([], ["interface lo:"]), ", ".join(interfaces))
    breaches.expect("work folder", "work folder full" in around, "more than its size was written")
    asleep = Sandbox(Limits(wall_seconds=0.1, backend=backend)).run(["/bin/sh", "-c", "sleep 30 & sleep 30"])
    breaches.expect("time", asleep.killed_by == "wall", f"a sleeping command: exit {asleep.returncode}")
    flood = Sandbox(dataclasses.replace(_TOOLCHAIN, output_kb=16, backend=backend))
    loud = flood.run(["/bin/sh", "-c", "while :; do echo 0123456789012345678901234567890123456789; done"])
    breaches.expect("output", loud.killed_by == "output", f"a loud command: exit {loud.returncode}")


def _try_a_run(backend: SandboxName, breaches: _Breaches, unmade: Set[str]) -> None:
    attempts = [each for each in _tried_in_a_run() if each.promise not in unmade]
    with TestRoom(dataclasses.replace(_RUN, backend=backend), _PROBE) as room:
        breaches.compare(attempts, room.run(_told(attempts)))
        listed = room.run("variables\n").stdout.split()
        foreign = sorted(set(listed) & set(os.environ) - {"PATH", "PWD", "LC_ALL", "RUST_BACKTRACE"})
        breaches.expect("identity", bool(listed) and not foreign, f"variables {foreign} of {listed}")
        loud = room.run("flood\n")
        breaches.expect("output", loud.killed_by == "output", f"a loud run: exit {loud.returncode}")
    with TestRoom(Limits(wall_seconds=0.1, backend=backend), _PROBE) as room:
        asleep = room.run("sleep\n")
        breaches.expect("time", asleep.killed_by == "wall", f"a sleeping run: exit {asleep.returncode}")


def _told(attempts: list[_Attempt]) -> str:
    return "".join(f"{attempt.told}\n" for attempt in attempts)


def probe(backend: SandboxName = "bubblewrap") -> list[Promise]:
    """Try each promise. Raises UserError where the sandbox cannot be set up at all."""
    unmade = backend_named(backend).not_promised
    breaches = _Breaches()
    try:
        _try_the_toolchain_room(backend, breaches, unmade)
        _try_a_run(backend, breaches, unmade)
    except JudgeFault as fault:
        breaches.expect("toolchain", False, str(fault))
    promises = []
    for name, text in _TEXTS.items():
        seen = "; ".join(breaches.seen.get(name, [])[:3])
        if seen and name == "processes" and os.geteuid() == 0:
            seen += "; no such limit binds this root, who may not take another identity: judge as an ordinary user"
        promises.append(Promise(text, False, made=False) if name in unmade else Promise(text, not seen, seen))
    return promises


def require_sandbox(backend: SandboxName = "bubblewrap") -> None:
    """Raise UserError, naming the promises, where the sandbox does not hold here: no sandbox, no run.

    A backend that held once is not tried again by this process.
    """
    broken = [
        f"{promise.text} ({promise.seen})"
        for promise in _probed(backend)
        if promise.made and not promise.kept
    ]
    if broken:
        raise UserError(
            f"the sandbox ({backend}) does not keep what it promises on this machine, nothing was judged: "
            + "; ".join(broken)
            + "; see docs/judge.md"
        )
    unmade = [promise.text for promise in _probed(backend) if not promise.made]
    if unmade:
        log.warning("sandbox %s does not promise that %s", backend, "; ".join(unmade))


@functools.cache
def _probed(backend: SandboxName) -> tuple[Promise, ...]:
    return tuple(probe(backend))

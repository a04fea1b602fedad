"""Runs a program that nobody trusts: own namespaces, a read-only system, hard limits, bounded output.

Two kinds of room. `Sandbox` is for rustc and clippy: the Rust sysroot at /rust, /proc, and a private /work of limited
size. rust_expert.judge.testroom is for what the sample became: nothing is writable, no /proc, no new processes. What
makes a room is a backend (rust_expert.judge.backends); limits, and the following of a process, are the same with all.
docs/judge.md lists each promise and its test.
"""

import dataclasses
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from rust_expert.common.config.judge import SandboxName
from rust_expert.judge import seccomp
from rust_expert.judge.backends import backend_named
from rust_expert.judge.rooms import (
    FILES,
    MEGABYTE,
    SCRATCH,
    TOOLCHAIN,
    Backend,
    Descriptors,
    Entry,
    Room,
    guarded,
    own_identity,
    sysroot,
)

_starting = threading.Lock()
"""One room at a time has its files open here, so that many workers do not meet the limit of open files."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one run may use, and which backend makes its room. Memory counts private memory of each process; see
    docs/judge.md."""

    cpu_seconds: int = 10
    wall_seconds: float = 40.0
    memory_mb: int = 2048
    processes: int = 64
    work_mb: int = 64
    open_files: int = 256
    output_kb: int = 4096
    backend: SandboxName = "bubblewrap"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a run ended. `killed_by` is "" or the limit that ended it: cpu, wall, output, file size."""

    returncode: int
    stdout: str
    stderr: str
    killed_by: str = ""
    kept: bytes | None = None

    @property
    def timed_out(self) -> bool:
        """Whether it ran out of processor or wall time."""
        return self.killed_by in ("cpu", "wall")

    @property
    def signal(self) -> int:
        """The signal that ended it, or 0."""
        return self.returncode - 128 if self.returncode > 128 else 0

    @property
    def signal_name(self) -> str:
        """Such as SIGSEGV; "" where no signal ended it."""
        try:
            return signal.Signals(self.signal).name
        except ValueError:
            return f"signal {self.signal}" if self.signal else ""


class Sandbox:
    """A toolchain room with its limits; each `run` gets a fresh one."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._filter = seccomp.program(one_process=False)

    def run(
        self,
        argv: Sequence[str],
        *,
        files: Mapping[str, str | bytes] | None = None,
        keep: str | None = None,
        mounts: Mapping[str, Path] | None = None,
        into: "Sink | None" = None,
    ) -> Outcome:
        """Run `argv` in /in, where `files` lie read-only; `mounts` are folders of the host to show, read-only as well,
        by the place where they are to be seen.

        `keep` names a file under /work whose bytes come back in the outcome (None where it was not written); the
        command's standard output then joins its standard error. Nothing else leaves the room. Where they may be many,
        `into` takes them in the outcome's place.
        Raises UserError where the sandbox cannot be set up on this machine, JudgeFault where it broke in the middle.
        """
        room = Room(
            filter=self._filter,
            files={
                f"{FILES}/{name}": text.encode() if isinstance(text, str) else text
                for name, text in (files or {}).items()
            },
            mounts={TOOLCHAIN: sysroot(), **(mounts or {})},
            work_mb=self.limits.work_mb,
            proc=True,
        )
        with Descriptors() as open_fds:
            status_read, status_write = open_fds.pipe()
            words = self._wrap(argv, keep)
            with in_room(self.limits.backend, room, words, status=status_write) as running:
                open_fds.close(status_write)
                return self._follow(running, status_read, keep is not None, into)

    def _wrap(self, argv: Sequence[str], keep: str | None) -> list[str]:
        """The command with its limits, without root's identity, and with the copying out of `keep`."""
        limits = self.limits
        memory = limits.memory_mb * MEGABYTE
        words = ["/usr/bin/prlimit", f"--data={memory}", f"--as={memory + 1024 * MEGABYTE}", "--core=0"]
        words += [f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + 1}", f"--nproc={limits.processes}"]
        words += [f"--fsize={limits.work_mb * MEGABYTE}", f"--nofile={limits.open_files}"]
        words += [f"--stack={8 * MEGABYTE}", "--memlock=65536", "--"]
        if limits.backend != "none":  # without a room of its own it could not even read the toolchain of root
            words += own_identity()
        if keep is not None:
            copy = '"$@" >&2; code=$?; if [ -f "$0" ]; then cat "$0"; fi; exit $code'
            words += ["/bin/sh", "-c", copy, f"{SCRATCH}/{keep}"]
        return [*words, *argv]

    def _follow(self, running: "Running", status: int, keeps: bool, into: "Sink | None") -> Outcome:
        """Drain the process within the limits, then read how it ended."""
        process = running.process
        assert process.stdout and process.stderr
        output = self.limits.output_kb * 1024
        most = into.most if into else self.limits.work_mb * MEGABYTE
        streams = [
            _Stream(process.stdout.fileno(), most if keeps else output, sink=into.file if into else None),
            _Stream(process.stderr.fileno(), output),
            _Stream(status, 65536),
        ]
        deadline = time.monotonic() + self.limits.wall_seconds
        killed_by = _drain(streams, deadline)
        if not killed_by and not _ended(process.pid, deadline):
            killed_by = "wall"  # it closed its output and went on
        running.kill()
        stdout, stderr, told = (bytes(stream.data) for stream in streams)
        end = running.backend.end(running.entry, process.returncode, told, stderr)
        code = end.code
        if killed_by:
            code = 128 + signal.SIGKILL if code is None else code
        elif code is None:
            raise running.backend.fault(end.stderr.decode(errors="replace"))
        else:
            killed_by = LIMIT_SIGNALS.get(code - 128, "")
        return Outcome(
            returncode=code,
            stdout="" if keeps else stdout.decode(errors="replace"),
            stderr=end.stderr.decode(errors="replace"),
            killed_by=killed_by,
            kept=stdout if keeps and stdout else None,
        )


@dataclasses.dataclass(frozen=True)
class Running:
    """A process in a room, and what made the room."""

    process: subprocess.Popen[bytes]
    backend: Backend
    entry: Entry

    def kill(self) -> None:
        """End the process, and with it all in its room."""
        # The end of the namespace's first process ends all the others; without a namespace the group is what there is,
        # and it has its number as long as its leader is not waited for.
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def in_room(
    name: SandboxName, room: Room, words: Sequence[str], *, status: int | None = None, talks: bool = False
) -> Iterator[Running]:
    """Start a command in a room; at the context's end the room and all in it are gone. With `talks` the command's
    standard input is a pipe.

    Raises UserError where the backend is missing.
    """
    backend = backend_named(name)
    with ExitStack() as belongings:
        with _starting, Descriptors() as open_fds:
            entry = belongings.enter_context(backend.enter(room, open_fds, status))
            process = subprocess.Popen(
                [*entry.words, *map(entry.named, words)],
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=entry.fds,
                env=entry.environment,
                cwd=entry.cwd,
                start_new_session=True,
            )
        running = Running(process, backend, entry)
        if entry.folder is not None:
            belongings.enter_context(guarded(process.pid, entry.folder))
        belongings.callback(_closed, process)
        belongings.callback(running.kill)
        yield running


def _closed(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):  # what was not read yet when the room ended
                pipe.close()


LIMIT_SIGNALS: dict[int, str] = {signal.SIGXCPU: "cpu", signal.SIGXFSZ: "file size"}


@dataclasses.dataclass(frozen=True)
class Sink:
    """A file that takes what a run keeps, at most `most` bytes: one that keeps more ends by its output."""

    file: IO[bytes]
    most: int


@dataclasses.dataclass
class _Stream:
    """One descriptor to read until its end, and at most `cap` bytes of it, into `data` or the sink."""

    fd: int
    cap: int
    data: bytearray = dataclasses.field(default_factory=bytearray)
    sink: IO[bytes] | None = None
    size: int = 0

    def take(self, piece: bytes) -> None:
        """Put away what was read."""
        self.size += len(piece)
        if self.sink is None:
            self.data += piece
        else:
            self.sink.write(piece)


def _drain(streams: list[_Stream], deadline: float) -> str:
    """Read the streams until all have ended; the limit that stopped it, or ""."""
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            os.set_blocking(stream.fd, False)
            selector.register(stream.fd, selectors.EVENT_READ, stream)
        reading = len(streams)
        while reading:
            for key, _ in selector.select(max(deadline - time.monotonic(), 0)):
                stream = key.data
                piece = os.read(stream.fd, 1 << 16)
                if not piece:
                    selector.unregister(stream.fd)
                    reading -= 1
                stream.take(piece)
                if stream.size > stream.cap:
                    return "output"
            if time.monotonic() >= deadline:
                return "wall"
    return ""


def _ended(process: int, deadline: float) -> bool:
    """Whether a process of ours ends in time; it is not waited for, and keeps its number."""
    handle = os.pidfd_open(process)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            return bool(selector.select(max(deadline - time.monotonic(), 0.1)))
    finally:
        os.close(handle)

"""The room of what a sample became: nothing writable, no /proc, no network, and each run a single process.

A warden of ours (warden.rs) stays in the room and starts the program once for each input, so that many runs cost one
room. It puts on each run the limits and a filter (rust_expert.judge.seccomp); a run leaves nothing that the next one
could find.
"""

import functools
import os
import resource
import selectors
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from rust_expert.common.config.judge import SandboxName
from rust_expert.common.errors import JudgeFault
from rust_expert.judge import seccomp
from rust_expert.judge.rooms import MEGABYTE, Room, own_identity
from rust_expert.judge.sandbox import (
    LIMIT_SIGNALS,
    Limits,
    Outcome,
    Sandbox,
    in_room,
)

GRACE_SECONDS = 20.0
"""How much longer than a run may take the warden is waited for."""
LONGEST_INPUT = 4096
"""Bytes that a pipe takes at once, so that the warden never waits for a program to read."""

_FOLDER = Path(__file__).parent
_SOURCES = ("warden.rs", "prober.rs")
_HEADER = struct.Struct("<IIII")
_KILLED_BY = ("", "wall", "output")


@functools.cache
def warden(backend: SandboxName = "bubblewrap") -> bytes:
    """The warden, built in the sandbox by the toolchain at hand.

    Raises JudgeFault where it does not compile.
    """
    # Not optimised: it waits more than it works, and is built anew by every process that judges.
    arguments = ["--edition=2021", "-Cpanic=abort", "-Cstrip=symbols", "-Cdebuginfo=0"]
    built = Sandbox(Limits(cpu_seconds=60, wall_seconds=240, backend=backend)).run(
        ["/rust/bin/rustc", *arguments, "-o", "/work/warden", _SOURCES[0]],
        files={name: (_FOLDER / name).read_bytes() for name in _SOURCES},
        keep="warden",
    )
    if built.returncode != 0 or built.kept is None:
        raise JudgeFault(f"the sandbox's warden does not compile: {built.stderr[:300]}")
    return built.kept


class TestRoom:
    """A room in which `argv` can be run again and again; `program` becomes the executable /program.

    Use it as a context; at its end the room and all in it is gone.
    """

    __test__ = False

    def __init__(
        self, limits: Limits, argv: Sequence[str] = ("/program",), program: bytes | None = None
    ) -> None:
        self.limits = limits
        self._argv = argv
        self._program = program

    def __enter__(self) -> Self:
        programs = {"/warden": warden(self.limits.backend)}
        if self._program is not None:
            programs["/program"] = self._program
        room = Room(filter=seccomp.program(one_process=False), programs=programs)
        words = self._orders() if self.limits.backend == "none" else [*own_identity(), *self._orders()]
        self._room = in_room(self.limits.backend, room, words, talks=True)
        self._running = self._room.__enter__()
        assert self._running.process.stdout
        os.set_blocking(self._running.process.stdout.fileno(), False)
        try:
            self._send(seccomp.program(one_process=True))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._room.__exit__(None, None, None)

    def run(self, stdin: str = "") -> Outcome:
        """The program run once on `stdin`, at most LONGEST_INPUT bytes.

        Raises UserError where the room cannot be set up on this machine, JudgeFault where it broke in the middle.
        """
        text = stdin.encode()
        if len(text) > LONGEST_INPUT:
            raise ValueError(f"the input has {len(text)} bytes, at most {LONGEST_INPUT} are passed on")
        self._send(text)
        deadline = time.monotonic() + self.limits.wall_seconds + GRACE_SECONDS
        status, ended, out, err = _HEADER.unpack(self._receive(_HEADER.size, deadline))
        told = self._receive(out + err, deadline)
        code = os.waitstatus_to_exitcode(status)
        code = 128 - code if code < 0 else code
        return Outcome(
            returncode=code,
            stdout=told[:out].decode(errors="replace"),
            stderr=told[out:].decode(errors="replace"),
            killed_by=_KILLED_BY[ended] or LIMIT_SIGNALS.get(code - 128, ""),
        )

    def _orders(self) -> list[str]:
        """The warden's command line: bounds, limits by the kernel's numbers for them, the program's words."""
        limits = self.limits
        memory = limits.memory_mb * MEGABYTE
        bounds = {
            resource.RLIMIT_DATA: (memory, memory),
            resource.RLIMIT_AS: (memory + 1024 * MEGABYTE,) * 2,
            resource.RLIMIT_CORE: (0, 0),
            resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 1),
            resource.RLIMIT_NPROC: (limits.processes,) * 2,
            resource.RLIMIT_FSIZE: (limits.work_mb * MEGABYTE,) * 2,
            resource.RLIMIT_NOFILE: (limits.open_files,) * 2,
            resource.RLIMIT_STACK: (8 * MEGABYTE,) * 2,
            resource.RLIMIT_MEMLOCK: (65536, 65536),
        }
        told = [f"{number}={soft}:{hard}" for number, (soft, hard) in bounds.items()]
        wall, output = str(int(limits.wall_seconds * 1000)), str(limits.output_kb * 1024)
        return ["/warden", wall, output, *told, "--", *self._argv]

    def _send(self, text: bytes) -> None:
        assert self._running.process.stdin
        try:
            self._running.process.stdin.write(len(text).to_bytes(4, "little") + text)
            self._running.process.stdin.flush()
        except BrokenPipeError:
            raise self._fault() from None

    def _receive(self, count: int, deadline: float) -> bytes:
        assert self._running.process.stdout
        fd = self._running.process.stdout.fileno()
        data = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            while len(data) < count:
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    raise JudgeFault("the sandbox's warden does not answer")
                piece = os.read(fd, min(count - len(data), 1 << 20))
                if not piece:
                    raise self._fault()
                data += piece
        return bytes(data)

    def _fault(self) -> Exception:
        """Why the room has ended: the backend or the warden said it on standard error."""
        self._running.kill()
        assert self._running.process.stderr
        stderr = self._running.process.stderr.read()
        end = self._running.backend.end(self._running.entry, self._running.process.returncode, b"", stderr)
        return self._running.backend.fault(end.stderr.decode(errors="replace"))


def run_once(
    limits: Limits, argv: Sequence[str] = ("/program",), *, program: bytes | None = None, stdin: str = ""
) -> Outcome:
    """One run in a room of its own."""
    with TestRoom(limits, argv, program) as room:
        return room.run(stdin)

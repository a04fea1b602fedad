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
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from rust_expert.common.errors import JudgeFault
from rust_expert.judge import seccomp
from rust_expert.judge.sandbox import (
    LIMIT_SIGNALS,
    Descriptors,
    Limits,
    Outcome,
    Sandbox,
    bare_room,
    bwrap,
    own_identity,
    setup_fault,
)

GRACE_SECONDS = 20.0
"""How much longer than a run may take the warden is waited for."""
LONGEST_INPUT = 4096
"""Bytes that a pipe takes at once, so that the warden never waits for a program to read."""

_SOURCE = Path(__file__).with_name("warden.rs")
_MEGABYTE = 1024 * 1024
_HEADER = struct.Struct("<IIII")
_KILLED_BY = ("", "wall", "output")


@functools.cache
def warden() -> bytes:
    """The warden, built in the sandbox by the toolchain at hand.

    Raises JudgeFault where it does not compile.
    """
    arguments = ["--edition=2021", "-Copt-level=1", "-Cpanic=abort", "-Cstrip=symbols", "-Cdebuginfo=0"]
    built = Sandbox(Limits(cpu_seconds=60, wall_seconds=240)).run(
        ["/rust/bin/rustc", *arguments, "-o", "/work/warden", _SOURCE.name],
        files={_SOURCE.name: _SOURCE.read_text(encoding="utf-8")},
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
        with Descriptors() as open_fds:
            filter_fd = open_fds.holding(seccomp.program(one_process=False))
            warden_fd = open_fds.holding(warden())
            passed = [filter_fd, warden_fd]
            command = [bwrap(), *bare_room(), "--seccomp", str(filter_fd), "--perms", "0755", "--dir", "/in"]
            command += ["--chdir", "/in", "--perms", "0555", "--file", str(warden_fd), "/warden"]
            if self._program is not None:
                passed.append(open_fds.holding(self._program))
                # To be run and not to be read: the keys of the proofs are in it.
                command += ["--perms", "0111", "--file", str(passed[-1]), "/program"]
            self._process = subprocess.Popen(
                [*command, "--remount-ro", "/", "--", *own_identity(), *self._orders()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=passed,
                env={},
                cwd="/",
            )
        assert self._process.stdout
        os.set_blocking(self._process.stdout.fileno(), False)
        try:
            self._send(seccomp.program(one_process=True))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        # Killing bubblewrap ends the first process of its namespace, and the kernel then ends all the others.
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

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
        memory = limits.memory_mb * _MEGABYTE
        bounds = {
            resource.RLIMIT_DATA: (memory, memory),
            resource.RLIMIT_AS: (memory + 1024 * _MEGABYTE,) * 2,
            resource.RLIMIT_CORE: (0, 0),
            resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 1),
            resource.RLIMIT_NPROC: (limits.processes,) * 2,
            resource.RLIMIT_FSIZE: (limits.work_mb * _MEGABYTE,) * 2,
            resource.RLIMIT_NOFILE: (limits.open_files,) * 2,
            resource.RLIMIT_STACK: (8 * _MEGABYTE,) * 2,
            resource.RLIMIT_MEMLOCK: (65536, 65536),
        }
        told = [f"{number}={soft}:{hard}" for number, (soft, hard) in bounds.items()]
        wall, output = str(int(limits.wall_seconds * 1000)), str(limits.output_kb * 1024)
        return ["/warden", wall, output, *told, "--", *self._argv]

    def _send(self, text: bytes) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(len(text).to_bytes(4, "little") + text)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._fault() from None

    def _receive(self, count: int, deadline: float) -> bytes:
        assert self._process.stdout
        fd = self._process.stdout.fileno()
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
        """Why the room has ended: bubblewrap or the warden said it on standard error."""
        self._process.kill()
        _, stderr = self._process.communicate()
        return setup_fault(stderr.decode(errors="replace"))


def run_once(
    limits: Limits, argv: Sequence[str] = ("/program",), *, program: bytes | None = None, stdin: str = ""
) -> Outcome:
    """One run in a room of its own."""
    with TestRoom(limits, argv, program) as room:
        return room.run(stdin)

"""What a room holds, whatever backend makes it, and what each backend needs to make one.

A room's names are the same everywhere: /in (its files), /rust (the toolchain), /work (scratch space), and what else a
caller mounts. A backend that cannot give a folder another name says where it lies instead, and the command's words
are rewritten.
"""

import atexit
import dataclasses
import functools
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, Self

from rust_expert.common.config.judge import SandboxName
from rust_expert.common.errors import UserError
from rust_expert.common.toolchain import require_tool

MEGABYTE = 1024 * 1024
FILES, SCRATCH, TOOLCHAIN = "/in", "/work", "/rust"

_CAPABILITIES_NEEDED = (6, 7, 21)
"""CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN: what root needs to make a room and to leave its identity."""

_IDENTITIES = range(0x70000000, 0x71000000)
"""User numbers that nobody has, for rooms made by root."""


@dataclasses.dataclass(frozen=True)
class Room:
    """What a program finds in its room. All of it is read-only but /work, which is there where it has a size.

    `files` and `programs` are named from the root; a program can be started and not read, for keys are in it;
    `mounts` are folders of the host by their name inside; `filter` is
    the seccomp filter of all in the room. The command starts in /in.
    """

    filter: bytes
    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    programs: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    mounts: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    work_mb: int = 0
    proc: bool = False

    def environment(self, scratch: str) -> dict[str, str]:
        """All the variables that the command gets, where `scratch` is the place of /work."""
        # Without the last one each thread reserves its own arena, and a few threads meet the address space limit.
        told = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "RUST_BACKTRACE": "0", "MALLOC_ARENA_MAX": "2"}
        return {**told, "TMPDIR": scratch} if self.work_mb else told


@dataclasses.dataclass(frozen=True)
class Entry:
    """How to enter a room that is ready: the words before the command, and what the process is started with.

    `named` turns the command's words, which use the room's names, into the ones of this backend. `mark` is what comes
    on standard error before anything of the command's. `folder` is what the backend has put on the host; where there
    is one, a guard ends the room if the judge is killed.
    """

    words: Sequence[str]
    fds: Sequence[int] = ()
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cwd: str = "/"
    named: Callable[[str], str] = str
    mark: bytes = b""
    folder: Path | None = None


@dataclasses.dataclass(frozen=True)
class End:
    """How a command ended: its exit code, None where the room broke; its standard error without the backend's words."""

    code: int | None
    stderr: bytes


class Backend(Protocol):
    """Makes rooms by one program of the system. `not_promised` names what it cannot hold (probe.py)."""

    name: SandboxName
    not_promised: frozenset[str]

    def require(self) -> None:
        """Raise UserError, with the command that installs it, where the program is missing or too old."""

    def enter(self, room: Room, fds: "Descriptors", status: int | None) -> AbstractContextManager[Entry]:
        """Make what a room needs; at the context's end nothing of it is left on the host.

        `status` is a descriptor for what the backend itself tells of the command's end.
        """

    def end(self, entry: Entry, returncode: int, told: bytes, stderr: bytes) -> End:
        """Read how a command ended: the process's own code, what was written to `status`, standard error."""

    def fault(self, stderr: str) -> Exception:
        """What to raise when the room broke: a UserError with the fix for a known reason, else a JudgeFault."""


@functools.cache
def sysroot() -> Path:
    """The toolchain folder behind rustup's shim.

    Raises UserError where rustc is missing.
    """
    rustc = require_tool("rustc", "install Rust with rustup (rustup default stable)")
    told = subprocess.run([rustc, "--print", "sysroot"], capture_output=True, text=True)
    if told.returncode != 0:
        raise UserError(f"rustc does not start ({told.stderr.strip()[:200]}): run `rustup default stable`")
    return Path(told.stdout.strip())


@functools.cache
def rules_the_machine() -> bool:
    """Whether this is a root that may mount and take any identity; in a container root often may not."""
    if os.geteuid() != 0:
        return False
    status = Path("/proc/self/status").read_text(encoding="ascii")
    held = int(re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)[1], 16)  # type: ignore[index]
    known = [list(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    every = any(first <= _IDENTITIES[0] and _IDENTITIES[-1] < first + count for first, _, count in known)
    return every and all(held >> number & 1 for number in _CAPABILITIES_NEEDED)


def own_identity() -> list[str]:
    """The words before a command that take root's identity from it; none for an ordinary user.

    Limits on processes do not bind root; an identity of its own keeps rooms apart from each other too.
    """
    if not rules_the_machine():
        return []
    identity = str(secrets.choice(_IDENTITIES))
    words = ["/usr/bin/setpriv", f"--reuid={identity}", f"--regid={identity}", "--clear-groups"]
    return [*words, "--inh-caps=-all", "--no-new-privs", "--"]


def named_by(places: Mapping[str, str]) -> Callable[[str], str]:
    """What rewrites a word that mentions a name of the room, at its start or after `=`, `:` or `,`."""
    names = "|".join(re.escape(name) for name in sorted(places, key=len, reverse=True))
    pattern = re.compile(rf"(?<![^=:,])({names})(?=/|$)")
    return lambda word: pattern.sub(lambda found: places[found[1]], word)


@contextmanager
def folder_of(room: Room) -> Iterator[Path]:
    """A folder of the host with the room's files below it, for a backend that takes none by descriptor.

    The host never reads it back. It lies below /tmp whatever TMPDIR says, for that is what firejail can empty.
    """
    usual = Path(tempfile.gettempdir())
    folder = Path(
        tempfile.mkdtemp(prefix="rust-expert-", dir=usual if usual.is_relative_to("/tmp") else "/tmp")
    )
    try:
        folder.chmod(0o755)
        for name in {FILES, *(str(Path(file).parent) for file in (*room.files, *room.programs))}:
            below = folder / name.lstrip("/")
            below.mkdir(parents=True, exist_ok=True)
            below.chmod(0o755)
        for mode, files in ((0o444, room.files), (0o111, room.programs)):
            for name, data in files.items():
                path = folder / name.lstrip("/")
                path.write_bytes(data)
                path.chmod(mode)  # whatever the umask: inside, another user reads it
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def guarded(group: int, folder: Path) -> Iterator[None]:
    """Should this process be killed meanwhile, end that process group and remove that folder.

    A shell waits for the end of a pipe that nobody else holds; a line in it says that all is well.
    """
    script = 'read -r line || { kill -s KILL -- "-$0"; rm -rf -- "$1"; }'
    guard = subprocess.Popen(
        ["/bin/sh", "-c", script, str(group), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate(b"done\n")


@functools.cache
def _mark_of(process: int) -> str:
    """See mark_of_rooms; a process that was forked gets a guard of its own."""
    mark = f"rooms-{secrets.token_hex(16)}"
    # The mark is told by the pipe, for in a command line of theirs the guard and its grep would find themselves.
    script = """read -r mark; read -r line && exit; tries=40
while [ $tries -gt 0 ]; do
    for found in $(echo "$mark" | grep -alFf - /proc/[0-9]*/cmdline 2>&-); do
        found=${found#/proc/}; kill -s KILL "${found%/cmdline}" 2>&-
    done
    sleep 0.05; tries=$((tries - 1))
done"""
    guard = subprocess.Popen(
        ["/bin/sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        start_new_session=True,
    )
    assert guard.stdin
    guard.stdin.write(f"{mark}\n".encode())
    guard.stdin.flush()

    def all_is_well() -> None:
        if os.getpid() == process:
            guard.communicate(b"done\n")

    atexit.register(all_is_well)
    return mark


def mark_of_rooms() -> str:
    """A word that this process puts in the command line of whatever makes its rooms.

    Should this process be killed, a guard ends each process with that word. bwrap dies with its parent by itself, but
    not yet in its first moments: it asks the kernel for that after it has started, and once more within the room.
    """
    return _mark_of(os.getpid())


class Descriptors:
    """Descriptors that are closed when the run is over, whatever happens."""

    def __enter__(self) -> Self:
        self._open: set[int] = set()
        return self

    def __exit__(self, *_: object) -> None:
        self.close(*self._open)

    def pipe(self) -> tuple[int, int]:
        """A pipe: read end, write end."""
        ends = os.pipe2(os.O_CLOEXEC)
        self._open.update(ends)
        return ends

    def holding(self, data: bytes) -> int:
        """A descriptor of memory that reads `data` from its start."""
        fd = os.memfd_create("judge", os.MFD_CLOEXEC)
        self._open.add(fd)
        with open(fd, "wb", closefd=False, buffering=0) as stream:
            stream.write(data)
        os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def close(self, *fds: int) -> None:
        """Close some of them now."""
        for fd in fds:
            if fd in self._open:
                os.close(fd)
        self._open.difference_update(fds)

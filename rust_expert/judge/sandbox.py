"""Runs a program that nobody trusts: own namespaces, a read-only system, hard limits, bounded output.

Two kinds of room. `Sandbox` is for rustc and clippy: the Rust sysroot at /rust, /proc, and a private /work of limited
size. rust_expert.judge.testroom is for what the sample became: nothing is writable, no /proc, no new processes.
docs/judge.md lists each promise and its test.
"""

import dataclasses
import functools
import json
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from rust_expert.common.errors import JudgeFault, UserError
from rust_expert.common.toolchain import require_tool
from rust_expert.judge import seccomp

INSTALL = "`apt-get install bubblewrap` (Debian, Ubuntu) or `dnf install bubblewrap` (Fedora)"
OLDEST_BWRAP = (0, 8)
_MEGABYTE = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one run may use. Memory counts private memory of each process; see docs/judge.md."""

    cpu_seconds: int = 10
    wall_seconds: float = 40.0
    memory_mb: int = 2048
    processes: int = 64
    work_mb: int = 64
    open_files: int = 256
    output_kb: int = 4096


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


@functools.cache
def bwrap() -> str:
    """The bubblewrap program.

    Raises UserError with the command that installs it, where it is missing or too old.
    """
    program = require_tool("bwrap", f"the judge runs nothing without its sandbox; install it with {INSTALL}")
    words = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.split()
    try:
        version = tuple(int(part) for part in words[-1].split(".")[:2])
    except (IndexError, ValueError):
        version = (0, 0)
    if version < OLDEST_BWRAP:
        raise UserError(f"bubblewrap {'.'.join(map(str, OLDEST_BWRAP))} or newer is needed: {INSTALL}")
    return program


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
def _system_mounts() -> tuple[str, ...]:
    """The read-only system: /usr, the links to it (or the folders, on systems not merged), the linker's tables."""
    mounts = ["--ro-bind", "/usr", "/usr"]
    for name in ("lib", "lib64", "lib32", "bin", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            mounts += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            mounts += ["--ro-bind", str(path), str(path)]
    mounts += ["--perms", "0755", "--dir", "/etc"]  # made by itself, it would be closed to all but root
    for file in ("/etc/alternatives", "/etc/ld.so.cache"):
        mounts += ["--ro-bind-try", file, file]
    return tuple(mounts)


def bare_room() -> list[str]:
    """Bubblewrap's options for every room: namespaces, a read-only system, an empty environment."""
    words = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    words += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "judge", *_system_mounts()]
    if os.geteuid() == 0:
        words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        words += ["--unshare-user"]
    words += ["--dev", "/dev", "--remount-ro", "/dev"]
    words += ["--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LC_ALL", "C"]
    # Without this each thread reserves its own arena, and a few threads meet the address space limit.
    words += ["--setenv", "RUST_BACKTRACE", "0", "--setenv", "MALLOC_ARENA_MAX", "2"]
    return words


def own_identity() -> list[str]:
    """The words before a command that take root's identity from it; none for an ordinary user.

    Limits on processes do not bind root; an identity of its own keeps rooms apart from each other too.
    """
    if os.geteuid() != 0:
        return []
    identity = str(0x70000000 + secrets.randbelow(1 << 24))
    words = ["/usr/bin/setpriv", f"--reuid={identity}", f"--regid={identity}", "--clear-groups"]
    return [*words, "--inh-caps=-all", "--no-new-privs", "--"]


class Sandbox:
    """A toolchain room with its limits; each `run` gets a fresh one."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._filter = seccomp.program(one_process=False)

    def run(
        self,
        argv: Sequence[str],
        *,
        files: Mapping[str, str] | None = None,
        keep: str | None = None,
        mounts: Mapping[str, Path] | None = None,
    ) -> Outcome:
        """Run `argv` in /in, where `files` lie read-only; `mounts` are folders of the host to show, read-only as well,
        by the place where they are to be seen.

        `keep` names a file under /work whose bytes come back in the outcome (None where it was not written); the
        command's standard output then joins its standard error. Nothing else leaves the room.
        Raises UserError where the sandbox cannot be set up on this machine, JudgeFault where it broke in the middle.
        """
        with _folder(files or {}) as folder, Descriptors() as open_fds:
            filter_fd = open_fds.holding(self._filter)
            status_read, status_write = open_fds.pipe()
            command = [bwrap(), *self._room(folder, mounts or {})]
            command += ["--seccomp", str(filter_fd), "--json-status-fd", str(status_write)]
            process = subprocess.Popen(
                [*command, "--", *self._wrap(argv, keep)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[filter_fd, status_write],
                env={},
                cwd="/",
            )
            open_fds.close(filter_fd, status_write)
            return self._follow(process, status_read, keep is not None)

    def _room(self, folder: Path, mounts: Mapping[str, Path]) -> list[str]:
        size = str(self.limits.work_mb * _MEGABYTE)
        words = [*bare_room(), "--ro-bind", str(folder), "/in", "--chdir", "/in"]
        words += ["--proc", "/proc", "--ro-bind", str(sysroot()), "/rust"]
        words += ["--perms", "1777", "--size", size, "--tmpfs", "/work", "--setenv", "TMPDIR", "/work"]
        for place, shown in mounts.items():
            words += ["--ro-bind", str(shown), place]
        return [*words, "--remount-ro", "/"]

    def _wrap(self, argv: Sequence[str], keep: str | None) -> list[str]:
        """The command with its limits, without root's identity, and with the copying out of `keep`."""
        limits = self.limits
        memory = limits.memory_mb * _MEGABYTE
        words = ["/usr/bin/prlimit", f"--data={memory}", f"--as={memory + 1024 * _MEGABYTE}", "--core=0"]
        words += [f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + 1}", f"--nproc={limits.processes}"]
        words += [f"--fsize={limits.work_mb * _MEGABYTE}", f"--nofile={limits.open_files}"]
        words += [f"--stack={8 * _MEGABYTE}", "--memlock=65536", "--"]
        words += own_identity()
        if keep is not None:
            copy = '"$@" >&2; code=$?; if [ -f "$0" ]; then cat "$0"; fi; exit $code'
            words += ["/bin/sh", "-c", copy, f"/work/{keep}"]
        return [*words, *argv]

    def _follow(self, process: subprocess.Popen[bytes], status: int, keeps: bool) -> Outcome:
        """Drain the process within the limits, then read how it ended."""
        assert process.stdout and process.stderr
        output = self.limits.output_kb * 1024
        streams = [
            _Stream(process.stdout.fileno(), self.limits.work_mb * _MEGABYTE if keeps else output),
            _Stream(process.stderr.fileno(), output),
            _Stream(status, 65536),
        ]
        try:
            killed_by = _drain(streams, self.limits.wall_seconds)
        finally:
            # Killing bubblewrap ends the first process of its namespace, and the kernel then ends all the others.
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()
        stdout, stderr, told = (bytes(stream.data) for stream in streams)
        code = _exit_code(told)
        if code is None:
            if not killed_by:
                raise setup_fault(stderr.decode(errors="replace"))
            code = 128 + signal.SIGKILL
        elif not killed_by:
            killed_by = LIMIT_SIGNALS.get(int(code) - 128, "")
        return Outcome(
            returncode=code,
            stdout="" if keeps else stdout.decode(errors="replace"),
            stderr=stderr.decode(errors="replace"),
            killed_by=killed_by,
            kept=stdout if keeps and stdout else None,
        )


LIMIT_SIGNALS: dict[int, str] = {signal.SIGXCPU: "cpu", signal.SIGXFSZ: "file size"}


@dataclasses.dataclass
class _Stream:
    """One descriptor to read until its end, and at most `cap` bytes of it."""

    fd: int
    cap: int
    data: bytearray = dataclasses.field(default_factory=bytearray)


def _drain(streams: list[_Stream], wall_seconds: float) -> str:
    """Read the streams until all have ended; the limit that stopped it, or ""."""
    deadline = time.monotonic() + wall_seconds
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
                stream.data += piece
                if len(stream.data) > stream.cap:
                    return "output"
            if time.monotonic() >= deadline:
                return "wall"
    return ""


def _exit_code(told: bytes) -> int | None:
    """The exit code in bubblewrap's status lines; None where the command never ended by itself."""
    for line in told.decode(errors="replace").splitlines():
        try:
            part = json.loads(line)
        except json.JSONDecodeError:
            continue
        if "exit-code" in part:
            return int(part["exit-code"])
    return None


def setup_fault(stderr: str) -> Exception:
    """What to raise when bubblewrap itself failed: a fix for the known reasons, a fault of the judge otherwise."""
    first = next((line for line in stderr.splitlines() if line.startswith("bwrap:")), stderr[:200])
    if (
        "uid map" in first
        or "user namespace" in first
        or "new namespace" in first
        or "Operation not permitted" in first
    ):
        return UserError(
            f"the sandbox may not make namespaces here ({first}): on Ubuntu 24.04 run `sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0` as root, in a container add --cap-add SYS_ADMIN "
            "--security-opt seccomp=unconfined"
        )
    return JudgeFault(f"the sandbox ended without an exit code: {first}")


@contextmanager
def _folder(files: Mapping[str, str]) -> Iterator[Path]:
    """A folder of the host that the room sees read-only; the host never reads it back."""
    folder = Path(tempfile.mkdtemp(prefix="rust-expert-"))
    try:
        folder.chmod(0o755)
        for name, text in files.items():
            path = folder / name
            path.write_text(text, encoding="utf-8", newline="")
            path.chmod(0o644)  # whatever the umask: inside, another user reads it
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
        with open(fd, "wb", closefd=False) as stream:
            stream.write(data)
        os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def close(self, *fds: int) -> None:
        """Close some of them now."""
        for fd in fds:
            if fd in self._open:
                os.close(fd)
        self._open.difference_update(fds)

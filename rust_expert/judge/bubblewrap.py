"""Rooms by bubblewrap, the default: only what a room names is mounted, its files come by descriptor."""

import functools
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rust_expert.common.config.judge import SandboxName
from rust_expert.common.errors import JudgeFault, UserError
from rust_expert.common.toolchain import require_tool
from rust_expert.judge.rooms import (
    FILES,
    MEGABYTE,
    SCRATCH,
    Descriptors,
    End,
    Entry,
    Room,
    mark_of_rooms,
    rules_the_machine,
)

INSTALL = "`apt-get install bubblewrap` (Debian, Ubuntu) or `dnf install bubblewrap` (Fedora)"
OLDEST = (0, 8)
MARK = "RUST_EXPERT_ROOMS"
"""Set and unset again: for the guard in the command line, not for the room."""
NO_NAMESPACES = (
    "on Ubuntu 24.04 run `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` as root, elsewhere `sysctl -w "
    "user.max_user_namespaces=15000`; start a container with "
    "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined"
)
"""What to do where the kernel or a container's guard refuses namespaces or mounts."""


class Bubblewrap:
    """bwrap, in its own user namespace for whoever is not a root that may mount."""

    name: SandboxName = "bubblewrap"
    not_promised: frozenset[str] = frozenset()

    def require(self) -> None:
        """Raise UserError where bwrap is missing or too old."""
        program()

    @contextmanager
    def enter(self, room: Room, fds: Descriptors, status: int | None) -> Iterator[Entry]:
        """The command line; nothing of the room is on the host."""
        words = [program(), *_namespaces(), "--setenv", MARK, mark_of_rooms(), "--unsetenv", MARK]
        words += [*system_mounts(), "--dev", "/dev", "--remount-ro", "/dev"]
        words += ["--perms", "0755", "--dir", FILES, "--chdir", FILES]
        passed = [fds.holding(room.filter)]
        words += ["--seccomp", str(passed[0])]
        if status is not None:
            passed.append(status)
            words += ["--json-status-fd", str(status)]
        for mode, files in (("0444", room.files), ("0111", room.programs)):
            for name, data in files.items():
                passed.append(fds.holding(data))
                words += ["--perms", mode, "--file", str(passed[-1]), name]
        for parent in sorted({name.rpartition("/")[0] for name in room.mounts} - {""}):
            words += [
                "--perms",
                "0755",
                "--dir",
                parent,
            ]  # made by itself, it would be closed to all but root
        for name, folder in room.mounts.items():
            words += ["--ro-bind", str(folder), name]
        if room.proc:
            words += ["--proc", "/proc"]
        if room.work_mb:
            words += ["--perms", "1777", "--size", str(room.work_mb * MEGABYTE), "--tmpfs", SCRATCH]
        for name, value in room.environment(SCRATCH).items():
            words += ["--setenv", name, value]
        yield Entry([*words, "--remount-ro", "/", "--"], passed)

    def end(self, entry: Entry, returncode: int, told: bytes, stderr: bytes) -> End:
        """The exit code in bubblewrap's status lines."""
        for line in told.decode(errors="replace").splitlines():
            try:
                part = json.loads(line)
            except json.JSONDecodeError:
                continue
            if "exit-code" in part:
                return End(int(part["exit-code"]), stderr)
        return End(None, stderr)

    def fault(self, stderr: str) -> Exception:
        """A fix for the known reasons, a fault of the judge otherwise."""
        first = next((line for line in stderr.splitlines() if line.startswith("bwrap:")), stderr[:200])
        known = ("uid map", "user namespace", "new namespace", "Operation not permitted", "Permission denied")
        if any(each in first for each in known):
            other = "judge as an ordinary user, or " if os.geteuid() == 0 else ""
            return UserError(f"the sandbox may not make namespaces here ({first}): {other}{NO_NAMESPACES}")
        return JudgeFault(f"the sandbox ended without an exit code: {first}")


@functools.cache
def program() -> str:
    """The bubblewrap program.

    Raises UserError with the command that installs it, where it is missing or too old.
    """
    found = require_tool("bwrap", f"the judge runs nothing without its sandbox; install it with {INSTALL}")
    words = subprocess.run([found, "--version"], capture_output=True, text=True).stdout.split()
    try:
        version = tuple(int(part) for part in words[-1].split(".")[:2])
    except (IndexError, ValueError):
        version = (0, 0)
    if version < OLDEST:
        raise UserError(f"bubblewrap {'.'.join(map(str, OLDEST))} or newer is needed: {INSTALL}")
    return found


def _namespaces() -> list[str]:
    words = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    words += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "judge"]
    if rules_the_machine():
        return [*words, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return [*words, "--unshare-user", "--uid", "65534", "--gid", "65534"]


@functools.cache
def system_mounts() -> tuple[str, ...]:
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

"""Rooms by firejail, which hides what it is told to hide where bubblewrap shows what it is told to show.

It is setuid root and needs no user namespaces. What it cannot hold: the room's files lie in a folder of /tmp while it
stands, /work is a tmpfs without a bound of its own, /proc (its own processes' alone) stays in the room of a test, and
calls newer than itself are open to rustc (a test run has our filter besides).
"""

import functools
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rust_expert.common.config.judge import SandboxName
from rust_expert.common.errors import JudgeFault, UserError
from rust_expert.common.toolchain import require_tool
from rust_expert.judge import seccomp
from rust_expert.judge.rooms import (
    FILES,
    SCRATCH,
    Descriptors,
    End,
    Entry,
    Room,
    folder_of,
    named_by,
    rules_the_machine,
)

INSTALL = "`apt-get install firejail` (Debian, Ubuntu) or `dnf install firejail` (Fedora)"
OLDEST = (0, 9, 72)
NEWEST_CALL = 441
"""The newest system call that it can refuse; a filter with a higher number is taken and leaves that call out."""
_SHOWN = frozenset(
    {"usr", "lib", "lib32", "lib64", "libx32", "bin", "sbin", "etc", "dev", "proc", "tmp", "run"}
)
"""What stays of the root folder: the system, and what other flags below replace."""
_ENTER = 'echo "$0" >&2; exec "$@"'


class Firejail:
    """firejail without a profile: every flag is stated here."""

    name: SandboxName = "firejail"
    not_promised: frozenset[str] = frozenset({"work folder", "no /proc", "newer calls"})

    def require(self) -> None:
        """Raise UserError where firejail is missing or too old."""
        program()

    @contextmanager
    def enter(self, room: Room, fds: Descriptors, status: int | None) -> Iterator[Entry]:
        """A folder with the room's files, which firejail leaves alone in its own /tmp; /work is that /tmp."""
        with folder_of(room) as folder:
            words = [program(), *_walls(room), f"--whitelist={folder}", f"--read-only={folder}"]
            places = {name: str(folder / name.lstrip("/")) for name in (FILES, *room.programs)}
            places[SCRATCH] = "/tmp"
            for name, source in room.mounts.items():
                more, places[name] = _mounted(name, source.resolve(), folder)
                words += more
            words += ["--caps.keep=setuid,setgid"] if rules_the_machine() else ["--caps.drop=all", "--noroot"]
            words += _hidden(set() if rules_the_machine() else set(room.mounts.values()))
            mark = secrets.token_hex(16)
            variables = [f"{name}={value}" for name, value in room.environment("/tmp").items()]
            yield Entry(
                [*words, "--", "/usr/bin/env", "-i", *variables, "/bin/sh", "-c", _ENTER, mark],
                environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                cwd=places[FILES],
                named=named_by(places),
                mark=f"{mark}\n".encode(),
                folder=folder,
            )

    def end(self, entry: Entry, returncode: int, told: bytes, stderr: bytes) -> End:
        """firejail passes the command's code on; without the mark it never came to the command."""
        before, mark, after = stderr.partition(entry.mark)
        if not mark:
            return End(None, before)
        return End(128 - returncode if returncode < 0 else returncode, after)

    def fault(self, stderr: str) -> Exception:
        """Firejail's own words; where it may not make namespaces, what to do."""
        first = next((line for line in stderr.splitlines() if "rror" in line), stderr[:200])
        if any(each in first for each in ("clone", "unshare", "Operation not permitted", "existing sandbox")):
            return UserError(f"firejail cannot make a sandbox here ({first}): use --sandbox bubblewrap")
        return JudgeFault(f"firejail ended before the command began: {first}")


@functools.cache
def program() -> str:
    """The firejail program.

    Raises UserError with the command that installs it, where it is missing or too old.
    """
    found = require_tool(
        "firejail", f"the judge was told to use it as its sandbox; install it with {INSTALL}"
    )
    told = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    version = re.search(r"version (\d+)\.(\d+)\.(\d+)", told)
    if version is None or tuple(map(int, version.groups())) < OLDEST:
        raise UserError(f"firejail {'.'.join(map(str, OLDEST))} or newer is needed: {INSTALL}")
    return found


def _walls(room: Room) -> list[str]:
    words = ["--noprofile", "--quiet", "--deterministic-exit-code", "--deterministic-shutdown"]
    words += ["--net=none", "--ipc-namespace", "--hostname=judge", "--nonewprivs", "--restrict-namespaces"]
    words += [
        "--private-dev",
        "--private-etc=alternatives,ld.so.cache",
        "--read-only=/dev",
        "--read-only=/dev/shm",
    ]
    words += [f"--seccomp.drop={_denied()}", "--seccomp-error-action=EPERM", "--seccomp.block-secondary"]
    return words if room.work_mb else [*words, "--read-only=/tmp"]


def _mounted(name: str, source: Path, folder: Path) -> tuple[list[str], str]:
    """The words that leave a folder of the host in the room, read-only, and where it then lies."""
    hidden = source.parts[1] == "tmp" or not (rules_the_machine() or source.parts[1] in _SHOWN)
    words = [f"--whitelist={source}"] if hidden else []
    closed = [f"--read-only={source}"] if hidden else []
    if not rules_the_machine():
        return [*words, *closed], str(source)
    # Elsewhere, for another user cannot enter root's home.
    place = folder / name.lstrip("/")
    place.mkdir(parents=True)
    return [*words, f"--bind={source},{place}", f"--read-only={place}", *closed], str(place)


@functools.cache
def _denied() -> str:
    """The calls of the room's filter by number, as firejail reads them: it knows fewer names than we do."""
    numbers = [f"${number}" for number in sorted(seccomp.denied().values()) if number <= NEWEST_CALL]
    return ",".join([*numbers, f"${seccomp.CLONE3}:ENOSYS"])


def _hidden(shown: set[Path]) -> list[str]:
    """What is there now outside the system: all of the root folder, and of /run all but firejail's own."""
    needed = _SHOWN | {path.resolve().parts[1] for path in shown}
    hidden = [Path("/", name) for name in os.listdir("/") if name not in needed]
    hidden += [Path("/run", name) for name in os.listdir("/run") if name != "firejail"]
    return [f"--blacklist={path}" for path in sorted(hidden)]

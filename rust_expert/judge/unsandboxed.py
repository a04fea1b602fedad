"""No sandbox at all, for a machine that is one itself: only with the explicit word of whoever runs it.

What the judge sets by itself stays: the limits of each process, the filter of each test run, an empty environment.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rust_expert.common.config.judge import SandboxName
from rust_expert.common.errors import JudgeFault
from rust_expert.judge.rooms import FILES, SCRATCH, Descriptors, End, Entry, Room, folder_of, named_by


class Unsandboxed:
    """Commands as the user who judges, in a folder of /tmp."""

    name: SandboxName = "none"
    not_promised: frozenset[str] = frozenset(
        {
            *("hidden host", "read-only", "network", "work folder", "processes", "identity"),
            *("room calls", "newer calls", "no /proc"),
        }
    )

    def require(self) -> None:
        """Nothing is needed."""

    @contextmanager
    def enter(self, room: Room, fds: Descriptors, status: int | None) -> Iterator[Entry]:
        """A folder with the room's files and a /work of no bound."""
        with folder_of(room) as folder:
            scratch = folder / SCRATCH.lstrip("/")
            scratch.mkdir()
            places = {name: str(folder / name.lstrip("/")) for name in (FILES, SCRATCH, *room.programs)}
            places |= {name: str(path) for name, path in room.mounts.items()}
            yield Entry(
                ["/usr/bin/setpriv", "--no-new-privs", "--"],
                environment=room.environment(str(scratch)),
                cwd=places[FILES],
                named=named_by(places),
                folder=folder,
            )

    def end(self, entry: Entry, returncode: int, told: bytes, stderr: bytes) -> End:
        """What the process itself ended with."""
        return End(128 - returncode if returncode < 0 else returncode, stderr)

    def fault(self, stderr: str) -> Exception:
        """The judge's own fault: there is nothing here that could be missing."""
        return JudgeFault(f"the command did not start: {stderr[:200]}")

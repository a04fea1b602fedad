"""What of a judge is still there: its processes, by their descent."""

from pathlib import Path


def read(path: Path) -> bytes:
    """A file of /proc; empty where the process ended meanwhile."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def below(process: int) -> set[int]:
    """All descendants of a process that have not ended."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        words = read(status).rpartition(b") ")[2].split()
        if words and words[0] != b"Z":
            children.setdefault(int(words[1]), []).append(int(status.parent.name))
    found: set[int] = set()
    pending = [process]
    while pending:
        fresh = set(children.get(pending.pop(), ())) - found
        found |= fresh
        pending += fresh
    return found

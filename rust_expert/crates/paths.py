"""Limits on what a crate's folder may hold, whether it comes as an archive or as a folder of the user's own."""

from collections.abc import Sequence

LARGEST = 256 * 2**20
"""Bytes that one crate may take."""
MOST_FILES = 20_000
DEEPEST = 40
"""Folders within folders; walks over them recurse."""
LONGEST = 1_000
"""Characters of a path."""


def fault_in_path(parts: Sequence[str]) -> str:
    """What is wrong with a path inside a crate, "" where it is good."""
    if len(parts) > DEEPEST or sum(map(len, parts)) > LONGEST:
        return f"a path of more than {DEEPEST} folders or {LONGEST} characters"
    if not all(part.isprintable() for part in parts):
        return f"a name that is no plain text: {'/'.join(parts)!r}"
    return ""

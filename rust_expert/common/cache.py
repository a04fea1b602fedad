"""The cache of crate sources: one folder per crate, named by its content, there whole or not at all.

RUST_EXPERT_CACHE or ~/.cache/rust-expert
  sources/NAME-VERSION-SHA256/          the sources
  sources/NAME-VERSION-SHA256.digest    hash over them, so that a damaged copy is noticed and fetched again
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from rust_expert.common.errors import UserError
from rust_expert.common.files import write_text


def cache_folder() -> Path:
    """Where crate sources are kept on this machine: RUST_EXPERT_CACHE, else ~/.cache/rust-expert."""
    named = os.environ.get("RUST_EXPERT_CACHE")
    return Path(named).expanduser().absolute() if named else Path.home() / ".cache" / "rust-expert"


def entry(name: str, version: str, sha256: str) -> str:
    """The place of a crate's sources, relative to the cache folder."""
    return f"sources/{name}-{version}-{sha256}"


def tree_digest(folder: Path) -> str:
    """A hex SHA-256 over the names and bytes of every file below `folder`, in the order of their names."""
    digest = hashlib.sha256()
    files = sorted(
        (path.relative_to(folder).as_posix(), path)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )
    for name, path in files:
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()


def is_whole(place: str) -> bool:
    """Whether the cache holds the sources at `place` (see `entry`) as they were put there."""
    folder = cache_folder() / place
    try:
        noted = _digest_of(folder).read_text(encoding="ascii").strip()
    except OSError:
        return False
    return folder.is_dir() and tree_digest(folder) == noted


def keep(place: str, fill: Callable[[Path], None]) -> Path:
    """Put sources into the cache: `fill` writes them into the empty folder it is given. Returns where they lie.

    Whatever stood at `place` is replaced. Raises what `fill` raises, and UserError where the cache cannot be written;
    then nothing is left of the attempt.
    """
    final = cache_folder() / place
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{final.name[:60]}.", suffix=".part", dir=final.parent))
    except OSError as error:
        raise UserError(
            f"the crate cache {cache_folder()} cannot be written ({error.strerror}); "
            "set RUST_EXPERT_CACHE to a folder that can"
        ) from None
    try:
        content = temporary / "content"
        content.mkdir()
        fill(content)
        digest = tree_digest(content)
        with open(final.parent / ".lock", "w", encoding="ascii") as guard:
            # Another run may have put the same crate there meanwhile; the lock vanishes with the process.
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not is_whole(place):
                # The note goes first and comes last: without it the folder does not count.
                _digest_of(final).unlink(missing_ok=True)
                if final.exists():
                    os.replace(final, temporary / "old")
                os.replace(content, final)
                write_text(_digest_of(final), digest + "\n")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return final


def _digest_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".digest")

"""Unpacking a .crate file (a gzipped tar) without trusting it."""

import errno
import gzip
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from rust_expert.common.errors import UserError

LARGEST = 256 * 2**20
"""Bytes that one crate may unpack to."""
MOST_FILES = 20_000


class ArchiveFault(Exception):
    """A .crate file that is broken or tries to write where it should not: recorded with the crate."""


def unpack(archive: Path, prefix: str, target: Path) -> None:
    """Write the regular files below `prefix`/ in `archive` into the empty folder `target`.

    Links, devices, absolute names, `..`, names twice, and anything outside `prefix` are refused; nothing is made
    executable. Raises ArchiveFault naming the entry.
    """
    written = 0
    seen: set[PurePosixPath] = set()
    try:
        with tarfile.open(archive, mode="r:gz") as pack:
            for member in pack:
                name = _checked(member, prefix)
                if name is None:
                    continue
                written += member.size
                if name in seen:
                    raise ArchiveFault(f"its archive holds {member.name!r} twice")
                seen.add(name)
                if written > LARGEST or len(seen) > MOST_FILES:
                    raise ArchiveFault(
                        f"its archive unpacks to more than {LARGEST >> 20} MB or {MOST_FILES} files"
                    )
                stream = pack.extractfile(member)
                assert stream is not None  # a regular file, as checked
                _write(target.joinpath(*name.parts), stream.read())
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, OSError) as error:
        raise ArchiveFault(f"its archive cannot be unpacked: {error}") from None
    if not seen:
        raise ArchiveFault("its archive is empty")


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise UserError(
                f"the crate cache cannot be written ({error.strerror}); make room there"
            ) from None
        raise  # the archive's own fault: a name too long, a file where a folder must be


def _checked(member: tarfile.TarInfo, prefix: str) -> PurePosixPath | None:
    """The name of a regular file below `prefix`; None for a folder."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name or "\0" in member.name:
        raise ArchiveFault(f"its archive would write outside its folder: {member.name!r}")
    if not name.parts or name.parts[0] != prefix:
        raise ArchiveFault(f"its archive holds {member.name!r}, which is not below {prefix}/")
    if member.isdir():
        return None
    if not member.isreg():
        raise ArchiveFault(f"its archive holds {member.name!r}, which is a link or a device")
    if len(name.parts) == 1:
        raise ArchiveFault(f"its archive holds a file named {prefix}")
    return PurePosixPath(*name.parts[1:])

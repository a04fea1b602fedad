"""Unpacking a .crate file (a gzipped tar) without trusting it."""

import errno
import gzip
import io
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from rust_expert.common.errors import UserError
from rust_expert.crates.paths import LARGEST, MOST_FILES, fault_in_path

_BLOCK = 2**20


class ArchiveFault(Exception):
    """A .crate file that is broken or tries to write where it should not: recorded with the crate."""


class _Counted(io.BufferedIOBase):
    """A stream that ends in a fault where it gives more than a crate may take, headers and padding included."""

    def __init__(self, stream: gzip.GzipFile, most: int) -> None:
        self.stream, self.left = stream, most

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes."""
        found = self.stream.read(size)
        self.left -= len(found)
        if self.left < 0:
            raise _too_much()
        return found


def unpack(archive: Path, prefix: str, target: Path) -> None:
    """Write the regular files below `prefix`/ in `archive` into the empty folder `target`.

    Links, devices, absolute names, `..`, names twice, and anything outside `prefix` are refused; nothing is made
    executable. Raises ArchiveFault naming the entry.
    """
    seen: set[PurePosixPath] = set()
    entries = 0
    try:
        # As a stream, an archive cannot send the reader back, and its headers count as its files do.
        with gzip.open(archive) as stream, tarfile.open(
            fileobj=_Counted(stream, LARGEST + MOST_FILES * 2 * tarfile.BLOCKSIZE), mode="r|"
        ) as pack:  # fmt: skip
            for member in pack:
                entries += 1
                if entries > MOST_FILES or member.size > LARGEST:
                    raise _too_much()
                if member.size < 0:
                    raise ArchiveFault(f"its archive holds {member.name!r}, whose size is below zero")
                name = _checked(member, prefix)
                if name is None:
                    continue
                if name in seen:
                    raise ArchiveFault(f"its archive holds {member.name!r} twice")
                seen.add(name)
                content = pack.extractfile(member)
                assert content is not None  # a regular file, as checked
                _write(target.joinpath(*name.parts), content)
    except (
        tarfile.TarError,
        EOFError,
        zlib.error,
        OSError,
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:
        # ValueError: numbers in a header that are none. RecursionError: a chain of headers about headers.
        told = str(error) or type(error).__name__
        raise ArchiveFault(f"its archive cannot be unpacked: {told}") from None
    if not seen:
        raise ArchiveFault("its archive is empty")


def _too_much() -> ArchiveFault:
    return ArchiveFault(f"its archive unpacks to more than {LARGEST >> 20} MB or {MOST_FILES} files")


def _write(path: Path, content: IO[bytes]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            while block := content.read(_BLOCK):
                file.write(block)
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
    fault = fault_in_path(name.parts)
    if fault:
        raise ArchiveFault(f"its archive holds {fault}")
    if not name.parts or name.parts[0] != prefix:
        raise ArchiveFault(f"its archive holds {member.name!r}, which is not below {prefix}/")
    if member.isdir():
        return None
    if not member.isreg():
        raise ArchiveFault(f"its archive holds {member.name!r}, which is a link or a device")
    if member.issparse():
        raise ArchiveFault(f"its archive holds {member.name!r}, which has holes")
    if len(name.parts) == 1:
        raise ArchiveFault(f"its archive holds a file named {prefix}")
    return PurePosixPath(*name.parts[1:])

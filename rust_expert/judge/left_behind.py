"""What the build of a crate left in its room, read by somebody who trusts none of it.

Whoever runs in that room can write whatever it likes into the pack that comes out: other names, other bytes, another
kind of file. So it is read as plain ustar by the few lines below, within limits, and nothing of it is a link, lies
outside its folder or is believed about anything but the crate itself.
"""

import errno
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from rust_expert.common.errors import UserError

MOST_BYTES = 2**30
MOST_FILES = 20_000
DEEPEST = 40
LONGEST_TEXT = 2**27
LONGEST_CALL = 2**20
LONGEST_WORD = 100_000
"""Bytes of all that is left; its files; folders in folders; bytes of what cargo said, of all words of a call of the
compiler, of one of them (the kernel takes 2 MB and 128 KB)."""

DEPENDENCIES, GENERATED = "/dependencies", "/generated"
"""Where later compilations find what a build left."""

_BLOCK = 512
_LIBRARY = re.compile(r"lib\w+-[0-9a-f]+\.(rmeta|so)")
_SIZE = re.compile(rb"([0-7]{1,11})[\0 ]*")
_TARGET = "/work/target/"
_OF_THE_HOST = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)

_OF_CARGO = {
    "CARGO_BUILD_JOBS", "CARGO_HOME", "CARGO_INCREMENTAL", "CARGO_MAKEFLAGS", "CARGO_TARGET_DIR", "CARGO_TERM_COLOR",
    "HOME", "LC_ALL", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX", "OLDPWD", "PATH", "PWD", "RUSTC", "RUSTC_WRAPPER",
    "RUST_BACKTRACE", "SHLVL", "TMPDIR", "_",
}  # fmt: skip
"""Variables of the room in which the crate was built."""


class LeftFault(Exception):
    """What was left cannot be used: a matter of the crate that left it."""


def unpack(pack: IO[bytes], folder: Path) -> dict[str, str]:
    """Write the libraries and generated files in `pack` below the empty `folder`; returns the texts beside them by
    name.

    Raises LeftFault for a pack that no build leaves, UserError where the folder cannot be written.
    """
    texts: dict[str, str] = {}
    try:
        for name in ("dependencies", "generated"):
            (folder / name).mkdir()
        for number, (name, size) in enumerate(_plain_files(pack)):
            place = PurePosixPath(name)
            if number >= MOST_FILES or len(place.parts) > DEEPEST:
                raise LeftFault(f"more than {MOST_FILES} files, or more than {DEEPEST} folders in folders")
            if len(place.parts) == 1 and size <= LONGEST_TEXT:
                texts[place.name] = pack.read(size).decode("utf-8", "replace")
            elif len(place.parts) == 1:
                raise LeftFault(f"{place.name[:80]!r} is larger than {LONGEST_TEXT} bytes")
            elif _is_kept(place):
                _write(pack, size, folder.joinpath(*place.parts))
        for path in (folder, *folder.rglob("*")):  # whatever the umask: in the sandbox another user reads it
            path.chmod(0o755 if path.is_dir() else 0o644)
    except OSError as error:
        # Another fault of the system is the pack's: a name too long, a file where a folder must be.
        raise fault_of_host(error) or LeftFault(error.strerror) from None
    return texts


def fault_of_host(error: OSError) -> UserError | None:
    """What to say where it is this machine that cannot take what a build left; None for any other fault."""
    if error.errno not in _OF_THE_HOST:
        return None
    return UserError(
        f"what building a crate leaves cannot be written ({error.strerror}); make room in the temporary folder, or set "
        "TMPDIR to another one"
    )


def _plain_files(pack: IO[bytes]) -> Iterator[tuple[str, int]]:
    """Name and size of each plain file in a ustar archive; its bytes are what `pack` reads next.

    Links, devices and folders are passed over. Raises LeftFault where it is no such archive.
    """
    end = pack.seek(0, os.SEEK_END)
    pack.seek(0)
    while len(head := pack.read(_BLOCK)) == _BLOCK and head.strip(b"\0"):
        size = _SIZE.fullmatch(head[124:136])
        if head[257:262] != b"ustar" or size is None:
            raise LeftFault("it is no archive of files")
        start, length = pack.tell(), int(size[1], 8)
        if start + length > end:
            raise LeftFault("it ends in the middle of a file")
        if head[156:157] in (b"0", b"\0"):
            parts = (part.partition(b"\0")[0] for part in (head[345:500], head[:100]))
            yield os.fsdecode(b"/".join(filter(None, parts))), length
        pack.seek(start + -(-length // _BLOCK) * _BLOCK)


def _is_kept(place: PurePosixPath) -> bool:
    head, *rest = place.parts
    if head == "dependencies":
        return len(rest) == 1 and _LIBRARY.fullmatch(rest[0]) is not None
    return head == "generated" and ".." not in rest


def _write(pack: IO[bytes], size: int, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "wb") as file:
        while size:
            piece = pack.read(min(size, 2**20))
            size -= len(piece)
            file.write(piece)


def call_of(arguments: str, environment: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How rustc is to be called for the crate: its arguments, without what says where to write and how to report, and
    its variables, as `NAME=value`; paths of the build's room in both are those of later rooms.

    Raises LeftFault where they are longer than the kernel takes.
    """
    variables = dict(word.split("=", 1) for word in environment.split("\0") if "=" in word)
    out = variables.get("OUT_DIR", "")
    places = {_TARGET + "debug/deps": DEPENDENCIES, **({out: GENERATED} if out.startswith(_TARGET) else {})}

    def moved(word: str) -> str:
        for before, now in places.items():
            word = word.replace(before, now)
        return word

    words = tuple(moved(word) for word in _arguments(arguments))
    kept = tuple(
        f"{name}={moved(value)}"
        for name, value in sorted(variables.items())
        if name.isidentifier() and name not in _OF_CARGO
    )
    lengths = [len(word.encode()) for word in (*words, *kept)]
    if sum(lengths) > LONGEST_CALL or max(lengths, default=0) > LONGEST_WORD:
        raise LeftFault("the compiler's arguments are longer than the kernel takes")
    return words, kept


def _arguments(told: str) -> Iterator[str]:
    words = iter(told.split("\0")[:-1])
    for word in words:
        if word in ("--out-dir", "-o"):
            next(words, None)
        elif word in ("-C", "-L", "--extern", "--cfg", "--check-cfg", "--crate-name", "--crate-type"):
            yield from (word, next(words, ""))
        elif not word.startswith(
            ("--emit", "--error-format", "--json", "--diagnostic-width", "--cap-lints", "-Cincremental")
        ):
            yield word.removeprefix("/crate/")


def files_in(told: str, root: Path) -> frozenset[str]:
    """The files of the crate at `root` that a dep-info file names: the prerequisites of its first rule."""
    head = told.replace("\\\n", " ").partition("\n")[0].partition(": ")[2]
    named = re.split(r"(?<!\\) +", head.strip())
    plain = (name.replace("\\ ", " ").removeprefix("/crate/") for name in named)
    real = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return frozenset(real & {posixpath.normpath(name) for name in plain})

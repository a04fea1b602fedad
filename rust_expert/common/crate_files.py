"""Which files of a crate are its own library code: not tests, examples, vendored or generated ones, or unreadable.

Each is read, looked at for faults and lexed once; gates and items share what was found.
"""

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from rust_expert.common.rust_lexing import Lexed, fault_in, lexed, without_texts
from rust_expert.common.rust_tests import spans_of_tests

LEFT_OUT_FOLDERS = frozenset(
    {
        "tests", "test", "benches", "bench", "examples", "example", "target", "vendor", "vendored", "third_party",
        "third-party", "fuzz", "testdata", "test_data", "test-data", "generated",
    }
)  # fmt: skip

LARGEST_FILE = 2_000_000
"""Bytes: what is larger is data written as code."""

_TEST_FILE = re.compile(r"^(tests?|benches|.*_tests?|tests?_.*|testing)\.rs$")
_GENERATED = re.compile(rb"@generated|automatically generated|auto-generated|do not edit")


@dataclass(frozen=True)
class SourceFile:
    """A file that may be parsed: its path in the crate with forward slashes, its bytes (UTF-8), and the same lexed."""

    name: str
    source: bytes
    lexed: Lexed

    @classmethod
    def of(cls, source: bytes, name: str = "") -> Self:
        """The file that `source` makes, whatever is wrong with it."""
        return cls(name, source, lexed(source))

    @cached_property
    def code(self) -> bytes:
        """The bytes with comments and texts blanked."""
        return without_texts(self.lexed.marked)

    @cached_property
    def tests(self) -> list[tuple[int, int]]:
        """Where what is compiled for tests alone stands, as the file's text tells."""
        return spans_of_tests(self.code)


@dataclass
class CrateFiles:
    """The Rust files of a crate, by path. `refused`: path and reason of those that cannot be used; `left_out`: how many
    each rule of paths leaves out.
    """

    files: list[SourceFile] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def read_crate(root: Path) -> CrateFiles:
    """Read all files of a crate that are its own.

    Raises OSError where one cannot be read.
    """
    names, left_out = source_files(root)
    found = CrateFiles(left_out=left_out)
    for name in names:
        read = read_source(root / name, name)
        if isinstance(read, SourceFile):
            found.files.append(read)
        else:
            found.refused.append((name, read))
    return found


def source_files(root: Path) -> tuple[list[str], Counter[str]]:
    """The Rust files of a crate by path, sorted, with forward slashes; and how many each rule of paths leaves out.

    Links are not followed.
    """
    names: list[str] = []
    left_out: Counter[str] = Counter()
    pending = [("", root)]
    while pending:
        inside, folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if entry.is_dir(follow_symlinks=False):
                    if name in LEFT_OUT_FOLDERS or name.startswith("."):
                        left_out[f"under {name}/"] += _count_below(Path(entry.path))
                    else:
                        pending.append((f"{inside}{name}/", Path(entry.path)))
                elif not name.endswith(".rs") or not entry.is_file(follow_symlinks=False):
                    continue
                elif name == "build.rs" and not inside:
                    left_out["build script"] += 1
                elif _TEST_FILE.match(name):
                    left_out["test file"] += 1
                else:
                    names.append(inside + name)
    return sorted(names), +left_out


def _count_below(folder: Path) -> int:
    return sum(
        name.endswith(".rs") and (Path(below) / name).is_file()
        for below, _, names in os.walk(folder)
        for name in names
    )


def read_source(path: Path, name: str) -> SourceFile | str:
    """The file at `path` under the name that it has in its crate, or the reason why it is left out.

    Raises OSError where it cannot be read.
    """
    with open(path, "rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > LARGEST_FILE:
            return f"larger than {LARGEST_FILE} bytes"
        source = stream.read()
    if _GENERATED.search(source[:600].lower()):
        return "generated"
    if not source.isascii():
        try:
            source.decode("utf-8")
        except UnicodeDecodeError as error:
            return f"not UTF-8 at byte {error.start}"
    read = lexed(source)
    return fault_in(read) or SourceFile(name, source, read)

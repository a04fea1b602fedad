"""Which files of a crate are its own library code: not tests, examples, vendored or generated ones, or unreadable."""

import os
import re
from collections import Counter
from pathlib import Path

from rust_expert.common.rust_lexing import fault_in

LEFT_OUT_FOLDERS = frozenset(
    {
        "tests", "test", "benches", "bench", "examples", "example", "target", "vendor", "vendored", "third_party",
        "third-party", "fuzz", "testdata", "test_data", "test-data", "generated",
    }
)  # fmt: skip

LARGEST_FILE = 2_000_000
"""Bytes: what is larger is data written as code."""

_TEST_FILE = re.compile(r"^(tests?|benches|.*_tests?|tests?_.*|testing)\.rs$")
_GENERATED = re.compile(rb"@generated|automatically generated|auto-generated|do not edit", re.IGNORECASE)


def source_files(root: Path) -> tuple[list[str], Counter[str]]:
    """The Rust files of a crate by path, sorted, with forward slashes; and how many each rule of paths leaves out.

    Links are not followed.
    """
    names: list[str] = []
    left_out: Counter[str] = Counter()
    for folder, below, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        for name in sorted(below):
            if name in LEFT_OUT_FOLDERS or name.startswith("."):
                below.remove(name)
                count = sum(1 for path in (Path(folder) / name).rglob("*.rs") if path.is_file())
                left_out[f"under {name}/"] += count
        for name in files:
            path = Path(folder) / name
            if not name.endswith(".rs") or path.is_symlink() or not path.is_file():
                continue
            if name == "build.rs" and inside == Path("."):
                left_out["build script"] += 1
            elif _TEST_FILE.match(name):
                left_out["test file"] += 1
            else:
                names.append((inside / name).as_posix())
    return sorted(names), +left_out


def read_source(path: Path) -> tuple[bytes, str]:
    """The bytes of a file and "", or no bytes and the reason why it is left out.

    Raises OSError where it cannot be read.
    """
    if path.stat().st_size > LARGEST_FILE:
        return b"", f"larger than {LARGEST_FILE} bytes"
    source = path.read_bytes()
    if _GENERATED.search(source[:600]):
        return b"", "generated"
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        return b"", f"not UTF-8 at byte {error.start}"
    reason = fault_in(source)
    return (b"", reason) if reason else (source, "")

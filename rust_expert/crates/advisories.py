"""Security advisories about a crate or what it needs, told by cargo-audit from a copy of the RustSec database."""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from rust_expert.common.errors import UserError
from rust_expert.common.toolchain import require_tool

TOOL = "cargo-audit"
HOW = "get tool and database with `make advisories`, or set corpus.advisories to null"
PATIENCE = 300.0
"""Seconds for one look at a lock; a thousand packages take less than one."""

Found = Mapping[tuple[str, str], tuple[str, ...]]
"""The ids of the advisories about each package, by name and version."""


def database_mark(folder: str | None) -> str:
    """What tells one state of an advisory database from another; "" where there is none.

    As a rule's parameter it makes a changed database look at all crates again, and at planning time it needs neither
    tool nor database.
    """
    if folder is None or not Path(folder).is_dir():
        return ""
    read = hashlib.sha256()
    for path in sorted(Path(folder).glob("*/**/*.md")):
        read.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return read.hexdigest()


def advisories_in(lock: Path, folder: str) -> Found:
    """The advisories about vulnerabilities of all packages of a Cargo.lock; those about unmaintained ones are none.

    Raises UserError where cargo-audit or the database is missing, or the tool fails.
    """
    program = require_tool(TOOL, HOW)
    if not Path(folder).is_dir():
        raise UserError(f"{folder}: no such folder, it should hold the advisory database; {HOW}")
    command = [program, "audit", "--db", folder, "--no-fetch", "--stale", "--json", "--file", str(lock)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, stdin=subprocess.DEVNULL
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UserError(f"{TOOL} did not end within {PATIENCE:.0f} s; {HOW}") from None
    try:
        return _read(json.loads(done.stdout)["vulnerabilities"]["list"])
    except (ValueError, KeyError, TypeError):
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise UserError(f"{TOOL} could not look at {lock} with {folder} ({said[:200]}); {HOW}") from None


def _read(listed: Iterable[Mapping[str, Mapping[str, str]]]) -> Found:
    found: dict[tuple[str, str], set[str]] = {}
    for each in listed:
        package = each["package"]
        found.setdefault((package["name"], package["version"]), set()).add(each["advisory"]["id"])
    return {key: tuple(sorted(ids)) for key, ids in found.items()}


def told_of(packages: Iterable[tuple[str, str]], found: Found) -> list[str]:
    """Each advisory about one of the packages (name, version) in words, sorted: `RUSTSEC-2024-0001 (time 0.1.44)`."""
    return sorted(
        f"{advisory} ({name} {version})"
        for name, version in packages
        for advisory in found.get((name, version), ())
    )

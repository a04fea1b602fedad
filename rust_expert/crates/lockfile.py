"""What Cargo.lock says of a crate's needs: every package that cargo resolved for it, with version and checksum."""

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rust_expert.common.errors import UserError
from rust_expert.crates.cargo import PUBLIC_REGISTRY
from rust_expert.crates.table import NAME, SHA256, VERSION, CratePin

Key = tuple[str, str]
"""Name and version of a package."""
MOST_NEEDS = 2_000
"""Packages that one crate needs; six hundred well-known crates together need 1,300."""


class LockFault(Exception):
    """A lock that does not tell what a crate needs: a matter of that crate, recorded with it."""


class Lock:
    """A Cargo.lock, read: its packages and which of them each one needs."""

    def __init__(self, packages: Iterable[dict[str, Any]]) -> None:
        self._pins: dict[Key, CratePin | None] = {}
        self._needs: dict[Key, list[str]] = {}
        self._versions: dict[str, list[str]] = {}
        for package in packages:
            key = str(package["name"]), str(package["version"])
            # A package of the registry and another one may bear one name and version.
            self._pins[key] = _pin(package) if key not in self._pins else None
            self._needs[key] = [str(need) for need in package.get("dependencies", [])]
            self._versions.setdefault(key[0], []).append(key[1])

    def closure(self, name: str, version: str) -> list[CratePin]:
        """All that a package needs, itself left out, sorted: for every platform, for its build script too.

        Raises LockFault where the lock does not hold it, holds something that is not from the public registry, or more
        than MOST_NEEDS packages.
        """
        start = name, version
        if start not in self._pins:
            raise LockFault(f"the lock does not hold {name} {version}")
        found: dict[Key, CratePin] = {}
        pending, seen = [start], {start}
        while pending:
            for need in self._needs[pending.pop()]:
                key = self._named(need)
                if key in seen:
                    continue
                seen.add(key)
                pin = self._pins[key]
                if pin is None:
                    raise LockFault(f"it needs {key[0]} {key[1]}, which is not from the public registry")
                found[key] = pin
                if len(found) > MOST_NEEDS:
                    raise LockFault(f"it needs more than {MOST_NEEDS} packages")
                pending.append(key)
        return [found[key] for key in sorted(found)]

    def direct(self, name: str, version: str) -> list[Key]:
        """What a package itself asks for; empty where the lock does not hold it, or all that it names."""
        try:
            return [self._named(need) for need in self._needs.get((name, version), [])]
        except LockFault:
            return []

    def _named(self, need: str) -> Key:
        """The package that an entry of `dependencies` means: `name`, or `name version` where there are several."""
        words = need.split() or [""]
        name, versions = words[0], self._versions.get(words[0], [])
        version = words[1] if len(words) > 1 else versions[0] if len(versions) == 1 else ""
        if (name, version) not in self._pins:
            raise LockFault(f"the lock names {need!r} and does not hold it")
        return name, version


def _pin(package: dict[str, Any]) -> CratePin | None:
    """The pin of a package from the public registry; None for any other."""
    if package.get("source") != PUBLIC_REGISTRY:
        return None
    name, version, checksum = (str(package.get(key, "")) for key in ("name", "version", "checksum"))
    if not NAME.fullmatch(name) or not VERSION.fullmatch(version) or not SHA256.fullmatch(checksum):
        return None
    return CratePin(name=name, version=version, sha256=checksum, licence="")


def lock_beside(table: str | os.PathLike[str]) -> Path:
    """Where the lock of a table of crates lies: crates.lock beside crates.tsv."""
    return Path(table).with_suffix(".lock")


def read_lock(path: str | os.PathLike[str]) -> Lock:
    """Read a Cargo.lock.

    Raises UserError where it is missing or no lock, with the command that makes it.
    """
    try:
        return parse_lock(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such file; it says what the crates of the table beside it need to be built: make it with "
            f"`python -m tools.crate_lock {Path(path).with_suffix('.tsv')}`"
        ) from None
    except (OSError, UnicodeDecodeError, LockFault) as error:
        raise UserError(f"{path}: no Cargo.lock ({error}); make it again") from None


def parse_lock(text: str) -> Lock:
    """Read a Cargo.lock's text. Raises LockFault where it is none."""
    try:
        return Lock(tomllib.loads(text).get("package", []))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise LockFault(f"it cannot be read: {str(error)[:200]}") from None

"""Crates from a folder of the user's own (`source: path`), copied into the cache so that no run sees them change."""

import hashlib
import os
import shutil
import stat
from pathlib import Path

from rust_expert.common import cache
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_text
from rust_expert.crates.manifest import CrateSource
from rust_expert.crates.needs import open_up
from rust_expert.crates.package import PackageFault, read_package
from rust_expert.crates.paths import LARGEST, MOST_FILES, fault_in_path

LOCK = "Cargo.lock"
NOT_SOURCES = {"target", ".git", LOCK}
"""Names that building or versioning leaves in a crate's folder; they are no part of it."""
LARGEST_LOCK = 2**24
"""Bytes; a lock of 1,500 packages has 400,000."""


def crates_in(folder: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """The crates below a folder, as (name of the subfolder, content hash), sorted: every subfolder is one.

    Raises UserError where the folder is missing or has no subfolder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"{folder}: no such folder of crates; mend corpus.fetch.path")
    found = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not found:
        raise UserError(
            f"{folder}: no crate below it; put each crate, with its Cargo.toml, into a folder of its own"
        )
    return [(path.name, content_hash(path)) for path in found]


def content_hash(folder: Path) -> str:
    """A hex SHA-256 over names and bytes of a crate's files; over what is wrong with it where it cannot be used."""
    digest = hashlib.sha256()
    try:
        for name, path in _files(folder):
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    except (PackageFault, OSError) as fault:
        return sha256_text(_told(fault))
    return digest.hexdigest()


def lock_text(folder: Path) -> tuple[str, str]:
    """The text of a crate's own Cargo.lock, where the crate depends on others, and why there is none to be read."""
    path = folder / LOCK
    try:
        if folder.is_symlink() or not read_package(folder).needs_others:
            return "", ""
        # A pipe would be waited for, a link could lead anywhere.
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return "", f"its {LOCK} is no plain file"
        if found.st_size > LARGEST_LOCK:
            return "", f"its {LOCK} is larger than {LARGEST_LOCK} bytes"
        return path.read_text(encoding="utf-8"), ""
    except FileNotFoundError:
        return "", f"it needs other packages and has no {LOCK}; run `cargo generate-lockfile` in its folder"
    except (PackageFault, OSError) as fault:
        return "", _told(fault)
    except UnicodeDecodeError:
        return "", f"its {LOCK} is not UTF-8"


def take(folder: Path, name: str) -> CrateSource:
    """Copy the crate in `folder`/`name` into the cache; a broken one becomes a failed entry with its reason."""
    source = folder / name
    sha256 = content_hash(source)
    try:
        _files(source)
        package = read_package(source)
    except (PackageFault, OSError) as fault:
        return failed(name, sha256, _told(fault))
    place = cache.entry(package.name, package.version, sha256)
    if not cache.is_whole(place):
        cache.keep(place, lambda target: _copy(source, target))
    return CrateSource(
        name=package.name,
        version=package.version,
        sha256=sha256,
        license=package.licence,
        edition=package.edition,
    )


def failed(name: str, sha256: str, reason: str) -> CrateSource:
    """The entry of a subfolder that holds no crate to be used."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    return CrateSource(name=shown, version="0.0.0", sha256=sha256, status="failed", reason=reason)


def _told(fault: PackageFault | OSError) -> str:
    """Without the path, which is of this machine."""
    return str(fault) if isinstance(fault, PackageFault) else f"it cannot be read: {fault.strerror}"


def _files(folder: Path) -> list[tuple[str, Path]]:
    """The plain files below `folder` by their paths in it, sorted; raises PackageFault where it is past all measure."""
    if folder.is_symlink():
        raise PackageFault("it is a link, which is not followed; put the crate itself there")
    found: list[tuple[str, Path]] = []
    size = 0
    pending: list[tuple[str, ...]] = [()]
    while pending:
        parts = pending.pop()
        for entry in os.scandir(folder.joinpath(*parts)):
            inside = (*parts, entry.name)
            # A link could lead anywhere; what it leads to is no part of the crate.
            if entry.name in NOT_SOURCES or entry.is_symlink():
                continue
            fault = fault_in_path(inside)
            if fault:
                raise PackageFault(f"it holds {fault}")
            if entry.is_dir():
                pending.append(inside)
            elif entry.is_file():
                size += entry.stat().st_size
                found.append(("/".join(inside), Path(entry.path)))
            if size > LARGEST or len(found) + len(pending) > MOST_FILES:
                raise PackageFault(f"it holds more than {LARGEST >> 20} MB or {MOST_FILES} files")
    return sorted(found)


def _copy(source: Path, target: Path) -> None:
    for name, path in _files(source):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    open_up(target)

"""Crates from a folder of the user's own (`source: path`), copied into the cache so that no run sees them change."""

import hashlib
import os
import shutil
from pathlib import Path

from rust_expert.common import cache
from rust_expert.common.errors import UserError
from rust_expert.crates.licences import normal_form
from rust_expert.crates.manifest import CrateSource
from rust_expert.crates.package import PackageFault, read_package

NOT_SOURCES = {"target", ".git", "Cargo.lock"}
"""Names that building or versioning leaves in a crate's folder; they are no part of it."""


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
    """A hex SHA-256 over names and bytes of a crate's files."""
    digest = hashlib.sha256()
    for name, path in _files(folder):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()


def take(folder: Path, name: str) -> CrateSource:
    """Copy the crate in `folder`/`name` into the cache; a broken one becomes a failed entry with its reason."""
    source = folder / name
    sha256 = content_hash(source)
    try:
        package = read_package(source)
        licence = normal_form(package.licence) if package.licence else ""
    except PackageFault as fault:
        return CrateSource(name=name, version="0.0.0", sha256=sha256, status="failed", reason=str(fault))
    except UserError as fault:
        reason = f"its licence: {fault}"
        return CrateSource(name=name, version="0.0.0", sha256=sha256, status="failed", reason=reason)
    place = cache.entry(package.name, package.version, sha256)
    if not cache.is_whole(place):
        cache.keep(place, lambda target: _copy(source, target))
    return CrateSource(
        name=package.name, version=package.version, sha256=sha256, license=licence, edition=package.edition
    )


def _files(folder: Path) -> list[tuple[str, Path]]:
    found: list[tuple[str, Path]] = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        # A link could lead anywhere; what it leads to is no part of the crate.
        if path.is_file() and not path.is_symlink() and not NOT_SOURCES.intersection(parts):
            found.append(("/".join(parts), path))
    return sorted(found)


def _copy(source: Path, target: Path) -> None:
    for name, path in _files(source):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)

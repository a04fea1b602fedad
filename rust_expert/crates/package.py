"""What a crate's Cargo.toml says about itself."""

import stat
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from rust_expert.common.errors import UserError
from rust_expert.crates.licences import normal_form
from rust_expert.crates.table import NAME, VERSION


class PackageFault(Exception):
    """A crate whose manifest cannot be used: a matter of that crate, recorded, never the end of a run."""


class Package(BaseModel):
    """Name, version, edition (`2015` where none is stated), licence in one spelling ("" where none is stated).

    `categories`: those of the registry. `targets`: the platforms that its documentation is made for, empty for the
    usual ones. `is_macro`: a procedural macro, which hands nothing else to its users. `needs_others`: it depends on
    other packages, on this or on another platform.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    edition: str
    licence: str
    categories: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    is_macro: bool = False
    needs_others: bool = False


EDITIONS = ("2015", "2018", "2021", "2024")
_NEEDS = ("dependencies", "build-dependencies", "build_dependencies")
LARGEST_MANIFEST = 2**20
"""Bytes; the largest of a thousand well-known crates has a tenth of it."""


def read_package(folder: Path) -> Package:
    """Read `folder`/Cargo.toml.

    Raises PackageFault where there is none, it is no TOML, or it leaves its values to a workspace.
    """
    manifest = _manifest(folder / "Cargo.toml")
    section = manifest.get("package")
    if not isinstance(section, dict):
        raise PackageFault("its Cargo.toml has no [package] section")
    name, version = _text(section, "name", None), _text(section, "version", "0.0.0")
    # Both become part of the name of a folder.
    if not NAME.fullmatch(name) or not VERSION.fullmatch(version) or len(version) > 100:
        raise PackageFault(
            f"its Cargo.toml names it {name[:80]!r} {version[:80]!r}, which no crate can be called"
        )
    edition = _text(section, "edition", "2015")
    if edition not in EDITIONS:
        raise PackageFault(f"its Cargo.toml names the edition {edition[:80]!r}, which nobody knows")
    docs = _section(_section(section, "metadata"), "docs").get("rs")
    docs = docs if isinstance(docs, dict) else {}
    library = _section(manifest, "lib")
    return Package(
        name=name,
        version=version,
        edition=edition,
        licence=_licence(section),
        categories=_texts(section.get("categories")),
        targets=(docs["default-target"],)
        if isinstance(docs.get("default-target"), str)
        else _texts(docs.get("targets")),
        is_macro=bool(library.get("proc-macro") or library.get("proc_macro")),
        needs_others=any(
            table.get(key)
            for table in (manifest, *_section(manifest, "target").values())
            if isinstance(table, dict)
            for key in _NEEDS
        ),
    )


def _manifest(path: Path) -> dict[str, Any]:
    try:
        # A pipe would be waited for, a link could lead anywhere.
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise PackageFault("its Cargo.toml is no plain file")
        if found.st_size > LARGEST_MANIFEST:
            raise PackageFault(f"its Cargo.toml is larger than {LARGEST_MANIFEST} bytes")
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise PackageFault("it has no Cargo.toml") from None
    except OSError as error:
        raise PackageFault(f"its Cargo.toml cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # TOML and UTF-8 faults are ValueErrors too
        raise PackageFault(f"its Cargo.toml is broken: {str(error)[:200]}") from None


def _text(section: dict[str, Any], key: str, default: str | None) -> str:
    value = section.get(key, default)
    if isinstance(value, dict):
        raise PackageFault(f"its Cargo.toml takes `{key}` from a workspace, which is not part of it")
    if not isinstance(value, str):
        raise PackageFault(f"its Cargo.toml has no `{key}` that is text")
    return value


def _licence(section: dict[str, Any]) -> str:
    stated = _text(section, "license", "")
    try:
        return normal_form(stated) if stated else ""
    except UserError as error:
        raise PackageFault(f"its licence: {error}") from None


def _section(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()

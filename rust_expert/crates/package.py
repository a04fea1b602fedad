"""What a crate's Cargo.toml says about itself."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict


class PackageFault(Exception):
    """A crate whose manifest cannot be used: a matter of that crate, recorded, never the end of a run."""


class Package(BaseModel):
    """Name, version, edition (`2015` where none is stated) and licence (empty where none is stated)."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    edition: str
    licence: str


EDITIONS = ("2015", "2018", "2021", "2024")


def read_package(folder: Path) -> Package:
    """Read the [package] section of `folder`/Cargo.toml.

    Raises PackageFault where there is none, it is no TOML, or it leaves its values to a workspace.
    """
    path = folder / "Cargo.toml"
    try:
        with open(path, "rb") as stream:
            manifest: dict[str, Any] = tomllib.load(stream)
    except FileNotFoundError:
        raise PackageFault("it has no Cargo.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackageFault(f"its Cargo.toml is broken: {error}") from None
    section = manifest.get("package")
    if not isinstance(section, dict):
        raise PackageFault("its Cargo.toml has no [package] section")
    edition = _text(section, "edition", "2015")
    if edition not in EDITIONS:
        raise PackageFault(f"its Cargo.toml names the edition {edition!r}, which nobody knows")
    return Package(
        name=_text(section, "name", None),
        version=_text(section, "version", "0.0.0"),
        edition=edition,
        licence=_text(section, "license", ""),
    )


def _text(section: dict[str, Any], key: str, default: str | None) -> str:
    value = section.get(key, default)
    if isinstance(value, dict):
        raise PackageFault(f"its Cargo.toml takes `{key}` from a workspace, which is not part of it")
    if not isinstance(value, str):
        raise PackageFault(f"its Cargo.toml has no `{key}` that is text")
    return value

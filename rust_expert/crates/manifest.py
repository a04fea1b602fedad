"""The manifest of a shard: which crates were fetched, where their sources lie in the cache, and which failed, why."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rust_expert.common import cache
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json


class CrateSource(BaseModel):
    """One crate of the corpus. `license` is in SPDX form; a failed one has a `reason` and no sources.

    `needs`: name, version and checksum of every package that it needs to be built, whose sources are in the cache too;
    `needs_fault`: why they are not known or not there, so that it cannot be built. `outdated`: the share of its direct
    dependencies that are out of date; None: not known. `advisories`: known vulnerabilities, of its own and of what it
    needs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    sha256: str
    license: str = ""
    edition: str = ""
    status: Literal["ok", "failed"] = "ok"
    reason: str = ""
    needs: list[tuple[str, str, str]] = []
    needs_fault: str = ""
    outdated: float | None = None
    advisories: list[str] = []

    @property
    def place(self) -> str:
        """Where the sources lie, relative to the cache folder."""
        return cache.entry(self.name, self.version, self.sha256)

    @property
    def root(self) -> Path:
        """The folder of the sources on this machine; that of its Cargo.toml."""
        return cache.cache_folder() / self.place


def write_manifest(path: str | os.PathLike[str], crates: list[CrateSource]) -> None:
    """Write a shard's manifest, sorted by name, without anything of this machine in it."""
    rows = sorted(crates, key=lambda crate: (crate.name, crate.version))
    write_json(path, {"crates": [crate.model_dump() for crate in rows]})


def read_manifest(path: str | os.PathLike[str]) -> list[CrateSource]:
    """The crates of a shard, failed ones included (see `status`).

    Raises UserError where the manifest cannot be read or the cache no longer holds the sources of one of its crates.
    """
    value = read_json(path)
    try:
        crates = [CrateSource.model_validate(row) for row in value["crates"]]
    except (ValidationError, TypeError, KeyError):
        raise UserError(f"{path}: not a manifest of crates; delete it and run the fetch step again") from None
    for crate in crates:
        if crate.status == "ok" and not cache.is_whole(crate.place):
            raise UserError(
                f"{path}: the sources of {crate.name} {crate.version} are no longer whole in the crate cache; "
                f"delete {path} and start again to fetch them"
            )
    return crates

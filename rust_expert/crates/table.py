"""The table of pinned crates (config/crates.tsv): name, version, sha256 of the .crate file, licence."""

import os
import re

from pydantic import BaseModel, ConfigDict

from rust_expert.common.errors import UserError
from rust_expert.crates.licences import normal_form

COLUMNS = ("name", "version", "sha256", "licence")

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What a crate may be called; like VERSION safe as a part of a path."""
VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
"""An exact version."""
SHA256 = re.compile(r"[0-9a-f]{64}")
"""A checksum of the registry."""


class CratePin(BaseModel):
    """One pinned crate. `sha256` is the registry's checksum: that of the .crate file, in lower-case hex."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    sha256: str
    licence: str


def read_table(path: str | os.PathLike[str]) -> list[CratePin]:
    """The pins of a table, in its order; blank lines and lines that begin with # are passed over.

    Raises UserError naming file, line and column of the first fault, and what to write there.
    """
    return [pin for _, pin in _rows(path)]


def line_of(path: str | os.PathLike[str], name: str) -> int | None:
    """The line on which a table pins `name`; None where it does not, or cannot be read."""
    try:
        return next((number for number, pin in _rows(path) if pin.name == name), None)
    except UserError:
        return None


def fault_in(values: dict[str, str]) -> tuple[str, str] | None:
    """The first column of a row that is wrong, with what is wrong; None where the row is good."""
    if not NAME.fullmatch(values["name"]):
        return "name", f"{values['name']!r} is no crate name; write letters, digits, - and _ only"
    if not VERSION.fullmatch(values["version"]):
        return "version", f"{values['version']!r} is no exact version; write it like 1.2.3"
    if not SHA256.fullmatch(values["sha256"]):
        return "sha256", (
            f"{values['sha256'][:16]!r}... is no checksum; write the 64 lower-case hex digits that "
            "Cargo.lock shows for this version"
        )
    try:
        normal_form(values["licence"])
    except UserError as error:
        return "licence", str(error)
    return None


def _rows(path: str | os.PathLike[str]) -> list[tuple[int, CratePin]]:
    try:
        with open(path, encoding="utf-8") as stream:
            lines = stream.read().splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such crate table; mend the path in corpus.fetch.table") from None
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise UserError(f"{path}: not a text file ({error}); name a table of crates") from None
    numbered = [
        (number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")
    ]
    if not numbered or tuple(numbered[0][1].split("\t")) != COLUMNS:
        number = numbered[0][0] if numbered else 1
        raise UserError(f"{path}, line {number}: the header must be {', '.join(COLUMNS)}, with a tab between")
    seen: dict[str, int] = {}
    found: list[tuple[int, CratePin]] = []
    for number, line in numbered[1:]:
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != len(COLUMNS):
            raise UserError(
                f"{path}, line {number}: {len(cells)} columns, not {len(COLUMNS)}; put one tab between them"
            )
        values = dict(zip(COLUMNS, cells, strict=True))
        fault = fault_in(values)
        if fault is not None:
            raise UserError(f"{path}, line {number}, column {fault[0]}: {fault[1]}")
        # The registry takes a-b and a_b for one name.
        key = values["name"].lower().replace("_", "-")
        if key in seen:
            raise UserError(
                f"{path}, line {number}, column name: {values['name']} stands on line {seen[key]} already; delete one"
            )
        seen[key] = number
        found.append((number, CratePin(**values)))
    return found

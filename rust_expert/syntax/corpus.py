"""From a crate's folder to the rows of its items, with a reason for whatever is left out."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from rust_expert.common.crate_files import read_source, source_files
from rust_expert.syntax.items import FileItems, Item, items_of

STD_TRAITS = frozenset(
    {"Write", "Read", "BufRead", "Seek", "FromStr", "Hash", "Hasher", "BuildHasher", "Borrow"}
)
"""Traits of std outside the prelude, which an item may need in scope without naming them."""


class ItemRow(BaseModel):
    """One item of a crate, as a row of corpus/items; see rust_expert.syntax.items for the fields taken from there."""

    model_config = ConfigDict(extra="forbid")

    crate: str
    version: str
    license: str
    edition: str
    file: str = Field(description="path in the crate, with forward slashes")
    kind: str
    name: str
    path: str
    start: int = Field(description="first byte in the file, documentation and attributes included")
    end: int = Field(description="the byte after the last")
    text: str = Field(description="the file's bytes from start to end, in UTF-8")
    docs: str
    signature: str
    has_body: bool
    public: bool
    owner: str
    trait: str
    header: str
    conditional: bool
    uses: list[str]
    imports: list[str] = Field(description="the file's imports that it may need: `std::fmt`, `a::B as C`")

    @property
    def scale(self) -> str:
        """How large a piece it is."""
        return self.kind

    @property
    def key(self) -> str:
        """What names the item in every random choice: crate, version, file and first byte."""
        return f"{self.crate}-{self.version}/{self.file}:{self.start}"


@dataclass(frozen=True)
class Loss:
    """What was left out: `figure` counts it where it is a class and not one file."""

    gate: str
    reason: str
    file: str = ""
    figure: float = 1.0


@dataclass(frozen=True)
class Origin:
    """Where a crate comes from; it travels with each of its rows."""

    crate: str
    version: str
    license: str
    edition: str


def rows_of_crate(root: Path, origin: Origin) -> tuple[list[ItemRow], list[Loss]]:
    """Read all Rust files under `root`; rows in the order of path and place, and what was left out and why.

    Raises OSError where the folder itself cannot be read.
    """
    files, left_out = source_files(root)
    losses = [Loss("path", reason, figure=count) for reason, count in sorted(left_out.items())]
    read: dict[str, tuple[bytes, FileItems]] = {}
    for name in files:
        source, reason = read_source(root / name)
        if reason:
            losses.append(Loss("file", reason, name))
            continue
        found = items_of(source, module_of(name))
        if found.faults:
            losses.append(
                Loss("syntax", f"does not parse, first at byte {found.faults[0]}", name, len(found.faults))
            )
            continue
        read[name] = (source, found)
    tests = test_files({name: found for name, (_, found) in read.items()})
    losses += [Loss("tests", "module that is compiled for tests alone", name) for name in sorted(tests)]
    cut = sum(found.tests for _, found in read.values())
    if cut:
        losses.append(Loss("tests", "items that are compiled for tests alone", figure=cut))
    rows: list[ItemRow] = []
    for name, (source, found) in read.items():
        if name not in tests:
            rows += [_row(item, source, name, found.imports, origin) for item in found.items]
    return rows, losses


def module_of(file: str) -> str:
    """The module path that a file's place gives it: src/a/b.rs is `a::b`, src/lib.rs the root ""."""
    parts = list(PurePosixPath(file).with_suffix("").parts)
    if parts and parts[0] == "src":
        parts = parts[1:]
    if parts and parts[-1] in ("lib", "main", "mod"):
        parts = parts[:-1]
    return "::".join(parts)


def test_files(found: dict[str, FileItems]) -> set[str]:
    """The files that hold modules declared as `#[cfg(test)] mod name;`, and whatever lies under them."""
    tests: set[str] = set()
    for file, items in found.items():
        place = PurePosixPath(file)
        is_root = place.stem in ("lib", "main", "mod")
        folder = place.parent if is_root else place.with_suffix("")
        for name, path in items.test_modules:
            stem = (folder / name).as_posix()
            named = (
                {os.path.normpath((place.parent / path).as_posix())}
                if path
                else {f"{stem}.rs", f"{stem}/mod.rs"}
            )
            tests |= {
                other for other in found if other in named or (not path and other.startswith(stem + "/"))
            }
    return tests


def _row(item: Item, source: bytes, file: str, imports: list[tuple[str, str]], origin: Origin) -> ItemRow:
    heads = {use.split("::")[0] for use in item.uses}
    needed = sorted(
        {
            path if path.rpartition("::")[2] == name else f"{path} as {name}"
            for name, path in imports
            if name in heads
            or f"{name}!" in heads
            or (path.rpartition("::")[2] in STD_TRAITS and path.startswith(("std::", "core::")))
        }
    )
    return ItemRow(
        crate=origin.crate,
        version=origin.version,
        license=origin.license,
        edition=origin.edition,
        file=file,
        kind=item.kind,
        name=item.name,
        path=item.path,
        start=item.start,
        end=item.end,
        text=source[item.start : item.end].decode("utf-8"),
        docs=item.docs,
        signature=item.signature,
        has_body=item.has_body,
        public=item.public,
        owner=item.owner,
        trait=item.trait,
        header=item.header,
        conditional=item.conditional,
        uses=list(item.uses),
        imports=needed,
    )

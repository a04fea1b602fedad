"""From a crate's folder to the rows of its items and chunks, with a reason for whatever is left out."""

import os
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from rust_expert.common.config.corpus import ChunkOptions
from rust_expert.common.crate_files import CrateFiles, SourceFile, read_crate
from rust_expert.syntax.chunks import CHUNK_KINDS, FILE, chunks_of
from rust_expert.syntax.items import FileItems, Item, items_of
from rust_expert.syntax.token_counts import token_counts

_NESTED = frozenset({FILE, "module"})


class ItemRow(NamedTuple):
    """One item or chunk of a crate, as a row of corpus/items; see rust_expert.syntax.items.Item for the fields taken
    from there, and rust_expert.syntax.chunks for the kinds and scales.

    A file's row comes before those of its items. What an item takes from outside is worked out on demand
    (rust_expert.syntax.item_names).
    """

    crate: str
    version: str
    license: str
    edition: str
    file: str
    """Path in the crate, with forward slashes."""
    kind: str
    name: str
    path: str
    start: int
    """First byte in the file, documentation and attributes included."""
    end: int
    """The byte after the last."""
    text: str
    """The file's bytes from start to end, in UTF-8; "" for a file or module that is no chunk."""
    docs: str
    signature: str
    has_body: bool
    public: bool
    owner: str
    trait: str
    header: str
    conditional: bool
    scale: str
    tokens: int
    """As rust_expert.syntax.token_counts counts them."""
    imports: tuple[str, ...]
    """Of a file, its `use` declarations as they stand; else empty."""

    @property
    def key(self) -> str:
        """What names the row in every random choice: crate, version, file and first byte; a chunk's kind behind it."""
        chunk = f"/{self.kind}" if self.kind in CHUNK_KINDS else ""
        return f"{self.crate}-{self.version}/{self.file}:{self.start}{chunk}"


@dataclass(frozen=True)
class Loss:
    """What was left out: `figure` counts it where it is a class and not one file."""

    gate: str
    reason: str
    file: str = ""
    figure: float = 1.0


class Origin(NamedTuple):
    """Where a crate comes from; it travels with each of its rows."""

    crate: str
    version: str
    license: str
    edition: str


def rows_of_crate(root: Path, origin: Origin) -> tuple[list[ItemRow], list[Loss]]:
    """Read all Rust files under `root`; rows in the order of path and place, and what was left out and why.

    Raises OSError where the folder or a file cannot be read.
    """
    columns, losses = columns_of(read_crate(root), origin, ChunkOptions())
    return list(map(ItemRow, *columns)), losses


def columns_of(
    sources: CrateFiles, origin: Origin, limits: ChunkOptions
) -> tuple[list[Sequence[Any]], list[Loss]]:
    """`rows_of_crate` for files already read, as one sequence of values for each field of a row.

    `limits` say which chunks are too large.
    """
    losses = [Loss("path", reason, figure=count) for reason, count in sorted(sources.left_out.items())]
    losses += [Loss("file", reason, name) for name, reason in sources.refused]
    read = {file.name: items_of(file, module_of(file.name)) for file in sources.files}
    for name, found in read.items():
        if found.lost:
            reason = f"items that do not parse, first at byte {found.faults[0]}"
            losses.append(Loss("syntax", reason, name, found.lost))
    tests = test_files(read)
    losses += [Loss("tests", "module that is compiled for tests alone", name) for name in sorted(tests)]
    cut = sum(len(found.tests) for found in read.values())
    if cut:
        losses.append(Loss("tests", "items that are compiled for tests alone", figure=cut))
    files = [file for file in sources.files if file.name not in tests and not read[file.name].for_tests]
    return _columns(files, read, origin, limits), losses


def module_of(file: str) -> str:
    """The module path that a file's place gives it: src/a/b.rs is `a::b`, src/lib.rs the root ""."""
    parts = list(PurePosixPath(file).with_suffix("").parts)
    if parts and parts[0] == "src":
        parts = parts[1:]
    if parts and parts[-1] in ("lib", "main", "mod"):
        parts = parts[:-1]
    return "::".join(parts)


def test_files(found: Mapping[str, FileItems]) -> set[str]:
    """The files that hold modules declared as `#[cfg(test)] mod name;`, and whatever lies under them."""
    names = sorted(found)
    tests: set[str] = set()
    for file, items in found.items():
        place = PurePosixPath(file)
        folder = place.parent if place.stem in ("lib", "main", "mod") else place.with_suffix("")
        for name, path in items.test_modules:
            stem = (folder / name).as_posix()
            if path:
                tests.add(os.path.normpath((place.parent / path).as_posix()))
                continue
            tests |= {f"{stem}.rs", f"{stem}/mod.rs"}
            # "0" comes right after "/".
            tests.update(names[bisect_left(names, f"{stem}/") : bisect_left(names, f"{stem}0")])
    return tests & found.keys()


def _columns(
    files: Sequence[SourceFile], read: Mapping[str, FileItems], origin: Origin, limits: ChunkOptions
) -> list[Sequence[Any]]:
    names: list[str] = []
    items: list[Item] = []
    texts: list[str] = []
    imports: list[tuple[str, ...]] = []
    spans: list[list[tuple[int, int]]] = []
    for file in files:
        module, source = module_of(file.name), file.source
        name = module.rpartition("::")[2] or origin.crate
        chunks = chunks_of(file, read[file.name], name, module, limits)
        # What a module or file that is too large holds is in the rows of its parts, and modules in modules would
        # repeat it as often as they are deep.
        texts += [
            ""
            if not item.scale and item.kind in _NESTED and item.has_body
            else source[item.start : item.end].decode()
            for item in chunks
        ]
        names += [file.name] * len(chunks)
        items += chunks
        imports += [tuple(read[file.name].imports), *[()] * (len(chunks) - 1)]
        spans.append([(item.start, item.end) for item in chunks])
    if not items:
        return [() for _ in ItemRow._fields]
    columns: dict[str, Sequence[Any]] = dict(zip(Item._fields, zip(*items, strict=True), strict=True))
    columns |= {field: [value] * len(items) for field, value in zip(Origin._fields, origin, strict=True)}
    columns |= {
        "file": names,
        "text": texts,
        "tokens": token_counts([file.lexed.marked for file in files], spans),
        "imports": imports,
    }
    return [columns[field] for field in ItemRow._fields]

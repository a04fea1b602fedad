"""Whether files of rows keep to their contract, and a data set's folder to its manifest."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, sha256_text
from rust_expert.common.tables import fault_of
from rust_expert.dataset.conversion import as_contract
from rust_expert.dataset.shards import rows_schema
from rust_expert.dataset.streams import Row, rows_of

MANIFEST = "manifest.json"


class Verification:
    """Looks at files one after the other and collects the faults; of a row only the hash of its text is kept.

    `repeated` counts rows that stood in their file before; weights repeat rows on purpose, so it is no fault.
    """

    def __init__(self, contract: type[BaseModel]) -> None:
        self.faults: list[str] = []
        self.rows: dict[str, int] = {}
        self.repeated = 0
        self._contract = contract
        self._sides: dict[str, dict[str, str]] = {}

    def folder(self, path: Path) -> None:
        """Check the shards of a data set against its manifest, and each row of them."""
        told = _manifest(path / MANIFEST)
        if told.rows.version != rows_schema()["version"]:
            self.faults.append(f"{path / MANIFEST}: rows of schema {told.rows.version}, read as another")
        named = {entry.file for entry in told.files}
        for name in sorted({file.name for file in path.glob("*-[0-9]*.*") if file.is_file()} - named):
            self.faults.append(f"{path / name}: not in {MANIFEST}")
        for entry in told.files:
            file = path / entry.file
            if not file.is_file():
                self.faults.append(f"{file}: in {MANIFEST}, but not there")
            elif sha256_file(file) != entry.sha256:
                self.faults.append(f"{file}: its sha256 is not that of {MANIFEST}")
            else:
                self.file(file)
                if self.rows[str(file)] != entry.rows:
                    self.faults.append(f"{file}: {self.rows[str(file)]} rows, {entry.rows} in {MANIFEST}")

    def file(self, path: Path) -> None:
        """Check each row of a file. A file that cannot be read on is one fault."""
        self.rows[str(path)] = 0
        seen: set[int] = set()
        try:
            for row in rows_of(path):
                self.rows[str(path)] += 1
                self.faults += [f"{row.where}: {fault}" for fault in self._row(row, seen, path)]
        except UserError as error:
            self.faults.append(str(error))

    def _row(self, row: Row, seen: set[int], path: Path) -> Iterator[str]:
        try:
            sample = as_contract(row, self._contract)
        except UserError as error:
            yield str(error).removeprefix(f"{row.where}: ")
            return
        if not isinstance(sample, Sample):
            return
        made = sha256_text(sample.prompt + "\0" + sample.gen)
        if sample.id and sample.id != made:
            yield "its _id is not the sha256 of prompt, NUL and gen"
        if not sample.gen.strip() or not sample.prompt.strip():
            yield "prompt or gen is blank"
        mark = int(made[:16], 16)
        self.repeated += mark in seen
        seen.add(mark)
        if sample.split is not None:
            yield from self._side(sample, path)

    def _side(self, sample: Sample, path: Path) -> Iterator[str]:
        """A crate or combination that was met on the other side of the split, once each."""
        for kind, name in (("crate", sample.source_crate), ("combination", sample.combination)):
            if name is None:
                continue
            sides = self._sides.setdefault(f"{kind} {name}", {})
            if sample.split not in sides and sides:
                other = next(iter(sides.values()))
                yield f"{kind} {name} is on both sides of the split (also in {other})"
            sides.setdefault(str(sample.split), path.name)


class _File(BaseModel):
    file: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    rows: int
    sha256: str


class _Columns(BaseModel):
    version: str


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    rows: _Columns
    files: list[_File]


def _manifest(path: Path) -> _Manifest:
    try:
        return _Manifest.model_validate(read_json(path))
    except ValidationError as error:
        raise UserError(f"{path}: not a data set's manifest ({fault_of(error)}); make it again") from None


def verify(paths: Sequence[Path], contract: type[BaseModel]) -> Verification:
    """Check files of rows, and folders of data sets with their manifest.

    Raises UserError where there is nothing of that name.
    """
    done = Verification(contract)
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such file or folder; check the path")
        (done.folder if path.is_dir() else done.file)(path)
    return done


def shown(faults: Iterable[str], most: int) -> list[str]:
    """The first faults, and how many more there are."""
    every = list(faults)
    more = [f"... and {len(every) - most} more"] if len(every) > most else []
    return every[:most] + more


def summary(done: Verification) -> dict[str, Any]:
    """What was read and what was found, for a report."""
    return {"rows": done.rows, "repeated": done.repeated, "faults": done.faults}

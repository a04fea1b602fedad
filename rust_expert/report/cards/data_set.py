"""A data set as it lies in its folder: its manifest, its files, what its rows are, and the accounts of its making."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from pydantic import Field

from rust_expert.common.config.report import CardOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file
from rust_expert.report.journey import CleanFunnel, Decontamination, Mix, Read, read_part
from rust_expert.report.rows import RowCounts, read_rows

SPLITS = {"train": "train", "val": "validation"}
"""The splits by the names of the files, with those that the Hub and its tools give them."""


class ShardFile(Read):
    """One file of the data set."""

    file: str = Field(pattern=r"^(train|val)-\d+\.(parquet|jsonl)$")
    rows: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")

    @property
    def split(self) -> str:
        """`train` or `val`."""
        return self.file.partition("-")[0]

    @property
    def is_parquet(self) -> bool:
        """Whether it is the Parquet form of its rows, and not the JSONL one."""
        return self.file.endswith(".parquet")


class RowsSchema(Read):
    """The columns of the rows, and a version that changes when they do."""

    version: str
    columns: dict[str, str]


class Manifest(Read):
    """results/dataset/NAME/manifest.json."""

    dataset: str = Field(pattern="^[a-z][a-z0-9_]*$")
    rows: RowsSchema
    files: list[ShardFile]


@dataclass(frozen=True)
class DataSet:
    """All that its cards tell of it. `bytes_of` is by file, `arrow_bytes` by split: what its rows take in memory."""

    manifest: Manifest
    rows: RowCounts
    bytes_of: dict[str, int]
    arrow_bytes: dict[str, int]
    mix: Mix
    options: CardOptions
    funnel: CleanFunnel | None = None
    decontamination: Decontamination | None = None

    @property
    def name(self) -> str:
        """The name in the profile."""
        return self.manifest.dataset

    def files(self, split: str | None = None, parquet: bool = True) -> list[ShardFile]:
        """The Parquet files, or the JSONL ones, of one split or of both."""
        return [
            one
            for one in self.manifest.files
            if one.is_parquet == parquet and (split is None or one.split == split)
        ]

    def licences(self) -> dict[str, int]:
        """Rows by licence, whatever their source; the most frequent first."""
        return by_licence(self.rows)


def by_licence(rows: RowCounts) -> dict[str, int]:
    """Rows by licence, whatever their source; the most frequent first."""
    found: dict[str, int] = {}
    for (_, licence), number in rows.licences.items():
        found[licence] = found.get(licence, 0) + number
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def read_data_set(
    manifest: str, mix: str, funnel: str | None, decontamination: str | None, options: CardOptions
) -> DataSet:
    """Read the folder that holds `manifest`; its files must be those that the manifest speaks of.

    Raises UserError naming the file at fault.
    """
    told = read_part(manifest, Manifest)
    folder = Path(manifest).parent
    for one in told.files:
        check_file(folder / one.file, one)
    parquet = [one for one in told.files if one.is_parquet]
    rows = read_rows([folder / one.file for one in parquet])
    if rows.rows != (stated := sum(one.rows for one in parquet)):
        raise UserError(f"{manifest}: {stated} rows, but its files hold {rows.rows}; make the data set again")
    return DataSet(
        manifest=told,
        rows=rows,
        bytes_of={one.file: (folder / one.file).stat().st_size for one in told.files},
        arrow_bytes={
            split: sum(_arrow_bytes(folder / one.file) for one in parquet if one.split == split)
            for split in SPLITS
        },
        mix=read_part(mix, Mix),
        options=options,
        funnel=read_part(funnel, CleanFunnel) if funnel else None,
        decontamination=read_part(decontamination, Decontamination) if decontamination else None,
    )


def check_file(path: Path, told: ShardFile) -> None:
    """Raise UserError where a file is missing or another than its manifest speaks of."""
    if not path.is_file():
        raise UserError(f"{path}: no such file, though the manifest names it; make the data set again")
    if sha256_file(path) != told.sha256:
        raise UserError(
            f"{path}: not the file that the manifest beside it speaks of; make the data set again"
        )


def _arrow_bytes(path: Path) -> int:
    """What the rows of a file take in memory, as Arrow holds them."""
    with pq.ParquetFile(path) as file:
        return sum(int(batch.nbytes) for batch in file.iter_batches(2000))

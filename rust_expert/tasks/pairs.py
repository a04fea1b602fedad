"""The rows of corpus/pairs: what the compiler confirmed about items in their crates."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rust_expert.common.tables import parquet_rows
from rust_expert.syntax.corpus import ItemRow

Kind = Literal["stands", "broken", "plain", "suggested"]


class PairRow(BaseModel):
    """One confirmed form of an item, which `crate`, `version`, `file` and `start` name.

    stands: the item compiles outside its crate, `way` says how: alone, or beside what it needs. broken: `text` in the
    item's place fails with `codes` and `message`, all inside the item; `notes` are sentences of it that stand by
    themselves. plain: `text` compiles in its place as the item does. suggested: clippy's `message` about the item is
    followed by `text`, which compiles and is silent about it.
    """

    model_config = ConfigDict(extra="forbid")

    crate: str
    version: str
    file: str
    start: int
    kind: Kind
    way: str = Field(description="alone or beside; the operator, the rewrite, the lint")
    text: str = ""
    message: str = ""
    codes: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    @property
    def key(self) -> str:
        """The item's key."""
        return f"{self.crate}-{self.version}/{self.file}:{self.start}"


def pair_of(
    row: ItemRow,
    kind: Kind,
    way: str,
    text: str = "",
    message: str = "",
    codes: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> PairRow:
    """A confirmed form of an item."""
    return PairRow(
        crate=row.crate, version=row.version, file=row.file, start=row.start,
        kind=kind, way=way, text=text, message=message, codes=list(codes), notes=list(notes),
    )  # fmt: skip


def read_pairs(path: str | os.PathLike[str]) -> Iterator[list[PairRow]]:
    """The rows of a file of confirmed forms crate by crate, with no more than one crate's in memory.

    Raises UserError naming file and row where it is missing, no Parquet, or breaks the contract.
    """
    for _, rows in groupby(parquet_rows(path, PairRow), key=lambda row: (row.crate, row.version)):
        yield list(rows)


@dataclass
class Tally:
    """How many forms were tried and confirmed by each way, and why the others were not."""

    tried: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Count what another tally counted."""
        for name in ("tried", "kept", "lost", "codes"):
            getattr(self, name).update(getattr(other, name))

    def told(self) -> dict[str, Any]:
        """As JSON, sorted."""
        return {
            name: dict(sorted(getattr(self, name).items())) for name in ("tried", "kept", "lost", "codes")
        }

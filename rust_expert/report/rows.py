"""What the rows of Parquet files are made of, counted batch by batch, and some rows to read, drawn by seed."""

import functools
import heapq
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rust_expert.common.errors import UserError
from rust_expert.common.seeds import stable_hash

CURRICULUM = "curriculum"
"""The kind of rows from the curriculum; that of all others is their task type."""

BOUNDS: dict[str, tuple[int, ...]] = {
    "characters": (0, 100, 200, 400, 800, 1600, 3200, 6400),
    "lines": (0, 3, 6, 12, 25, 50, 100, 200),
    "tokens": (0, 32, 64, 128, 256, 512, 1024, 2048),
}
"""Where each column of a histogram begins; the last has no end."""

UNSTATED = "not stated"
OTHERS = "others"
_MOST_NAMES = 5000
"""Different names counted of one kind: rows of other sources may hold any number of them."""

_BATCH = 2000
_NEEDED = ("prompt", "gen")
_READ = (
    *_NEEDED, "split", "_id", "_task_type", "_source", "_source_crate", "_source_version", "_source_file", "_license",
    "_scale", "_template", "_family", "_entry_point", "_verified", "_error_codes", "_context",
    "_tokens",
)  # fmt: skip
_COMPILER = re.compile(r"rustc \d{1,4}\.\d{1,4}\.\d{1,4}")
_LINT = re.compile(r"^clippy::\w{1,80}")


@dataclass(frozen=True)
class ShownRow:
    """A row to read."""

    kind: str
    prompt: str
    answer: str
    told: Mapping[str, Any] = field(default_factory=dict)
    """Its metadata, under the names of the contract."""


@dataclass
class RowCounts:
    """What rows are made of. `kinds` is by split and kind, `scales` by kind and scale, so are `claims` and `codes`;
    `crates` by crate, version, licence and split; `sizes` by measure (such as `lines of the answer`), kind and column.
    """

    rows: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)
    scales: Counter[tuple[str, str]] = field(default_factory=Counter)
    licences: Counter[tuple[str, str]] = field(default_factory=Counter)
    crates: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    claims: Counter[tuple[str, str]] = field(default_factory=Counter)
    unclaimed: Counter[str] = field(default_factory=Counter)
    compilers: Counter[str] = field(default_factory=Counter)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    sizes: dict[str, dict[str, Counter[int]]] = field(default_factory=dict)
    drawn: dict[str, list[ShownRow]] = field(default_factory=dict)

    def of_split(self, split: str) -> int:
        """Rows of one split."""
        return sum(number for (name, _), number in self.kinds.items() if name == split)

    def of_kind(self, kind: str) -> int:
        """Rows of one kind, whatever their split."""
        return sum(number for (_, name), number in self.kinds.items() if name == kind)


def read_rows(paths: Sequence[str | Path], drawn: int = 0, seed: int = 0) -> RowCounts:
    """Count the rows of `paths` and draw up to `drawn` of each kind, by `seed` and the row's id alone.

    Columns of the contract that a file lacks count as empty; memory holds one batch and what was drawn.
    Raises UserError naming a file that is missing, no Parquet, or without prompt and gen.
    """
    counts = RowCounts()
    draw = _Draw(drawn, seed)
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                names = set(file.schema_arrow.names)
                if lack := [name for name in _NEEDED if name not in names]:
                    raise UserError(f"{path}: no column {lack[0]}; rows have prompt and gen")
                for batch in file.iter_batches(_BATCH, columns=[name for name in _READ if name in names]):
                    _count(counts, draw, batch)
        except FileNotFoundError:
            raise UserError(f"{path}: no such file; run the step that makes it") from None
        except pa.ArrowInvalid as error:
            raise UserError(f"{path}: not a Parquet file ({error}); make it again") from None
    counts.drawn = draw.rows()
    return counts


class _Draw:
    """The rows of each kind that a seed ranks first."""

    def __init__(self, most: int, seed: int) -> None:
        self.most, self.seed = most, seed
        self._heaps: dict[str, list[tuple[int, str]]] = {}
        self._shown: dict[str, dict[str, ShownRow]] = {}

    def offer(self, kind: str, name: str, batch: pa.RecordBatch, place: int) -> None:
        """Look at one row; its text is taken out of the batch only if it is among the first so far."""
        if not self.most:
            return
        heap, shown = self._heaps.setdefault(kind, []), self._shown.setdefault(kind, {})
        ranked = (-stable_hash(self.seed, "row to read", name), name)
        if name in shown or (len(heap) == self.most and ranked < heap[0]):
            return
        row = batch.slice(place, 1).to_pylist()[0]
        shown[name] = ShownRow(kind, row.pop("prompt") or "", row.pop("gen") or "", row)
        if len(heap) == self.most:
            del shown[heapq.heapreplace(heap, ranked)[1]]
        else:
            heapq.heappush(heap, ranked)

    def rows(self) -> dict[str, list[ShownRow]]:
        """What was drawn, by kind, the first of each first."""
        return {
            kind: [self._shown[kind][name] for _, name in sorted(heap, reverse=True)]
            for kind, heap in sorted(self._heaps.items())
        }


def _count(counts: RowCounts, draw: _Draw, batch: pa.RecordBatch) -> None:
    told = {
        name: batch.column(name).to_pylist() if name in batch.schema.names else [None] * batch.num_rows
        for name in _READ
        if name not in _NEEDED
    }
    kinds = [
        CURRICULUM if source == CURRICULUM else task or UNSTATED
        for source, task in zip(told["_source"], told["_task_type"], strict=True)
    ]
    splits = [split or UNSTATED for split in told["split"]]
    counts.rows += batch.num_rows
    for place, (kind, split) in enumerate(zip(kinds, splits, strict=True)):
        row = {name: values[place] for name, values in told.items()}
        _count_row(counts, kind, split, row)
        draw.offer(kind, row["_id"] or UNSTATED, batch, place)
    _measure(counts, kinds, batch)


def _count_row(counts: RowCounts, kind: str, split: str, row: Mapping[str, Any]) -> None:
    licence = row["_license"] or UNSTATED
    _note(counts.kinds, (split, kind))
    _note(counts.sources, (split, row["_source"] or UNSTATED))
    _note(counts.scales, (kind, row["_scale"] or UNSTATED))
    _note(counts.licences, (row["_source"] or UNSTATED, licence))
    if row["_source_crate"]:
        _note(counts.crates, (row["_source_crate"], row["_source_version"] or "", licence, split))
    claims = row["_verified"] or []
    if not claims:
        _note(counts.unclaimed, kind)
    for name in dict.fromkeys(claim_kind(claim) for claim in claims):
        _note(counts.claims, (kind, name))
    for name in {found for claim in claims for found in _compilers(claim)}:
        _note(counts.compilers, name)
    for code in dict.fromkeys(row["_error_codes"] or ()):
        _note(counts.codes, (kind, code))


def _note(counter: Counter[Any], key: Any) -> None:
    if key not in counter and len(counter) >= _MOST_NAMES:
        key = (*((OTHERS,) * len(key)),) if isinstance(key, tuple) else OTHERS
    counter[key] += 1


@functools.lru_cache(4096)
def claim_kind(claim: str) -> str:
    """What a claim of `_verified` says was checked, without its lint, error codes, compiler and edition."""
    return _LINT.sub("the lint", claim).partition(" (")[0].partition(":")[0][:100] or UNSTATED


@functools.lru_cache(4096)
def _compilers(claim: str) -> tuple[str, ...]:
    return tuple(_COMPILER.findall(claim))


def _measure(counts: RowCounts, kinds: Sequence[str], batch: pa.RecordBatch) -> None:
    """Sort characters, lines and tokens of the rows into the columns of their histograms."""
    found: dict[str, Any] = {}
    for name, spoken in (("prompt", "prompt"), ("gen", "answer")):
        text = batch.column(name)
        found[f"characters of the {spoken}"] = pc.utf8_length(text)
        found[f"lines of the {spoken}"] = _lines(text)
    if "_tokens" in batch.schema.names:
        found["tokens of the answer"] = batch.column("_tokens")
    for measure, values in found.items():
        numbers = np.asarray(values.fill_null(-1))
        columns = np.searchsorted(BOUNDS[measure.split(" ")[0]], numbers, side="right") - 1
        by_kind = counts.sizes.setdefault(measure, {})
        for kind, column in zip(kinds, columns.tolist(), strict=True):
            if column >= 0:
                by_kind.setdefault(kind, Counter())[column] += 1


def _lines(text: Any) -> Any:
    """Lines of each text; a last one needs no newline at its end."""
    open_end = pc.and_(pc.invert(pc.ends_with(text, "\n")), pc.greater(pc.utf8_length(text), 0))
    return pc.add(pc.count_substring(text, "\n"), pc.cast(open_end, pa.int32()))

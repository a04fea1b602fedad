"""The files of a data set: Parquet and JSONL, a row's file decided by its id alone, and the manifest of them all."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file, sha256_json, write_json
from rust_expert.common.rows import changed
from rust_expert.common.seeds import shard_of, stable_hash
from rust_expert.common.tables import schema_of, write_jsonl, write_parquet

DIGITS = 5
"""Digits of a shard's number: names sort as numbers do."""
MANIFEST_SCHEMA = 1
"""Version of the manifest's own layout; that of the rows is told by their columns."""


def drawn(samples: Iterable[Sample], count: int | None, *key: object) -> list[Sample]:
    """The first `count` samples (None for all) in an order that hangs on `key` and each sample's id alone.

    One more sample changes at most one row of the draw.
    """
    ranked = sorted(samples, key=lambda sample: (stable_hash(*key, sample.id), sample.id))
    return ranked[:count]


def shard_name(split: str, number: int, kind: str = "parquet") -> str:
    """The file name of a shard, such as train-00003.parquet; it does not say how many there are."""
    return f"{split}-{number:0{DIGITS}d}.{kind}"


def write_shards(folder: Path, split: str, samples: Sequence[Sample], shards: int) -> list[dict[str, Any]]:
    """Write the `.parquet` and `.jsonl` of each shard below `shards`; rows keep their order.

    Returns for each file its name, rows and sha256. Other shards of the split, from an earlier run with more of
    them or other names, are removed. A shard may be empty. Raises UserError for less than one shard.
    """
    if shards < 1:
        raise UserError(f"--shards: {shards} files cannot hold rows; ask for 1 or more")
    parts: list[list[Sample]] = [[] for _ in range(shards)]
    for sample in samples:
        own = sample if sample.split == split else changed(sample, split=split)
        parts[shard_of(sample.id, shards)].append(own)
    told: list[dict[str, Any]] = []
    for number, part in enumerate(parts):
        table, lines = (folder / shard_name(split, number, kind) for kind in ("parquet", "jsonl"))
        write_parquet(table, part, Sample)
        write_jsonl(lines, part)
        told += [
            {"file": path.name, "rows": len(part), "sha256": sha256_file(path)} for path in (table, lines)
        ]
    ours = {entry["file"] for entry in told}
    for path in folder.glob(f"{split}-*"):
        if re.fullmatch(rf"{re.escape(split)}-\d+\.(?:parquet|jsonl)", path.name) and path.name not in ours:
            path.unlink()
    return told


def rows_schema() -> dict[str, Any]:
    """The columns of a shard with their types, and a version that changes when, and only when, they do."""
    columns = {column.name: str(column.type) for column in schema_of(Sample)}
    return {"version": sha256_json(columns)[:12], "columns": columns}


def write_manifest(folder: Path, name: str, files: Sequence[dict[str, Any]]) -> None:
    """Write manifest.json beside the shards: the schema of their rows, and each file's rows and sha256."""
    write_json(
        folder / "manifest.json",
        {"schema": MANIFEST_SCHEMA, "dataset": name, "rows": rows_schema(), "files": list(files)},
    )

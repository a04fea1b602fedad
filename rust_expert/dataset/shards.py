"""The files of a data set: Parquet and JSONL, a row's file decided by its id alone."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file
from rust_expert.common.seeds import shard_of, stable_hash
from rust_expert.common.tables import write_jsonl, write_parquet


def drawn(samples: Iterable[Sample], count: int | None, *key: object) -> list[Sample]:
    """The first `count` samples (None for all) in an order that hangs on `key` and each sample's id alone.

    One more sample changes at most one row of the draw.
    """
    ranked = sorted(samples, key=lambda sample: (stable_hash(*key, sample.id), sample.id))
    return ranked[:count]


def write_shards(folder: Path, split: str, samples: Sequence[Sample], shards: int) -> list[dict[str, Any]]:
    """Write `{split}-{i}.parquet` and `.jsonl` for each i below `shards`; rows keep their order.

    Returns for each file its name, rows and sha256. Files of higher numbers, from an earlier run with more
    shards, are removed. A shard may be empty. Raises UserError for less than one shard.
    """
    if shards < 1:
        raise UserError(f"--shards: {shards} files cannot hold rows; ask for 1 or more")
    parts: list[list[Sample]] = [[] for _ in range(shards)]
    for sample in samples:
        parts[shard_of(sample.id, shards)].append(sample.model_copy(update={"split": split}))
    told: list[dict[str, Any]] = []
    for number, part in enumerate(parts):
        table, lines = (folder / f"{split}-{number}.{kind}" for kind in ("parquet", "jsonl"))
        write_parquet(table, part, Sample)
        write_jsonl(lines, part)
        told += [
            {"file": path.name, "rows": len(part), "sha256": sha256_file(path)} for path in (table, lines)
        ]
    for path in folder.glob(f"{split}-*"):
        found = re.fullmatch(rf"{re.escape(split)}-(\d+)\.(?:parquet|jsonl)", path.name)
        if found and int(found.group(1)) >= shards:
            path.unlink()
    return told

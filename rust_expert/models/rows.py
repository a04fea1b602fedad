"""Reading training rows: Parquet or JSONL shards of samples."""

from collections.abc import Sequence
from pathlib import Path

from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file
from rust_expert.common.seeds import stable_hash
from rust_expert.common.tables import read_jsonl, read_parquet


def read_pairs(paths: Sequence[str]) -> list[tuple[str, str]]:
    """(prompt, answer) of each sample in the shards, in their order. Rows with an empty answer are passed over.

    Raises UserError naming the file where one is missing, of an unknown kind, or holds a broken row.
    """
    pairs: list[tuple[str, str]] = []
    for path in paths:
        suffix = Path(path).suffix
        if suffix == ".parquet":
            samples = read_parquet(path, Sample)
        elif suffix == ".jsonl":
            samples = read_jsonl(path, Sample)
        else:
            raise UserError(f"{path}: rows come as .parquet or .jsonl; name such a file")
        pairs += [(sample.prompt, sample.gen) for sample in samples if sample.gen.strip()]
    return pairs


def hashes(paths: Sequence[str]) -> list[str]:
    """sha256 of each shard, in order: what the fingerprint of a training holds of its data.

    Raises UserError where a file is missing.
    """
    for path in paths:
        if not Path(path).is_file():
            raise UserError(f"{path}: no such file; check the path or run the step that makes it")
    return [sha256_file(path) for path in paths]


def some_of(pairs: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """At most `count` of the rows, chosen by the hash of their text: the same rows however they are ordered."""
    if len(pairs) <= count:
        return list(pairs)
    chosen = sorted(range(len(pairs)), key=lambda index: (stable_hash("validation", *pairs[index]), index))[
        :count
    ]
    return [pairs[index] for index in sorted(chosen)]

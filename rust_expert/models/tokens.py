"""Training rows as token ids on disk: made once for a data set and a tokenizer, read by all stages and ranks.

An Arrow file, which is mapped into memory: the ranks of a machine share its pages.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from rust_expert.common.files import atomic_path, sha256_json
from rust_expert.common.seeds import rng, stable_hash
from rust_expert.models import rows
from rust_expert.models.conversation import TEMPLATE_VARIABLES, encode_rows

log = logging.getLogger(__name__)

SCHEMA = pa.schema(
    [
        ("input_ids", pa.list_(pa.int32())),
        ("labels", pa.list_(pa.int32())),
        ("draw", pa.uint64()),
    ]
)
"""`labels` are the ids of the answer, end mark included, and -100 before it; `draw` orders rows by chance."""

_AT_ONCE = 2_000


@dataclass(frozen=True)
class Tokens:
    """The rows that fit, and how many did not."""

    data: Dataset
    too_long: int

    def __len__(self) -> int:
        return len(self.data)


def tokenised(
    paths: Sequence[str], tokenizer: PreTrainedTokenizerBase, tokenizer_sha256: str, code: str, folder: Path
) -> Path:
    """The file in `folder` that holds all rows of the shards under the chat template, made where it is not there.

    Its name tells what it is made of: shards, tokenizer, and the code that made it. Raises UserError for shards that
    are missing or break the contract, and for a template that renders a prompt otherwise once an answer follows.
    """
    name = sha256_json(
        {
            "rows": rows.hashes(paths),
            "tokenizer": tokenizer_sha256,
            "variables": TEMPLATE_VARIABLES,
            "code": code,
        }
    )
    path = folder / f"{name[:32]}.arrow"
    if path.is_file():
        log.info("tokens of %s are there", _short(paths))
        return path
    pairs = rows.read_pairs(paths)
    with atomic_path(path) as temporary, pa.ipc.new_stream(str(temporary), SCHEMA) as stream:
        for start in range(0, len(pairs), _AT_ONCE):
            stream.write_batch(_batch(tokenizer, pairs[start : start + _AT_ONCE]))
    log.info("%d rows of %s turned into tokens", len(pairs), _short(paths))
    return path


def _batch(tokenizer: PreTrainedTokenizerBase, pairs: Sequence[tuple[str, str]]) -> pa.RecordBatch:
    encoded = encode_rows(tokenizer, pairs)
    labels = [[-100] * row.prompt_length + row.ids[row.prompt_length :] for row in encoded]
    draws = [stable_hash("validation", *pair) for pair in pairs]
    columns = [[row.ids for row in encoded], labels, draws]
    return pa.RecordBatch.from_arrays(
        [pa.array(values, type=kind) for values, kind in zip(columns, SCHEMA.types, strict=True)],
        schema=SCHEMA,
    )


def _short(paths: Sequence[str]) -> str:
    return f"{paths[0]} and {len(paths) - 1} more files" if len(paths) > 1 else ", ".join(paths)


def rows_to_train_on(path: Path, max_length: int, seed: int) -> Tokens:
    """The rows of at most `max_length` tokens, in an order drawn from `seed`, so that packs mix the shards.

    Longer rows are left out, not cut: a cut row teaches the model to stop in the middle of a function.
    """
    table = Dataset.from_file(str(path))
    order = list(range(len(table)))
    rng(seed, "rows").shuffle(order)
    return _fitting(table, np.array(order, dtype=np.int64), max_length)


def rows_to_check(path: Path, max_length: int, count: int) -> Tokens:
    """Those of `count` rows that fit, chosen by the hash of their text: the same ones however they are ordered."""
    table = Dataset.from_file(str(path))
    draws = table.data.column("draw").to_numpy()
    chosen = np.sort(np.argsort(draws, kind="stable")[:count])
    return _fitting(table, chosen, max_length)


def _fitting(table: Dataset, order: np.ndarray, max_length: int) -> Tokens:
    lengths = pc.list_value_length(table.data.column("input_ids")).to_numpy()[order]
    kept = order[lengths <= max_length]
    return Tokens(table.select(kept).select_columns(["input_ids", "labels"]), int(len(order) - len(kept)))


def learning_order(sequences: int, wanted: int, seed: int) -> list[int]:
    """Places of `wanted` sequences in the order in which they are learned: pass by pass, each in an order of its own.

    Every step has as many sequences as any other, and which ones does not depend on how many ranks share them.
    """
    order: list[int] = []
    for number in range(math.ceil(wanted / max(1, sequences))):
        once = list(range(sequences))
        rng(seed, "pass", number).shuffle(once)
        order += once
    return order[:wanted]

"""Parting a file of rows into training and validation: by crate, with a seeded hash."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_text
from rust_expert.dataset.split import val_groups
from rust_expert.dataset.streams import Row, rows_of, write_lines

Group = tuple[str, str]


def group_of_row(row: Row, key: str) -> Group:
    """What a row may not be parted from: its combination, else what `key` says (its crate), else its own text."""
    for kind, name in (("combination", "_combination"), ("crate", key)):
        value = row.fields.get(name)
        if value is not None and not isinstance(value, str):
            raise UserError(f"{row.where}: {name} is no text; name a column of texts with --key")
        if value:
            return kind, value
    texts = [row.fields.get(name) for name in ("prompt", "gen")]
    if not all(isinstance(text, str) for text in texts):
        raise UserError(f"{row.where}: no {key}, and no texts in prompt and gen to tell it by; mend that row")
    return "row", sha256_text("\0".join(map(str, texts)))


def split_train_val(
    sources: Sequence[Path], train: Path, val: Path, fraction: float, seed: int, key: str
) -> dict[str, Any]:
    """Write each row to one of two JSONL files with `split` set; the rows of a crate stay together.

    Groups are held back as `clean` does it: by the hash of (seed, group) alone. The sources are read twice. Returns
    rows and groups of each side.
    Raises UserError where one side would be empty.
    """
    rows = Counter(group_of_row(row, key) for row in _rows(sources))
    held = val_groups(rows, fraction, seed)
    if not held or len(held) == len(rows):
        raise UserError(
            f"of {len(rows)} groups {len(held)} would be held back; a side would be empty: give more crates "
            "or another --fraction"
        )
    counts = {"train": 0, "val": 0}
    for name, path in (("train", train), ("val", val)):
        chosen = (
            Row(row.where, {**row.fields, "split": name})
            for row in _rows(sources)
            if (group_of_row(row, key) in held) == (name == "val")
        )
        counts[name] = write_lines(path, chosen)
    return {"rows": counts, "groups": {"train": len(rows) - len(held), "val": len(held)}}


def _rows(sources: Sequence[Path]) -> Iterator[Row]:
    for path in sources:
        yield from rows_of(path)

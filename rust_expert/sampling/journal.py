"""Batches of completions that stand so far, in a file that is only appended to.

Each line is one batch with a checksum, written and synced as soon as the batch is done. A run that is killed loses the
batch in hand and no more: a last line that is not whole, or any that its checksum does not fit, is dropped with all
that follows.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from rust_expert.common.contracts import Completion
from rust_expert.common.files import sha256_json


class BatchJournal:
    """The batches by their number. Use it as a context, in a folder that is locked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.batches: dict[int, list[Completion]] = {}

    def __enter__(self) -> Self:
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        whole = 0
        with open(self._fd, "rb", closefd=False) as stream:
            for line in stream:
                found = _batch_in(line)
                if found is None:
                    break
                self.batches[found[0]] = found[1]
                whole += len(line)
        os.truncate(self._fd, whole)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def add(self, number: int, rows: Sequence[Completion]) -> None:
        """Keep a batch; when this returns it is on the disk."""
        told = [row.model_dump(mode="json") for row in rows]
        line = json.dumps({"batch": number, "sha256": sha256_json(told), "rows": told}, separators=(",", ":"))
        data = line.encode("ascii") + b"\n"
        while data:
            data = data[os.write(self._fd, data) :]
        os.fsync(self._fd)
        self.batches[number] = list(rows)


def _batch_in(line: bytes) -> tuple[int, list[Completion]] | None:
    """Number and rows of a line; None where it is torn or damaged."""
    if not line.endswith(b"\n"):
        return None
    try:
        told = json.loads(line)
        if told["sha256"] != sha256_json(told["rows"]):
            return None
        return int(told["batch"]), [Completion.model_validate(row) for row in told["rows"]]
    except (ValueError, KeyError, TypeError, ValidationError):
        return None

"""Room for checkpoints, looked at before the first step and not at the first save."""

import shutil
from pathlib import Path
from typing import Any

from rust_expert.common.errors import UserError
from rust_expert.models.adapter import trainable
from rust_expert.models.optimizer_state import state_bytes

SMALL_FILES = 256 * 1024
"""Of a checkpoint, beside weights and tokenizer: configuration, schedule, random state, log, hashes."""


def checkpoint_bytes(model: Any, optimizer: str, tokenizer: Path) -> int:
    """The size of one checkpoint of the adapter of `model`: float32 weights, optimiser state, tokenizer, small files.

    `tokenizer` is the folder whose tokenizer files the trainer copies into each checkpoint.
    """
    sizes = [weight.numel() for weight in trainable(model).values()]
    copied = sum(path.stat().st_size for path in tokenizer.glob("*token*") if path.is_file())
    return sum(4 * size + state_bytes(size, optimizer) for size in sizes) + copied + SMALL_FILES


def require_room(work: Path, model: Any, optimizer: str, keep: int, tokenizer: Path) -> None:
    """Raise UserError where the disk of `work` is too full for the checkpoints that will lie there at one time:
    those that are kept, and the next, which is written before the oldest goes.

    Checkpoints that lie there already are counted as free: they are the ones that go.
    """
    one = checkpoint_bytes(model, optimizer, tokenizer)
    needed = (keep + 1) * one
    old = sum(path.stat().st_size for path in work.glob("checkpoint-*/**/*") if path.is_file())
    free = shutil.disk_usage(work).free + old
    if free < needed:
        raise UserError(
            f"{work}: {_size(free)} free, but {keep + 1} checkpoints of {_size(one)} each need {_size(needed)};"
            " free some space, or put the results on another disk (nothing was trained)"
        )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"

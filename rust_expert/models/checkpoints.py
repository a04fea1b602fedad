"""Whole checkpoints: marked last, with the hash of each file, so that a kill at any moment leaves a good one."""

import logging
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rust_expert.common.files import read_json, write_json
from rust_expert.models.manifest import hash_folder
from rust_expert.models.ranks import Group

log = logging.getLogger(__name__)

MARK = "whole.json"
PREFIX = "checkpoint-"


def mark_whole(checkpoint: Path) -> None:
    """Write the mark into a checkpoint that is complete."""
    write_json(checkpoint / MARK, hash_folder(checkpoint))


def is_whole(checkpoint: Path) -> bool:
    """Whether a checkpoint has its mark and the files that the mark names, unchanged."""
    mark = checkpoint / MARK
    if not mark.is_file():
        return False
    found = hash_folder(checkpoint)
    found.pop(MARK)
    return bool(found == read_json(mark))


def last_whole(folder: Path) -> Path | None:
    """The newest whole checkpoint in a work folder; broken and half-written ones are deleted on the way."""
    steps = [int(path.name.removeprefix(PREFIX)) for path in folder.glob(f"{PREFIX}*") if path.is_dir()]
    for step in sorted(steps, reverse=True):
        checkpoint = folder / f"{PREFIX}{step}"
        if is_whole(checkpoint):
            return checkpoint
        log.warning("%s is damaged or half-written: going back to the one before", checkpoint.name)
        shutil.rmtree(checkpoint)
    return None


def delete_all(folder: Path) -> None:
    """Delete every checkpoint of a finished training."""
    for path in folder.glob(f"{PREFIX}*"):
        shutil.rmtree(path)


class MarkCheckpoints(TrainerCallback):
    """Marks each checkpoint whole once the trainer has written it, then deletes all but the last `keep`."""

    def __init__(self, keep: int, group: Group) -> None:
        self.keep, self.group = keep, group

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Called by the trainer after the last file of a checkpoint; each rank has written some of them."""
        self.group.wait()
        if not self.group.first:
            return
        folder = Path(args.output_dir)
        mark_whole(folder / f"{PREFIX}{state.global_step}")
        steps = sorted(int(path.name.removeprefix(PREFIX)) for path in folder.glob(f"{PREFIX}*"))
        for step in steps[: -self.keep]:
            old = folder / f"{PREFIX}{step}"
            (old / MARK).unlink(missing_ok=True)
            shutil.rmtree(old)

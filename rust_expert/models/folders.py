"""Folders of models that appear whole or not at all, and the room that they take."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from rust_expert.common.errors import UserError


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target`; it takes that name and place when the block ends well.

    On an exception it is removed and `target` stays as it was; what a killed process left of one is used again.

    Raises UserError where another process is writing the same folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.mkdir(exist_ok=True)
    handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{target}: another process is writing it; wait for its end") from None
        _empty(part)
        try:
            yield part
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        for path in part.rglob("*"):
            if path.is_file() and path.stat().st_nlink == 1:
                path.chmod(0o644)  # safetensors writes files that only their owner may read
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
    finally:
        os.close(handle)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def require_space(folder: Path, size: int, what: str) -> None:
    """Raise UserError where the disk of `folder` has less than `size` bytes free for `what`."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < size:
        raise UserError(
            f"{folder}: {what} takes {size / 1e9:,.1f} GB and the disk has {free / 1e9:,.1f} GB free; make room, or"
            " write to another disk"
        )


def bring(files: Sequence[Path], target: Path) -> None:
    """Put `files` into the folder `target`: as hard links where the disk is the same one, else as copies.

    Raises UserError before the first copy where there is no room for all.
    """
    for place, file in enumerate(files):
        try:
            os.link(file.resolve(), target / file.name)
        except OSError:
            left = files[place:]
            require_space(target, sum(path.stat().st_size for path in left), f"a copy of {file.parent}")
            for path in left:
                shutil.copyfile(path, target / path.name)
            return

"""Ctrl-C, and how a judge leaves: at once, with nothing of it left but what it has judged.

Waiting for the samples at work could take minutes. The process ends instead, which ends its rooms
(`--die-with-parent`), as kill -9 does; what is judged was written before. All files of the rooms lie in one folder.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from rust_expert.common import telemetry

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PREFIX = "rust-expert-judge-"


@contextlib.contextmanager
def interruptible(sentence: Callable[[], str]) -> Iterator[None]:
    """While the block runs, Ctrl-C, SIGTERM and SIGHUP end the process, with a sentence and exit code 128 + signal.

    For the main thread. Signals that were ignored stay ignored.
    """
    with _own_folder() as folder:

        def leave(number: int, _frame: FrameType | None) -> None:
            for kind in _SIGNALS:
                signal.signal(kind, signal.SIG_IGN)
            if sys.stderr.isatty():
                sys.stderr.write("\n")  # below the bar
            told = sentence()
            log.warning("%s", told)
            telemetry.end(128 + number, told)
            logging.shutdown()
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(128 + number)

        before = {kind: signal.getsignal(kind) for kind in _SIGNALS}
        for kind, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(kind, leave)
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """The folder for the temporary files of this process, and of no other. Those of killed judges are removed."""
    before, parent = tempfile.tempdir, Path(tempfile.gettempdir())
    for stale in parent.glob(f"{_PREFIX}*"):
        _remove_stale(stale)
    made = Path(tempfile.mkdtemp(prefix="new-" + _PREFIX))
    lock = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = made.rename(
        parent / made.name.removeprefix("new-")
    )  # never seen under its name without its lock
    folder.chmod(0o755)
    tempfile.tempdir = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_stale(folder: Path) -> None:
    """Remove the folder of a judge that is no more: of this user's, and no longer locked."""
    with contextlib.suppress(OSError):
        if folder.lstat().st_uid != os.geteuid():
            return
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)

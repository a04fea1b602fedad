"""What sandboxes cost: processes that bubblewrap leaves behind are waited for here, and so counted among ours.

bubblewrap ends without waiting for the first process of its room. That would go to the machine's init, and with it the
CPU time and memory of every compiler; in a container whose init waits for nobody it would stay a zombie. Linux alone.
"""

import ctypes
import os
import re
import signal
import threading
import time
from pathlib import Path

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
_EVERY = 0.5
"""Seconds between two looks at the children, however many end."""

_looked = 0.0


def adopt() -> None:
    """From now on orphans below this process become its children; those of a room are waited for when they end.

    Does nothing outside the main thread, which alone may handle signals.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0) == 0:
        signal.signal(signal.SIGCHLD, lambda number, frame: _now_and_then())


def _now_and_then() -> None:
    global _looked
    if time.monotonic() - _looked >= _EVERY:
        _looked = time.monotonic()
        reap()


def reap() -> None:
    """Wait for what has ended, up to the first child that somebody else here started and will wait for."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or not _began_a_room(ended.si_pid):
                return
            os.waitpid(ended.si_pid, os.WNOHANG)
        except ChildProcessError:
            return


def _began_a_room(child: int) -> bool:
    """Whether it is process 1 of a namespace below ours: none that a program of ours starts itself is that."""
    try:
        told = Path("/proc", str(child), "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(re.search(r"^NSpid:\s*\d+\s.*\b1$", told, re.M))

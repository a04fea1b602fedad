"""Whatever the samples of a module do, nothing of it is there when the module is over."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rust_expert.judge.rooms import mark_of_rooms
from tests.attacks.leftovers import below, read


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No process, no mount and no temporary file; the temporary folder is the module's own meanwhile."""
    usual, scratch = tempfile.tempdir, tmp_path_factory.mktemp("scratch")
    tempfile.tempdir = str(scratch)
    mark_of_rooms()  # its guard stays as long as this process
    mounts, processes = read(Path("/proc/self/mounts")), below(os.getpid())
    yield
    tempfile.tempdir = usual
    deadline = time.monotonic() + 5
    while (left := below(os.getpid()) - processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, [read(Path(f"/proc/{process}/cmdline")) for process in left]
    assert read(Path("/proc/self/mounts")) == mounts
    assert not list(scratch.iterdir())

"""A script on a full disk says so in one sentence, whichever library met it."""

from pathlib import Path

import pytest

from rust_expert.common.errors import DiskFull, as_user_error
from tests.watched import ran, written

WRITERS = {
    "python": 'open("/dev/full", "w").write("x" * 1_000_000)',
    "pyarrow": 'import pyarrow as pa\npa.OSFile("/dev/full", "wb").write(b"x" * 1_000_000)',
    "in a thread": (
        "from rust_expert.common.parallel import spread\n"
        'list(spread(lambda text: open("/dev/full", "w").write(text), ["x" * 1_000_000], 2))'
    ),
}


@pytest.mark.parametrize("body", WRITERS.values(), ids=WRITERS)
def test_one_sentence(tmp_path: Path, body: str) -> None:
    log = tmp_path / "a.log"
    log.symlink_to("/dev/full")
    code, told = ran(written(tmp_path, body), "--log", log)
    assert code == 1
    assert "error: No space left on the disk" in told and "nothing finished is lost" in told
    assert "Traceback" not in told


def test_other_faults_stay_what_they_are() -> None:
    for error in (OSError(13, "Permission denied"), ValueError("No room")):
        assert as_user_error(error) is error
    said = as_user_error(
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")
    )
    assert isinstance(said, DiskFull)

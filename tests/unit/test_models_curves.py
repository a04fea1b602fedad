"""The curves of a training: whole at every moment, those of a run that goes on too, and no threads for them."""

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tensorboardX.proto import event_pb2

from rust_expert.models.watching import SCALARS, Lines, TensorBoard


def events(folder: Path) -> list[Any]:
    """Every event of the files in order: each record is a length, its checksum, the event, its checksum."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            found.append(event_pb2.Event.FromString(content[12 : 12 + length]))
            content = content[16 + length :]
    return found


def points(folder: Path) -> dict[tuple[str, int], float]:
    """Value by curve and step, as TensorBoard shows them: a session that starts hides all from its step on."""
    found: dict[tuple[str, int], float] = {}
    for event in events(folder):
        if event.HasField("session_log"):
            found = {key: value for key, value in found.items() if key[1] < event.step}
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
    return found


def test_points_are_in_the_file_before_it_is_closed(tmp_path: Path) -> None:
    curve = TensorBoard(tmp_path / "of" / "stage", 0)
    curve.write(5, {"loss": 0.5, "val_loss": 0.25})
    assert points(tmp_path / "of" / "stage") == {("loss", 5): 0.5, ("val_loss", 5): 0.25}
    assert events(tmp_path / "of" / "stage")[0].file_version == "brain.Event:2"
    curve.close()


@pytest.mark.parametrize("kind", ["tensorboard", "lines"])
def test_a_run_that_goes_on_keeps_the_points_up_to_its_step(tmp_path: Path, kind: str) -> None:
    for begun, steps in ((0, (1, 2, 3)), (2, (3, 4))):
        curve = TensorBoard(tmp_path, begun) if kind == "tensorboard" else Lines(tmp_path / SCALARS, begun)
        for step in steps:
            curve.write(step, {"loss": step + begun / 16})
        curve.close()
        for path in tmp_path.glob("events.out.tfevents.*.*"):  # their names have whole seconds alone
            path.rename(path.with_name(f"events.out.tfevents.{begun}"))
    if kind == "tensorboard":
        found = points(tmp_path)
    else:
        told = map(json.loads, (tmp_path / SCALARS).read_text(encoding="utf-8").splitlines())
        found = {("loss", line["step"]): line["loss"] for line in told}
    assert found == {("loss", 1): 1.0, ("loss", 2): 2.0, ("loss", 3): 3.125, ("loss", 4): 4.125}


def test_curves_need_no_thread(tmp_path: Path) -> None:
    """Where memory is out none can be started; a writer that waits for its threads at the end hung a training."""
    body = f"""
import threading
from pathlib import Path
from rust_expert.models.watching import TensorBoard
before = threading.active_count()
def no_more(thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = no_more
curve = TensorBoard(Path({str(tmp_path / "other")!r}), 0)
curve.write(1, {{"loss": 0.5}})
assert threading.active_count() == before
"""
    subprocess.run([sys.executable, "-c", body], check=True, timeout=120)
    assert points(tmp_path / "other") == {("loss", 1): 0.5}

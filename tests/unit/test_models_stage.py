"""A stage's whole life: trained, killed and gone on with, finished twice, passed on, locked, changed."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_models

from rust_expert.common.cli import flags
from rust_expert.common.errors import UserError
from rust_expert.models.checkpoints import MARK, is_whole, last_whole, mark_whole
from rust_expert.models.manifest import StageManifest, read_manifest
from rust_expert.models.stage import Order, history_of, train_stage
from rust_expert.models.work import Fingerprint, WorkFolder

ROOT = Path(__file__).resolve().parents[2]


def command(order: Order) -> str:
    options = " ".join(flags(section) for section in (order.training, order.lora, order.quantization))
    return (
        f"exec {sys.executable} -m scripts.train --stage {order.stage} --base {order.base} --parent {order.parent}"
        f" --train {order.train[0]} --val {order.val[0]} --out {order.out} {options}"
    )


def test_a_killed_trainer_ends_with_the_same_bits(tmp_path: Path) -> None:
    """kill -9 after the first checkpoint, run again: adapter, curve and manifest of an undisturbed run."""
    undisturbed = tiny_models.stage_manifest()
    order = tiny_models.order(tmp_path / undisturbed.parent.name / "manifest.json")
    process = subprocess.Popen(["bash", "-c", command(order)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    marked = order.out.parent / "work" / "checkpoint-2" / MARK
    while not marked.is_file() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.stderr and process.stderr.read()
    assert not order.out.exists()
    checkpoint = last_whole(order.out.parent / "work")
    assert checkpoint is not None
    done = subprocess.run(["bash", "-c", command(order)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "going on from step" in done.stderr
    assert "Warning" not in done.stderr, "libraries keep off the terminal"
    for name in ("manifest.json", "history.json", "effective.json", "adapter/adapter_model.safetensors",
                 "adapter/adapter_config.json"):  # fmt: skip
        assert (order.out.parent / name).read_bytes() == (undisturbed.parent / name).read_bytes(), name


def test_what_a_stage_leaves_behind() -> None:
    path = tiny_models.stage_manifest()
    manifest = read_manifest(path)
    assert isinstance(manifest, StageManifest)
    assert manifest.trained
    assert manifest.steps == 6
    assert manifest.rows == 48
    assert manifest.val_loss is not None
    history = json.loads((path.parent / "history.json").read_text())
    assert [row["step"] for row in history] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in history if row["val_loss"] is not None] == [3, 6]
    assert all(
        set(row) == {"step", "loss", "val_loss", "val_token_accuracy", "learning_rate"} for row in history
    )
    settled = json.loads((path.parent / "effective.json").read_text())
    assert settled["adapter_dtypes"] == ["float32"]
    assert settled["quant_type"] == "nf4"
    for name in ("manifest.json", "history.json", "effective.json", "adapter/adapter_config.json"):
        assert str(path.parent) not in (path.parent / name).read_text(), "no path of this machine"
    assert not list((path.parent / "work").glob("checkpoint-*")), "checkpoints go once the training is done"


def test_a_finished_stage_is_only_described_again(tmp_path: Path) -> None:
    path = tiny_models.stage_manifest()
    order = tiny_models.order(path)
    stamp = (path.parent / "adapter" / "adapter_model.safetensors").stat().st_mtime_ns
    before = path.read_bytes()
    path.unlink()
    train_stage(order)
    assert path.read_bytes() == before
    assert (path.parent / "adapter" / "adapter_model.safetensors").stat().st_mtime_ns == stamp


def test_a_stage_without_samples_passes_its_parents_adapter_on(tmp_path: Path) -> None:
    parent = tiny_models.stage_manifest()
    order = tiny_models.order(tmp_path / "rsft" / "manifest.json", parent, steps=None, epochs=1.0)
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    passed = Order(**{**vars(order), "method": "rsft", "train": [str(empty)]})
    manifest = train_stage(passed)
    assert (manifest.trained, manifest.reason) == (False, "no sample kept")
    assert manifest.files == read_manifest(parent).files
    assert (order.out.parent / "adapter" / "adapter_model.safetensors").is_file()
    with pytest.raises(UserError, match="hold no rows to train on"):
        train_stage(Order(**{**vars(passed), "method": "sft"}))


def test_too_few_rows_for_the_steps_stop_the_training(tmp_path: Path) -> None:
    short = tiny_models.order(tmp_path / "short" / "manifest.json", steps=60, max_passes=2.5)
    with pytest.raises(
        UserError, match=r"stage short: 60 steps go [\d.]+ times over \d+ rows, and max_passes is 2.5; see in"
    ):
        train_stage(short)
    assert not short.out.exists()


def test_a_loss_that_is_no_number_stops_the_training(tmp_path: Path) -> None:
    wild = tiny_models.order(tmp_path / "wild" / "manifest.json", learning_rate=1e30, max_grad_norm=1e30)
    with pytest.raises(
        UserError, match=r"stage wild: the loss at step \d is (nan|inf); lower its learning_rate"
    ):
        train_stage(wild)
    assert not wild.out.exists()


def test_a_second_trainer_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    mine, other = Fingerprint({"seed": 1}), Fingerprint({"seed": 2})
    with WorkFolder(tmp_path, mine):
        with pytest.raises(UserError, match=f"process {os.getpid()} is training here.*kill {os.getpid()}"):
            WorkFolder(tmp_path, other, wait_seconds=60).__enter__()
        with pytest.raises(UserError, match="is training here"):
            WorkFolder(tmp_path, mine).__enter__()
    with WorkFolder(tmp_path, mine):
        pass


def test_a_trainer_that_does_the_same_is_waited_for(tmp_path: Path) -> None:
    mine = Fingerprint({"seed": 1})
    with WorkFolder(tmp_path, mine):
        pass
    holder = open(tmp_path / "lock", "r+")  # noqa: SIM115
    fcntl.flock(holder, fcntl.LOCK_EX)
    releaser = subprocess.Popen(["sleep", "1"], pass_fds=[holder.fileno()])
    holder.close()
    with WorkFolder(tmp_path, mine, wait_seconds=30):
        assert releaser.poll() is not None


def test_a_changed_fingerprint_starts_anew_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with WorkFolder(tmp_path, Fingerprint({"seed": 1, "data": "a"})) as work:
        (work.path / "checkpoint-2").mkdir()
        work.finish({"steps": 2})
    with WorkFolder(tmp_path, Fingerprint({"seed": 1, "data": "a"})) as work:
        assert work.finished() == {"steps": 2}
        assert (work.path / "checkpoint-2").is_dir()
    with WorkFolder(tmp_path, Fingerprint({"seed": 1, "data": "b"})) as work:
        assert work.finished() is None
        assert not (work.path / "checkpoint-2").exists()
    assert "these changed: data" in caplog.text


def test_only_whole_checkpoints_are_gone_on_from(tmp_path: Path) -> None:
    for step in (2, 4, 6, 10):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "adapter").write_text(f"weights of {step}")
        if step != 10:
            mark_whole(folder)
    (tmp_path / "checkpoint-6" / "adapter").write_text("flipped")
    assert not is_whole(tmp_path / "checkpoint-6")
    found = last_whole(tmp_path)
    assert found == tmp_path / "checkpoint-4"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-2", "checkpoint-4"]


def test_the_curve_has_no_durations() -> None:
    curve = history_of(
        [
            {"step": 2, "loss": 1.5, "learning_rate": 0.1, "epoch": 0.1, "grad_norm": 3.0},
            {"step": 2, "eval_loss": 1.25, "eval_token_accuracy": 0.5, "eval_runtime": 9.0},
            {"step": 3, "train_runtime": 20.0, "train_loss": 1.4},
        ]
    )
    assert curve == [
        {"step": 2, "loss": 1.5, "val_loss": 1.25, "val_token_accuracy": 0.5, "learning_rate": 0.1}
    ]

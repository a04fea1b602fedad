"""Trainings that are killed, asked to stop, or find a damaged checkpoint or no memory end with the same bits."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tiny_models

from rust_expert.common.cli import flags
from rust_expert.common.errors import UserError
from rust_expert.models.checkpoints import MARK, PREFIX
from rust_expert.models.memory import out_of_memory
from rust_expert.models.stage import Order, train_stage

ROOT = Path(__file__).resolve().parents[2]
LONG: dict[str, Any] = {"steps": 60, "save_steps": 4, "eval_steps": 20, "max_passes": 100, "log_steps": 2}
FILES = ("manifest.json", "history.json", "effective.json", "adapter/adapter_model.safetensors")
KILLS = 10


def words(order: Order) -> list[str]:
    options = " ".join(flags(section) for section in (order.training, order.lora, order.quantization))
    return [
        "bash",
        "-c",
        f"exec {sys.executable} -m scripts.train --stage {order.stage} --base {order.base} --parent {order.parent}"
        f" --train {order.train[0]} --val {order.val[0]} --out {order.out} {options}",
    ]


def started(order: Order) -> "subprocess.Popen[str]":
    return subprocess.Popen(words(order), cwd=ROOT, stderr=subprocess.PIPE, text=True)


def run(order: Order) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words(order), cwd=ROOT, capture_output=True, text=True)


def step_of(order: Order) -> int:
    """The last step of the curve."""
    try:
        return int(json.loads((order.out.parent / "scalars.jsonl").read_text().splitlines()[-1])["step"])
    except (OSError, IndexError, ValueError):
        return 0


def half_written(order: Order) -> bool:
    folders = (order.out.parent / "work").glob(f"{PREFIX}*")
    return any(any(folder.iterdir()) and not (folder / MARK).exists() for folder in folders)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    order = tiny_models.order(tmp_path_factory.mktemp("undisturbed") / "long" / "manifest.json", **LONG)
    train_stage(order)
    return order.out.parent


def same(order: Order, undisturbed: Path) -> None:
    for name in FILES:
        assert (order.out.parent / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_ten_kills_at_random_moments_leave_the_same_bits(tmp_path: Path, undisturbed: Path) -> None:
    """Every other kill comes while a checkpoint is written, the others at a step and moment drawn by chance."""
    order = tiny_models.order(tmp_path / "long" / "manifest.json", **LONG)
    drawn = random.Random(5)
    inside = killed = 0
    for kill in range(KILLS):
        process = started(order)
        target = step_of(order) + drawn.randint(1, 8)
        torn = kill % 2 == 0
        while (
            process.poll() is None
            and step_of(order) < (0 if torn else target)
            or (torn and process.poll() is None and not half_written(order))
        ):
            time.sleep(0.0005)
        if not torn:
            time.sleep(drawn.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        inside += half_written(order)
    assert killed >= KILLS - 1, "the training is long enough to be killed this often"
    assert inside >= 2, "some kills came while a checkpoint was written"
    done = run(order)
    assert done.returncode == 0, done.stderr
    same(order, undisturbed)


def test_asked_to_stop_it_saves_says_so_and_goes_on(tmp_path: Path, undisturbed: Path) -> None:
    """SIGTERM between two lines of the curve and between two checkpoints: exit code 75, the same bits after a rerun."""
    order = tiny_models.order(tmp_path / "long" / "manifest.json", **LONG)
    process = started(order)
    while process.poll() is None and step_of(order) < 10:
        time.sleep(0.0005)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate()
    assert process.returncode == 75, told
    assert "asked to stop (SIGTERM)" in told and "Traceback" not in told
    stopped = max(
        int(path.name.removeprefix(PREFIX)) for path in (order.out.parent / "work").glob(f"{PREFIX}*")
    )
    assert stopped >= 10
    done = run(order)
    assert done.returncode == 0, done.stderr
    assert f"going on from step {stopped} of 60" in done.stderr
    same(order, undisturbed)


def test_a_damaged_checkpoint_is_told_of_and_the_one_before_is_taken(
    tmp_path: Path, undisturbed: Path
) -> None:
    order = tiny_models.order(tmp_path / "long" / "manifest.json", **LONG)
    process = started(order)
    marked = order.out.parent / "work" / f"{PREFIX}8" / MARK
    while process.poll() is None and not marked.is_file():
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    whole = sorted(
        (path.parent for path in (order.out.parent / "work").glob(f"{PREFIX}*/{MARK}")),
        key=lambda path: int(path.name.removeprefix(PREFIX)),
    )
    newest = whole[-1] / "optimizer.pt"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    done = run(order)
    assert done.returncode == 0, done.stderr
    assert f"{whole[-1].name} is damaged or half-written: going back" in done.stderr
    assert f"going on from step {whole[-2].name.removeprefix(PREFIX)} of 60" in done.stderr
    same(order, undisturbed)


def test_no_number_as_a_loss_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    order = tiny_models.order(
        tmp_path / "wild" / "manifest.json",
        **{
            **LONG,
            "learning_rate": 1e30,
            "max_grad_norm": 1e30,
            "warmup_steps": 40,
            "save_steps": 1,
            "log_steps": 1,
        },
    )
    done = run(order)
    assert done.returncode == 2
    assert "the loss at step" in done.stderr and "Traceback" not in done.stderr
    kept = list((order.out.parent / "work").glob(f"{PREFIX}*/{MARK}"))
    assert kept or "at step 1 " in done.stderr


def test_out_of_memory_names_the_knobs_or_halves_the_micro_batch(tmp_path: Path) -> None:
    """A real shortage: a limit on the address space, into which 4,096 sequences at once do not fit."""
    wide = {"micro_batch": 4096, "accumulation": 1, "max_length": 128, "packing": False, "attention": "sdpa"}
    order = tiny_models.order(
        tmp_path / "wide" / "manifest.json",
        **{**LONG, **wide, "max_passes": 1e9, "steps": 1, "warmup_steps": 0, "eval_steps": 1},
    )
    limited = words(order)
    limited[2] = f"ulimit -v 9000000; {limited[2]}"
    done = subprocess.run(limited, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "memory ran out at micro_batch 4096" in done.stderr and "auto_micro_batch: true" in done.stderr
    assert "Traceback" not in done.stderr
    limited[2] += " --auto-micro-batch true"
    done = subprocess.run(limited, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "memory ran out at micro_batch 4096; going on with 2048, and accumulation 2" in done.stderr
    effective = json.loads((order.out.parent / "effective.json").read_text())
    assert effective["sequences_per_step"] == 4096 and effective["micro_batch"] < 4096


def test_half_the_micro_batch_has_the_same_sequences_per_step() -> None:
    options = tiny_models.order(
        Path("unused") / "manifest.json", micro_batch=4, auto_micro_batch=True
    ).training
    with out_of_memory("phase1", options) as smaller:
        raise MemoryError("none left")
    assert smaller.options is not None
    assert (smaller.options.micro_batch, smaller.options.accumulation) == (2, 2)
    with (
        pytest.raises(UserError, match="memory ran out at micro_batch 1 "),
        out_of_memory("phase1", options.model_copy(update={"micro_batch": 1})),
    ):
        raise MemoryError("none left")
    with pytest.raises(ZeroDivisionError), out_of_memory("phase1", options):
        _ = 1 / 0

"""What cannot work is one sentence and exit code 2, from the real commands, and nothing is lost."""

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from pydantic import ValidationError

from rust_expert.common.cli import flags
from rust_expert.common.config.models import BaseOptions, HubOptions, TrainingOptions
from rust_expert.common.errors import UserError
from rust_expert.models import disk, process
from rust_expert.models.manifest import read_base, write_manifest

ROOT = Path(__file__).resolve().parents[2]
MODEL = tiny_models.base_manifest().parent / "model"
COMMIT = "0" * 40


def training_words(out: Path, parent: Path | None = None, **changes: Any) -> list[str]:
    order = tiny_models.order(out, parent, **changes)
    sections = (order.training, order.lora, order.quantization)
    return [
        "-c",
        f"exec {sys.executable} -m scripts.train --stage {order.stage} --base {order.base} --parent {order.parent}"
        f" --train {order.train[0]} --val {order.val[0]} --out {order.out} {' '.join(map(flags, sections))}",
    ]


def base_words(out: Path, options: dict[str, Any]) -> list[str]:
    told = flags(BaseOptions.model_validate(options))
    return ["-c", f"exec {sys.executable} -m scripts.base --out {out} {told}"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """What each command says: all are started together, for most of their time goes into imports."""
    folder = tmp_path_factory.mktemp("bad")
    mute = folder / "mute"
    shutil.copytree(MODEL, mute)
    (mute / "chat_template.jinja").unlink()
    foreign = folder / "foreign" / "manifest.json"
    foreign.parent.mkdir()
    shutil.copytree(tiny_models.stage_manifest().parent / "adapter", foreign.parent / "adapter")
    made = json.loads(tiny_models.stage_manifest().read_text()) | {"base_sha256": "f" * 64}
    foreign.write_text(json.dumps(made))
    hub = {"from": "hub", "hub": {"name": "nobody/nothing", "revision": COMMIT}}
    commands = {
        "hub": base_words(folder / "hub" / "manifest.json", hub),
        "template": base_words(folder / "mute-base" / "manifest.json", {"from": "path", "path": str(mute)}),
        "foreign": training_words(folder / "a" / "manifest.json", foreign),
        "gpu": training_words(folder / "c" / "manifest.json", device="cuda", attention="sdpa"),
    }
    environment = {
        **os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(folder / "cache"), "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    started = {
        name: subprocess.Popen(
            ["bash", *words],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, words in commands.items()
    }
    ended = {name: (process.communicate()[0], process.returncode) for name, process in started.items()}
    assert not list(folder.glob("*/manifest.json.*")), "nothing half-written"
    assert {path.parent.name for path in folder.glob("*/manifest.json")} == {"foreign"}
    return {name: (code, text) for name, (text, code) in ended.items()}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hub", ["base.hub: nobody/nothing at 0000", "not in the cache", "base.from to path"]),
        ("template", ["no chat template", "base.chat_template"]),
        ("foreign", ["made from another base"]),
        ("gpu", ["config key device: cuda was asked for, but torch sees no GPU", "default profile (device: cpu)"]),
    ],
)  # fmt: skip
def test_a_command_says_one_sentence(told: dict[str, tuple[int, str]], name: str, words: list[str]) -> None:
    code, text = told[name]
    assert code == 2, text
    assert "Traceback" not in text
    [sentence] = [line for line in text.splitlines() if "error: " in line]
    for word in words:
        assert word in sentence


def test_a_hub_model_is_pinned() -> None:
    with pytest.raises(ValidationError, match="pin the model to a commit, 40 hex digits"):
        HubOptions(name="nobody/nothing", revision="main")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"optimizer": "paged_adamw_8bit"},
            "paged_adamw_8bit needs a GPU; with device: cpu choose adamw_torch",
        ),
        ({"attention": "flash_attention_2"}, "flash_attention_2 needs a GPU"),
    ],
)
def test_keys_that_cannot_be_together(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TrainingOptions.model_validate({**tiny_models.TRAINING, **change})


class Cuda:
    """torch.cuda of another machine."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, message: str | None, driver: str | None, **has: Any
    ) -> None:
        def init() -> None:
            if message:
                raise RuntimeError(message)

        monkeypatch.setattr(torch.cuda, "is_available", lambda: has.get("available", False))
        monkeypatch.setattr(torch.cuda, "init", init)
        monkeypatch.setattr(torch.version, "cuda", has.get("built", "13.0"))
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation=True: has.get("bf16", True)
        )
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Tesla T4")
        monkeypatch.setattr(process, "driver_version", lambda: driver)


TOO_OLD = (
    "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by downloading"
    " and installing a new version from the URL: http://www.nvidia.com/Download/index.aspx Alternatively, go to: https://"
)
"""As torch words it."""


@pytest.mark.parametrize(
    ("message", "driver", "has", "words"),
    [
        (
            TOO_OLD, "470.57.02", {},
            ["the NVIDIA driver 470.57.02 is too old", "CUDA 13.0", "found version 11040", "newer driver"],
        ),
        ("Found no NVIDIA driver on your system. Please check", None, {}, ["no NVIDIA driver is loaded", "CUDA 13.0"]),
        (
            "No CUDA GPUs are available", "580.95.05", {},
            ["No CUDA GPUs are available", "580.95.05", "CUDA_VISIBLE_DEVICES"],
        ),
        ("unused", None, {"built": None}, ["built without CUDA"]),
        (
            None, "580.95.05", {"available": True, "bf16": False},
            ["compute_dtype: bfloat16", "Tesla T4 has no bfloat16"],
        ),
    ],
)  # fmt: skip
def test_why_a_gpu_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch,
    message: str | None,
    driver: str | None,
    has: dict[str, Any],
    words: list[str],
) -> None:
    Cuda(monkeypatch, message, driver, **has)
    with pytest.raises(UserError) as caught:
        process.require_device("cuda", "bfloat16")
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    process.require_device("cpu", "bfloat16")


def test_the_words_of_this_torch_are_understood() -> None:
    """The texts above are torch's: this one is asked of the torch that is installed, where there is no driver."""
    if torch.cuda.is_available() or process.driver_version() is not None:
        pytest.skip("a driver is here")
    with pytest.raises(RuntimeError, match="Found no NVIDIA driver"):
        torch.cuda.init()
    library = Path(torch.__file__).parent / "lib" / "libc10_cuda.so"
    assert b"too old (found version" in library.read_bytes() if library.is_file() else True


def test_the_version_of_a_driver_is_read(tmp_path: Path) -> None:
    told = tmp_path / "version"
    told.write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.57.02  Tue Jul 13 16:14:05 UTC 2021\nGCC version: 9\n"
    )
    assert process.driver_version(told) == "470.57.02"
    told.write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (dvs)\n"
    )
    assert process.driver_version(told) == "580.95.05"
    assert process.driver_version(tmp_path / "none") is None


def trained_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str) -> tuple[int, int]:
    """(predicted, real) bytes of a checkpoint of the tiny stage."""
    from rust_expert.models import checkpoints, stage

    predicted: list[int] = []
    real: list[int] = []
    before = disk.checkpoint_bytes
    monkeypatch.setattr(
        disk, "checkpoint_bytes", lambda *words: predicted.append(before(*words)) or predicted[-1]
    )
    mark = checkpoints.mark_whole

    def weighed(folder: Path) -> None:
        mark(folder)
        real.append(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))

    monkeypatch.setattr(checkpoints, "mark_whole", weighed)
    stage.train_stage(tiny_models.order(tmp_path / "s" / "manifest.json", optimizer=optimizer))
    return predicted[0], max(real)


def test_a_checkpoint_is_as_large_as_predicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predicted, real = trained_checkpoint(tmp_path, monkeypatch, "adamw_torch")
    assert real <= predicted <= real + 2 * disk.SMALL_FILES


def test_too_little_room_is_told_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rust_expert.models import stage

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 600_000))
    order = tiny_models.order(tmp_path / "s" / "manifest.json")
    with pytest.raises(
        UserError, match=r"0\.6 MB free, but 3 checkpoints of .* each need .* \(nothing was trained\)"
    ):
        stage.train_stage(order)
    assert not list((tmp_path / "s" / "work").glob("checkpoint-*"))
    assert not order.out.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_by_the_command(small_disk: Path) -> None:
    done = subprocess.run(
        ["bash", *training_words(small_disk / "s" / "manifest.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert "free some space" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_base_that_was_there_is_left_alone(tmp_path: Path) -> None:
    """A base that cannot be fetched any more does not cost the one that was fetched before."""
    from rust_expert.models.base import prepare_base

    out = tmp_path / "base" / "manifest.json"
    shutil.copytree(MODEL, out.parent / "model")
    write_manifest(out, read_base(tiny_models.base_manifest()))
    mute = tmp_path / "mute"
    shutil.copytree(MODEL, mute)
    (mute / "config.json").unlink()
    before = {path: path.read_bytes() for path in out.parent.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=r"has no config\.json"):
        prepare_base(BaseOptions.model_validate({"from": "path", "path": str(mute)}), [], [], out)
    for path, content in before.items():
        assert path.read_bytes() == content

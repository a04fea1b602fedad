"""Every key of a training's sections takes effect: each is turned, and what is read back, or done, changes with it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from pydantic import BaseModel

from rust_expert.common.config.models import LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.common.errors import UserError
from rust_expert.models.stage import Order, train_stage

SHORT = {"steps": 2, "warmup_steps": 1, "save_steps": 2, "eval_steps": 2}

TURNED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "steps": ({"steps": 3}, {"steps": 3}),
    "epochs": ({"steps": None, "epochs": 1.0}, {"passes": 1.0}),
    "learning_rate": ({"learning_rate": 1e-4}, {"learning_rate": 1e-4}),
    "warmup_steps": ({"warmup_steps": 0}, {"warmup_steps": 0}),
    "schedule": ({"schedule": "linear", "steps": 6}, {"schedule": "linear"}),
    "max_length": ({"max_length": 96}, {"max_length": 96}),
    "packing": ({"packing": False, "attention": "sdpa"}, {"packing": False, "packing_strategy": None}),
    "micro_batch": ({"micro_batch": 1}, {"micro_batch": 1, "sequences_per_step": 1}),
    "accumulation": ({"accumulation": 3}, {"accumulation": 3, "sequences_per_step": 6}),
    "eval_steps": ({"eval_steps": 1}, {"eval_steps": 1}),
    "eval_rows": ({"eval_rows": 5}, {"validation_rows": 5}),
    "save_steps": ({"save_steps": 1}, {"save_steps": 1}),
    "keep_checkpoints": ({"keep_checkpoints": 4}, {"keep_checkpoints": 4}),
    "log_steps": ({"log_steps": 2}, {"log_steps": 2}),
    "seed": ({"seed": 3}, {"seed": 3, "data_seed": 3}),
    "gradient_checkpointing": ({"gradient_checkpointing": True}, {"gradient_checkpointing": True}),
    "weight_decay": ({"weight_decay": 0.1}, {"weight_decay": 0.1}),
    "optimizer": ({"optimizer": "adamw_torch_fused"}, {"optimizer": "adamw_torch_fused"}),
    "max_grad_norm": ({"max_grad_norm": 0.5}, {"max_grad_norm": 0.5}),
    "attention": ({"attention": "eager"}, {"attention": "eager"}),
    "loader_workers": ({"loader_workers": 1}, {"loader_workers": 1, "loader_prefetch": 2}),
    "loader_prefetch": ({"loader_workers": 1, "loader_prefetch": 5}, {"loader_prefetch": 5}),
    "threads": ({"threads": 2}, {"threads": 2}),
    "r": ({"r": 2}, {"adapter_r": [2], "adapter_scale": [4.0]}),
    "alpha": ({"alpha": 16}, {"adapter_scale": [4.0]}),
    "dropout": ({"dropout": 0.25}, {"adapter_dropout": [0.25]}),
    "target_modules": ({"target_modules": ["q_proj"]}, {"adapter_modules": ["q_proj"]}),
    "quant_type": ({"quant_type": "fp4"}, {"quant_type": "fp4"}),
    "double_quant": ({"double_quant": False}, {"double_quant": False}),
    "compute_dtype": ({"compute_dtype": "bfloat16"}, {"compute_dtype": "bfloat16"}),
}
"""What is turned, and what must then be read back."""

REFUSED = {
    "max_passes": ({"max_passes": 0.01}, "max_passes is 0.01"),
    "device": ({"device": "cuda"}, "torch sees no GPU"),
    "wandb_project": ({"wandb_project": "rust"}, "the package wandb is not installed"),
}
"""What cannot be done on this machine is refused, and the sentence names why."""

ELSEWHERE = {"ranks", "auto_micro_batch", "tensorboard"}
"""Looked at in test_models_ranks.py and test_models_resume.py, and below."""


def order_of(folder: Path, **changes: Any) -> Order:
    plain = tiny_models.order(folder / "stage" / "manifest.json")
    sections: dict[str, BaseModel] = {
        "training": plain.training.model_copy(update=SHORT),
        "lora": plain.lora,
        "quantization": plain.quantization,
    }
    for name, section in sections.items():
        told = section.model_dump() | {
            key: value for key, value in changes.items() if key in type(section).model_fields
        }
        sections[name] = type(section).model_validate(told)
    return Order(**{**vars(plain), **sections})


def settled(order: Order) -> dict[str, Any]:
    import torch

    try:
        torch.set_num_threads(order.training.threads)
        train_stage(order)
    finally:
        torch.set_num_threads(1)
    found: dict[str, Any] = json.loads((order.out.parent / "effective.json").read_text())
    return found


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return settled(order_of(tmp_path_factory.mktemp("untouched")))


def test_no_key_is_forgotten() -> None:
    sections = (TrainingOptions, LoraOptions, QuantizationOptions)
    keys = {name for section in sections for name in section.model_fields}
    assert keys == TURNED.keys() | REFUSED.keys() | ELSEWHERE


@pytest.mark.parametrize("key", TURNED)
def test_a_key_that_is_turned_takes_effect(tmp_path: Path, key: str, untouched: dict[str, Any]) -> None:
    change, told = TURNED[key]
    found = settled(order_of(tmp_path, **change))
    assert {name: found[name] for name in told} == told
    assert {name: untouched[name] for name in told} != told


@pytest.mark.parametrize("key", REFUSED)
def test_what_cannot_be_done_is_refused(tmp_path: Path, key: str) -> None:
    change, told = REFUSED[key]
    order = order_of(tmp_path, **change)
    with pytest.raises(UserError, match=told):
        train_stage(order)
    assert not order.out.exists()


def test_curves_are_written_for_other_tools(tmp_path: Path) -> None:
    order = order_of(tmp_path)
    train_stage(order)
    lines = [json.loads(line) for line in (order.out.parent / "scalars.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2]
    assert all(
        line["tokens_per_second"] > line["learned_tokens_per_second"] > 0 for line in lines if "loss" in line
    )
    assert [line["step"] for line in lines if "val_token_accuracy" in line] == [2]
    assert 0 <= lines[-1]["val_token_accuracy"] <= 1
    assert len(list((order.out.parent / "tensorboard").glob("events.out.tfevents.*"))) == 1
    without = order_of(tmp_path / "without", tensorboard=False)
    train_stage(without)
    assert not (without.out.parent / "tensorboard").exists()


def test_tokens_are_made_once_for_all_stages(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    first = order_of(tmp_path)
    train_stage(first)
    folder = tmp_path / "tokens"
    made = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(made) == 2, "training and validation rows"
    caplog.clear()
    second = order_of(tmp_path, max_length=128)
    train_stage(Order(**{**vars(second), "out": tmp_path / "second" / "manifest.json"}))
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == made
    assert "are there" in caplog.text and "turned into tokens" not in caplog.text


def test_a_flag_spells_each_key() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "scripts.train", "--help"], capture_output=True, text=True
    ).stdout
    for key in TURNED.keys() | REFUSED.keys() | ELSEWHERE:
        assert f"--{key.replace('_', '-')}" in told

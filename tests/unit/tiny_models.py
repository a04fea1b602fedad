"""Tiny models for the tests of models and sampling: two layers, trained for a few steps, made once per process."""

import functools
import sys
import tempfile
from pathlib import Path
from typing import Any

from rust_expert.common.config.models import BaseOptions, LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.tables import write_parquet
from rust_expert.models.process import prepare_process, settle_libraries

if "torch" not in sys.modules:
    prepare_process(1)
settle_libraries(1)

SCRATCH: dict[str, Any] = {
    "vocab_size": 384, "hidden_size": 64, "layers": 2, "heads": 2, "key_value_heads": 1, "intermediate_size": 128,
    "max_positions": 160, "max_length": 128, "steps": 6, "batch_tokens": 400, "learning_rate": 4e-3,
    "warmup_steps": 2, "eval_steps": 3, "eval_rows": 8, "save_steps": 2,
}  # fmt: skip

TRAINING: dict[str, Any] = {
    "steps": 6, "learning_rate": 2e-3, "warmup_steps": 2, "max_length": 160, "micro_batch": 2, "accumulation": 1,
    "eval_steps": 3, "eval_rows": 8, "save_steps": 2, "log_steps": 1, "gradient_checkpointing": False,
    "optimizer": "adamw_torch", "attention": "packed_sdpa", "device": "cpu",
}  # fmt: skip

LORA: dict[str, Any] = {"r": 4, "alpha": 8, "dropout": 0.1}
QUANTIZATION = QuantizationOptions(compute_dtype="float32")


def samples(count: int, start: int = 0) -> list[Sample]:
    """Small functions of a few shapes."""
    rows = []
    for number in range(start, start + count):
        kind = ("i32", "u64", "usize")[number % 3]
        verb, sign = (("add", "+"), ("times", "*"))[number % 2]
        head = f"pub fn {verb}_{number}(x: {kind}) -> {kind}"
        prompt = (
            f"/// {verb.title()} {number}.\n{head} {{\n" if number % 4 else f"Write `{head}` for {number}."
        )
        rows.append(Sample.make(prompt=prompt, gen=f"{head} {{\n    x {sign} {number}\n}}\n", split="train"))
    return rows


@functools.cache
def folder() -> Path:
    """A folder for this process, removed at its end."""
    holder = tempfile.TemporaryDirectory(prefix="tiny-models-")
    _HELD.append(holder)
    return Path(holder.name)


_HELD: list[tempfile.TemporaryDirectory[str]] = []


@functools.cache
def shards() -> tuple[str, str]:
    """A training and a validation shard."""
    train, val = folder() / "train.parquet", folder() / "val.parquet"
    write_parquet(train, samples(48), Sample)
    write_parquet(val, samples(12, 500), Sample)
    return str(train), str(val)


def base_options(**changes: Any) -> BaseOptions:
    """Options of the tiny base."""
    return BaseOptions.model_validate({"from": "scratch", "data": "toy", "scratch": {**SCRATCH, **changes}})


@functools.cache
def base_manifest() -> Path:
    """The manifest of a tiny trained base."""
    from rust_expert.models.base import prepare_base

    train, val = shards()
    out = folder() / "base" / "manifest.json"
    prepare_base(base_options(), [train], [val], out)
    return out


def order(out: Path, parent: Path | None = None, **changes: Any) -> Any:
    """What the tiny stages are trained on; `changes` go into the training options."""
    from rust_expert.models.stage import Order

    train, val = shards()
    return Order(
        stage=out.parent.name,
        method="sft",
        base=base_manifest(),
        parent=parent or base_manifest(),
        train=[train],
        val=[val],
        out=out,
        training=TrainingOptions.model_validate({**TRAINING, **changes}),
        lora=LoraOptions.model_validate(LORA),
        quantization=QUANTIZATION,
    )


@functools.cache
def stage_manifest() -> Path:
    """The manifest of a tiny trained stage."""
    from rust_expert.models.stage import train_stage

    out = folder() / "tiny" / "manifest.json"
    train_stage(order(out))
    return out

"""What a few real steps of a stage's own trainer take, on a base of random weights: the check of `memory_plan`."""

from pathlib import Path

import torch
from datasets import Dataset

from rust_expert.common.config.models import LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.common.seeds import rng
from rust_expert.models import attention, loading
from rust_expert.models.random_base import random_base
from rust_expert.models.shapes import Shapes
from rust_expert.models.tokenizer import train_tokenizer
from rust_expert.models.trainer import make_trainer

STEPS = 3


def measure(
    shapes: Shapes,
    lora: LoraOptions,
    quantization: QuantizationOptions,
    training: TrainingOptions,
    folder: Path,
) -> int | None:
    """Train `STEPS` steps on full sequences; the most bytes that torch allocated on the GPU, None on a CPU.

    Half of each row is answer. `folder` takes what the trainer writes.
    """
    training = training.model_copy(
        update={"steps": STEPS, "epochs": None, "warmup_steps": 0, "save_steps": STEPS * 1000, "log_steps": 1}
    )
    on_gpu = training.device == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    torch.manual_seed(training.seed)
    chosen = attention.choose(training.attention, training.device, packing=training.packing)
    model = random_base(shapes, quantization, chosen, training.device)
    trainer = make_trainer(
        loading.new_adapter(model, lora, training.seed),
        train_tokenizer(["fn main() {}"], 300, training.max_length),
        _rows(shapes, training),
        _rows(shapes, training).select([]),
        training,
        quantization,
        folder,
        [],
    )
    trainer.train()
    return int(torch.cuda.max_memory_allocated()) if on_gpu else None


def _rows(shapes: Shapes, training: TrainingOptions) -> Dataset:
    """One full row for each sequence of a step."""
    chance = rng(training.seed, "measure")
    count, half = training.micro_batch * training.accumulation, training.max_length // 2
    ids = [[chance.randrange(5, shapes.vocab_size) for _ in range(training.max_length)] for _ in range(count)]
    return Dataset.from_dict({"input_ids": ids, "labels": [[-100] * half + row[half:] for row in ids]})

"""What really takes effect in a training, read back from trainer, model and collator, against what was asked for.

The predecessor of this project asked for 4,096 tokens, packing and flash attention and got 1,024, none and none:
nothing told. Here a difference stops the training before its first step.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from peft.tuners.lora import LoraLayer

from rust_expert.common.config.models import LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.common.errors import UserError
from rust_expert.models import architecture
from rust_expert.models.adapter import trainable
from rust_expert.models.checkpoints import MarkCheckpoints
from rust_expert.models.conversation import encode_prompts
from rust_expert.models.loading import DTYPES, quantised_layers
from rust_expert.models.trainer import PACKING_STRATEGY, AdapterTrainer

OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "adamw_torch": ("AdamW", {"fused": None}),
    "adamw_torch_fused": ("AdamW", {"fused": True}),
    "paged_adamw_8bit": ("AdamW", {"is_paged": True, "optim_bits": 8}),
    "paged_adamw_32bit": ("AdamW", {"is_paged": True, "optim_bits": 32}),
}


def requested(
    options: TrainingOptions,
    lora: LoraOptions,
    quantization: QuantizationOptions,
    warmup_steps: int,
    steps: int,
    attention: str,
) -> dict[str, Any]:
    """What the config asks for, in the terms of `read_back`; `attention` is what auto came to."""
    quantised = quantization.quant_type != "none"
    return {
        "steps": steps,
        "learning_rate": options.learning_rate,
        "learning_rate_course": [
            scheduled(options.schedule, step, warmup_steps, steps) for step in _probes(warmup_steps, steps)
        ],
        "optimizer": options.optimizer,
        "weight_decay": options.weight_decay,
        "max_grad_norm": options.max_grad_norm,
        "micro_batch": options.micro_batch,
        "accumulation": options.accumulation,
        "sequences_per_step": options.micro_batch * options.accumulation,
        "ranks": options.ranks,
        "eval_steps": options.eval_steps,
        "save_steps": options.save_steps,
        "log_steps": options.log_steps,
        "keep_checkpoints": options.keep_checkpoints,
        "loader_workers": options.loader_workers,
        "loader_prefetch": options.loader_prefetch if options.loader_workers else None,
        "loader_pins_memory": options.device == "cuda",
        "loss": "chunked",
        "max_length": options.max_length,
        "packing": options.packing,
        "packing_strategy": PACKING_STRATEGY if options.packing else None,
        "prompt_tokens_learned": 0,
        "answer_tokens_masked": 0,
        "end_marks_learned": True,
        "adapter_dtypes": ["float32"],
        "adapter_r": [lora.r],
        "adapter_scale": [lora.alpha / lora.r],
        "adapter_dropout": [lora.dropout],
        "adapter_modules": sorted(lora.target_modules),
        "adapter_misplaced": [],
        "base_frozen": True,
        "quant_type": quantization.quant_type,
        "double_quant": quantization.double_quant if quantised else None,
        "compute_dtype": quantization.compute_dtype,
        "quantised_layers_keep_gradients": True,
        "attention": attention,
        "gradient_checkpointing": options.gradient_checkpointing,
        "seed": options.seed,
        "data_seed": options.seed,
        "device": options.device,
        "threads": options.threads,
    }


def read_back(trainer: AdapterTrainer, warmup_steps: int) -> dict[str, Any]:
    """What takes effect. The trainer's optimiser, scheduler and loader must exist (from `on_train_begin` on)."""
    model, arguments = trainer.model, trainer.args
    base = model.get_base_model()
    adapters = {
        name: layer for name, layer in model.named_modules() if isinstance(layer, LoraLayer) and layer.r
    }
    quantised = list(quantised_layers(model).values())
    groups = _unwrapped(trainer.optimizer).param_groups
    steps = trainer.state.max_steps
    rates = _unwrapped(trainer.lr_scheduler, "scheduler").lr_lambdas
    weights = trainable(model)
    loader = trainer.callback_handler.train_dataloader
    ranks = arguments.world_size
    return {
        "steps": steps,
        "learning_rate": max(group.get("initial_lr", group["lr"]) for group in groups),
        "learning_rate_course": [rates[0](step) for step in _probes(warmup_steps, steps)],
        "optimizer": _optimizer_name(_unwrapped(trainer.optimizer), arguments.optim),
        "weight_decay": max(group["weight_decay"] for group in groups),
        "max_grad_norm": arguments.max_grad_norm,
        "micro_batch": trainer._train_batch_size,
        "accumulation": arguments.gradient_accumulation_steps * ranks,
        "sequences_per_step": len(trainer.learning_order) // steps,
        "ranks": ranks,
        "eval_steps": trainer.state.eval_steps,
        "save_steps": trainer.state.save_steps,
        "log_steps": trainer.state.logging_steps,
        "keep_checkpoints": next(
            (each.keep for each in trainer.callback_handler.callbacks if isinstance(each, MarkCheckpoints)),
            None,
        ),
        "loader_workers": loader.num_workers,
        "loader_prefetch": loader.prefetch_factor,
        "loader_pins_memory": loader.pin_memory,
        "loss": "chunked"
        if hasattr(base.forward, "__wrapped__") and arguments.loss_type == "nll"
        else "whole",
        "max_length": arguments.max_length,
        "packing": "seq_lengths" in trainer.train_dataset.column_names,
        "packing_strategy": arguments.packing_strategy if trainer.padding_free else None,
        **_masks(trainer),
        "adapter_dtypes": sorted({str(weight.dtype).removeprefix("torch.") for weight in weights.values()}),
        "adapter_r": sorted({rank for layer in adapters.values() for rank in layer.r.values()}),
        "adapter_scale": sorted({scale for layer in adapters.values() for scale in layer.scaling.values()}),
        "adapter_dropout": sorted({_dropout(layer) for layer in adapters.values()}),
        "adapter_modules": sorted({name.rpartition(".")[2] for name in adapters}),
        "adapter_misplaced": architecture.misplaced(model),
        "base_frozen": all(".lora_" in name for name in weights),
        "quant_type": quantised[0].weight.quant_type if quantised else "none",
        "double_quant": quantised[0].weight.quant_state.nested if quantised else None,
        "compute_dtype": _dtype_name(quantised[0].compute_dtype if quantised else base.dtype),
        "quantised_layers_keep_gradients": not any(
            getattr(layer, "support_avx512bf16_for_cpu", False) for layer in quantised
        ),
        "attention": base.config._attn_implementation,
        "gradient_checkpointing": bool(base.is_gradient_checkpointing),
        "seed": arguments.seed,
        "data_seed": arguments.data_seed,
        "device": arguments.device.type,
        "threads": torch.get_num_threads(),
    }


def compare(asked: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Raise UserError naming each key that was asked for and did not take effect."""
    wrong = [
        f"{key} is {_short(found.get(key))} where {_short(value)} was asked for"
        for key, value in asked.items()
        if not _equal(value, found.get(key))
    ]
    if wrong:
        raise UserError(
            f"the training would not be what the config asks for: {'; '.join(wrong)}; change these keys or report"
            " the library versions (nothing was trained)"
        )


def scheduled(schedule: str, step: int, warmup_steps: int, steps: int) -> float:
    """The share of the peak learning rate at `step`: linear warm-up, then cosine or line to 0, or constant."""
    if step < warmup_steps:
        return step / max(1, warmup_steps)
    share = (step - warmup_steps) / max(1, steps - warmup_steps)
    if schedule == "cosine":
        return max(0.0, 0.5 * (1 + math.cos(math.pi * share)))
    return max(0.0, 1 - share) if schedule == "linear" else 1.0


def _probes(warmup_steps: int, steps: int) -> list[int]:
    return sorted({0, warmup_steps // 2, warmup_steps, (warmup_steps + steps) // 2, max(steps - 1, 0)})


def _masks(trainer: AdapterTrainer) -> dict[str, Any]:
    """What the collator's labels teach, over the first packs of the data, token by token.

    A row's prompt ends with the turn marker that asks for an answer; the row is read anew from its ids.
    """
    dataset, tokenizer = trainer.train_dataset, trainer.processing_class
    prompt_learned = answer_masked = 0
    ends_learned = True
    for index in range(min(len(dataset), 8)):
        example = {key: dataset[index][key] for key in dataset.column_names}
        batch = trainer.data_collator([example])
        lengths = example.get("seq_lengths") or [len(example["input_ids"])]
        ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
        start = 0
        for length in lengths:
            row, learned = ids[start : start + length], labels[start : start + length]
            start += length
            answer = _answer_start(tokenizer, row)
            prompt_learned += sum(label != -100 for label in learned[:answer])
            answer_masked += sum(
                label != token for label, token in zip(learned[answer:], row[answer:], strict=True)
            )
            ends_learned &= tokenizer.eos_token_id in [label for label in learned if label != -100]
    return {
        "prompt_tokens_learned": prompt_learned,
        "answer_tokens_masked": answer_masked,
        "end_marks_learned": ends_learned,
    }


def _answer_start(tokenizer: Any, row: list[int]) -> int:
    """Where a row's answer starts: after the tokens with which the chat template asks for one."""
    marker = _ask(tokenizer)
    for start in range(len(row) - len(marker), -1, -1):
        if row[start : start + len(marker)] == marker:
            return start + len(marker)
    return len(row)


def _ask(tokenizer: Any) -> list[int]:
    """The tokens with which every prompt ends: the end of the user's turn, and what asks for an answer, if anything."""
    first, second = encode_prompts(tokenizer, ["x", "Write it;"])
    same = 0
    while first[-1 - same] == second[-1 - same]:
        same += 1
    return first[len(first) - same :]


def _optimizer_name(optimizer: Any, asked: Any) -> str:
    """The name in our config of the optimiser that is there, or its class where it is another one."""
    name = str(getattr(asked, "value", asked))
    kind, marks = OPTIMIZERS.get(name, ("", {}))
    if type(optimizer).__name__ != kind:
        return type(optimizer).__name__
    for mark, value in marks.items():
        source = optimizer.defaults if mark in optimizer.defaults else getattr(optimizer, "args", optimizer)
        found = source.get(mark) if isinstance(source, dict) else getattr(source, mark, None)
        if (found or None) != (value or None):
            return f"{type(optimizer).__name__} with {mark} {found}"
    return name


def _unwrapped(thing: Any, attribute: str = "optimizer") -> Any:
    """What accelerate's wrapper holds."""
    return getattr(thing, attribute, thing)


def _dropout(layer: Any) -> float:
    return max((getattr(module, "p", 0.0) for module in layer.lora_dropout.values()), default=0.0)


def _dtype_name(dtype: torch.dtype) -> str:
    return next((name for name, known in DTYPES.items() if known == dtype), str(dtype))


def _equal(asked: Any, found: Any) -> bool:
    if isinstance(asked, float) and isinstance(found, int | float):
        return math.isclose(asked, found, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(asked, list) and isinstance(found, list):
        return len(asked) == len(found) and all(map(_equal, asked, found))
    return bool(asked == found)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

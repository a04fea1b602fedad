"""A small base model trained from nothing: Llama architecture, full precision, one plain loop."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from rust_expert.common.config.models import ScratchOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import atomic_path
from rust_expert.common.progress import Progress
from rust_expert.models import attention
from rust_expert.models.conversation import Encoded
from rust_expert.models.muon import Muon
from rust_expert.models.packing import batches, in_batches, pack

log = logging.getLogger(__name__)

FINAL_RATE = 0.1
"""The cosine ends at this share of the peak learning rate."""

BETAS = (0.9, 0.95)


@dataclass
class Course:
    """How far the training has come."""

    step: int = 0
    tokens: int = 0
    history: list[dict[str, float | int | None]] = field(default_factory=list)

    @property
    def val_loss(self) -> float | None:
        """The last validation loss."""
        told = [row["val_loss"] for row in self.history if row["val_loss"] is not None]
        return told[-1] if told else None


def make_model(options: ScratchOptions, tokenizer: PreTrainedTokenizerBase, seed: int) -> LlamaForCausalLM:
    """A Llama with fresh weights, drawn from `seed` alone."""
    attention.register()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=options.hidden_size,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        num_key_value_heads=options.key_value_heads,
        intermediate_size=options.intermediate_size,
        max_position_embeddings=options.max_positions,
        tie_word_embeddings=options.tie_embeddings,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        attn_implementation=attention.PACKED_SDPA,
    )
    torch.manual_seed(seed)
    return LlamaForCausalLM(config).float()


def rate_share(step: int, options: ScratchOptions) -> float:
    """The share of the peak learning rates after `step` finished steps: linear warm-up, then a cosine to a tenth."""
    if step < options.warmup_steps:
        return (step + 1) / options.warmup_steps
    progress = (step - options.warmup_steps) / max(options.steps - options.warmup_steps, 1)
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def train(
    model: LlamaForCausalLM,
    rows: Sequence[Encoded],
    val_rows: Sequence[Encoded],
    options: ScratchOptions,
    seed: int,
    checkpoint: Path,
    on_save: Callable[[int], None] = lambda step: None,
) -> Course:
    """Train `model` in place and return the course of it.

    A whole file at `checkpoint` is gone on from, exactly: a run that was killed and started again ends with the
    same bits as one that was not. `on_save` is told each step that was saved.
    """
    optimizers = _optimizers(model, options)
    course = Course()
    if checkpoint.is_file():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        for optimizer, state in zip(optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        course = Course(**saved["course"])
        log.info("going on from step %d of %d", course.step, options.steps)
    feed = batches(rows, options.batch_tokens, seed)
    for _ in range(course.step):
        next(feed)
    with Progress(options.steps - course.step, "training the base, steps") as progress:
        while course.step < options.steps:
            share = rate_share(course.step, options)
            batch = next(feed)
            loss = _step(model, optimizers, batch, share, options)
            if not math.isfinite(loss):
                raise UserError(
                    f"base: the loss at step {course.step + 1} is {loss}; lower base.scratch.learning_rate"
                    " or muon_learning_rate"
                )
            course.step += 1
            course.tokens += sum(len(row.ids) for row in batch)
            ended = course.step == options.steps
            val_loss = None
            if val_rows and (ended or course.step % options.eval_steps == 0):
                val_loss = validation_loss(model, val_rows, options.batch_tokens)
                told = {"step": course.step, "loss": loss, "val_loss": val_loss}
                log.info("step %d: loss %.4f, validation loss %.4f", *told.values(), extra=told)
            course.history.append(
                {
                    "step": course.step,
                    "loss": loss,
                    "val_loss": val_loss,
                    "learning_rate": share * options.learning_rate,
                }
            )
            if ended or course.step % options.save_steps == 0:
                _save(checkpoint, model, optimizers, course)
                on_save(course.step)
            progress.advance()
    return course


def validation_loss(model: LlamaForCausalLM, rows: Sequence[Encoded], batch_tokens: int) -> float:
    """Mean loss per answer token of `rows`, in nats."""
    model.eval()
    total = count = 0.0
    with torch.no_grad():
        for batch in in_batches(rows, batch_tokens):
            loss, weight = _loss(model, batch, prompt_loss=0.0)
            total += float(loss)
            count += float(weight)
    model.train()
    return total / max(count, 1.0)


def _loss(
    model: LlamaForCausalLM, batch: Sequence[Encoded], prompt_loss: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The weighted sum of token losses over a batch, and the sum of the weights."""
    packed = pack(batch, prompt_loss)
    logits = model(input_ids=packed.input_ids, position_ids=packed.position_ids, use_cache=False).logits
    losses = functional.cross_entropy(logits[0], packed.labels[0], ignore_index=-100, reduction="none")
    return (losses * packed.weights[0]).sum(), packed.weights.sum()


def _step(
    model: LlamaForCausalLM,
    optimizers: Sequence[torch.optim.Optimizer],
    batch: Sequence[Encoded],
    share: float,
    options: ScratchOptions,
) -> float:
    model.train()
    total, weight = _loss(model, batch, options.prompt_loss)
    loss = total / weight.clamp(min=1.0)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), options.max_grad_norm)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share
        optimizer.step()
        optimizer.zero_grad()
    return float(loss.detach())


def _optimizers(model: LlamaForCausalLM, options: ScratchOptions) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for embeddings, head and norms."""
    inside = [weights for weights in model.model.layers.parameters() if weights.ndim == 2]
    taken = {id(weights) for weights in inside}
    others = [weights for weights in model.parameters() if id(weights) not in taken]
    groups: list[dict[str, Any]] = [
        {"params": [weights for weights in others if weights.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [weights for weights in others if weights.ndim <= 1], "weight_decay": 0.0},
    ]
    made: list[torch.optim.Optimizer] = [
        Muon(inside, lr=options.muon_learning_rate, weight_decay=options.weight_decay),
        torch.optim.AdamW(groups, lr=options.learning_rate, betas=BETAS, fused=True),
    ]
    for optimizer in made:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return made


def _save(
    checkpoint: Path, model: LlamaForCausalLM, optimizers: Sequence[torch.optim.Optimizer], course: Course
) -> None:
    """Replace the checkpoint in one rename: whoever kills the process leaves the old one or the new one whole."""
    state = {
        "model": model.state_dict(),
        "optimizers": [one.state_dict() for one in optimizers],
        "course": asdict(course),
    }
    with atomic_path(checkpoint) as temporary:
        torch.save(state, temporary)

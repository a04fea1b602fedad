"""Config sections of the base model and of the training stages.

Fields marked `size_dependent` say how big or how long something is: a profile for another machine has to
state them itself. None of them has a default that could slip in unseen.
"""

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SIZE: dict[str, Any] = {"size_dependent": True}
"""Marks a field that every profile has to state itself."""

QUANTISATION_BLOCK = 64
"""bitsandbytes quantises in blocks of 64 weights; on AVX-512 CPUs rows of another width come back wrong."""

AUTO = "auto"


class Section(BaseModel):
    """A config section: an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ScratchOptions(Section):
    """A small Llama-architecture model and its tokenizer, made and trained here."""

    vocab_size: int = Field(
        ge=300, json_schema_extra=SIZE, description="tokens of the byte-level BPE, markers included"
    )
    hidden_size: int = Field(
        ge=64, json_schema_extra=SIZE, description="width of the model, a multiple of 64"
    )
    layers: int = Field(ge=1, json_schema_extra=SIZE, description="decoder layers")
    heads: int = Field(
        ge=1, json_schema_extra=SIZE, description="attention heads; hidden_size is a multiple of it"
    )
    key_value_heads: int = Field(
        ge=1, json_schema_extra=SIZE, description="key and value heads; heads is a multiple of it"
    )
    intermediate_size: int = Field(
        ge=64, json_schema_extra=SIZE, description="width of the feed-forward layers, a multiple of 64"
    )
    max_positions: int = Field(
        ge=16, json_schema_extra=SIZE, description="longest sequence that the model takes, in tokens"
    )
    tie_embeddings: bool = Field(default=False, description="use one matrix for input and output embeddings")
    max_length: int = Field(
        ge=16,
        json_schema_extra=SIZE,
        description="longer training rows are left out (counted in the manifest)",
    )
    steps: int = Field(ge=0, json_schema_extra=SIZE, description="optimiser steps")
    batch_tokens: int = Field(
        ge=16, json_schema_extra=SIZE, description="tokens per step: whole rows, packed without padding"
    )
    learning_rate: float = Field(
        gt=0, json_schema_extra=SIZE, description="peak learning rate of AdamW (embeddings, head, norms)"
    )
    muon_learning_rate: float = Field(
        default=0.02, gt=0, description="peak learning rate of Muon (the matrices inside the layers)"
    )
    warmup_steps: int = Field(
        ge=0, json_schema_extra=SIZE, description="steps of linear warm-up, before the cosine to a tenth"
    )
    weight_decay: float = Field(default=0.01, ge=0, description="AdamW's weight decay, on matrices only")
    max_grad_norm: float = Field(default=1.0, gt=0, description="gradients are clipped to this norm")
    prompt_loss: float = Field(
        default=0.1, ge=0, le=1, description="weight of the loss on prompt tokens (0: completions only)"
    )
    eval_steps: int = Field(
        ge=1, json_schema_extra=SIZE, description="validation loss every so many steps, and at the end"
    )
    eval_rows: int = Field(ge=1, json_schema_extra=SIZE, description="validation rows used, at most")
    save_steps: int = Field(ge=1, json_schema_extra=SIZE, description="checkpoint every so many steps")

    @model_validator(mode="after")
    def _shapes_fit(self) -> Self:
        for key in ("hidden_size", "intermediate_size"):
            if getattr(self, key) % QUANTISATION_BLOCK:
                raise ValueError(
                    f"{key} must be a multiple of {QUANTISATION_BLOCK} (NF4 quantises in such blocks)"
                )
        if self.hidden_size % self.heads or (self.hidden_size // self.heads) % 2:
            raise ValueError("hidden_size / heads must be an even whole number")
        if self.heads % self.key_value_heads:
            raise ValueError("heads must be a multiple of key_value_heads")
        if self.max_length > self.max_positions:
            raise ValueError("max_length is more than max_positions")
        return self


class HubOptions(Section):
    """A model of the Hugging Face Hub, pinned."""

    name: str = Field(
        min_length=1,
        json_schema_extra=SIZE,
        description="repository, such as meta-llama/Llama-3.1-8B-Instruct",
    )
    revision: str = Field(json_schema_extra=SIZE, description="commit (40 hex digits) that is used")

    @field_validator("revision")
    @classmethod
    def _is_a_commit(cls, value: str) -> str:
        if not re.fullmatch(r"[0-9a-f]{40}", value):
            raise ValueError(
                "pin the model to a commit, 40 hex digits from its page on the Hub (a branch or tag moves)"
            )
        return value


class BaseOptions(Section):
    """Where the base model comes from."""

    origin: Literal["scratch", "hub", "path"] = Field(
        alias="from",
        json_schema_extra=SIZE,
        description="scratch: made here; hub: downloaded; path: a Hugging Face folder",
    )
    data: str = Field(default="", description="data set that the model from: scratch is trained on")
    scratch: ScratchOptions | None = Field(default=None, description="needed by from: scratch")
    hub: HubOptions | None = Field(default=None, description="needed by from: hub")
    path: str | None = Field(
        default=None, description="needed by from: path: folder with config, weights and tokenizer"
    )
    chat_template: str | None = Field(
        default=None, description="file with a Jinja chat template for a model whose tokenizer has none"
    )
    seed: int = Field(default=0, ge=0, description="seed of initial weights and data order (scratch)")
    threads: int = Field(
        default=1, ge=1, description="torch threads (two on a busy machine were five times slower)"
    )

    @model_validator(mode="after")
    def _source_is_given(self) -> Self:
        if getattr(self, self.origin) is None:
            raise ValueError(f"from: {self.origin} needs the key {self.origin}")
        return self


class QuantizationOptions(Section):
    """How the frozen base is held in memory."""

    quant_type: Literal["nf4", "fp4", "none"] = Field(
        default="nf4", description="4-bit number format; none: no quantisation"
    )
    double_quant: bool = Field(default=True, description="quantise the block scales too")
    compute_dtype: Literal["float32", "bfloat16"] = Field(
        json_schema_extra=SIZE,
        description="dtype of the matrix products: float32 on a CPU, bfloat16 on a GPU",
    )


class LoraOptions(Section):
    """The trained low-rank adapter."""

    r: int = Field(ge=1, json_schema_extra=SIZE, description="rank")
    alpha: int = Field(ge=1, json_schema_extra=SIZE, description="scale: the update is alpha / r times B A")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout before A")
    target_modules: Literal["auto"] | list[str] = Field(
        default=AUTO,
        min_length=1,
        description="names of the linear modules that get an adapter; auto: every projection of attention and"
        " feed-forward of the base's architecture",
    )


Attention = Literal[
    "auto", "packed_sdpa", "packed_varlen", "sdpa", "eager", "flash_attention_2", "flash_attention_3"
]

WATCHING = frozenset(
    {"keep_checkpoints", "loader_workers", "loader_prefetch", "tensorboard", "wandb_project"}
)
"""Keys of a training that change nothing about the adapter: another value goes on with the same training."""


class TrainingOptions(Section):
    """One training stage with TRL's SFTTrainer (methods sft and rsft). Exactly one of steps and epochs."""

    steps: int | None = Field(
        default=None, ge=1, json_schema_extra=SIZE, description="optimiser steps (or give epochs)"
    )
    epochs: float | None = Field(
        default=None, gt=0, json_schema_extra=SIZE, description="passes over the data (or give steps)"
    )
    max_passes: float = Field(
        default=10.0,
        gt=0,
        description="refuse to train when the steps go over the rows more often: the data set came out too small",
    )
    learning_rate: float = Field(gt=0, json_schema_extra=SIZE, description="peak learning rate")
    warmup_steps: int = Field(ge=0, json_schema_extra=SIZE, description="steps of linear warm-up")
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = Field(
        default="cosine", description="learning rate after warm-up"
    )
    max_length: int = Field(
        ge=16,
        json_schema_extra=SIZE,
        description="tokens per packed sequence; longer rows are left out (counted)",
    )
    packing: bool = Field(
        default=True, description="pack several rows into one sequence, exactly (best fit decreasing)"
    )
    micro_batch: int = Field(ge=1, json_schema_extra=SIZE, description="sequences per forward pass")
    accumulation: int = Field(ge=1, json_schema_extra=SIZE, description="forward passes per optimiser step")
    eval_steps: int = Field(
        ge=1, json_schema_extra=SIZE, description="validation loss every so many steps, and at the end"
    )
    eval_rows: int = Field(ge=1, json_schema_extra=SIZE, description="validation rows used, at most")
    save_steps: int = Field(
        ge=1, json_schema_extra=SIZE, description="checkpoint every so many steps; a multiple of log_steps"
    )
    keep_checkpoints: int = Field(
        default=2, ge=1, description="checkpoints kept: the newest, and those before it in case it is damaged"
    )
    log_steps: int = Field(default=5, ge=1, description="training loss in the history every so many steps")
    seed: int = Field(
        default=0, ge=0, description="seed of the adapter's initial weights, dropout and data order"
    )
    gradient_checkpointing: bool = Field(
        json_schema_extra=SIZE, description="recompute activations to save memory"
    )
    weight_decay: float = Field(default=0.0, ge=0, description="weight decay")
    optimizer: Literal["adamw_torch", "adamw_torch_fused", "paged_adamw_8bit", "paged_adamw_32bit"] = Field(
        json_schema_extra=SIZE, description="optimiser; the paged ones need a GPU"
    )
    max_grad_norm: float = Field(default=1.0, gt=0, description="gradients are clipped to this norm")
    attention: Attention = Field(
        json_schema_extra=SIZE,
        description="auto: the fastest that is exact for packed rows and installed: flash attention 3 or 2, torch's own"
        " kernel for rows of any length (packed_varlen), sdpa; on a CPU packed_sdpa, ours",
    )
    auto_micro_batch: bool = Field(
        default=False,
        description="where memory runs out, go on from the last checkpoint with half the micro_batch and twice the"
        " accumulation: the same sequences per step",
    )
    loader_workers: int = Field(
        default=0, ge=0, description="processes that make batches ahead; 0: made between the steps"
    )
    loader_prefetch: int = Field(default=2, ge=1, description="batches that each loader process has ready")
    ranks: int = Field(
        default=1,
        ge=1,
        description="processes, one to a GPU, that train together; accumulation is the sum over them, so a step has"
        " the same sequences",
    )
    tensorboard: bool = Field(
        default=True, description="write the curves as TensorBoard files too, beside scalars.jsonl"
    )
    wandb_project: str | None = Field(
        default=None, description="send the curves to this project of Weights & Biases; null: to nobody"
    )
    device: Literal["cpu", "cuda"] = Field(json_schema_extra=SIZE, description="where training runs")
    threads: int = Field(default=1, ge=1, description="torch threads")

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give exactly one of steps and epochs")
        if self.save_steps % self.log_steps:
            raise ValueError(
                "save_steps must be a multiple of log_steps, else a resumed run logs other averages"
            )
        if self.steps is not None and self.warmup_steps >= self.steps:
            raise ValueError("warmup_steps must be less than steps")
        if self.device == "cpu" and self.optimizer.startswith("paged_"):
            raise ValueError(f"optimizer {self.optimizer} needs a GPU; with device: cpu choose adamw_torch")
        if self.device == "cpu" and self.attention.startswith("flash_"):
            raise ValueError(f"attention {self.attention} needs a GPU; with device: cpu choose packed_sdpa")
        if self.auto_micro_batch and self.ranks > 1:
            raise ValueError(
                "auto_micro_batch is for one rank: the others would wait for the one without memory"
            )
        if self.accumulation % self.ranks:
            raise ValueError(
                f"accumulation must be a multiple of ranks ({self.ranks}), which share the forward passes of a step"
            )
        return self

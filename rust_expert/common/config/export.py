"""Config sections of what leaves the project: merged weights and exported folders."""

from typing import Literal

from pydantic import Field

from rust_expert.common.config.models import Section


class MergeOptions(Section):
    """How an adapter is merged into its base."""

    onto: Literal["dequantised", "original"] = Field(
        default="dequantised",
        description="dequantised: into the weights that the 4-bit base stands for, which the adapter was trained on and"
        " every figure was measured with; original: into the base's own weights, which the adapter has never seen",
    )
    dtype: Literal["float32", "bfloat16"] | None = Field(
        default=None, description="number format of the merged weights; null: quantization.compute_dtype"
    )
    shard_mb: int = Field(
        default=4000, ge=1, description="largest file of weights in MB; merging holds one of them in memory"
    )
    device: Literal["cpu", "cuda"] = Field(
        default="cpu", description="where the base is quantised and the logits are compared"
    )
    threads: int = Field(default=1, ge=1, description="torch threads")


class ExportOptions(Section):
    """What only the publisher of a model knows."""

    base_license: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9.-]*$",
        description="the base's licence as the Hub spells it, such as llama3.1; null: apache-2.0 for a base that was"
        " made here, other for any else",
    )


class GenerationDefaults(Section):
    """How an exported model generates unless it is told otherwise: as it was evaluated."""

    temperature: float = Field(ge=0, description="0: greedy, the most likely token each time")
    top_p: float = Field(gt=0, le=1, description="keep the likeliest tokens of this total probability")
    max_new_tokens: int = Field(ge=1, description="longest answer in tokens, end mark included")

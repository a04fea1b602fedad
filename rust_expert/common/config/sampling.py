"""Config section of sampling: how completions are drawn from a model."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rust_expert.common.config.models import SIZE


class SamplingOptions(BaseModel):
    """How completions are drawn. Each row has a seed of its own: its text does not depend on its batch."""

    model_config = ConfigDict(extra="forbid")

    engine: Literal["transformers", "vllm"] = Field(
        default="transformers",
        description="what generates: transformers anywhere, vllm on a GPU, in an environment of its own",
    )
    samples: int = Field(ge=1, json_schema_extra=SIZE, description="completions per problem")
    temperature: float = Field(ge=0, description="0: greedy, the most likely token each time")
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="keep the likeliest tokens of this total probability"
    )
    max_new_tokens: int = Field(
        ge=1, json_schema_extra=SIZE, description="longest answer in tokens, end mark included"
    )
    batch_size: int = Field(
        ge=1,
        json_schema_extra=SIZE,
        description="rows generated together, and lost at most when a run is killed (vllm: some thousands)",
    )
    template: str = Field(
        default="{prompt}", description="user message; {prompt} stands for the problem's prompt"
    )
    seed: int = Field(default=0, ge=0, description="seed from which each row's seed is made")
    weights: Literal["dense", "quantized"] = Field(
        json_schema_extra=SIZE,
        description="dense: dequantised once, adapter merged (same function, fast on a CPU); quantized: as trained",
    )
    device: Literal["cpu", "cuda"] = Field(json_schema_extra=SIZE, description="where generation runs")
    threads: int = Field(default=1, ge=1, description="torch threads")
    gpu_memory_utilization: float = Field(
        default=0.9, gt=0, lt=1, description="engine vllm: share of the GPU's memory that it may take"
    )

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        if "{prompt}" not in self.template:
            raise ValueError("template must contain {prompt}")
        if self.engine == "vllm":
            if self.device != "cuda":
                raise ValueError("engine vllm needs device: cuda; elsewhere choose engine: transformers")
            if self.weights != "dense":
                raise ValueError("engine vllm needs weights: dense (it has no 4-bit layers of this kind)")
            if 0 < self.temperature < 0.01 or self.temperature > 2:
                raise ValueError(
                    "engine vllm takes a temperature of 0, or from 0.01 to 2; others would not take effect"
                )
        return self

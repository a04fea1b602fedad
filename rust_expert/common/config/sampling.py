"""Config section of sampling: how completions are drawn from a model."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rust_expert.common.config.models import SIZE


class SamplingOptions(BaseModel):
    """How completions are drawn. Each row has a seed of its own: its text does not depend on its batch."""

    model_config = ConfigDict(extra="forbid")

    engine: Literal["transformers"] = Field(default="transformers", description="what generates")
    samples: int = Field(ge=1, json_schema_extra=SIZE, description="completions per problem")
    temperature: float = Field(ge=0, description="0: greedy, the most likely token each time")
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="keep the likeliest tokens of this total probability"
    )
    max_new_tokens: int = Field(
        ge=1, json_schema_extra=SIZE, description="longest answer in tokens, end mark included"
    )
    batch_size: int = Field(ge=1, json_schema_extra=SIZE, description="rows generated together")
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

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        if "{prompt}" not in self.template:
            raise ValueError("template must contain {prompt}")
        return self

"""Config section of a sweep: which keys of a stage are varied, how short its points are, what ranks them."""

import re
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

METRICS = ("pass_at_K", "compile_rate", "idiomatic", "documented")
"""What points can be ranked by: figures of results/metrics/STAGE/SUITE.json of which more is better."""


class SweepOptions(BaseModel):
    """One stage trained several times, each time with other values of some keys, and ranked by a metric."""

    model_config = ConfigDict(extra="forbid")

    stage: str = Field(description="the stage whose keys are varied; parent and data stay as they are")
    grid: dict[str, Any] | None = Field(
        default=None,
        description="a list of values for each varied key, each combination a point; dots lead into sections "
        "(sampling.temperature), lora.* is the adapter's own",
    )
    points: list[dict[str, Any]] | None = Field(
        default=None, description="instead of grid: the points one by one, each a mapping of keys to values"
    )
    budget: dict[str, Any] = Field(
        default_factory=dict,
        description="keys of the stage that every point has otherwise, such as fewer steps",
    )
    sampling: dict[str, Any] = Field(
        default_factory=dict,
        description="keys of evaluate.sampling that every point has otherwise, such as fewer samples",
    )
    suite: str | None = Field(
        default=None, description="the suite that ranks the points; null: the first of evaluate.suites"
    )
    metric: str = Field(
        default="pass_at_1", description="what ranks them: pass_at_K, compile_rate, idiomatic or documented"
    )

    @field_validator("metric")
    @classmethod
    def _is_a_metric(cls, given: str) -> str:
        if k_of(given) is None and given not in METRICS[1:]:
            raise ValueError(f"points are ranked by one of {', '.join(METRICS)} (pass_at_1 for pass@1)")
        return given

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if (self.grid is None) == (self.points is None):
            raise ValueError("give exactly one of grid and points")
        if not self.grid and not self.points:
            raise ValueError("grid and points hold at least one key with at least one value")
        return self


def k_of(metric: str) -> int | None:
    """The K of `pass_at_K`; None for another metric."""
    found = re.fullmatch(r"pass_at_([1-9]\d*)", metric)
    return int(found[1]) if found else None

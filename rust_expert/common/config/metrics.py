"""Options of the figures: which k, how many resamples, how sure."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ScoreOptions(BaseModel):
    """Figures of one stage on one suite, and their comparison."""

    model_config = ConfigDict(extra="forbid")

    k: list[int] = Field(default_factory=lambda: [1], description="the k of each pass@k", min_length=1)
    bootstrap: int = Field(default=10_000, ge=100, description="resamples of the problems for each interval")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="confidence of each interval")
    seed: int = Field(default=17, description="seed of the resampling")
    max_judge_errors: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="share of samples the judge may fail on before no figures are given",
    )

    @field_validator("k", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        """On a command line `--k 1,10,100` and `--k 1` do as well as a JSON list."""
        if isinstance(given, str):
            return [part.strip() for part in given.split(",")]
        return [given] if isinstance(given, int) else given

    @field_validator("k")
    @classmethod
    def _ascending(cls, values: list[int]) -> list[int]:
        if any(value < 1 for value in values) or len(set(values)) != len(values):
            raise ValueError("each k must be 1 or more and stand once")
        return sorted(values)

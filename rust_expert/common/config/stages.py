"""What a profile says of its training stages and its evaluation."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rust_expert.common.config.models import TrainingOptions
from rust_expert.common.config.rsft import RsftKeep, RsftPrompts
from rust_expert.common.config.sampling import SamplingOptions


class SftStage(TrainingOptions):
    """Supervised fine-tuning on a data set."""

    method: Literal["sft"] = Field(description="supervised fine-tuning")
    parent: str = Field(description="the stage whose adapter this one goes on from, or base")
    data: str = Field(description="the data set that it trains on")


class RsftStage(TrainingOptions):
    """Rejection sampling: sample the parent on training prompts, judge, keep the best, train on them."""

    method: Literal["rsft"] = Field(description="rejection-sampling fine-tuning")
    parent: str = Field(description="the stage that is sampled and trained on")
    data: str = Field(description="the data set that gives the prompts and the rows mixed in")
    prompts: RsftPrompts = Field(description="which training prompts are sampled")
    sampling: SamplingOptions = Field(description="how the parent is sampled")
    keep: RsftKeep = Field(description="which answers are trained on")


Stage = SftStage | RsftStage

METHODS: dict[str, type[SftStage] | type[RsftStage]] = {"sft": SftStage, "rsft": RsftStage}


class Suite(BaseModel):
    """Where the problems of a suite come from."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    origin: Literal["curriculum", "file"] = Field(
        alias="from", description="curriculum: the held-out tasks; file: a JSONL file of problems"
    )
    path: str | None = Field(default=None, description="the file, from the repository's root")
    crates: list[str] | None = Field(
        default=None,
        description="crates of config/suite_crates that the problems may use; null: those that they mention",
    )


class Evaluation(BaseModel):
    """Which stages are measured on which suites, and how."""

    model_config = ConfigDict(extra="forbid")

    stages: list[str] = Field(min_length=1, description="the stages to measure, base among them")
    suites: list[str] = Field(min_length=1, description="the suites to measure them on")
    sampling: SamplingOptions = Field(description="how each stage is sampled")

"""Options of rejection sampling: which training prompts are sampled and which answers are kept."""

from pydantic import BaseModel, ConfigDict, Field


class RsftPrompts(BaseModel):
    """The training rows that become prompts."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(
        ge=1, description="training prompts to sample", json_schema_extra={"size_dependent": True}
    )
    seed: int = Field(default=17, description="which prompts are drawn")
    gram_words: int = Field(
        default=10,
        ge=2,
        description="a row that shares so long a run of words with a suite's problem is no prompt",
    )


class RsftKeep(BaseModel):
    """What a sampled answer must show to be trained on; null switches a threshold off."""

    model_config = ConfigDict(extra="forbid")

    tests: bool = Field(default=True, description="the tests must pass where the prompt has tests")
    compiled: bool = Field(default=True, description="the answer must compile")
    max_clippy: float | None = Field(default=2.0, ge=0, description="most clippy warnings")
    min_idiomatic: float | None = Field(default=0.7, ge=0, le=1, description="least idiomatic score")
    min_documented: float | None = Field(default=0.5, ge=0, le=1, description="least documentation score")
    per_prompt: int = Field(default=2, ge=1, description="most answers kept for one prompt")
    mix_ratio: float = Field(
        default=0.5, ge=0, lt=1, description="share of the parent's rows in the data that results"
    )
    seed: int = Field(default=17, description="which of the parent's rows are mixed in, and the order")

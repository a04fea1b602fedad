"""Options of the rooms that clean and mix samples."""

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rust_expert.common.contracts import TaskType


class CleanOptions(BaseModel):
    """Duplicates, decontamination and split."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(default=17, description="moves crates and combinations between train and val")
    val_fraction: float = Field(
        default=0.05,
        ge=0,
        lt=1,
        description="share of crates, and of curriculum combinations, held back as val",
    )
    near_threshold: float = Field(
        default=0.7, gt=0, le=1, description="Jaccard similarity from which two rows are near duplicates"
    )
    near_shingle: int = Field(default=5, ge=1, description="tokens in a run when rows are compared")
    near_min_tokens: int = Field(
        default=20, ge=1, description="shorter rows are never near duplicates, only exact ones"
    )
    permutations: int = Field(default=128, ge=1, description="MinHash permutations")
    bands: int = Field(default=32, ge=1, description="LSH bands; permutations / bands rows each")
    gram_words: int = Field(
        default=10, ge=2, description="a row that shares so long a run of words with a problem is removed"
    )

    @model_validator(mode="after")
    def _bands_divide(self) -> "CleanOptions":
        if self.permutations % self.bands:
            raise ValueError(f"bands ({self.bands}) must divide permutations ({self.permutations})")
        return self


def _even_mix() -> dict[TaskType, float]:
    return {"code_generation": 0.70, "transformations": 0.15, "error_fixing": 0.10, "explanations": 0.05}


class DatasetSpec(BaseModel):
    """One named data set: how many rows of what, drawn from the cleaned ones."""

    model_config = ConfigDict(extra="forbid")

    curriculum_rows: int = Field(
        ge=0, description="training rows from the curriculum; 0 for none",
        json_schema_extra={"size_dependent": True},
    )  # fmt: skip
    families: list[str] = Field(
        default_factory=list, description="curriculum families to draw from; [] for all"
    )
    crate_rows: int = Field(
        ge=0, description="training rows from real crates; 0 for none",
        json_schema_extra={"size_dependent": True},
    )  # fmt: skip
    task_mix: dict[TaskType, float] = Field(
        default_factory=_even_mix,
        description="share of each task type among the rows from crates; adds up to 1",
    )
    max_chars: int = Field(
        ge=1, description="longest row, prompt and gen together, in characters",
        json_schema_extra={"size_dependent": True},
    )  # fmt: skip
    strict: bool = Field(
        default=False,
        description="only documented rows; an answer of code must have been checked by the compiler",
    )
    val_rows: int = Field(
        ge=0, description="most validation rows, in the same proportions as the training rows",
        json_schema_extra={"size_dependent": True},
    )  # fmt: skip
    seed: int = Field(default=17, description="which rows are drawn, and their order")

    @field_validator("task_mix")
    @classmethod
    def _adds_up(cls, mix: dict[TaskType, float]) -> dict[TaskType, float]:
        if any(share < 0 for share in mix.values()) or abs(sum(mix.values()) - 1) > 1e-6:
            raise ValueError(f"the shares must be 0 or more and add up to 1, not {sum(mix.values()):g}")
        return mix

"""Options of the generator of small Rust tasks."""

from pydantic import BaseModel, ConfigDict, Field


class CurriculumOptions(BaseModel):
    """How many tasks and held-out problems, of which families, and what is held out."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(
        default=17, description="moves every choice: names, constants, phrasings, what is held out"
    )
    tasks: int = Field(
        default=24_000, ge=1, description="training tasks over all shards, spread evenly over the combinations",
        json_schema_extra={"size_dependent": True},
    )  # fmt: skip
    problems: int = Field(
        default=480, ge=1, description="problems of the held-out suite, spread evenly over the families",
        json_schema_extra={"size_dependent": True},
    )  # fmt: skip
    held_out_fraction: float = Field(
        default=0.12, gt=0, le=0.5,
        description="share of each family's combinations that is never trained on",
    )  # fmt: skip
    documented: bool = Field(
        default=False, description="training answers repeat the doc comment above the function"
    )
    families: list[str] = Field(default_factory=list, description="families to draw from; [] for all")

"""Options of the rooms that clean and mix samples."""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rust_expert.common.contracts import TaskType


class CleanOptions(BaseModel):
    """Secrets and personal data, duplicates, decontamination and split."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(default=17, description="moves crates and combinations between train and val")
    val_fraction: float = Field(
        default=0.05,
        ge=0,
        lt=1,
        description="share of crates, and of curriculum combinations, held back as val",
    )
    secrets: bool = Field(
        default=True, description="remove rows that hold keys, tokens or passwords (the rules of Kingfisher)"
    )
    personal: bool = Field(
        default=True,
        description="remove rows that hold e-mail addresses, phone numbers or addresses of machines on the internet; "
        "reserved and made-up ones stay",
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


OWN = "own"
"""What `dataset_weights` call the rows of this workflow: curriculum and crates together."""

SOURCE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = {OWN, "crates", "curriculum"}
_ORIGIN = re.compile(r"(?:local|parquet):.+|hub:[\w.-]+(?:/[\w.-]+)?@[0-9a-f]{40}")


class SourceSpec(BaseModel):
    """One source of a data set beside this workflow's own rows."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    origin: str = Field(
        alias="from",
        description="local:FILE.jsonl or parquet:FILE.parquet (or a folder of such files), or hub:OWNER/NAME@COMMIT",
    )
    rows: int | None = Field(
        default=None, ge=1, description="most different training rows of it; null: all that pass the filters"
    )
    streaming: bool = Field(
        default=False,
        description="read row by row and keep only what is drawn, instead of whole; the same rows either way",
    )
    hub_split: str = Field(default="train", min_length=1, description="split of a hub data set that is read")
    task_type: TaskType | None = Field(default=None, description="task type of its rows that name none")
    license: str | None = Field(default=None, description="licence of its rows that name none")
    trusted: bool = Field(
        default=False,
        description="a data set of this workflow: what its rows say was checked, tested and held out is believed",
    )

    @field_validator("origin")
    @classmethod
    def _names_a_place(cls, origin: str) -> str:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                "a source is local:FILE.jsonl, parquet:FILE.parquet, or hub:OWNER/NAME@COMMIT with all 40 digits"
            )
        return origin

    @property
    def kind(self) -> str:
        """`local`, `parquet` or `hub`."""
        return self.origin.partition(":")[0]

    @property
    def place(self) -> str:
        """The file or folder, or NAME@COMMIT."""
        return self.origin.partition(":")[2]


class RowFilters(BaseModel):
    """Which rows a data set takes, whatever their source."""

    model_config = ConfigDict(extra="forbid")

    min_chars: int = Field(
        default=0, ge=0, description="shortest row, prompt and gen together, in characters"
    )
    max_chars: int = Field(
        ge=1, description="longest row, prompt and gen together, in characters",
        json_schema_extra={"size_dependent": True},
    )  # fmt: skip
    min_lines: int = Field(default=0, ge=0, description="shortest row, prompt and gen together, in lines")
    max_lines: int | None = Field(
        default=None, ge=1, description="longest row, prompt and gen together, in lines; null for any"
    )
    strict: bool = Field(
        default=False,
        description="only documented rows; an answer of code must have been checked by the compiler",
    )
    self_contained: bool = Field(
        default=False,
        description="only answers of code that compile alone or beside what their prompt shows (the curriculum's do)",
    )
    exclude_tests: bool = Field(
        default=False, description="no rows whose code has tests (#[test], #[cfg(test)]) or is from tests/"
    )
    exclude_examples: bool = Field(
        default=False, description="no rows whose code is a program (fn main) or is from examples/"
    )
    exclude_benches: bool = Field(
        default=False,
        description="no rows whose code has benchmarks (#[bench], criterion) or is from benches/",
    )
    idiomatic_quality_ratio: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="smallest idiomatic score of an answer of code: idioms to idioms and objections together "
        "(rust_expert/syntax/style.py); 0 for any",
    )
    prefer_idiomatic: bool = Field(
        default=False, description="draw the rows of the best idiomatic score first; refuses none"
    )
    prefer_documented: bool = Field(
        default=False, description="draw documented rows first; refuses none (see strict)"
    )

    @model_validator(mode="after")
    def _room_between(self) -> "RowFilters":
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars ({self.min_chars}) is above max_chars ({self.max_chars})")
        if self.max_lines is not None and self.min_lines > self.max_lines:
            raise ValueError(f"min_lines ({self.min_lines}) is above max_lines ({self.max_lines})")
        return self


class DatasetSpec(RowFilters):
    """One named data set: how many rows of what, drawn from the cleaned ones and from other sources."""

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
    task_weights: dict[TaskType, float] = Field(
        default_factory=dict,
        description="more (above 1) or less (below 1) of a task type than its share in task_mix, or in another "
        "source; where rows lack, one is repeated at most as often as its weight says",
    )
    sources: dict[str, SourceSpec] = Field(
        default_factory=dict, description="sources beside the own rows, by name, in their order"
    )
    dataset_weights: dict[str, float] = Field(
        default_factory=dict,
        description="shares of `own` and of each source: the first keeps its rows, of the others as many are taken "
        "(or repeated) as stand to it as the weights do; {} takes each as it is",
    )
    max_repeats: int = Field(
        default=4,
        ge=1,
        description="most times that dataset_weights lay a source's rows out; the rest is a shortage",
    )
    interleave: Literal["weighted", "round_robin", "sequential"] = Field(
        default="weighted",
        description="order of the sources: weighted spreads each evenly over the whole, round_robin (or round-robin) "
        "takes one row of each in turn, sequential one source after the other",
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

    @field_validator("task_weights", "dataset_weights")
    @classmethod
    def _are_weights(cls, weights: dict[str, float]) -> dict[str, float]:
        if any(not 0 <= weight <= 1_000_000 for weight in weights.values()):
            raise ValueError("a weight is a number from 0 up to 1,000,000")
        return weights

    @field_validator("interleave", mode="before")
    @classmethod
    def _either_spelling(cls, given: Any) -> Any:
        return "round_robin" if given == "round-robin" else given

    @model_validator(mode="after")
    def _weights_fit(self) -> "DatasetSpec":
        for name in self.sources:
            if not SOURCE_NAME.fullmatch(name) or name in _TAKEN:
                raise ValueError(
                    f"a source may not be called {name}: small letters, digits and _, and not "
                    + ", ".join(sorted(_TAKEN))
                )
        names = [*([OWN] if self.curriculum_rows + self.crate_rows else []), *self.sources]
        if self.dataset_weights and set(self.dataset_weights) != set(names):
            raise ValueError(f"dataset_weights must name just {', '.join(names)}")
        if any(weight == 0 for weight in self.dataset_weights.values()):
            raise ValueError("a dataset weight is above 0; leave out a source that is not wanted")
        if self.crate_rows and not sum(self.weighted_mix().values()):
            raise ValueError("task_weights leave no task type of task_mix")
        return self

    def weighted_mix(self) -> dict[TaskType, float]:
        """`task_mix` times `task_weights`, adding up to 1 where anything is left."""
        if not self.task_weights:
            return self.task_mix
        parts = {kind: share * self.task_weights.get(kind, 1.0) for kind, share in self.task_mix.items()}
        total = sum(parts.values())
        return {kind: part / total for kind, part in parts.items()} if total else parts

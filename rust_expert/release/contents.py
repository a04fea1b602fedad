"""What a release holds: the samples of all stages, and all that is needed to judge them and count them again."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1
MANIFEST = "release.json"
METRICS = "metrics.json"


class Plan(BaseModel):
    """What is to be packed: the files by what they are of, and how samples were judged and scored.

    `pairs` are the measured stages and suites, `parents` each stage's parent in the order of the stages, `seeds` what
    the stages are called in the runs of other seeds.
    """

    model_config = ConfigDict(extra="forbid")

    pairs: list[tuple[str, str]]
    parents: dict[str, str | None]
    seeds: dict[int, dict[str, str]] = Field(default_factory=dict)
    judge: dict[str, Any]
    score: dict[str, Any]
    crates: dict[str, str | None]
    suites: dict[str, Path]
    models: dict[str, Path]
    funnel: Path
    decontamination: Path
    mixes: dict[str, Path]
    selections: dict[str, Path]
    metrics: Path
    provenance: Path
    results: Path = Path("results")

    def files(self) -> dict[str, Path]:
        """Each file that goes in as it is, by its name in the release; verdicts are not among them."""
        found = {
            METRICS: self.metrics,
            "provenance.json": self.provenance,
            "data/funnel.json": self.funnel,
            "data/decontamination.json": self.decontamination,
        }
        found |= {suite_of(name): path for name, path in self.suites.items()}
        found |= {f"models/{name}.json": path for name, path in self.models.items()}
        found |= {f"data/mix-{name}.json": path for name, path in self.mixes.items()}
        found |= {f"data/selection-{name}.json": path for name, path in self.selections.items()}
        for stage, suite in self.pairs:
            found[samples_of(stage, suite)] = self.results / "samples" / stage / f"{suite}.jsonl"
            found[scores_of(stage, suite)] = self.results / "metrics" / stage / f"{suite}.json"
        return found

    def verdicts(self) -> dict[str, Path]:
        """The Parquet files of verdicts, by the name that their rows get as JSON lines."""
        return {
            verdicts_of(stage, suite): self.results / "verdicts" / stage / f"{suite}.parquet"
            for stage, suite in self.pairs
        }


class FileRecord(BaseModel):
    """A file as it was released; `rows` has a short hash for each line of a .jsonl file."""

    model_config = ConfigDict(extra="forbid")

    sha256: str
    bytes: int
    rows: list[str] | None = None


class Release(BaseModel):
    """The manifest of a release. `judge_code` is the fingerprint of the judge's code at `commit`."""

    model_config = ConfigDict(extra="forbid")

    schema_version: int = Field(default=SCHEMA, alias="schema")
    commit: str | None
    dirty: bool | None
    judge_code: str
    pairs: list[tuple[str, str]]
    parents: dict[str, str | None]
    seeds: dict[int, dict[str, str]] = Field(default_factory=dict)
    judge: dict[str, Any]
    score: dict[str, Any]
    crates: dict[str, str | None]
    mixes: list[str]
    selections: list[str]
    files: dict[str, FileRecord]

    def stages(self) -> list[str]:
        """The measured stages as they are called in the runs of all seeds."""
        return [*self.parents, *(name for names in self.seeds.values() for name in names.values())]


def suite_of(name: str) -> str:
    """The name of a suite's problems in a release."""
    return f"suites/{name}.jsonl"


def samples_of(stage: str, suite: str) -> str:
    """The name of a stage's samples in a release."""
    return f"samples/{stage}/{suite}.jsonl"


def verdicts_of(stage: str, suite: str) -> str:
    """The name of a stage's verdicts in a release."""
    return f"verdicts/{stage}/{suite}.jsonl"


def scores_of(stage: str, suite: str) -> str:
    """The name of a stage's figures in a release."""
    return f"scores/{stage}/{suite}.json"

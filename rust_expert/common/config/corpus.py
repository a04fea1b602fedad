"""Options of the corpus: where crates come from, and which of them are good enough.

Fields marked `size_dependent` say how much there is: a profile for another machine has to state them itself.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PERMISSIVE = (
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
)
"""SPDX names of licences that let a crate's code be copied into a data set, with attribution at most."""


class FetchOptions(BaseModel):
    """Where crates come from."""

    model_config = ConfigDict(extra="forbid")

    source: Literal["registry", "path"] = Field(
        default="registry",
        description="registry: the pinned crates of `table`; path: every crate in the folder `path`",
    )
    table: str = Field(
        default="config/crates.tsv",
        description="table of pinned crates: name, version, sha256, licence",
        json_schema_extra={"size_dependent": True},
    )
    most_crates: int | None = Field(
        default=None,
        ge=1,
        description="most crates of the table, chosen by a hash of their names; null: all of them",
    )
    path: str | None = Field(
        default=None, description="folder with one crate per subfolder, for source: path"
    )
    advisories: str | None = Field(
        default=None,
        description="folder with a copy of the RustSec advisory database (`make advisories` gets it, and cargo-audit): "
        "crates with a known vulnerability, of their own or in what they need, are left out; null: not looked at",
    )
    shards: int = Field(
        default=4,
        ge=1,
        le=1000,
        description="parts that the crates are worked on in; one more crate rebuilds one part",
        json_schema_extra={"size_dependent": True},
    )

    @model_validator(mode="after")
    def _path_given(self) -> Self:
        if self.source == "path" and not self.path:
            raise ValueError("source: path needs a path; name the folder of crates")
        return self


class GateOptions(BaseModel):
    """What a crate must be like to be learned from; null switches a gate off."""

    model_config = ConfigDict(extra="forbid")

    minimum_edition: Literal[2015, 2018, 2021, 2024] | None = Field(
        default=2018, description="oldest edition"
    )
    licences: list[str] | None = Field(
        default_factory=lambda: list(PERMISSIVE),
        description="licences that are enough to satisfy a crate's licence expression",
    )
    minimum_documented: float | None = Field(
        default=0.5, ge=0, le=1, description="smallest share of the public items that has a doc comment"
    )
    maximum_unsafe: float | None = Field(
        default=20.0, ge=0, description="most uses of `unsafe` per 1,000 lines that hold code"
    )
    maximum_average_line: float | None = Field(
        default=60.0, gt=0, description="greatest mean length, in characters, of the lines that are not blank"
    )
    maximum_longest_line: int | None = Field(
        default=1000,
        gt=0,
        description="greatest length of a line, in characters; generated code has very long ones",
    )
    minimum_letters: float | None = Field(
        default=0.4,
        ge=0,
        le=1,
        description="smallest share of letters among the characters that are no blanks; tables of numbers have few",
    )
    maximum_platform: float | None = Field(
        default=40.0,
        ge=0,
        description="most uses of one platform (`cfg(windows)`, `std::os`, `core::arch`) per 1,000 lines that hold "
        "code; null also lets in crates that say themselves that they are for one platform",
    )
    maximum_outdated: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="greatest share of direct dependencies with a newer version that the crate does not accept, on the "
        "day when the table's lock was made; null, the default: any",
    )


class ChunkOptions(BaseModel):
    """How large the pieces are that impls are cut into; modules and files that are larger are no chunks."""

    model_config = ConfigDict(extra="forbid")

    max_lines: int = Field(default=200, ge=1, description="most lines of a chunk")
    max_chars: int = Field(default=8000, ge=1, description="most characters of a chunk")


class BuildOptions(BaseModel):
    """How the crates past the gates are built and linted, in the sandbox, with what they need fetched beforehand."""

    model_config = ConfigDict(extra="forbid")

    blocking: list[str] = Field(
        default_factory=lambda: ["correctness", "suspicious"],
        description="groups of clippy's lints of which one warning keeps a crate out; the others are counted",
    )
    cpu_seconds: int = Field(
        default=600, ge=1, description="processor seconds of one process (a compiler, a build script)"
    )
    wall_seconds: int = Field(default=1800, ge=1, description="seconds for one crate and all that it needs")
    memory_mb: int = Field(default=4096, ge=256, description="memory of one process, in megabytes")
    work_mb: int = Field(
        default=2048, ge=64, description="memory for the files that building one crate makes, in megabytes"
    )


class CorpusOptions(FetchOptions):
    """The corpus section of a profile."""

    gates: GateOptions = Field(
        default_factory=GateOptions, description="what a crate must be like to be learned from"
    )
    chunks: ChunkOptions = Field(
        default_factory=ChunkOptions, description="how large the chunks are that items are cut into"
    )
    builds: BuildOptions = Field(
        default_factory=BuildOptions, description="how crates are built and linted in the sandbox"
    )

    @property
    def fetch(self) -> FetchOptions:
        """The part that fetching reads."""
        return FetchOptions.model_validate(self.model_dump(exclude={"gates", "chunks", "builds"}))

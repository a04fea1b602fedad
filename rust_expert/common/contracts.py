"""The rows that pass between rooms: sample, problem, completion, verdict.

They stand here rather than in the package that makes them, because the rooms that read them may not import
the rooms that write them (docs/decisions/001-contracts-in-common.md).
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rust_expert.common.files import sha256_text

TaskType = Literal["code_generation", "transformations", "error_fixing", "explanations"]
Status = Literal[
    "passed",
    "failed",
    "compile_error",
    "timeout",
    "resource_limit",
    "policy_violation",
    "no_code",
    "judge_error",
]


class Sample(BaseModel):
    """One instruction sample. JSON and Parquet keep the leading underscore of the metadata."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    prompt: str = Field(min_length=1)
    gen: str
    split: Literal["train", "val"] | None = None
    id: str = Field(default="", alias="_id", description="sha256 of prompt, NUL, gen")
    task_type: TaskType | None = Field(default=None, alias="_task_type")
    source: str | None = Field(
        default=None,
        alias="_source",
        pattern="^[a-z][a-z0-9_]*$",
        description="crates, curriculum, or the name that a data set gives another source",
    )
    source_crate: str | None = Field(default=None, alias="_source_crate")
    source_version: str | None = Field(default=None, alias="_source_version")
    source_file: str | None = Field(default=None, alias="_source_file")
    span: list[int] | None = Field(default=None, alias="_span", description="start and end byte in the file")
    license: str | None = Field(default=None, alias="_license")
    scale: str | None = Field(default=None, alias="_scale")
    template: str | None = Field(default=None, alias="_template")
    verified: list[str] = Field(default_factory=list, alias="_verified", description="what was checked")
    family: str | None = Field(default=None, alias="_family")
    combination: str | None = Field(default=None, alias="_combination")
    entry_point: str | None = Field(default=None, alias="_entry_point")
    tests: str | None = Field(default=None, alias="_tests")
    doc: bool | None = Field(default=None, alias="_doc", description="the item is documented in its source")
    before: str | None = Field(
        default=None,
        alias="_before",
        description="the item at `_span` as the question has it: broken, plain, or what clippy warns about",
    )
    error_codes: list[str] = Field(
        default_factory=list, alias="_error_codes", description="with which `_before` fails"
    )
    context: Literal["none", "complete", "partial"] | None = Field(
        default=None,
        alias="_context",
        description="what the answer needs beside itself: nothing, what the prompt shows, or more than that",
    )
    tokens: int | None = Field(default=None, alias="_tokens", description="lexical tokens of gen")

    @property
    def is_prose(self) -> bool:
        """Whether the answer is text for a reader rather than code."""
        return self.task_type == "explanations"

    @classmethod
    def make(cls, *, prompt: str, gen: str, **metadata: object) -> Self:
        """A sample with its `_id`; metadata by attribute name (`task_type=`, not `_task_type=`)."""
        return cls.model_validate(
            {"prompt": prompt, "gen": gen, "id": sha256_text(prompt + "\0" + gen), **metadata}
        )


class Problem(BaseModel):
    """One evaluation problem. Three shapes are read, told apart by their fields, and become this one:

    HumanEval (`prompt`, `canonical_solution`, `test`, `entry_point`: the answer continues the prompt or is whole),
    HumanEval-X (`declaration` stands before the answer), MultiPL-E (`name`, `prompt`, `tests` that end in a `main`).
    """

    model_config = ConfigDict(extra="ignore")

    task_id: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    canonical_solution: str = Field(default="", description="empty where there is none, as in MultiPL-E")
    test: str
    entry_point: str = Field(default="", pattern=r"^((r#)?[^\W\d]\w*)?$")
    category: str | None = None
    combination: str | None = None
    declaration: str | None = None
    dependencies: dict[str, str] = Field(default_factory=dict, description="crates needed, with versions")

    @model_validator(mode="before")
    @classmethod
    def _of_any_shape(cls, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        if "tests" in row and "test" not in row:
            return _from_multipl_e(row)
        if "test" not in row:
            raise ValueError("it has neither `test` (HumanEval, HumanEval-X) nor `tests` (MultiPL-E)")
        if "canonical_solution" not in row:
            raise ValueError('canonical_solution is missing; where there is none, write ""')
        return row


def _from_multipl_e(row: dict[str, Any]) -> dict[str, Any]:
    """A MultiPL-E row in the fields of the others."""
    if row.get("language", "rs") not in ("rs", "rust"):
        raise ValueError(f"language: {row['language']!r} is not rs")
    tests = row["tests"]
    if not isinstance(tests, str):
        raise ValueError("tests: Input should be a valid string")
    # The tests begin with the brace that closes the prompt's function: answers end before it.
    test = tests.lstrip().removeprefix("}")
    named = {"task_id": row["name"]} if "name" in row else {}
    return {"canonical_solution": "", **named, **row, "test": test}


class Completion(BaseModel):
    """One raw answer of a model to one problem."""

    model_config = ConfigDict(extra="ignore")

    task_id: str = Field(min_length=1)
    completion: str
    sample: int = Field(default=0, ge=0)
    seed: int = 0
    sampling: str = Field(default="", description="fingerprint of the sampling parameters and the model")
    tokens: int = Field(default=0, ge=0, description="tokens generated, the end mark included")
    finished: bool = Field(default=True, description="the model ended its answer itself")


LEFT_OUT = "the problem is left out: "
"""How the message of a verdict begins whose problem judges nobody: its own solution fails, or it has no test."""


class Verdict(BaseModel):
    """What the judge found about one completion. Nothing in it depends on the machine's load."""

    model_config = ConfigDict(extra="forbid")

    task_id: str
    sample: int
    status: Status
    compiled: bool = Field(description="the sample's own code compiles")
    tests_passed: int = 0
    tests_total: int = 0
    error_codes: list[str] = Field(default_factory=list)
    message: str = Field(default="", description="first line of the first error, without paths")
    lints: dict[str, int] = Field(default_factory=dict, description="clippy warnings by group")
    clippy_warnings: int | None = Field(default=None, description="None where clippy did not run")
    idiomatic: float | None = None
    documented: float | None = Field(
        default=None, description="share of the public items with a doc comment, 1.0 where nothing is public"
    )
    public_items: int | None = Field(default=None, description="how many items `documented` is a share of")
    policy_findings: list[str] = Field(default_factory=list)
    code: str = Field(default="", description="the code taken from the raw answer")
    extraction: str = Field(default="none", description="the rule that took it")
    completion_sha256: str = ""


CONTRACTS: dict[str, type[BaseModel]] = {
    "sample": Sample,
    "problem": Problem,
    "completion": Completion,
    "verdict": Verdict,
}
"""The contracts by the names that command lines give them."""

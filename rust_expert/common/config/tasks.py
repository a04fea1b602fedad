"""Options of the room that turns items of real crates into instruction samples."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

_SIZE: dict[str, JsonValue] = {"size_dependent": True}


class TasksOptions(BaseModel):
    """How many samples of each kind a crate may give, how long they may be, and what is tried for them."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(default=17, description="moves every choice: items, templates, mutations, rewrites")
    max_lines: int = Field(
        default=200,
        ge=1,
        description="most lines of a sample, prompt and gen together",
        json_schema_extra=_SIZE,
    )
    max_chars: int = Field(
        default=8000,
        ge=1,
        description="most characters of a sample, prompt and gen together",
        json_schema_extra=_SIZE,
    )
    min_lines: int = Field(default=3, ge=1, description="fewest lines of an item that is worth a sample")
    context_lines: int = Field(
        default=40, ge=0,
        description="most lines of a crate's own definitions that an item may need beside it; 0: none",
    )  # fmt: skip
    items_per_crate: int = Field(
        default=80,
        ge=1,
        description="most items of a crate that rustc is asked about",
        json_schema_extra=_SIZE,
    )
    generation_rows: int = Field(
        default=60, ge=0, description="most code_generation samples of a crate", json_schema_extra=_SIZE
    )
    fixing_rows: int = Field(
        default=12, ge=0, description="most error_fixing samples of a crate", json_schema_extra=_SIZE
    )
    transformation_rows: int = Field(
        default=20, ge=0, description="most transformations samples of a crate", json_schema_extra=_SIZE
    )
    explanation_rows: int = Field(
        default=20, ge=0, description="most explanations samples of a crate", json_schema_extra=_SIZE
    )
    mutants_per_item: int = Field(
        default=2, ge=1, description="broken forms of one item, by different operators"
    )
    rewrites_per_item: int = Field(
        default=2, ge=1, description="plainer forms of one item, by different rewrites"
    )
    max_errors: int = Field(
        default=4, ge=1, description="most errors of a broken form that is still a fair task"
    )
    min_doc_chars: int = Field(
        default=60, ge=1, description="shortest documentation, in characters of prose, that explains an item"
    )
    min_request_chars: int = Field(
        default=20,
        ge=1,
        description="shortest documentation, in characters of prose, that says what to write",
    )
    unchecked_generation: bool = Field(
        default=False,
        description="also code_generation samples that do not compile alone; they carry no claim in _verified",
    )  # fmt: skip

"""Options of the room that turns items of real crates into instruction samples."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

_SIZE: dict[str, JsonValue] = {"size_dependent": True}


class TasksOptions(BaseModel):
    """How many samples of each kind a crate may give, how long they may be, and what their prompts show."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(default=17, description="moves every choice: items and templates")
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
    min_lines: int = Field(
        default=3, ge=1, description="fewest lines of an item whose documentation is worth an explanation"
    )
    context_lines: int = Field(
        default=40,
        ge=0,
        description="most lines of a crate's own definitions that a prompt shows beside an item; 0: none",
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
    min_doc_chars: int = Field(
        default=60, ge=1, description="shortest documentation, in characters of prose, that explains an item"
    )
    min_request_chars: int = Field(
        default=20,
        ge=1,
        description="shortest documentation, in characters of prose, that says what to write",
    )

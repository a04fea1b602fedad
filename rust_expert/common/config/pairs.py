"""Options of what the compiler is asked about items of crates: forms that fail, plainer forms, suggestions."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

_SIZE: dict[str, JsonValue] = {"size_dependent": True}


class PairOptions(BaseModel):
    """How many forms of a crate's items are tried, and which."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(default=17, description="moves every choice: items, mutations, rewrites")
    min_lines: int = Field(default=3, ge=1, description="fewest lines of an item that is worth a sample")
    max_lines: int = Field(
        default=200, ge=1, description="most lines of an item that is worth a sample", json_schema_extra=_SIZE
    )
    max_chars: int = Field(
        default=8000,
        ge=1,
        description="most characters of an item that is worth a sample",
        json_schema_extra=_SIZE,
    )
    broken_forms: int = Field(
        default=24, ge=0, description="most broken forms of a crate that are tried", json_schema_extra=_SIZE
    )
    plain_forms: int = Field(
        default=24, ge=0, description="most plainer forms of a crate that are tried", json_schema_extra=_SIZE
    )
    suggested_forms: int = Field(
        default=24,
        ge=0,
        description="most suggestions of clippy of a crate that are tried",
        json_schema_extra=_SIZE,
    )
    standing_items: int = Field(
        default=120,
        ge=0,
        description="most items of a crate of which it is asked whether they compile outside it",
        json_schema_extra=_SIZE,
    )
    context_lines: int = Field(
        default=40,
        ge=0,
        description="most lines of a crate's own definitions beside which an item may compile outside it; 0: none",
    )
    mutants_per_item: int = Field(
        default=2, ge=1, description="broken forms of one item, by different operators"
    )
    rewrites_per_item: int = Field(
        default=2, ge=1, description="plainer forms of one item, by different rewrites"
    )
    suggestions_per_item: int = Field(default=2, ge=1, description="suggestions of clippy for one item")
    max_errors: int = Field(
        default=4, ge=1, description="most errors of a broken form that is still a fair task"
    )

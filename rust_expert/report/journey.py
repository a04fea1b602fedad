"""Where rows were lost on the way from crates to shards, and what the data sets are made of."""

from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.common.tables import fault_of


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Composition(_Read):
    """Rows by task type and by source."""

    rows: int
    by_task_type: dict[str, int] = Field(default_factory=dict)
    by_source: dict[str, int] = Field(default_factory=dict)
    by_split: dict[str, int] = Field(default_factory=dict)


class FunnelStep(_Read):
    """One step of cleaning."""

    step: str
    before: int = Field(alias="in")
    removed: int
    out: int
    removed_by_source: dict[str, int] = Field(default_factory=dict)


class CleanFunnel(_Read):
    """results/dataset/funnel.json."""

    rows_in: Composition
    steps: list[FunnelStep]
    rows_out: Composition


class SuiteDecontamination(_Read):
    """What gave a suite's problems away, and the check of held-out combinations."""

    problems: int
    rows_checked: int
    removed: list[dict[str, Any]] = Field(default_factory=list)
    removed_by_reason: dict[str, int] = Field(default_factory=dict)
    combinations: dict[str, Any] | None = None
    similarity: dict[str, Any] | None = None


class Decontamination(_Read):
    """results/dataset/decontamination.json."""

    gram_words: int | None = None
    rows_checked: int
    removed: int
    suites: dict[str, SuiteDecontamination] = Field(default_factory=dict)


class MixPart(_Read):
    """One split of a data set."""

    rows: int
    curriculum_rows: int = 0
    crate_rows: int = 0
    task_types: dict[str, int] = Field(default_factory=dict)
    families: dict[str, int] = Field(default_factory=dict)
    crates: dict[str, int] = Field(default_factory=dict)
    licenses: dict[str, int] = Field(default_factory=dict)


class Mix(_Read):
    """results/dataset/NAME/mix.json."""

    dataset: str
    train: MixPart
    val: MixPart


@dataclass(frozen=True)
class Stop:
    """One place on the way: how much is left there by source, and what was lost since the last."""

    name: str
    left: dict[str, int]
    lost: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


Part = TypeVar("Part", bound=_Read)


def read_part(path: str, kind: type[Part]) -> Part:
    """Read one of the reports above.

    Raises UserError naming the file and the key at fault.
    """
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        raise UserError(f"{path}: not what the report expects ({fault_of(error)}); make it again") from None


def cleaning_stops(funnel: CleanFunnel) -> list[Stop]:
    """What was left of the rows after each step of cleaning, by source."""
    left = dict(funnel.rows_in.by_source)
    stops = [Stop("instruction samples made", dict(left))]
    for step in funnel.steps:
        for source, lost in step.removed_by_source.items():
            left[source] = left.get(source, 0) - lost
        stops.append(Stop(f"after {step.step}", dict(left), step.removed))
    return stops

"""Where rows were lost on the way from crates to shards, and what the data sets are made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.common.tables import fault_of


class Read(BaseModel):
    """A report of another room; keys that are not shown are passed over."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Composition(Read):
    """Rows by task type and by source."""

    rows: int
    by_task_type: dict[str, int] = Field(default_factory=dict)
    by_source: dict[str, int] = Field(default_factory=dict)
    by_split: dict[str, int] = Field(default_factory=dict)


class FunnelStep(Read):
    """One step of cleaning."""

    step: str
    before: int = Field(alias="in")
    removed: int
    out: int
    removed_by_source: dict[str, int] = Field(default_factory=dict)


class CleanFunnel(Read):
    """results/dataset/funnel.json."""

    rows_in: Composition
    steps: list[FunnelStep]
    rows_out: Composition


class HeldOut(Read):
    """Combinations (family, types, operation) of a suite, of the rows left to train on, and of both."""

    suite: int
    trained: int
    shared: list[str]


class Similarity(Read):
    """How like each problem's solution is to that of the nearest row: Jaccard, the largest, mean, and by tenths."""

    problems: int = 0
    maximum: float | None = None
    mean: float | None = None
    tenths: dict[str, int] = Field(default_factory=dict)


class SuiteDecontamination(Read):
    """What gave a suite's problems away, and the check of held-out combinations."""

    problems: int
    rows_checked: int
    removed: list[dict[str, Any]] = Field(default_factory=list)
    removed_by_reason: dict[str, int] = Field(default_factory=dict)
    combinations: HeldOut | None = None
    similarity: Similarity | None = None


class Decontamination(Read):
    """results/dataset/decontamination.json."""

    gram_words: int | None = None
    rows_checked: int
    removed: int
    suites: dict[str, SuiteDecontamination] = Field(default_factory=dict)


class MixPart(Read):
    """One split of a data set."""

    rows: int
    curriculum_rows: int = 0
    crate_rows: int = 0
    task_types: dict[str, int] = Field(default_factory=dict)
    families: dict[str, int] = Field(default_factory=dict)
    crates: dict[str, int] = Field(default_factory=dict)
    licenses: dict[str, int] = Field(default_factory=dict)


class Shortage(Read):
    """Rows of one kind that were asked for, and those that there were."""

    asked: int
    found: int


class SourceAccount(Read):
    """What became of the rows of one source of a data set, both splits together; `repeated` rows stand in it again."""

    read: int
    passed: int
    filtered: dict[str, int] = Field(default_factory=dict)
    drawn: dict[str, int] = Field(default_factory=dict)
    repeated: int = 0
    shortages: dict[str, dict[str, Shortage]] = Field(default_factory=dict)


class Mix(Read):
    """results/dataset/NAME/mix.json."""

    dataset: str
    train: MixPart
    val: MixPart
    sources: dict[str, SourceAccount] = Field(default_factory=dict)
    shortages: dict[str, dict[str, Shortage]] = Field(default_factory=dict)
    duplicates_across_split: int = 0

    @property
    def repeated(self) -> int:
        """Training rows that stand in the data set more than once, each further time counted."""
        return sum(source.repeated for source in self.sources.values())


@dataclass(frozen=True)
class Stop:
    """One place on the way: how much is left there by source, and what was lost since the last."""

    name: str
    left: dict[str, int]
    lost: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> int:
        """All that is left."""
        return sum(self.left.values())


Part = TypeVar("Part", bound=Read)


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


def drawing_stops(mix: Mix) -> list[Stop]:
    """What was left of the rows that a data set was offered: by its filters, by its draw; each row counted once."""
    names = list(mix.sources)
    accounts = mix.sources.values()
    reasons: dict[str, int] = {}
    for account in accounts:
        for reason, number in account.filtered.items():
            reasons[reason] = reasons.get(reason, 0) + number
    offered = Stop("rows offered", {name: mix.sources[name].read for name in names})
    passed = Stop(
        "pass its filters",
        {name: mix.sources[name].passed for name in names},
        sum(reasons.values()),
        reasons,
    )
    drawn = {name: sum(one.drawn.values()) - one.repeated for name, one in mix.sources.items()}
    spare = passed.whole - sum(drawn.values())
    stops = [
        offered,
        passed,
        Stop("drawn", drawn, spare, {"more than the data set asks for": spare} if spare else {}),
    ]
    if mix.duplicates_across_split:
        left = mix.train.rows - mix.repeated + mix.val.rows
        leaks = {"a validation row like a training row": mix.duplicates_across_split}
        stops.append(Stop("unlike across the split", {"rows": left}, mix.duplicates_across_split, leaks))
    return stops


def gaps(stops: Sequence[Stop]) -> list[str]:
    """Where the figures of a way do not add up, in a sentence each: nothing may get lost unseen."""
    told: list[str] = []
    for before, after in pairwise(stops):
        missing = before.whole - after.lost - after.whole
        if missing:
            told.append(f"{missing:+,d} between “{before.name}” and “{after.name}” are in no account.")
        unsaid = after.lost - sum(after.reasons.values())
        if after.reasons and unsaid:
            told.append(f"Of the {after.lost:,d} lost at “{after.name}”, {unsaid:+,d} have no reason.")
    return told

"""From the table of crates to instruction samples: what each step of the corpus left, summed over its shards."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from rust_expert.common.tables import read_jsonl
from rust_expert.report.journey import Read, Stop, read_part

_NOT_CRATES = ("path", "tests", "file", "syntax")
"""Gates that leave out files or items of a crate, not the crate."""

Outcome = Literal["passes", "blocked", "cannot_build"]
"""What a build can come to; only what passes gives samples."""

_ALL = "counted"
"""What is left at a stop that parts crates into nothing."""


class _Crate(Read):
    name: str
    version: str
    status: str = "ok"
    reason: str = ""


class _Fetched(Read):
    crates: list[_Crate]


class _LeftOut(Read):
    crate: str
    version: str
    file: str | None = None
    gate: str
    reason: str
    figure: float | None = None


class _Build(Read):
    outcome: Outcome
    reason: str = ""
    lints: dict[str, int] = Field(default_factory=dict)
    pairs: dict[str, int] = Field(default_factory=dict)


class _Builds(Read):
    crates: list[_Build]
    rustc: str = ""


class _Form(Read):
    tried: dict[str, int] = Field(default_factory=dict)
    kept: dict[str, int] = Field(default_factory=dict)
    lost: dict[str, int] = Field(default_factory=dict)


class _Task(Read):
    candidates: int
    kept: int
    lost: dict[str, int] = Field(default_factory=dict)


class _Counts(Read):
    items: int
    crates: int
    chunks: dict[str, int] = Field(default_factory=dict)
    forms: dict[str, _Form] = Field(default_factory=dict)
    tasks: dict[str, _Task] = Field(default_factory=dict)
    samples: int


@dataclass(frozen=True)
class Rejected:
    """A crate that was left out: by which gate, why, and the figure that decided."""

    crate: str
    gate: str
    reason: str
    figure: float | None


@dataclass
class Builds:
    """What cargo and clippy made of the crates: crates by outcome and reason; lints by group, all of them and the
    crates that have any; forms of items that were confirmed in their crate, by kind.
    """

    rustc: tuple[str, ...] = ()
    outcomes: Counter[tuple[Outcome, str]] = field(default_factory=Counter)
    lints: Counter[str] = field(default_factory=Counter)
    linted: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)

    def of(self, outcome: Outcome) -> int:
        """Crates of one outcome."""
        return sum(number for (name, _), number in self.outcomes.items() if name == outcome)


@dataclass
class FormCount:
    """Forms of items that were tried and kept, by operator, rewrite or lint, and why the others were not."""

    tried: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


@dataclass
class TaskCount:
    """Candidates, samples kept and reasons of loss of one task type."""

    candidates: int = 0
    kept: int = 0
    lost: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Corpus:
    """The way from crates to samples. `left_out` is by gate and reason: places, and the files or items there; `chunks`
    are the items by scale.
    """

    crates: tuple[Stop, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    left_out: Mapping[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    builds: Builds | None = None
    items: int = 0
    chunks: Mapping[str, int] = field(default_factory=dict)
    forms: Mapping[str, FormCount] = field(default_factory=dict)
    tasks: Mapping[str, TaskCount] = field(default_factory=dict)
    samples: int = 0


def read_corpus(
    fetched: Sequence[str],
    rejections: Sequence[str] = (),
    counts: Sequence[str] = (),
    builds: Sequence[str] = (),
) -> Corpus:
    """Read the shards' fetch manifests, rejections, task counts and builds; any of them may be left out.

    Raises UserError naming the file and the key at fault.
    """
    crates = [crate for path in fetched for crate in read_part(path, _Fetched).crates]
    rows = [row for path in rejections for row in read_jsonl(path, _LeftOut)]
    lost = [row for row in rows if row.file is None and row.gate not in _NOT_CRATES]
    built = _summed([read_part(path, _Builds) for path in builds]) if builds else None
    parts = [read_part(path, _Counts) for path in counts]
    return Corpus(
        crates=_crate_stops(crates, lost, built, parts),
        rejected=tuple(
            Rejected(f"{row.crate} {row.version}", row.gate, row.reason, row.figure)
            for row in sorted(lost, key=lambda row: (row.crate, row.version))
        ),
        left_out=_places([row for row in rows if row.file is not None or row.gate in _NOT_CRATES]),
        builds=built,
        items=sum(part.items for part in parts),
        chunks=_added(part.chunks for part in parts),
        forms=_forms(parts),
        tasks=_tasks(parts),
        samples=sum(part.samples for part in parts),
    )


def _crate_stops(
    crates: Sequence[_Crate], lost: Sequence[_LeftOut], builds: Builds | None, parts: Sequence[_Counts]
) -> tuple[Stop, ...]:
    if not crates:
        return ()
    fetched = sum(crate.status == "ok" for crate in crates)
    failed = Counter(crate.reason or "no reason given" for crate in crates if crate.status != "ok")
    gated = [row for row in lost if row.gate != "fetch"]
    stops = [
        Stop("crates in the table", {_ALL: len(crates)}),
        Stop("fetched and verified", {_ALL: fetched}, len(crates) - fetched, dict(failed)),
        Stop(
            "past the quality gates",
            {_ALL: fetched - len(gated)},
            len(gated),
            dict(Counter(f"{row.gate}: {row.reason}" for row in gated)),
        ),
    ]
    if parts:
        giving, before = sum(part.crates for part in parts), stops[-1].whole
        bare = {"no item in their source": before - giving} if before > giving else {}
        stops.append(Stop("give items", {_ALL: giving}, max(before - giving, 0), bare))
    if builds:
        stops.append(_build_stop(builds))
    return tuple(stops)


def _build_stop(builds: Builds) -> Stop:
    reasons = {
        f"{outcome.replace('_', ' ')}: {reason or 'no reason given'}": number
        for (outcome, reason), number in builds.outcomes.items()
        if outcome != "passes"
    }
    return Stop("built, past clippy", {_ALL: builds.of("passes")}, sum(reasons.values()), reasons)


_NUMBER = re.compile(r"\d+")


def _places(rows: Sequence[_LeftOut]) -> dict[tuple[str, str], tuple[int, float]]:
    """By gate and reason, its numbers left open: how many places, and the sum of their figures."""
    found: dict[tuple[str, str], tuple[int, float]] = {}
    for row in rows:
        key = (row.gate, _NUMBER.sub("…", row.reason))
        places, figures = found.get(key, (0, 0.0))
        found[key] = (places + 1, figures + (1.0 if row.figure is None else row.figure))
    return dict(sorted(found.items(), key=lambda one: (-one[1][0], one[0])))


def _summed(parts: Sequence[_Builds]) -> Builds:
    total = Builds(rustc=tuple(sorted({part.rustc for part in parts if part.rustc})))
    for build in (build for part in parts for build in part.crates):
        total.outcomes[build.outcome, build.reason] += 1
        total.lints.update(build.lints)
        total.linted.update(group for group, number in build.lints.items() if number)
        total.pairs.update(build.pairs)
    return total


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def _forms(parts: Sequence[_Counts]) -> dict[str, FormCount]:
    forms: dict[str, FormCount] = {}
    for part in parts:
        for name, told in part.forms.items():
            into = forms.setdefault(name, FormCount())
            into.tried.update(told.tried)
            into.kept.update(told.kept)
            into.lost.update(told.lost)
    return forms


def _tasks(parts: Sequence[_Counts]) -> dict[str, TaskCount]:
    tasks: dict[str, TaskCount] = {}
    for part in parts:
        for name, told in part.tasks.items():
            into = tasks.setdefault(name, TaskCount())
            into.candidates += told.candidates
            into.kept += told.kept
            into.lost.update(told.lost)
    return tasks

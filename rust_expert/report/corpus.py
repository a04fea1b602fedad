"""From the table of crates to instruction samples: what each step of the corpus left, summed over its shards."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import Field

from rust_expert.common.tables import read_jsonl
from rust_expert.report.journey import Read, Stop, read_part

_NOT_CRATES = ("path", "tests", "file", "syntax")
"""Gates that leave out files or items of a crate, not the crate."""


class _Crate(Read):
    name: str
    version: str
    license: str = ""
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


class _Units(Read):
    made: int
    not_made: dict[str, int] = Field(default_factory=dict)
    checked: int
    compile: int


class _Task(Read):
    candidates: int
    kept: int
    lost: dict[str, int] = Field(default_factory=dict)


class _Counts(Read):
    items: int
    units: _Units
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
class TaskCount:
    """Candidates, samples kept and reasons of loss of one task type."""

    candidates: int = 0
    kept: int = 0
    lost: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Corpus:
    """The way from crates to samples."""

    crates: tuple[Stop, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    items: tuple[Stop, ...] = ()
    tasks: dict[str, TaskCount] = field(default_factory=dict)
    samples: int = 0


def read_corpus(fetched: Sequence[str], rejections: Sequence[str], counts: Sequence[str]) -> Corpus:
    """Read the shards' fetch manifests, rejections and task counts; any of the three may be left out.

    Raises UserError naming the file and the key at fault.
    """
    crates = [crate for path in fetched for crate in read_part(path, _Fetched).crates]
    lost = [
        row
        for path in rejections
        for row in read_jsonl(path, _LeftOut)
        if row.file is None and row.gate not in _NOT_CRATES
    ]
    parts = [read_part(path, _Counts) for path in counts]
    tasks: dict[str, TaskCount] = {}
    for part in parts:
        for name, told in part.tasks.items():
            into = tasks.setdefault(name, TaskCount())
            into.candidates += told.candidates
            into.kept += told.kept
            into.lost.update(told.lost)
    return Corpus(
        crates=_crate_stops(crates, lost),
        rejected=tuple(
            Rejected(f"{row.crate} {row.version}", row.gate, row.reason, row.figure)
            for row in sorted(lost, key=lambda row: (row.crate, row.version))
        ),
        items=_item_stops(parts) if parts else (),
        tasks=tasks,
        samples=sum(part.samples for part in parts),
    )


def _crate_stops(crates: Sequence[_Crate], lost: Sequence[_LeftOut]) -> tuple[Stop, ...]:
    if not crates:
        return ()
    fetched = sum(crate.status == "ok" for crate in crates)
    gated = [row for row in lost if row.gate != "fetch"]
    failed = Counter(crate.reason or "no reason given" for crate in crates if crate.status != "ok")
    return (
        Stop("crates in the table", {"crates": len(crates)}),
        Stop("fetched and verified", {"crates": fetched}, len(crates) - fetched, dict(failed)),
        Stop(
            "past the quality gates",
            {"crates": fetched - len(gated)},
            len(gated),
            dict(Counter(f"{row.gate}: {row.reason}" for row in gated)),
        ),
    )


def _item_stops(parts: Sequence[_Counts]) -> tuple[Stop, ...]:
    items = sum(part.items for part in parts)
    made, checked, good = (
        sum(getattr(part.units, key) for part in parts) for key in ("made", "checked", "compile")
    )
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part.units.not_made)
    return (
        Stop("items in their source", {"crates": items}),
        Stop("can stand alone with what they use", {"crates": made}, items - made, dict(reasons)),
        Stop(
            "drawn for the compiler",
            {"crates": checked},
            made - checked,
            {"more than the profile asks of one crate": made - checked} if made > checked else {},
        ),
        Stop(
            "compile alone",
            {"crates": good},
            checked - good,
            {"do not compile outside their crate": checked - good} if checked > good else {},
        ),
    )

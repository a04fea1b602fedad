"""What a run of a script counts and costs: for Prometheus, the JSON log and OpenTelemetry, and for no result.

`common.cli` begins and ends a run; scripts say `telemetry.count("rows_out", 12, split="train")` in between. Nothing
that scripts call here gives a value back that a result could hang on, and nothing that cannot be written ends a run.
"""

import contextlib
import logging
import re
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rust_expert.common import energy, orphans, spans
from rust_expert.common.errors import UserError
from rust_expert.common.exposition import COUNTS, JOBS, Figure, write_figures
from rust_expert.common.json_log import JsonLines, json_path

log = logging.getLogger(__name__)
_events = logging.getLogger("rust_expert.run")
_events.setLevel(logging.INFO)
_events.propagate = False  # begin and end of a run are for the JSON log alone
_events.addHandler(logging.NullHandler())

_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LONGEST_LABEL = 120
_MOST_LABELS = 100
NO_RULE = "none"
OTHER = "other"
"""Stands for what would be the 101st value of a label: reasons can hold a text of some crate's."""

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Job:
    """Which rule a run belongs to, and the wildcards that tell its jobs apart."""

    rule: str
    wildcards: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, words: Sequence[str]) -> "Job":
        """`judge stage=base suite=core`, as --job takes it; UserError for anything else."""
        pairs = [word.partition("=") for word in words[1:]]
        if not all(
            _WORD.fullmatch(part)
            for part in (words[0], *(p for key, _, value in pairs for p in (key, value)))
        ):
            raise UserError(
                f"--job {' '.join(words)}: write RULE NAME=VALUE ..., of letters, digits and _ . -"
            )
        return cls(words[0], {key: value for key, _, value in pairs})

    @property
    def name(self) -> str:
        """The wildcards' values with slashes between, empty where there are none."""
        return "/".join(self.wildcards.values())

    @property
    def place(self) -> Path:
        """Where the figures of the job lie below a telemetry folder."""
        return Path(JOBS, f"{self.rule}/{self.name}.prom" if self.name else f"{self.rule}.prom")


@dataclass
class _Usage:
    """Seconds, CPU seconds and the counters of energy up to now."""

    wall: float = field(default_factory=time.monotonic)
    own: float = field(default_factory=lambda: _cpu(resource.RUSAGE_SELF))
    children: float = field(default_factory=lambda: _cpu(resource.RUSAGE_CHILDREN))
    counters: energy.Reading = field(default_factory=energy.read)


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _own_peak() -> int:
    """The most memory of this process in bytes.

    Not ru_maxrss: Linux begins that, at exec, with what the process that started this one held.
    """
    try:
        told = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.M)
    except OSError:
        told = None
    return int(told[1]) * 1024 if told else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Run:
    """One run of a script: what it counted, and where its figures go."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.file: Path | None = None
        self.counts: dict[str, dict[Labels, float]] = {}
        self.work: dict[str, tuple[int, float]] = {}
        self.begun = _Usage()
        self.span: spans.Span | None = None

    def fields(self) -> dict[str, str]:
        """What every line of the JSON log tells of the run."""
        told = {"rule": self.job.rule, "script": _script(), **self.job.wildcards}
        return told | {"job": self.job.name} if self.job.name else told

    def figures(self, exit_code: int) -> list[Figure]:
        """All that is known of the run, without the labels that name it."""
        now = _Usage()
        wall = round(now.wall - self.begun.wall, 6)
        found = [
            Figure("wall_seconds", {}, wall),
            Figure("cpu_seconds", {"of": "own"}, round(now.own - self.begun.own, 6)),
            Figure("cpu_seconds", {"of": "children"}, round(now.children - self.begun.children, 6)),
            Figure("peak_memory_bytes", {"of": "own"}, _own_peak()),
            Figure(
                "peak_memory_bytes",
                {"of": "children"},
                resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
            ),
            Figure("exit_code", {}, exit_code),
        ]
        for kind, used in energy.joules(self.begun.counters, now.counters).items():
            found.append(Figure("energy_joules", {"of": kind}, used))
        for name, parts in self.counts.items():
            found += [Figure(name, dict(labels), value) for labels, value in parts.items()]
            found.append(Figure("per_second", {"of": name}, sum(parts.values()) / max(wall, 1e-9)))
        for what, (done, seconds) in self.work.items():
            found.append(Figure("work_done", {"work": what}, done))
            found.append(Figure("work_seconds", {"work": what}, seconds))
            found.append(Figure("work_per_second", {"work": what}, done / max(seconds, 1e-9)))
        return found


_run = Run(Job(NO_RULE))


def begin() -> None:
    """Begin a run: clocks and counts start anew."""
    global _run
    first = _run.job.rule == NO_RULE
    _run = Run(Job(_script()))
    if first:
        _run.begun.own = 0.0  # what the imports took is work of this run, though its clock began after them
    _events.handlers[1:] = []
    with _harmless("the span"):
        _run.span = spans.start(_run.job.rule)


def identify(job: Job | None, folder: Path | None) -> None:
    """Tell which job the run is, and the folder that its figures go to at its end.

    Figures of an earlier run of the job are removed: where a run is killed, there are none.
    """
    _run.job = job or _run.job
    if folder is None:
        return
    _run.file = folder / _run.job.place
    with _harmless("the figures"):
        _run.file.unlink(missing_ok=True)


def json_log(log_path: str) -> logging.Handler:
    """The handler that writes the JSON log beside a log; the run's begin and end go there and nowhere else."""
    ids = _run.span.ids() if _run.span is not None else {}
    handler = JsonLines(json_path(log_path), _run.fields() | ids)
    _events.addHandler(handler)
    _events.info("begun", extra={"arguments": sys.argv[1:]})
    return handler


def count(name: str, value: float, **labels: str | None) -> None:
    """Add `value` to a count of the run. Labels part the whole: one count has the same labels each time.

    Raises ValueError for a name that exposition.COUNTS does not explain, and for other labels than before.
    """
    if name not in COUNTS:
        raise ValueError(f"{name}: explain it in rust_expert.common.exposition.COUNTS")
    parts = _run.counts.setdefault(name, {})
    key = tuple(sorted((label, _label(told)) for label, told in labels.items()))
    known = next(iter(parts), key)
    if [label for label, _ in known] != [label for label, _ in key]:
        raise ValueError(
            f"{name}: labels {[label for label, _ in key]}, but {[label for label, _ in known]} before"
        )
    if key not in parts and len(parts) >= _MOST_LABELS:
        key = tuple((label, OTHER) for label, _ in key)
    parts[key] = parts.get(key, 0) + value


def count_by(name: str, label: str, counts: Mapping[Any, float], **labels: str | None) -> None:
    """Count by the values of a label: `count_by("rows_out", "split", {"train": 9, "val": 1})`."""
    for told, value in counts.items():
        count(name, value, **{label: told}, **labels)


def worked(what: str, done: int, seconds: float) -> None:
    """Tell of work that a bar followed: pieces done by this run, and how long that took."""
    before, spent = _run.work.get(what, (0, 0.0))
    _run.work[what] = (before + done, spent + seconds)


def environment() -> dict[str, str]:
    """What the environment of runs that this one starts must hold, so that their spans are its children."""
    return _run.span.environment() if _run.span is not None else {}


def end(exit_code: int, fault: str | None = None, error: BaseException | None = None) -> None:
    """End the run: its figures, the last line of the JSON log, its span. `fault` says why it failed."""
    orphans.reap()
    run, figures = _run, _run.figures(exit_code)
    told = flat(figures) | ({"fault": fault} if fault else {})
    with _harmless("the JSON log"):
        _events.log(logging.ERROR if exit_code else logging.INFO, "ended", extra=told, exc_info=error)
    if run.file is not None:
        figures.append(Figure("ended_timestamp_seconds", {}, round(time.time(), 3)))
        names = {"rule": run.job.rule, "job": run.job.name}
        with _harmless("the figures"):
            write_figures(run.file, [each._replace(labels={**each.labels, **names}) for each in figures])
    if run.span is not None:
        why = (fault or f"exit code {exit_code}") if exit_code else None
        with _harmless("the span"):
            run.span.end(f"{run.job.rule} {run.job.name}".strip(), run.fields() | told, why)


def flat(figures: Sequence[Figure]) -> dict[str, Any]:
    """Figures by one name each, label values after dots: `cpu_seconds.own`, `rows_lost.exact duplicates`."""
    return {".".join([each.name, *each.labels.values()]): each.value for each in figures}


@contextlib.contextmanager
def _harmless(what: str) -> Iterator[None]:
    """Whatever goes wrong in the block is a warning: a run does not fail because nobody could watch it."""
    try:
        yield
    except Exception as error:
        log.warning("%s of this run cannot be written: %s", what, error)


def _script() -> str:
    name = Path(sys.argv[0]).stem
    return name if _WORD.fullmatch(name) else "script"


def _label(told: str | None) -> str:
    """A label's value: one line of at most 120 characters that UTF-8 has a form for."""
    text = "".join(sign if sign.isprintable() else " " for sign in (told or "unnamed")[:_LONGEST_LABEL])
    return text.encode("utf-8", "replace").decode("utf-8")

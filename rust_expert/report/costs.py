"""What each rule cost: by Snakemake's benchmark files, and by what Linux counted for each job, as its telemetry tells.

The benchmark looks at a job now and then, so it misses processes that come and go, which compilers are, and what a job
did since it last looked: of a judge's 39 CPU seconds it saw 6. Where there is telemetry, the CPU time is from there.
"""

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rust_expert.common.errors import UserError

JOBS = "jobs"
"""Below a telemetry folder: the files of single jobs."""

_FIGURE = r"^rust_expert_{}\{{[^}}]*\}} (\S+)$"
_MB = 1024 * 1024  # of max_rss


@dataclass(frozen=True)
class Job:
    """One job: its rule, its wildcards as a path, wall seconds, CPU seconds, peak memory in MB, energy in J.

    None: not measured. The energy is that of the whole machine while the job ran.
    """

    rule: str
    name: str
    wall_s: float
    cpu_s: float | None
    peak_mb: float | None
    energy_j: float | None = None


TOLD_AS = {"train": ("train_sft", "train_rsft"), "sample": ("sample", "sample_vllm")}
"""What rules are called in telemetry whose benchmarks lie in one folder together."""


def read_jobs(
    folder: str | Path, telemetry: str | Path | None = None, runs: Collection[str] = ()
) -> list[Job]:
    """Every job below a benchmark folder, laid out as `RULE/WILDCARDS.tsv` or `RULE.tsv`, sorted by path.

    CPU time and energy of each are taken from a telemetry folder, where one is given and holds the job, and its memory
    too where that is more. `runs` are what the stages of further seeds are called. Other names with __, the points of
    a sweep and seeds of an earlier configuration, are no part of the run and are left out.

    Of a job that was repeated the last line counts. Short jobs without telemetry have no CPU time or memory: psutil
    never saw them.

    Raises UserError for a file that is no benchmark.
    """
    root = Path(folder)
    jobs: list[Job] = []
    for path in sorted(root.rglob("*.tsv")):
        place = path.relative_to(root).with_suffix("")
        if any("__" in part and part not in runs for part in place.parts[1:]):
            continue
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        if not rows or "s" not in rows[-1]:
            raise UserError(
                f"{path}: not a benchmark of Snakemake (no column s); delete it, or run that rule again"
            )
        last = rows[-1]
        counted = _told(Path(telemetry), place) if telemetry else ""
        used = _figures(counted, "cpu_seconds")
        peaks = [each / _MB for each in _figures(counted, "peak_memory_bytes")]
        joules = _figures(counted, "energy_joules")
        jobs.append(
            Job(
                place.parts[0],
                "/".join(place.parts[1:]),
                _number(last["s"]) or 0.0,
                round(sum(used), 2) if used else _number(last.get("cpu_time")),
                _peak([_number(last.get("max_rss")), *peaks]),
                round(sum(joules), 3) if joules else None,
            )
        )
    return jobs


def _told(telemetry: Path, place: Path) -> str:
    """What telemetry holds of a job; nothing where it has no such job."""
    for rule in TOLD_AS.get(place.parts[0], place.parts[:1]):
        path = Path(telemetry, JOBS, rule, *place.parts[1:])
        path = path.with_name(f"{path.name}.prom")
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return ""


def _figures(told: str, name: str) -> list[float]:
    return [float(each) for each in re.findall(_FIGURE.format(name), told, re.M)]


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def by_rule(jobs: list[Job]) -> dict[str, dict[str, Any]]:
    """Jobs, wall and CPU seconds together, and the highest peak of memory, for each rule."""
    rules: dict[str, list[Job]] = {}
    for job in jobs:
        rules.setdefault(job.rule, []).append(job)
    return {
        rule: {
            "jobs": len(members),
            "wall_s": round(sum(job.wall_s for job in members), 2),
            "longest_s": round(max(job.wall_s for job in members), 2),
            "cpu_s": _total([job.cpu_s for job in members]),
            "peak_memory_mb": _peak([job.peak_mb for job in members]),
            "energy_j": _total([job.energy_j for job in members]),
        }
        for rule, members in sorted(rules.items())
    }


def _total(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 2) if known else None


def _peak(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(max(known), 1) if known else None

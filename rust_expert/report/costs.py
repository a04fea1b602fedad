"""What each rule cost, from the benchmark files that Snakemake writes beside the results."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rust_expert.common.errors import UserError

JOBS = "jobs"
"""Below a telemetry folder: the files of single jobs."""

_JOULES = r"^rust_expert_energy_joules\{[^}]*\} (\S+)$"


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


TRAINING = ("train", "train_sft", "train_rsft")
"""What the rule of a training is called in telemetry; its benchmarks are all below `train`."""


def read_jobs(folder: str | Path, telemetry: str | Path | None = None) -> list[Job]:
    """Every job below a benchmark folder, laid out as `RULE/WILDCARDS.tsv` or `RULE.tsv`, sorted by path.

    The energy of each is taken from a telemetry folder, where one is given and holds it.

    The points of a sweep (their stages' names hold __) are no part of a run and are left out.
    Of a job that was repeated the last line counts. Short jobs have no CPU time or memory: psutil never saw them.

    Raises UserError for a file that is no benchmark.
    """
    root = Path(folder)
    jobs: list[Job] = []
    for path in sorted(root.rglob("*.tsv")):
        place = path.relative_to(root).with_suffix("")
        if any("__" in part for part in place.parts[1:]):
            continue
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        if not rows or "s" not in rows[-1]:
            raise UserError(
                f"{path}: not a benchmark of Snakemake (no column s); delete it, or run that rule again"
            )
        last = rows[-1]
        wall = _number(last["s"])
        jobs.append(
            Job(
                place.parts[0],
                "/".join(place.parts[1:]),
                wall or 0.0,
                _number(last.get("cpu_time")),
                _number(last.get("max_rss")),
                _energy(Path(telemetry), place) if telemetry else None,
            )
        )
    return jobs


def _energy(telemetry: Path, place: Path) -> float | None:
    """The energy of a job in J, of all counters together; None where none was read."""
    rules = TRAINING if place.parts[0] == "train" else place.parts[:1]
    for rule in rules:
        path = Path(telemetry, JOBS, rule, *place.parts[1:])
        path = path.with_name(f"{path.name}.prom")
        if path.is_file():
            found = re.findall(_JOULES, path.read_text(encoding="utf-8"), re.M)
            return round(sum(map(float, found)), 3) if found else None
    return None


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

"""What each rule cost, from the benchmark files that Snakemake writes beside the results."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rust_expert.common.errors import UserError


@dataclass(frozen=True)
class Job:
    """One job: its rule, its wildcards as a path, wall seconds, CPU seconds, peak memory in MB (None: not measured)."""

    rule: str
    name: str
    wall_s: float
    cpu_s: float | None
    peak_mb: float | None


def read_jobs(folder: str | Path) -> list[Job]:
    """Every job below a benchmark folder, laid out as `RULE/WILDCARDS.tsv` or `RULE.tsv`, sorted by path.

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
            )
        )
    return jobs


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
        }
        for rule, members in sorted(rules.items())
    }


def _total(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 2) if known else None


def _peak(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(max(known), 1) if known else None

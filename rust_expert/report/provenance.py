"""The provenance of a run: everything that metrics.json may not hold because it changes from machine to machine."""

import datetime
import platform
from collections.abc import Collection
from pathlib import Path
from typing import Any

from rust_expert.common import energy
from rust_expert.common.errors import UserError
from rust_expert.report.costs import by_rule, read_jobs
from rust_expert.report.machine import git_state, machine, packages, tools


def collect(
    config: dict[str, Any],
    benchmarks: str | Path,
    root: Path,
    telemetry: str | Path | None = None,
    runs: Collection[str] = (),
) -> dict[str, Any]:
    """Versions, commit, machine, seeds, the effective configuration, and what each rule cost (`costs.read_jobs`)."""
    jobs = read_jobs(benchmarks, telemetry, runs)
    return {
        "schema": 1,
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "git": git_state(root),
        "python": platform.python_version(),
        "tools": tools(),
        "machine": machine(),
        "packages": packages(),
        "seeds": seeds_in(config),
        "config": config,
        "rules": by_rule(jobs),
        "total": {
            "jobs": len(jobs),
            "wall_s": round(sum(job.wall_s for job in jobs), 2),
            "cpu_s": round(sum(job.cpu_s or 0.0 for job in jobs), 2),
            "peak_memory_mb": max((job.peak_mb or 0.0 for job in jobs), default=0.0),
        },
        "energy": energy_counters(),
        "jobs": {
            f"{job.rule}/{job.name}" if job.name else job.rule: {
                "wall_s": job.wall_s,
                "cpu_s": job.cpu_s,
                "peak_memory_mb": job.peak_mb,
                "energy_j": job.energy_j,
            }
            for job in jobs
        },
    }


def energy_counters() -> dict[str, Any]:
    """Which counters of energy this machine lets be read (`cpu`, `gpu`), and why not the others."""
    reading = energy.read()
    return {
        "of": "the whole machine while a job ran; jobs side by side are each charged with all of it",
        "read": sorted({kind for kind, _ in reading.counters}),
        "not_read": dict(reading.reasons),
    }


def seeds_in(config: Any, path: str = "") -> dict[str, int]:
    """Every key called `seed`, or ending in `_seed`, by its path in the configuration, such as `stages.phase1.seed`."""
    found: dict[str, int] = {}
    if isinstance(config, dict):
        for key in sorted(config):
            place = f"{path}.{key}" if path else str(key)
            if isinstance(config[key], int) and (key == "seed" or str(key).endswith("_seed")):
                found[place] = config[key]
            else:
                found |= seeds_in(config[key], place)
    return found


def checked_config(value: Any, source: str) -> dict[str, Any]:
    """A configuration as read from JSON.

    Raises UserError where it is no mapping.
    """
    if not isinstance(value, dict):
        raise UserError(f"{source}: the configuration must be a JSON mapping, not {type(value).__name__}")
    return value

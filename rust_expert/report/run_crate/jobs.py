"""The jobs of a finished run, as the workflow's own records of their outputs tell them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rust_expert.report.lineage import Making, making

LOGS = "results/logs/"
_SCRIPT = re.compile(r"python -m scripts\.(\w+)")


@dataclass(frozen=True)
class Job:
    """One job that ran: its name as in provenance.json's `jobs`, its files, when it ran (seconds since 1970)."""

    name: str
    made: Making
    outputs: tuple[str, ...]
    script: str
    started: float | None
    ended: float | None

    @property
    def rule(self) -> str:
        """The rule that the job is of."""
        return self.made.rule


def jobs_behind(targets: Iterable[str], records: Mapping[str, Mapping[str, Any]]) -> list[Job]:
    """The jobs that made the targets and all that those read, each after the jobs whose files it reads.

    `records` are Snakemake's, by output. Outputs of one job have one log, and that names it.
    """
    reached: set[str] = set()
    waiting = list(targets)
    while waiting:
        path = waiting.pop()
        if path not in reached and path in records:
            reached.add(path)
            waiting += records[path]["input"]
    # What else those jobs made, though nothing read it; what an older run of it made ended at another time.
    ran = {_ran(path, records[path]) for path in reached}
    outputs: dict[str, list[str]] = {}
    for path, record in sorted(records.items()):
        if _ran(path, record) in ran:
            outputs.setdefault(job_name(path, record), []).append(path)
    return _in_order({name: _job(name, paths, records[paths[0]]) for name, paths in outputs.items()})


def job_name(output: str, record: Mapping[str, Any]) -> str:
    """What telemetry, logs and benchmarks call the job: `judge/base/core`; of one without a log, its output."""
    logs: Sequence[str] = record.get("log") or ()
    return logs[0].removeprefix(LOGS).removesuffix(".log") if logs else output


def _ran(output: str, record: Mapping[str, Any]) -> tuple[str, Any]:
    return job_name(output, record), record.get("endtime")


def _job(name: str, paths: Sequence[str], record: Mapping[str, Any]) -> Job:
    found = _SCRIPT.search(record.get("shellcmd") or "")
    return Job(
        name=name,
        made=making(record["rule"], record["input"], record.get("params") or ()),
        outputs=tuple(paths),
        script=found[1] if found else "",
        started=record.get("starttime"),
        ended=record.get("endtime"),
    )


def _in_order(jobs: Mapping[str, Job]) -> list[Job]:
    makers = {path: name for name, job in jobs.items() for path in job.outputs}
    done: dict[str, Job] = {}

    def add(name: str, above: frozenset[str]) -> None:
        if name in done or name in above:
            return
        for path in jobs[name].made.inputs:
            if path in makers:
                add(makers[path], above | {name})
        done[name] = jobs[name]

    for name in sorted(jobs):
        add(name, frozenset())
    return list(done.values())

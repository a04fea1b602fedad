"""What Snakemake's own log, or its plan (`-n`), says of the jobs: the evidence of what ran and what did not."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(".snakemake") / "log"
"""Where Snakemake writes a log for each run, below its working folder."""

_HEAD = re.compile(r"^(?P<error>Error in rule |(?:local)?rule )(?P<rule>\w+):$")
_FIELD = re.compile(r"^    (?P<name>input|output|log|jobid|reason|wildcards): (?P<value>.*)$")
_FINISHED = re.compile(r"^Finished jobid: (\d+) ")


@dataclass(frozen=True)
class Job:
    """One job, with its stage where it has one, its wildcards as they are told, and why it runs."""

    number: int
    rule: str
    stage: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    log: Path | None
    wildcards: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Told:
    """The jobs of a run: begun (or planned), finished, failed; and whether a user ended it."""

    begun: tuple[Job, ...]
    finished: tuple[Job, ...]
    failed: tuple[Job, ...]
    nothing_to_do: bool
    interrupted: bool


def logs(folder: Path) -> set[Path]:
    """The logs of all runs so far in a working folder."""
    return set((folder / FOLDER).glob("*.snakemake.log"))


def read_logs(paths: Iterable[Path]) -> Told:
    """What the logs of one run say."""
    return read("\n".join(path.read_text(encoding="utf-8", errors="replace") for path in sorted(paths)))


def read(text: str) -> Told:
    """What a log or a plan says."""
    begun: dict[int, Job] = {}
    failed: dict[int, Job] = {}
    finished: list[int] = []
    lines = text.splitlines()
    for place, line in enumerate(lines):
        if head := _HEAD.match(line):
            job = _job(head["rule"], lines[place + 1 :])
            if job is not None:
                (failed if head["error"].startswith("Error") else begun)[job.number] = job
        elif done := _FINISHED.match(line):
            finished.append(int(done[1]))
    return Told(
        begun=tuple(begun.values()),
        finished=tuple(begun[number] for number in finished if number in begun),
        failed=tuple(begun.get(number, job) for number, job in failed.items()),
        nothing_to_do="Nothing to be done" in text,
        interrupted="Terminating processes on user request" in text,
    )


def _job(rule: str, below: list[str]) -> Job | None:
    fields: dict[str, str] = {}
    for line in below:
        if not line.startswith("    "):
            break
        if (found := _FIELD.match(line)) and found["name"] not in fields:
            fields[found["name"]] = found["value"]
    if not fields.get("jobid", "").isdigit():
        return None
    stage = re.search(r"(?:^|, )stage=([^,]+)", fields.get("wildcards", ""))
    log = fields.get("log", "").partition(" (check")[0].partition(", ")[0]
    return Job(
        number=int(fields["jobid"]),
        rule=rule,
        stage=stage[1] if stage else None,
        inputs=tuple(fields.get("input", "").split(", ")),
        outputs=tuple(fields.get("output", "").split(", ")),
        log=Path(log) if log else None,
        wildcards=fields.get("wildcards", ""),
        reason=fields.get("reason", "").strip(),
    )


def counted(jobs: Iterable[Job]) -> str:
    """`2 train_sft, 2 sample`: jobs by rule, in the order in which rules first occur."""
    return ", ".join(f"{number} {rule}" for rule, number in Counter(job.rule for job in jobs).items())

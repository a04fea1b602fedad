"""What a large plan costs, and what it says: 10,000 crates and 16,400 samples, planned with the profile of an H100.

Crates and problems are made up: copies under other names of those that are there, so that what they need and how they
hang together is as in life. Nothing is fetched or built. Printed are the jobs of each rule, what planning costs in
processor and wall seconds (without the notes of an earlier plan on the code that it read, then with them), and the
chain of jobs that no run can be shorter than. The minutes of a job are those that profiles/slurm lets it have; with
--measured those that a finished run took, where it has them, by crate where a job works on crates.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from rust_expert.common.files import sha256_text
from rust_expert.crates.lockfile import lock_beside
from rust_expert.crates.table import COLUMNS, read_table

ROOT = Path(__file__).resolve().parent.parent
PROFILE = ROOT / "config" / "h100.yaml"
SLURM = ROOT / "profiles" / "slurm" / "config.yaml"
TABLE = ROOT / "config" / "crates-h100.tsv"
PROBLEMS = ROOT / "suites" / "core.jsonl"
TARGET = "results/metrics.json"

CRATES, SHARDS = 10_000, 64
PROBLEMS_OF_A_SUITE, SAMPLES, STAGES = 164, 25, 4
LIMIT = 10.0
"""Seconds of processor time that a plan may take."""
OF_CRATES = ("fetch", "items", "builds", "tasks")
"""The rules whose jobs work on the crates of one shard."""
TRAININGS = ("train_sft", "train_rsft")
"""The rules that share the folder of benchmarks called `train`."""


@dataclass(frozen=True)
class Planned:
    """A plan: what snakemake said, its processor seconds and its wall seconds."""

    said: str
    processor: float
    wall: float


def main(words: list[str] | None = None) -> None:
    """Make crates and problems up, plan twice, and print what was found."""
    told = argparse.ArgumentParser(prog="python -m benchmarks.plan", description=__doc__)
    told.add_argument("--measured", type=Path, metavar="RESULTS", help="results/ of a finished run")
    told.add_argument("--crates", type=int, default=CRATES, help=f"how many (default {CRATES})")
    told.add_argument("--shards", type=int, default=SHARDS, help=f"of the corpus (default {SHARDS})")
    arguments = told.parse_args([] if words is None else words)
    with tempfile.TemporaryDirectory(prefix="rust-expert-plan-") as name:
        folder = Path(name)
        write_table(folder, arguments.crates)
        write_suite(folder)
        overlay = write_profile(folder, arguments.shards)
        first, again = plan(folder, overlay), plan(folder, overlay)
        edges = list(edges_of(plan(folder, overlay, "--dag", "dot").said))
    print(
        f"{arguments.crates:,} crates in {arguments.shards} shards,"
        f" {PROBLEMS_OF_A_SUITE * SAMPLES * STAGES:,} samples of {STAGES} stages"
    )
    for rule, count in jobs_in(first.said).items():
        print(f"  {rule:24} {count:5}")
    for name, planned in (("first", first), ("again", again)):
        verdict = "within" if planned.processor < LIMIT else "ABOVE"
        print(
            f"{name} plan: {planned.processor:.1f} processor seconds ({verdict} {LIMIT:.0f}), {planned.wall:.1f} wall"
        )
    print(
        f"load average: {', '.join(f'{one:.2f}' for one in os.getloadavg())} on {os.cpu_count()} processors"
    )
    minutes = declared_minutes()
    measured = (
        {}
        if arguments.measured is None
        else measured_minutes(arguments.measured, arguments.crates / arguments.shards)
    )
    path = longest(edges, minutes | measured)
    total = sum((minutes | measured)[_rule(job)] for job in path)
    print(f"critical path: {len(path)} jobs one after the other, at most {total / 60:.1f} hours")
    for job in path:
        kind = "measured" if _rule(job) in measured else "limit"
        print(f"  {job.partition(' #')[0]:40} {(minutes | measured)[_rule(job)]:8.1f} minutes ({kind})")


def write_table(folder: Path, crates: int) -> None:
    """A table of so many crates, and its lock: the crates of the large table, each copied under other names."""
    pins = read_table(TABLE)
    blocks = _blocks(lock_beside(TABLE).read_text(encoding="utf-8"))
    rows, packages = ["\t".join(COLUMNS)], [text for _, _, text in blocks]
    known = {(name, version): text for name, version, text in blocks}
    for number in range(crates):
        pin = pins[number % len(pins)]
        name = f"{pin.name[:58]}-{number // len(pins):03}"
        checksum = sha256_text(name)
        rows.append("\t".join([name, pin.version, checksum, pin.licence]))
        text = known[pin.name, pin.version].replace(f'name = "{pin.name}"', f'name = "{name}"', 1)
        packages.append(text.replace(pin.sha256, checksum))
    (folder / "crates.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "crates.lock").write_text("version = 4\n\n" + "\n".join(packages), encoding="utf-8")


def _blocks(lock: str) -> list[tuple[str, str, str]]:
    """The packages of a Cargo.lock: name, version and text."""
    found = []
    for text in lock.split("[[package]]\n")[1:]:
        told = re.match(r'name = "(.+)"\nversion = "(.+)"', text)
        assert told is not None, text
        found.append((told[1], told[2], f"[[package]]\n{text}"))
    return found


def write_suite(folder: Path) -> None:
    """As many problems as HumanEval has: those of our own suite, again and again under other names."""
    rows = [json.loads(line) for line in PROBLEMS.read_text(encoding="utf-8").splitlines()]
    made = [
        {**rows[number % len(rows)], "task_id": f"made-up/{number}"} for number in range(PROBLEMS_OF_A_SUITE)
    ]
    (folder / "suite.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")


def write_profile(folder: Path, shards: int) -> Path:
    """What is laid over the profile of an H100."""
    path = folder / "plan.yaml"
    over = {
        "corpus": {"table": str(folder / "crates.tsv"), "shards": shards, "advisories": None},
        "suites": {"made_up": {"from": "file", "path": str(folder / "suite.jsonl"), "crates": []}},
        "evaluate": {"suites": ["made_up"], "sampling": {"samples": SAMPLES}},
    }
    path.write_text(yaml.safe_dump(over), encoding="utf-8")
    return path


def plan(folder: Path, overlay: Path, *more: str) -> Planned:
    """Plan the whole chain; raises SystemExit with snakemake's words where it cannot."""
    command = [sys.executable, "-m", "snakemake", *(more or ("-n",)), "--cores", "16", TARGET]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    begun = time.monotonic()
    with (
        open(folder / "said", "w+", encoding="utf-8") as said,
        open(folder / "err", "w+", encoding="utf-8") as err,
    ):
        process = subprocess.Popen(
            [*command, "--configfile", str(PROFILE), str(overlay)], stdout=said, stderr=err, cwd=folder
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - begun
        said.seek(0)
        err.seek(0)
        text = said.read()
        if process.returncode:
            sys.exit(f"snakemake could not plan: {err.read()[-2000:]}{text[-2000:]}")
    return Planned(text, used.ru_utime + used.ru_stime, wall)


def jobs_in(said: str) -> dict[str, int]:
    """The jobs of each rule, and `total`, as the plan's last table has them."""
    table = said.partition("Job stats:")[2].partition("Reasons:")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def edges_of(dot: str) -> Iterator[tuple[str, str]]:
    """(earlier, later) for each two jobs of which one needs the other; a job is its rule and wildcards."""
    named = {
        number: label.replace("\\n", " ")
        for number, label in re.findall(r'^\s*(\d+)\[label = "(.*?)",', dot, re.M)
    }
    # Wildcards that a job's inputs have too stand only with those: the number keeps jobs apart.
    for earlier, later in re.findall(r"^\s*(\d+) -> (\d+)", dot, re.M):
        yield f"{named[earlier]} #{earlier}", f"{named[later]} #{later}"


def declared_minutes() -> defaultdict[str, float]:
    """The minutes that profiles/slurm lets a job of each rule have at its first attempt."""
    told = yaml.safe_load(SLURM.read_text(encoding="utf-8"))
    default = _first_attempt(told["default-resources"]["runtime"])
    found: defaultdict[str, float] = defaultdict(lambda: default)
    for rule, given in told["set-resources"].items():
        found[rule] = _first_attempt(given.get("runtime", default))
    return found


def _first_attempt(told: int | str) -> float:
    return float(str(told).partition("*")[0])


def measured_minutes(results: Path, crates: float) -> dict[str, float]:
    """The minutes of each rule's longest job in a finished run; a crate's, times `crates`, where it works on them."""
    found: dict[str, float] = {}
    for path in sorted((results / "benchmarks").rglob("*.tsv")):
        rule = path.relative_to(results / "benchmarks").parts[0].removesuffix(".tsv")
        header, row = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[:2])
        took = float(dict(zip(header, row, strict=True))["s"]) / 60
        if rule in OF_CRATES:
            had = json.loads((results / "corpus" / "fetch" / f"{path.stem}.json").read_text(encoding="utf-8"))
            took *= crates / max(1, len(had["crates"]))
        for name in TRAININGS if rule == "train" else (rule,):
            found[name] = max(found.get(name, 0.0), took)
    return found


def longest(edges: list[tuple[str, str]], minutes: Mapping[str, float]) -> list[str]:
    """The chain of jobs that takes the most minutes."""
    before: dict[str, list[str]] = {}
    for earlier, later in edges:
        before.setdefault(earlier, [])
        before.setdefault(later, []).append(earlier)
    ended: dict[str, tuple[float, list[str]]] = {}

    def end_of(job: str) -> tuple[float, list[str]]:
        if job not in ended:
            ends = [end_of(one) for one in before[job]]
            spent, path = max(ends, default=(0.0, []), key=lambda end: (end[0], len(end[1])))
            ended[job] = spent + minutes[_rule(job)], [*path, job]
        return ended[job]

    return max((end_of(job) for job in before), key=lambda end: (end[0], len(end[1])))[1]


def _rule(job: str) -> str:
    return job.split()[0]


if __name__ == "__main__":
    main(sys.argv[1:])

"""Kill -9 of each rule's process and of the workflow, a full disk, at random moments: the next run ends right.

Right is: metrics.json, every sample, verdict, data set and adapter byte for byte as in a run that nobody disturbed.
They take many minutes, so they run with RUST_EXPERT_RUN_CRASHES=1 (`make test-crashes`); RUST_EXPERT_CRASH_SEED moves
the moments.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from rust_expert.common.files import sha256_file
from rust_expert.report.costs import read_jobs
from scripts import records
from tests.workflow.crashes import Killer, Strike, fill_disk, jobs, kill_workflow, struck
from tests.workflow.workplace import TARGET, Workplace

TIMES = 5
SEED = os.environ.get("RUST_EXPERT_CRASH_SEED", "0")
START = 3.0
"""Seconds that a job of which there is no measurement may take."""

pytestmark = pytest.mark.skipif(
    "RUST_EXPERT_RUN_CRASHES" not in os.environ, reason="many minutes of crashes: make test-crashes"
)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A checkout without results, and a cache of crates of its own."""
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path / "cache"))
    return Workplace(tmp_path / "repo")


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small file system of its own, on which the caches and temporary files lie too."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1500m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small file system to fill")
    for name in ("cache", "tmp"):
        (folder / name).mkdir()
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(folder / "cache"))
    monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def bytes_of(place: Workplace) -> dict[str, str]:
    """The hashes of the figures and of all that they come from."""
    results = place.folder / "results"
    files = [
        place.folder / TARGET,
        results / "headline.json",
        *results.glob("models/*/adapter/*.safetensors"),
    ]
    for kind in ("tasks", "curriculum", "suites", "dataset", "samples", "verdicts", "metrics"):
        found = (path for path in (results / kind).rglob("*") if path.is_file())
        files += [path for path in found if "work" not in path.parts]  # whose lock was last held is no result
    return {str(path.relative_to(place.folder)): sha256_file(path) for path in sorted(files)}


def seconds_of(place: Workplace) -> dict[str, float]:
    """How long the longest job of each rule took, undisturbed."""
    rules_run = place.jobs
    found = dict.fromkeys(rules_run, START)
    for job in read_jobs(place.folder / "results/benchmarks"):
        rules = [rule for rule in rules_run if rule == job.rule or rule.startswith(f"{job.rule}_")]
        for rule in rules:
            found[rule] = max(found[rule], job.wall_s)
    return found


def forget(place: Workplace, rules: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove what the rules made, with the work folders of trainings: they would find it done."""
    monkeypatch.chdir(place.folder)
    for name, record in records.made_here().items():
        if record["rule"] in rules:
            path = Path(name)
            if path.parts[:2] == ("results", "models"):
                shutil.rmtree(path.parent, ignore_errors=True)
            path.unlink(missing_ok=True)


def report(text: str) -> None:
    """For the log of those who wait."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.__stderr__, flush=True)


def test_each_rule_killed(built: Workplace, empty: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    killer = Killer(empty, seconds_of(built), TIMES, Random(f"{SEED} rules"))
    anew: set[str] = set()
    for _ in range(40 * TIMES):
        code, said = struck(empty, killer, anew)
        anew = set()
        report(f"{code}: killed {dict(killer.killed)}, ended before {dict(killer.missed)}")
        assert "Traceback" not in said, said[-8000:]
        if code == 0 and not killer.missing():
            break
        if code == 0:
            anew = killer.missing()
            forget(empty, anew, monkeypatch)
    assert all(killer.killed[rule] >= TIMES for rule in built.jobs), killer.killed
    assert killer.stayed == [], "processes outlived the job that started them"
    assert bytes_of(empty) == bytes_of(built)
    assert empty.plan() == {}


def ends_right(place: Workplace, built: Workplace, strikes: list[Strike], *, fails: str) -> None:
    for strike in strikes:
        code, said = struck(place, strike)
        report(f"{code}: {said.strip().splitlines()[-1:]}")
        assert code != 0, "it ended before its moment: another seed"
        assert fails in said, said[-8000:]
    code, said = struck(place, lambda run: None)
    assert code == 0, said[-8000:]
    assert bytes_of(place) == bytes_of(built)
    assert list(jobs(place.folder)) == []
    assert place.plan() == {}


def moments(of: str, built: Workplace) -> list[float]:
    """Random moments, in seconds after the start of each run; together they do not reach the end of the chain."""
    draw = Random(f"{SEED} {of}")
    whole = sum(job.wall_s for job in read_jobs(built.folder / "results/benchmarks")) / 2
    return [5 + draw.random() * 1.6 * whole / TIMES for _ in range(TIMES)]


def test_the_workflow_killed(built: Workplace, empty: Workplace) -> None:
    strikes = [kill_workflow(moment) for moment in moments("workflow", built)]
    ends_right(empty, built, strikes, fails="")


def test_a_full_disk(built: Workplace, disk: Path) -> None:
    strikes = [fill_disk(disk, moment) for moment in moments("disk", built)]
    ends_right(Workplace(disk / "repo"), built, strikes, fails="\nerror: No space left on the disk")

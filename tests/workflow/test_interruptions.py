"""A trainer or a whole run that is killed: the next run goes on, and ends with the very same adapter."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from rust_expert.common.files import sha256_file
from tests.watched import lines, of_run
from tests.workflow.workplace import Workplace

ADAPTER = "results/models/phase1/adapter/adapter_model.safetensors"
LONGER: dict[str, object] = {"stages": {"phase1": {"steps": 60, "save_steps": 10}}}
MANIFEST = "results/models/phase1/manifest.json"


@pytest.fixture(scope="module")
def undisturbed(built: Workplace, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The adapter of a phase1 that nobody disturbed."""
    place = Workplace(tmp_path_factory.mktemp("undisturbed") / "repo", built.folder)
    place.build(MANIFEST, overrides=LONGER)
    digest = sha256_file(place.folder / ADAPTER)
    shutil.rmtree(place.folder)
    return digest


def start(place: Workplace) -> subprocess.Popen[bytes]:
    command = place.command(MANIFEST, overrides=LONGER)
    return subprocess.Popen(
        command,
        cwd=place.folder,
        env=place.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_checkpoint(place: Workplace) -> None:
    """Wait until phase1 has saved a whole checkpoint (the first is whole where a second has begun), and is not done."""
    log = place.folder / "results/logs/train/phase1.log"
    work = place.folder / "results/models/phase1/work"
    limit = time.monotonic() + 120
    started = time.time()
    while time.monotonic() < limit:
        fresh = [path for path in work.rglob("checkpoint-*") if path.stat().st_mtime > started]
        if len(fresh) > 1 and log.is_file():
            assert not (place.folder / MANIFEST).is_file(), "phase1 was done too soon"
            return
        time.sleep(0.05)
    raise AssertionError("phase1 saved no checkpoint in two minutes")


def trainers(place: Workplace) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline", "cwd"])
        if process.info["cwd"] == str(place.folder) and "scripts.train" in (process.info["cmdline"] or [])
    ]


def resumed(place: Workplace) -> None:
    """What the user types next: the command of `make run`."""
    ended = subprocess.run(
        [sys.executable, "-m", "scripts.run", "--cores", "2", "--target", MANIFEST, *place.profiles(LONGER)],
        cwd=place.folder,
        env=place.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout[-5000:]


def test_a_killed_trainer_goes_on(copied: Callable[[], Workplace], undisturbed: str) -> None:
    place = copied()
    run = start(place)
    wait_for_checkpoint(place)
    for process in trainers(place):
        process.send_signal(signal.SIGKILL)
    assert run.wait(timeout=60) != 0
    assert not (place.folder / "results/telemetry/jobs/train_sft/phase1.prom").exists()
    assert lines(place.folder / "results/logs/train/phase1.jsonl")[-1]["event"] != "ended"
    resumed(place)
    log = (place.folder / "results/logs/train/phase1.log").read_text(encoding="utf-8")
    assert "going on from step" in log
    assert (
        of_run(place.folder / "results/telemetry/metrics.prom", rule="train_sft", job="phase1")["exit_code"]
        == 0
    )
    assert sha256_file(place.folder / ADAPTER) == undisturbed


def test_a_killed_workflow_goes_on(copied: Callable[[], Workplace], undisturbed: str) -> None:
    place = copied()
    run = start(place)
    wait_for_checkpoint(place)
    os.kill(run.pid, signal.SIGKILL)
    run.wait(timeout=60)
    assert list(Path(place.folder, ".snakemake/locks").iterdir()), "the killed run left no lock to get past"
    resumed(place)
    assert sha256_file(place.folder / ADAPTER) == undisturbed
    assert trainers(place) == []


PAIRS = [f"results/corpus/pairs/{shard}.parquet" for shard in (0, 1)]


def test_kill_while_crates_are_built(
    built: Workplace, copied: Callable[[], Workplace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run loses the crate in hand at most, and ends with the same bytes."""
    before = [sha256_file(built.folder / name) for name in PAIRS]
    place = copied()
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path / "cache"))
    shutil.rmtree(place.folder / "results/corpus")
    running = subprocess.Popen(
        place.command("--cores", "1", *PAIRS), cwd=place.folder, env=place.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    limit = time.monotonic() + 180
    while not list((tmp_path / "cache").glob("builds/*.digest")):
        assert time.monotonic() < limit and running.poll() is None, "no crate was done in time"
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    done = {path.name for path in (tmp_path / "cache").glob("builds/*.digest")}
    assert not all((place.folder / name).is_file() for name in PAIRS), "it was killed too late"
    place.run("--unlock")
    place.build(*PAIRS)
    assert [sha256_file(place.folder / name) for name in PAIRS] == before
    assert done <= {path.name for path in (tmp_path / "cache").glob("builds/*.digest")}

"""A sampler that is killed goes on at the batch in hand and ends with the same bytes; what stands is not made again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest
import tiny_models
from test_sampling_sample import PROBLEMS, ROOT, engine_of, job_of, options

from rust_expert.common.cli import flags
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json
from rust_expert.common.tables import write_jsonl
from rust_expert.models.work import Fingerprint, WorkFolder
from rust_expert.sampling.engine import Decoded, Engine, Prompt, Rule
from rust_expert.sampling.job import Job
from rust_expert.sampling.sample import manifest_path, sample, work_folder

CHOSEN = options(samples=3, batch_size=3)
BATCHES = 7


class Watched:
    """The real engine, counting its batches; it can die by SIGKILL before it gives the batch of a number."""

    def __init__(self, engine: Engine, dies_at: int | None = None) -> None:
        self.engine, self.dies_at, self.batches = engine, dies_at, 0

    def generate(self, adapter: Path | None, prompts: Sequence[Prompt], rule: Rule) -> list[Decoded]:
        if self.batches == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.batches += 1
        return self.engine.generate(adapter, prompts, rule)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_of(job_of(CHOSEN, tmp_path_factory.mktemp("engine") / "rows.jsonl"))


@pytest.fixture(scope="module")
def undisturbed(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """File and manifest of a sampler that nobody disturbed."""
    job = job_of(CHOSEN, tmp_path_factory.mktemp("undisturbed") / "rows.jsonl")
    watched = Watched(engine)
    run(job, watched)
    assert watched.batches == len(job.batches) == BATCHES
    return files_of(job)


def run(job: Job, engine: Engine) -> None:
    list(sample([job], lambda: engine))


def files_of(job: Job) -> tuple[bytes, bytes]:
    return job.order.out.read_bytes(), manifest_path(job.order.out).read_bytes()


def journal(job: Job) -> Path:
    return work_folder(job.order.out) / "batches.jsonl"


def in_a_child(job: Job, engine: Engine) -> int:
    """Sample in a forked process, which is given back at once."""
    child = os.fork()
    if child == 0:
        try:
            run(job, engine)
        finally:
            os._exit(0)
    return child


def not_loaded() -> NoReturn:
    raise AssertionError("a model was loaded, though nothing is to be sampled")


@pytest.mark.parametrize("number", [0, 1, BATCHES - 1])
def test_killed_before_a_batch(
    number: int, engine: Engine, undisturbed: tuple[bytes, bytes], tmp_path: Path
) -> None:
    job = job_of(CHOSEN, tmp_path / "rows.jsonl")
    child = in_a_child(job, Watched(engine, dies_at=number))
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert not job.order.out.exists() and not manifest_path(job.order.out).exists()
    watched = Watched(engine)
    run(job, watched)
    assert watched.batches == BATCHES - number
    assert files_of(job) == undisturbed


def test_killed_at_any_moment(engine: Engine, undisturbed: tuple[bytes, bytes], tmp_path: Path) -> None:
    job = job_of(CHOSEN, tmp_path / "rows.jsonl")
    draw, kills = random.Random(17), 0
    for _ in range(40):
        child = in_a_child(job, engine)
        time.sleep(draw.uniform(0.005, 0.12))
        os.kill(child, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        if manifest_path(job.order.out).exists():
            break
    run(job, engine)
    assert kills > 1
    assert files_of(job) == undisturbed


def test_a_killed_script_goes_on(undisturbed: tuple[bytes, bytes], tmp_path: Path) -> None:
    suite, out = tmp_path / "suite.jsonl", tmp_path / "rows.jsonl"
    write_jsonl(suite, PROBLEMS)
    command = (
        f"exec {sys.executable} -m scripts.sample --base {tiny_models.base_manifest()}"
        f" --model {tiny_models.stage_manifest()} --suite {suite} --out {out}"
        f" {flags(CHOSEN)} {flags(tiny_models.QUANTIZATION)}"
    )
    job = job_of(CHOSEN, out)
    first = subprocess.Popen(["bash", "-c", command], cwd=ROOT, stderr=subprocess.DEVNULL)
    while first.poll() is None and not (journal(job).exists() and journal(job).stat().st_size):
        time.sleep(0.001)
    first.kill()
    first.wait()
    assert first.returncode == -signal.SIGKILL, "it was done too soon"
    stood = journal(job).read_bytes().count(b"\n")
    assert stood >= 1
    second = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr
    assert files_of(job) == undisturbed
    assert journal(job).read_bytes().count(b"\n") == BATCHES


@pytest.mark.parametrize("damage", ["torn", "half a line", "another byte"])
def test_a_damaged_journal_loses_the_damaged_batches_only(
    damage: str, engine: Engine, undisturbed: tuple[bytes, bytes], tmp_path: Path
) -> None:
    job = job_of(CHOSEN, tmp_path / "rows.jsonl")
    run(job, engine)
    job.order.out.unlink()
    lines = journal(job).read_bytes().splitlines(keepends=True)
    if damage == "torn":
        lines[4:] = [lines[4][:-1]]
    elif damage == "half a line":
        lines[4:] = [lines[4][: len(lines[4]) // 2]]
    else:
        text = lines[4].index(b'"completion":"') + 15
        lines[4] = (
            lines[4][:text] + (b"#" if lines[4][text : text + 1] != b"#" else b"%") + lines[4][text + 1 :]
        )
    journal(job).write_bytes(b"".join(lines))
    watched = Watched(engine)
    run(job, watched)
    assert watched.batches == BATCHES - 4
    assert files_of(job) == undisturbed


def test_what_stands_is_not_sampled_again(
    engine: Engine, undisturbed: tuple[bytes, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    job = job_of(CHOSEN, tmp_path / "rows.jsonl")
    run(job, engine)
    before = job.order.out.stat().st_mtime_ns
    list(sample([job], not_loaded))
    assert job.order.out.stat().st_mtime_ns == before
    assert "is sampled already with just this, nothing to do" in caplog.text
    for gone in (job.order.out, manifest_path(job.order.out)):  # as Snakemake does before it starts a job
        gone.unlink()
    list(sample([job], not_loaded))
    assert "the same rows are written again" in caplog.text
    assert files_of(job) == undisturbed
    job.order.out.write_bytes(b"{}\n")
    list(sample([job], not_loaded))
    assert "is not the file that" in caplog.text
    assert files_of(job) == undisturbed
    for file in work_folder(job.order.out).iterdir():
        file.unlink()
    list(sample([job], not_loaded))
    manifest_path(job.order.out).write_text("{}", encoding="utf-8")
    watched = Watched(engine)
    run(job, watched)
    assert watched.batches == BATCHES
    assert files_of(job) == undisturbed


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "sampling.seed"),
        ({"batch_size": 4}, "sampling.batch_size"),
        ({"samples": 2}, "problems"),
    ],
)
def test_a_changed_parameter_samples_all_anew(
    change: dict[str, Any], named: str, engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    out = tmp_path / "rows.jsonl"
    run(job_of(CHOSEN, out), engine)
    changed = job_of(options(**{"samples": 3, "batch_size": 3, **change}), out)
    watched = Watched(engine)
    run(changed, watched)
    assert watched.batches == len(changed.batches)
    assert "sampling anew, for these changed: " in caplog.text and named in caplog.text
    told = read_json(manifest_path(out))
    assert told["rows"] == len(changed.rows)
    assert told["shaped_by"]["sampling.seed"] == changed.order.options.seed


def test_the_manifest_says_what_the_file_is(undisturbed: tuple[bytes, bytes]) -> None:
    rows = [json.loads(line) for line in undisturbed[0].splitlines()]
    told = json.loads(undisturbed[1])
    assert told["problems"] == len(PROBLEMS) and told["rows"] == len(rows)
    assert told["tokens"] == sum(row["tokens"] for row in rows)
    assert told["finished"] == sum(row["finished"] for row in rows)
    assert {row["sampling"] for row in rows} == {told["sampling"]}
    assert told["shaped_by"]["sampling.engine"] == "transformers"
    assert told["shaped_by"]["versions"]["torch"]


def test_another_sampler_in_the_folder_is_named(engine: Engine, tmp_path: Path) -> None:
    job = job_of(CHOSEN, tmp_path / "rows.jsonl")
    with (
        WorkFolder(work_folder(job.order.out), Fingerprint({"sampling.seed": 99}), doing="sampling"),
        pytest.raises(UserError, match=rf"process {os.getpid()} is sampling here; wait for its end"),
    ):
        run(job, engine)


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    stage = read_json(tiny_models.stage_manifest())
    write_json(tmp_path / "manifest.json", {**stage, "base_sha256": "0" * 64})
    with pytest.raises(UserError, match="made from another base than"):
        job_of(CHOSEN, tmp_path / "rows.jsonl", tmp_path / "manifest.json")


def test_no_gpu_is_one_sentence(tmp_path: Path) -> None:
    job = job_of(options(device="cuda"), tmp_path / "rows.jsonl")
    with pytest.raises(UserError, match="device: cuda was asked for, but torch sees no GPU"):
        list(sample([job], lambda: engine_of(job)))

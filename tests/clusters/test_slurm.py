"""The micro chain on a Slurm of two nodes (tests/clusters/slurm.py): undisturbed, then with three faults, same bytes.

For `make test-slurm`: two whole chains and one from its trainings on, some ten minutes.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.clusters.slurm import Slurm, missing
from tests.workflow.workplace import TARGET, Workplace

REASON = (
    f"Slurm is not installed ({', '.join(missing())}): `make test-slurm` installs it"
    if missing()
    else "it takes ten minutes: `make test-slurm` runs it"
)
pytestmark = pytest.mark.skipif("RUST_EXPERT_SLURM" not in os.environ or bool(missing()), reason=REASON)

LONGER: dict[str, object] = {
    "curriculum": {"tasks": 900},
    "stages": {"phase1": {"steps": 60}, "phase2": {"steps": 150}},
}
"""Trainings that can be met while they are at it, and less to compile before them."""

GPU_RULES = ("train_sft", "train_rsft", "sample")
MADE_BY_MODELS = ("models", "samples", "verdicts", "metrics", "dataset/rsft1", "metrics.json")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with Slurm(tmp_path_factory.mktemp("slurm") / "cluster") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The chain, built without any cluster."""
    place = Workplace(tmp_path_factory.mktemp("local") / "repo")
    place.build(overrides=LONGER)
    return place


def begin(place: Workplace, slurm: Slurm, said: Path) -> subprocess.Popen[bytes]:
    """Start the chain with profiles/slurm, but for how often it asks, and for the size of this cluster.

    No stage of the micro profile has `device: cuda`: its jobs are told to ask for the pretended GPUs all the same.
    """
    profile = yaml.safe_load((place.folder / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    for rule in GPU_RULES:
        profile["set-resources"][rule]["gpu"] = 1
    profile |= {
        "max-threads": 2, "slurm-status-command": "squeue", "slurm-keep-successful-logs": True,
        "slurm-init-seconds-before-status-checks": 5,
    }  # fmt: skip
    loopback = place.folder / "loopback"
    loopback.mkdir(exist_ok=True)
    (loopback / "config.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    environment = {
        **place.environment(),
        "SLURM_CONF": slurm.environment["SLURM_CONF"],
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), slurm.path]),
    }
    command = [sys.executable, "-m", "snakemake", TARGET, "--profile", "loopback", *place.profiles(LONGER)]
    with open(said, "w", encoding="utf-8") as stream:
        return subprocess.Popen(
            command, cwd=place.folder, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )


def end(run: subprocess.Popen[bytes], said: Path) -> str:
    """Wait for its end, which must be a good one; returns what it said."""
    try:
        code = run.wait(timeout=3600)
    finally:
        run.kill()
    text = said.read_text(encoding="utf-8")
    assert code == 0, text[-6000:]
    return text


def figures(place: Workplace) -> bytes:
    return (place.folder / TARGET).read_bytes()


def wait_for_checkpoint(place: Workplace, stage: str, run: subprocess.Popen[bytes]) -> None:
    """Wait until a stage has begun its second checkpoint: then the first is whole, and it is not done."""
    work = place.folder / "results/models" / stage / "work"
    limit = time.monotonic() + 1800
    while len(list(work.rglob("checkpoint-*"))) < 2:
        assert time.monotonic() < limit and run.poll() is None, f"{stage} saved no checkpoint"
        time.sleep(0.05)
    assert not (place.folder / f"results/models/{stage}/manifest.json").exists(), f"{stage} was done too soon"


def log_of(place: Workplace, stage: str) -> str:
    return (place.folder / f"results/logs/train/{stage}.log").read_text(encoding="utf-8")


def wait_for(what: str, limit: float, text: Callable[[], str]) -> None:
    """Wait until `text()` holds some words."""
    give_up = time.monotonic() + limit
    while what not in text():
        assert time.monotonic() < give_up, f"{what!r} did not come: {text()[-3000:]}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def undisturbed(
    slurm: Slurm, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workplace, str, list[dict[str, str]]]:
    """The chain on the cluster from nothing: the place, what Snakemake said, and Slurm's list of jobs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    place = Workplace(folder / "repo")
    said = end(begin(place, slurm, folder / "said"), folder / "said")
    return place, said, slurm.ended()


def test_the_chain_on_two_nodes_ends_with_the_bytes_of_a_local_run(
    undisturbed: tuple[Workplace, str, list[dict[str, str]]], local: Workplace
) -> None:
    place, said, jobs = undisturbed
    print(
        f"\n{len(jobs)} jobs of Slurm:",
        *(f"{job['JobId']} {job['NodeList']} {job['Tres']}" for job in jobs),
        sep="\n  ",
    )
    assert figures(place) == figures(local)
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert {job["NodeList"] for job in jobs} == {"node1", "node2"}, "both nodes had work"
    assert said.count("has been submitted with SLURM jobid") == len(jobs)


def test_steps_that_follow_each_other_are_one_job_and_short_ones_stay_local(
    undisturbed: tuple[Workplace, str, list[dict[str, str]]],
) -> None:
    place, said, jobs = undisturbed
    submitted = sorted(path.name for path in (place.folder / ".snakemake/slurm_logs").iterdir())
    assert submitted == [
        "group_corpus_builds_items_tasks", "group_dataset_clean_mix_rsft_prompts",
        "group_judged_judge_rsft_select", "group_judged_judge_score", "group_reported_card_report",
        "rule_base", "rule_curriculum", "rule_curriculum_suite", "rule_sample", "rule_train_rsft", "rule_train_sft",
    ]  # fmt: skip
    assert len(jobs) == 2 + 1 + 1 + 4 + 1 + 1 + 2 + 1 + 5 + 1 + 2, "of 42 steps"


def test_a_gpu_is_given_to_the_job_that_asks_for_it(
    undisturbed: tuple[Workplace, str, list[dict[str, str]]], slurm: Slurm
) -> None:
    """The pretended device of the node, by its number; jobs of the processor see none."""
    told = slurm.ask("srun", "--ntasks=1", "--gpus=1", "sh", "-c", "echo gpu $CUDA_VISIBLE_DEVICES")
    assert told.split() == ["gpu", "0"]
    place, _, jobs = undisturbed
    logs = place.folder / ".snakemake/slurm_logs"
    for rule in GPU_RULES:
        texts = [path.read_text(encoding="utf-8") for path in (logs / f"rule_{rule}").rglob("*.log")]
        assert texts and all("gpu=1" in text for text in texts)


def test_a_lost_node_a_killed_slurmd_and_a_preemption_change_no_byte(
    undisturbed: tuple[Workplace, str, list[dict[str, str]]], local: Workplace, slurm: Slurm, tmp_path: Path
) -> None:
    place = Workplace(tmp_path / "repo", undisturbed[0].folder)
    for name in MADE_BY_MODELS:
        path = place.folder / "results" / name
        path.unlink() if path.is_file() else shutil.rmtree(path)
    shutil.rmtree(place.folder / "results/logs/train")
    run = begin(place, slurm, tmp_path / "said")
    try:
        # The power of phase 1's node fails: slurmd, the job's managers and the trainer, all by kill -9.
        wait_for_checkpoint(place, "phase1", run)
        node = slurm.node_of("rule_train_sft_wildcards_phase1")
        slurm.lose(node)
        wait_for(f"due to failure of node {node}", 120, slurm.log)
        slurm.start_node(node)
        # slurmd alone is killed under phase 2: its job goes on, and the new slurmd takes it over.
        wait_for_checkpoint(place, "phase2", run)
        node = slurm.node_of("rule_train_sft_wildcards_phase2")
        slurm.kill_slurmd(node)
        time.sleep(1)
        slurm.start_node(node)
        # Then something more urgent wants its node: SIGTERM, a checkpoint, and back into the queue.
        slurm.ask(
            "sbatch", "--partition=urgent", f"--nodelist={node}", "--exclusive", "--output=/dev/null", "--wrap=sleep 1"
        )  # fmt: skip
        # Its next start empties the log.
        wait_for("asked to stop (SIGTERM)", 60, lambda: log_of(place, "phase2"))
        said = end(run, tmp_path / "said")
    finally:
        run.kill()
    told = [line for line in slurm.log().splitlines() if "requeue" in line]
    told += [
        line
        for stage in ("phase1", "phase2")
        for line in log_of(place, stage).splitlines()
        if "going on" in line
    ]
    print("", *told, sep="\n  ")
    assert figures(place) == figures(local)
    assert "going on from step" in log_of(place, "phase1")
    assert "going on from step" in log_of(place, "phase2")
    assert slurm.log().count("due to failure of node") == 1, "a killed slurmd alone costs no job"
    assert slurm.log().count("has been requeued to reclaim resources") == 1
    assert "Trying to restart job" not in said, "Slurm itself has put both back into the queue"

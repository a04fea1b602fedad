"""Which rule samples: transformers job by job, vLLM with one load for all that is measured."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from tests.workflow.workplace import ROOT, jobs_in

TARGET = "results/metrics.json"


def snakemake(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *words, "--cores", "1", "-s", str(ROOT / "Snakefile"), "-d", str(folder)],
        cwd=ROOT, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True,
    )  # fmt: skip


def test_the_default_profile_samples_stage_by_stage(tmp_path: Path) -> None:
    planned = snakemake(tmp_path, TARGET, "-n")
    jobs = jobs_in(planned.stdout + planned.stderr)
    assert jobs["sample"] == 5
    assert not [name for name in jobs if "vllm" in name]


def test_the_gpu_profile_loads_the_base_once_for_all_that_is_measured(tmp_path: Path) -> None:
    planned = snakemake(tmp_path, TARGET, "-n", "-p", "--configfile", "config/h100.yaml")
    told = planned.stdout + planned.stderr
    jobs = jobs_in(told)
    assert jobs["sample_vllm_evaluation"] == 1 and jobs["sample_vllm"] == 1 and "sample" not in jobs
    assert jobs["judge"] == 5 and jobs["score"] == 4
    command = told.partition("rule sample_vllm_evaluation:")[2].partition("rule ")[0]
    for stage in ("base", "phase1", "phase2", "rsft1"):
        assert (
            f"--pair results/models/{stage}/manifest.json results/suites/curriculum.jsonl"
            f" results/samples/{stage}/curriculum.jsonl" in command
        )
    assert "--engine vllm" in command and "--weights dense" in command
    suite = snakemake(tmp_path, "results/samples/base/core.jsonl", "-n", "--configfile", "config/h100.yaml")
    assert jobs_in(suite.stdout + suite.stderr)["sample_vllm"] == 1, (
        "a suite that is not measured has its own job"
    )


def test_each_seed_has_one_load(tmp_path: Path) -> None:
    several = tmp_path / "several.yaml"
    sampling = {"engine": "vllm", "device": "cuda"}
    several.write_text(
        yaml.safe_dump({"seeds": [0, 1, 2], "evaluate": {"sampling": sampling}}), encoding="utf-8"
    )
    planned = snakemake(tmp_path, TARGET, "-n", "-p", "--configfile", str(several))
    told = planned.stdout + planned.stderr
    jobs = jobs_in(told)
    assert (jobs["sample_vllm_evaluation"], jobs["sample_vllm_seed"]) == (1, 2) and "sample_vllm" not in jobs
    assert jobs["sample"] == 3, "the answers to the training prompts"
    commands = [part.partition("\nrule ")[0] for part in told.split("\nrule sample_vllm_seed:")[1:]]
    (command,) = (one for one in commands if "suite=all seed=1\n" in f"{one}\n")
    for stage, model in (("base", "base"), ("phase1", "phase1__seed_1"), ("rsft1", "rsft1__seed_1")):
        assert (
            f"--pair results/models/{model}/manifest.json results/suites/curriculum.jsonl"
            f" results/samples/{stage}__seed_1/curriculum.jsonl" in command
        )
    assert "--seed 18 " in command


def test_one_engine_can_sample_prompts_and_another_the_evaluation(tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.yaml"
    more = {"engine": "vllm", "device": "cuda"}
    mixed.write_text(yaml.safe_dump({"stages": {"rsft1": {"sampling": more}}}), encoding="utf-8")
    planned = snakemake(tmp_path, TARGET, "-n", "--configfile", str(mixed))
    jobs = jobs_in(planned.stdout + planned.stderr)
    assert (jobs["sample"], jobs["sample_vllm"]) == (4, 1)


def test_a_run_stops_before_its_first_job_where_vllm_is_wanted_and_not_there(tmp_path: Path) -> None:
    words = (TARGET, "--configfile", "config/h100.yaml", "--resources", "gpu=1")
    ended = snakemake(tmp_path, *words, RUST_EXPERT_VLLM=str(tmp_path / "absent"))
    assert ended.returncode == 2, ended.stderr[-2000:]
    (sentence,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "absent/bin/python has no vllm; run with --sdm conda" in sentence
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "results").exists()

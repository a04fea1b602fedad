"""Every profile plans without GPU and network, and a misspelt key ends the plan with the right one."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILES = [
    path
    for path in sorted((ROOT / "config").glob("*.yaml"))
    if "base" in yaml.safe_load(path.read_text(encoding="utf-8")) and path.name != "config.yaml"
]
OFFLINE = {
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"),
}


def read(profile: Path) -> dict[str, Any]:
    return yaml.safe_load(profile.read_text(encoding="utf-8"))


def plan(folder: Path, profile: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--configfile", str(profile)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "snakemake",
            "-n",
            *(more or ("--cores", "1")),
            "results/metrics.json",
            *words,
        ],
        env={**os.environ, **OFFLINE, "PATH": path},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_a_profile_plans_without_gpu_and_network(profile: Path, tmp_path: Path) -> None:
    planned = plan(tmp_path, profile)
    assert planned.returncode == 0, planned.stderr[-3000:]
    for stage in read(profile)["stages"]:
        assert f"results/models/{stage}/manifest.json" in planned.stdout
    assert not (tmp_path / "results").exists(), "a plan makes nothing"


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_a_misspelt_key_ends_the_plan_with_the_right_one(profile: Path, tmp_path: Path) -> None:
    broken = tmp_path / profile.name
    text = profile.read_text(encoding="utf-8").replace("gradient_checkpointing:", "gradient_checkpoint:", 1)
    broken.write_text(text, encoding="utf-8")
    planned = plan(tmp_path, broken)
    assert planned.returncode == 2
    assert (
        "config key stages.phase1.gradient_checkpoint is unknown: did you mean gradient_checkpointing?"
        in planned.stderr
    )
    assert "Traceback" not in planned.stderr


SLURM = ROOT / "profiles" / "slurm"
WHOLE_JOBS = re.compile(r"^ *(?:local)?rule (\w+):\n(?:(?! *\n|\[).*\n)*? +resources: (.*)$", re.M)


@pytest.mark.parametrize(
    ("profile", "gpus"), [("config/h100.yaml", "gpu=1"), ("tests/workflow/micro.yaml", "gpu=0")]
)
def test_a_plan_for_slurm_asks_for_gpus_where_the_profile_works_on_them(
    profile: str, gpus: str, tmp_path: Path
) -> None:
    """Without Slurm on this machine, too."""
    planned = plan(tmp_path, ROOT / profile, "--profile", str(SLURM))
    assert planned.returncode == 0, planned.stderr[-3000:]
    asked = dict(WHOLE_JOBS.findall(planned.stdout))
    assert len(asked) >= 20
    for rule, resources in asked.items():
        on_gpu = rule.startswith(("train_", "sample"))
        assert (gpus in resources.split(", ")) == on_gpu, rule
        assert "runtime=" in resources and "mem_mb=" in resources
    assert "mem_mb=16000" in asked["clean"]
    assert len(re.findall("Group job corpus", planned.stdout)) in (2, 32)


def test_the_profile_for_slurm_names_rules_of_the_workflow() -> None:
    """A misspelt one would be passed over in silence."""
    rules = {
        name
        for path in (ROOT / "rules").glob("*.smk")
        for name in re.findall(r"rule \w+ as (\w+) with:|rule (\w+):", path.read_text(encoding="utf-8"))
        for name in name
        if name
    }
    for folder in ("slurm", "kubernetes"):
        told = yaml.safe_load((ROOT / "profiles" / folder / "config.yaml").read_text(encoding="utf-8"))
        for section in ("set-resources", "set-threads", "groups"):
            assert set(told[section]) <= rules, f"{folder}: {section}"
        threaded = re.compile(r"rule (\w+):(?:(?!\nrule ).)*?(?:--workers \{threads\}|\n    threads:)", re.S)
        needed = {
            name
            for path in (ROOT / "rules").glob("*.smk")
            for name in threaded.findall(path.read_text(encoding="utf-8"))
        }
        assert needed <= set(told["set-threads"]), "these have processors by the number of all cores"

"""Every profile plans without GPU and network, and a misspelt key ends the plan with the right one."""

import os
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


SMALL_TABLE = {
    "corpus": {"table": "config/crates.tsv", "shards": 1},
    "curriculum_shards": 1,
    "dataset_shards": 1,
}
"""Laid over profiles whose corpus is that of h100.yaml, which is planned whole: to read its locks takes long."""


def read(profile: Path) -> dict[str, Any]:
    return yaml.safe_load(profile.read_text(encoding="utf-8"))


def plan(folder: Path, profile: Path) -> subprocess.CompletedProcess[str]:
    profiles = [str(profile)]
    if profile.name != "h100.yaml":
        assert read(profile)["corpus"] == read(ROOT / "config" / "h100.yaml")["corpus"]
        small = folder / "small.yaml"
        small.write_text(yaml.safe_dump(SMALL_TABLE), encoding="utf-8")
        profiles.append(str(small))
    words = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--configfile", *profiles]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "results/metrics.json", *words],
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

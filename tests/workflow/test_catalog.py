"""What the Snakemake workflow catalog finds plans as our Snakefile does: by itself, and as a module of another."""

import os
import subprocess
import sys
from pathlib import Path

from tests.workflow.workplace import ROOT, Workplace, jobs_in

MODULE = """
configfile: "{root}/config/config.yaml"
configfile: "{root}/tests/workflow/micro.yaml"

module rust_expert:
    snakefile: "{snakefile}"
    config: config

use rule * from rust_expert
"""
"""As snakedeploy writes it, but for the address."""


def plan(folder: Path, snakefile: str) -> subprocess.CompletedProcess[str]:
    """Plan the default target of somebody's own workflow/Snakefile, which has ours as its module."""
    (folder / "workflow").mkdir()
    (folder / "workflow/Snakefile").write_text(
        MODULE.format(root=ROOT, snakefile=snakefile), encoding="utf-8"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--cores", "1"],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True,
    )  # fmt: skip


def test_the_file_of_the_catalog_finds_a_built_chain_up_to_date(built: Workplace) -> None:
    """The figures' last job is asked for again, so that there is a plan to look at; what describes the run follows."""
    ended = built.run("-n", "--snakefile", "workflow/Snakefile", "--forcerun", "publish")
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert jobs_in(ended.stdout) == {"publish": 1, "bom": 1, "run_crate": 1, "default": 1}


def test_as_a_module_it_plans_the_whole_chain(built: Workplace, tmp_path: Path) -> None:
    ended = plan(tmp_path, f"{ROOT}/workflow/Snakefile")
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert jobs_in(ended.stdout) == {**built.jobs, "bom": 1, "run_crate": 1, "default": 1}


def test_a_module_without_a_clone_is_one_sentence(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-C", str(origin)]
    subprocess.run([*git, "init", "--quiet", "--initial-branch", "main"], check=True)
    (origin / "workflow").mkdir()
    (origin / "workflow/Snakefile").write_bytes((ROOT / "workflow/Snakefile").read_bytes())
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "one"], check=True)
    folder = tmp_path / "own"
    folder.mkdir()
    ended = plan(folder, f"git+file://{origin}/workflow/Snakefile@main")
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert (
        "error: the rules start programs of this repository, so a module of it needs a clone" in ended.stderr
    )

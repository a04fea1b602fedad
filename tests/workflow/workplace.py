"""A copy of this repository in a folder of its own, where a test may run the workflow and edit what it likes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TARGET = "results/metrics.json"
_LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv*",
    ".dvc",
    "results",
    ".snakemake",
    "__pycache__",
    ".*_cache",
    "*.pyc",
    "docs",
    "attacks",
    "unit",
    "browser",
)


class Workplace:
    """A checkout without history; `overrides` are laid over the micro profile, `jobs` are those that made it."""

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.folder = folder
        self.jobs: dict[str, int] = {}
        left_out = _LEFT_OUT if source == ROOT else None
        shutil.copytree(source, folder, ignore=left_out, symlinks=True)

    def command(self, *words: str, overrides: dict[str, object] | None = None) -> list[str]:
        """The Snakemake command of the micro profile."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", *words, *self.profiles(overrides)]

    def profiles(self, overrides: dict[str, object] | None) -> list[str]:
        """The words that name the micro profile, and what is laid over it."""
        words = ["--configfile", "tests/workflow/micro.yaml"]
        if overrides:
            path = self.folder / "overrides.yaml"
            path.write_text(yaml.safe_dump(overrides), encoding="utf-8")
            words.append(path.name)
        return words

    def environment(self) -> dict[str, str]:
        """This process's environment with the Python of the tests first on PATH."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "CUDA_VISIBLE_DEVICES": ""}

    def run(
        self, *words: str, overrides: dict[str, object] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end; returns what it said (both streams in stdout)."""
        return subprocess.run(
            self.command(*words, overrides=overrides),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def build(self, *words: str, overrides: dict[str, object] | None = None) -> dict[str, int]:
        """Run it, expecting success; returns how many jobs of each rule ran."""
        ended = self.run(*(words or (TARGET,)), overrides=overrides)
        assert ended.returncode == 0, ended.stdout[-6000:]
        return jobs_in(ended.stdout)

    def plan(self, *words: str, overrides: dict[str, object] | None = None) -> dict[str, int]:
        """How many jobs of each rule would run."""
        return self.build("-n", *(words or (TARGET,)), overrides=overrides)

    def append(self, name: str, text: str) -> None:
        """Add text at the end of a file."""
        path = self.folder / name
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def jobs_in(told: str) -> dict[str, int]:
    """The table "Job stats" of Snakemake's output, without its total."""
    counts = {}
    for name, number in re.findall(
        r"^(\w+) +(\d+)$", told.partition("Job stats:")[2].partition("total")[0], re.M
    ):
        counts[name] = int(number)
    return counts

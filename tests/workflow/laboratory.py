"""A throw-away git repository with DVC; its config/config.yaml is the micro profile: -S edits what a run reads."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import yaml

from scripts import workflow_log
from tests.workflow.workplace import ROOT, TARGET, Workplace

CONFIG = "config/config.yaml"


class Laboratory(Workplace):
    """A copy of a built workplace, committed to git, the results that it holds to DVC."""

    def __init__(self, folder: Path, built: Workplace) -> None:
        super().__init__(folder, built.folder)
        for name in _tracked(".dvc"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
        path = folder / CONFIG
        profile = yaml.safe_load(path.read_text(encoding="utf-8"))
        _lay_over(profile, yaml.safe_load((folder / "tests/workflow/micro.yaml").read_text(encoding="utf-8")))
        path.write_text(yaml.dump(profile, Dumper=_Plain, sort_keys=False), encoding="utf-8")
        self.say(sys.executable, "-m", "scripts.run")  # also what describes the results
        self.say("git", "init", "--quiet", "--initial-branch", "main")
        self.save("the micro profile")
        self.say("dvc", "commit", "--force", "--quiet")
        self.save("its results")

    def environment(self) -> dict[str, str]:
        """No identity, no setting and no cache of this machine's user is used."""
        return {
            **super().environment(),
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(self.folder.with_name(f"{self.folder.name}-site")),
            "DVC_GLOBAL_CONFIG_DIR": str(self.folder.with_name("no-settings")),
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{
                f"GIT_{who}_{what}": told
                for who in ("AUTHOR", "COMMITTER")
                for what, told in (("NAME", "A Researcher"), ("EMAIL", "researcher@example.org"))
            },
        }

    def say(self, *words: str) -> str:
        """What a command prints, both streams; it must end well."""
        ended = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert ended.returncode == 0, f"{' '.join(words)}: {ended.stdout[-6000:]}"
        return ended.stdout

    def jobs_of(self, *words: str) -> dict[str, int]:
        """How many jobs of each rule a command finished, by what Snakemake said of them."""
        return finished(self.say(*words))

    def run_queue(self, *names: str) -> None:
        """`dvc queue start`, until these experiments are there; again where DVC's worker broke off, which it may.

        The worker is not asked for its status: just that breaks it at times (issues 10398 and 10428 of treeverse/dvc).
        """
        for _ in range(3):
            self.say("dvc", "queue", "start")
            begun = time.monotonic()
            while self._worker_lives() or time.monotonic() < begun + 60:
                refs = self.say("git", "for-each-ref", "--format=%(refname)", "refs/exps")
                if {line.rpartition("/")[2] for line in refs.splitlines()} >= set(names):
                    return
                time.sleep(2)
        raise AssertionError(self.say("dvc", "queue", "status"))

    def _worker_lives(self) -> bool:
        try:
            told = (self.folder / ".dvc/tmp/exps/celery/dvc-exp-worker-1.pid").read_text(encoding="ascii")
            return psutil.pid_exists(int(told))
        except (OSError, ValueError):
            return False

    def queue_jobs(self, name: str) -> dict[str, int]:
        """How many jobs of each rule an experiment of the queue finished."""
        return self.jobs_of("dvc", "queue", "logs", name)

    def figures(self) -> bytes:
        """metrics.json as it is."""
        return (self.folder / TARGET).read_bytes()

    def reset(self) -> None:
        """Bring back configuration and results as they are committed, as docs/experiments.md says."""
        self.say("git", "checkout", "--quiet", CONFIG, "dvc.lock")
        self.say("dvc", "checkout", "--force", "--quiet")

    def save(self, message: str) -> None:
        """Commit all that git does not ignore."""
        self.say("git", "add", "--all")
        self.say("git", "commit", "--quiet", "--message", message)

    def clone(self, folder: Path) -> "Laboratory":
        """Another checkout of what is committed, without any result."""
        self.say("git", "clone", "--quiet", str(self.folder), str(folder))
        other = object.__new__(Laboratory)
        other.folder = folder
        return other


class _Plain(yaml.SafeDumper):
    """Writes each section in full: a key behind an alias is not where people name it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def finished(told: str) -> dict[str, int]:
    """The jobs by rule that Snakemake's output tells of."""
    return dict(Counter(job.rule for job in workflow_log.read(re.sub(r"\x1b\[[0-9;]*m", "", told)).finished))


def _tracked(folder: str) -> list[str]:
    told = subprocess.run(
        ["git", "ls-files", folder], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return told.stdout.split()


def _lay_over(profile: dict[str, Any], overrides: Mapping[str, Any]) -> None:
    """As Snakemake lays one profile over another."""
    for key, value in overrides.items():
        if isinstance(value, dict) and isinstance(profile.get(key), dict):
            _lay_over(profile[key], value)
        else:
            profile[key] = value

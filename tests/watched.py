"""A script that `common.cli` runs, in a process of its own, and what its telemetry says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[1]
HEAD = """
import logging, os, signal, subprocess, sys, time
from rust_expert.common import cli, telemetry
from rust_expert.common.errors import UserError
from rust_expert.common.progress import Progress
log = logging.getLogger("rust_expert.some.room")

def main():
    cli.set_up_log(cli.parser("").parse_args())
"""


def written(folder: Path, body: str) -> Path:
    """A script called `probe.py` whose `main` ends with the lines of `body`."""
    path = folder / "probe.py"
    path.write_text(
        HEAD + "".join(f"    {line}\n" for line in body.strip().splitlines()) + "\ncli.run(main)\n"
    )
    return path


def start(path: Path, *words: object, **more: str) -> subprocess.Popen[str]:
    """Start it; `more` goes into its environment."""
    given = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "RUST_EXPERT_"))}
    given["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(path), *map(str, words)],
        env={**given, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(path: Path, *words: object, **more: str) -> tuple[int, str]:
    """Run it; returns its exit code and what it said on stderr."""
    process = start(path, *words, **more)
    _, told = process.communicate(timeout=120)
    return process.returncode, told


def figures(path: Path) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every value of an exposition, as prometheus_client reads it; none stands twice."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for metric in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        assert metric.type == "gauge" and metric.documentation
        for sample in metric.samples:
            key = sample.name.removeprefix("rust_expert_"), frozenset(sample.labels.items())
            assert sample.name.startswith("rust_expert_") and key not in found
            found[key] = sample.value
    return found


def of_run(path: Path, **names: str) -> dict[str, float]:
    """The values of one run, by name and the labels that do not name the run: `rows_out split=train`."""
    told: dict[str, float] = {}
    for (name, labels), value in figures(path).items():
        if names.items() <= dict(labels).items():
            rest = sorted((key, text) for key, text in labels if key not in ("rule", "job"))
            told[" ".join([name, *(f"{key}={text}" for key, text in rest)])] = value
    return told


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON log; each line is one, to the last."""
    text = path.read_bytes()
    assert text.endswith(b"\n")
    return [json.loads(line) for line in text.decode("ascii").splitlines()]

"""A sweep's points made up by code, ranked by `python -m scripts.sweep`: nothing in it was ever trained."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.files import write_json
from rust_expert.common.tables import write_jsonl
from rust_expert.metrics.figures import Judged, figures_of
from rust_expert.metrics.ranking import Ranking, read_ranking
from scripts import sweep

OPTIONS = ScoreOptions(k=[1], bootstrap=500)


def judged(folder: Path, name: str, solved: range, problems: int = 40) -> None:
    """The figures and the manifest of a point that solves some of the problems, with both of its samples."""
    suite, answers = folder / f"suite-{problems}.jsonl", folder / f"{name}.jsonl"
    asked = [Problem(task_id=f"p/{i}", prompt="p", canonical_solution="c", test="t") for i in range(problems)]
    verdicts = [
        Verdict(
            task_id=one.task_id, sample=k, compiled=i in solved, status="passed" if i in solved else "compile_error"
        )
        for i, one in enumerate(asked)
        for k in range(2)
    ]  # fmt: skip
    completions = [Completion(task_id=one.task_id, sample=one.sample, completion=name) for one in verdicts]
    write_jsonl(suite, asked)
    write_jsonl(answers, completions)
    run = Judged(str(suite), str(answers), asked, completions, verdicts)
    write_json(folder / f"{name}.json", figures_of(run, OPTIONS))
    write_json(
        folder / name / "manifest.json",
        {"kind": "stage", "trained": True, "steps": 60, "rows": 307, "train_loss": 1.25, "val_loss": 1.5},
    )
    write_json(folder / name / "timing.json", {"seconds": 41.2})


def ranked(
    folder: Path, points: dict[str, dict[str, Any]], failed: dict[str, str] | None = None, **more: Any
) -> Ranking:
    plan = {
        "stage": "phase2",
        "suite": "core",
        "metric": "pass_at_1",
        "points": points,
        "failed": failed or {},
        **more,
    }
    there = [name for name in points if name not in plan["failed"]]
    words = ["--plan", json.dumps(plan), "--scores", *(f"{name}={folder / name}.json" for name in there)]
    words += ["--manifests", *(f"{name}={folder / name / 'manifest.json'}" for name in there)]
    words += ["--out", str(folder / "sweep.json"), "--plot", str(folder / "sweep.svg")]
    words += ["--page", str(folder / "sweep.html"), "--k", "1", "--bootstrap", "500"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["sweep", *words])
        sweep.main()
    return read_ranking(str(folder / "sweep.json"))


RATES = {
    "low": {"learning_rate": 0.001},
    "middle": {"learning_rate": 0.002},
    "high": {"learning_rate": 0.004},
}

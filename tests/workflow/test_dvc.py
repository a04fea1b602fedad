"""Experiments by DVC's own commands (docs/experiments.md) in a git repository on the micro profile, their jobs counted.

Each command that trains takes a minute or more: `make test-dvc` (RUST_EXPERT_RUN_DVC=1) runs those too.
"""

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from scripts import records
from tests.workflow.changes import FROM_PHASE2, JUDGED, LAST, SCORED, TOLD, key
from tests.workflow.laboratory import CONFIG, Laboratory, finished
from tests.workflow.workplace import ROOT, Workplace

trains = pytest.mark.skipif(
    "RUST_EXPERT_RUN_DVC" not in os.environ, reason="it trains, for a minute or more: make test-dvc"
)
RATE = f"{CONFIG}:stages.phase2.learning_rate=1e-4"
POINTS = {
    "sweep": {
        "stage": "phase2",
        "grid": {"learning_rate": [1.0e-3, 3.0e-3]},
        "budget": {"steps": 5, "warmup_steps": 1},
        "sampling": {"samples": 1},
    }
}
DESCRIBED = {"bom": 1, "run_crate": 1}
"""What `make run` makes after metrics.json."""

OF_A_POINT = {"train_sft": 1, "sample": 3, "judge": 3, "score": 3, "summarize": 1, **TOLD, **DESCRIBED}
"""Phase 2 is trained; samples are drawn anew of all that is measured, since the sweep draws fewer."""


@pytest.fixture(scope="module")
def laboratory(built: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """The built chain under git and DVC; each test leaves the workspace as it found it, but for experiments."""
    return Laboratory(tmp_path_factory.mktemp("dvc") / "repo", built)


def shown(place: Laboratory) -> list[dict[str, str]]:
    """The rows of `dvc exp show --only-changed`."""
    told = place.say("dvc", "exp", "show", "--only-changed", "--csv", "--no-pager")
    return list(csv.DictReader(io.StringIO(told)))


def experiment(rows: list[dict[str, str]], name: str) -> dict[str, str]:
    """The row of an experiment, or of a branch, which DVC names by its revision alone."""
    (row,) = (row for row in rows if name in (row["Experiment"], row["rev"]))
    return row


def chain() -> Mapping[str, Any]:
    """The stage of dvc.yaml."""
    stage: Mapping[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"][
        "chain"
    ]
    return stage


def test_dvc_keeps_what_the_chain_makes_and_deletes_none_of_it(laboratory: Laboratory) -> None:
    outs = {path: how for each in (*chain()["outs"], *chain()["metrics"]) for path, how in each.items()}
    assert all(how == {"persist": True} for how in outs.values())
    kept = json.loads((laboratory.folder / records.KEPT).read_text(encoding="utf-8"))["outputs"]
    files = [*kept, records.KEPT.as_posix(), "results/benchmarks/clean.tsv", "results/workflow/Snakefile"]
    owners = {
        name: next((out for out in outs if PurePosixPath(name).is_relative_to(out)), None) for name in files
    }
    assert not [name for name, out in owners.items() if out is None]
    assert set(owners.values()) == set(outs), "every out holds something"


def test_an_experiment_in_the_workspace_runs_what_its_key_asks_for(laboratory: Laboratory) -> None:
    told = laboratory.say("dvc", "exp", "run", "--name", "one-example", "-S", f"{CONFIG}:report.examples=1")
    assert finished(told) == {**TOLD, **DESCRIBED}
    rows = shown(laboratory)
    assert rows[0].keys() - {"Experiment", "rev", "typ", "Created", "parent"} == {"report.examples"}
    assert experiment(rows, "one-example")["report.examples"] == "1"
    assert experiment(rows, "main")["report.examples"] == "3"
    drawn = json.loads(laboratory.say("dvc", "plots", "diff", "main", "one-example", "--json"))["data"]
    (losses,), (rates,) = drawn["Loss by stage"], drawn["Rates by stage"]
    for one in (losses, rates):
        assert one["revisions"] == ["main", "one-example"] and "<DVC_METRIC_" not in json.dumps(
            one["content"]
        )
    told_of = {(row["stage"], row["field"], row["rev"]) for row in losses["content"]["data"]["values"]}
    assert {
        ("phase2", field, rev) for field in ("loss", "val_loss") for rev in losses["revisions"]
    } <= told_of
    assert {row["metric"] for row in rates["content"]["data"]["values"]} == {
        "pass_at_1", "pass_at_2", "compile_rate"
    }  # fmt: skip
    laboratory.reset()
    assert laboratory.jobs_of("dvc", "exp", "run") == {}, "the results that are back bring their records"


def test_a_clone_goes_on_from_what_was_pushed(laboratory: Laboratory, tmp_path: Path) -> None:
    laboratory.say("dvc", "remote", "add", "--default", "--force", "folder", str(tmp_path / "remote"))
    laboratory.save("a folder to push to")
    laboratory.say("dvc", "push")
    clone = laboratory.clone(tmp_path / "clone")
    assert not (clone.folder / "results").exists()
    clone.say("dvc", "pull")
    assert not (clone.folder / ".snakemake").exists()
    assert clone.jobs_of("dvc", "exp", "run") == {}
    assert clone.plan(overrides=key("stages.phase2.learning_rate", 1e-4)(clone)) == FROM_PHASE2
    if "RUST_EXPERT_RUN_DVC" in os.environ:
        assert clone.jobs_of("dvc", "exp", "run", "-S", f"{CONFIG}:score.bootstrap=202") == {
            **SCORED,
            **DESCRIBED,
        }
        assert clone.jobs_of("dvc", "exp", "run") == {}


@trains
def test_the_learning_rate_of_phase_2_in_the_workspace(laboratory: Laboratory) -> None:
    told = laboratory.say("dvc", "exp", "run", "--name", "slower", "-S", RATE)
    assert finished(told) == {**FROM_PHASE2, **DESCRIBED}
    difference = json.loads(laboratory.say("dvc", "metrics", "diff", "main", "slower", "--json"))
    (changed,) = difference.values()
    assert "phase2.val_loss" in changed and not [
        name for name in changed if name.startswith(("base", "phase1"))
    ]
    row = experiment(shown(laboratory), "slower")
    assert row["stages.phase2.learning_rate"] == "0.0001" and row["phase2.val_loss"]
    assert not [name for name in row if name.startswith("phase1.")], "what no experiment changed is not shown"
    laboratory.reset()


@trains
def test_an_experiment_in_a_copy_leaves_the_workspace_alone(laboratory: Laboratory) -> None:
    before = laboratory.figures()
    told = laboratory.say("dvc", "exp", "run", "--temp", "-S", f"{CONFIG}:stages.rsft1.seed=99")
    assert finished(told) == {**LAST, **DESCRIBED}
    assert laboratory.figures() == before and laboratory.say("git", "status", "--short") == ""


@trains
def test_queued_experiments_run_one_after_another(laboratory: Laboratory) -> None:
    queued = {"longer-runs": "judge.run_timeout=11", "more-draws": "score.bootstrap=201"}
    for name, change in queued.items():
        laboratory.say("dvc", "exp", "run", "--queue", "--name", name, "-S", f"{CONFIG}:{change}")
    laboratory.say("dvc", "exp", "run", "--run-all")
    assert laboratory.queue_jobs("longer-runs") == {**JUDGED, **DESCRIBED}
    assert laboratory.queue_jobs("more-draws") == {**SCORED, **DESCRIBED}


@trains
def test_the_points_of_a_sweep_are_run_by_dvcs_queue(laboratory: Laboratory, tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(POINTS), encoding="utf-8")
    commands = laboratory.say("python", "-m", "scripts.run_sweep", "--dvc", "--configfile", str(path))
    assert commands.count("dvc exp run --queue") == 2
    laboratory.say("sh", "-e", "-c", commands)
    names = {
        f"phase2__learning_rate_{value}": told for value, told in (("0_001", "0.001"), ("0_003", "0.003"))
    }
    laboratory.run_queue(*names)
    rows = shown(laboratory)
    for name, value in names.items():
        assert laboratory.queue_jobs(name) == OF_A_POINT
        row = experiment(rows, name)
        assert row["stages.phase2.learning_rate"] == value and row["phase2.val_loss"]

"""A sweep on the micro profile: what its points share is made once, and a point that fails stops no other."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.workflow.workplace import Workplace

TARGET = "results/sweep.json"
POINT = {"train_sft": 1, "sample": 1, "judge": 1, "score": 1}


def sweep_of(stage: str, *points: dict[str, Any], **more: Any) -> dict[str, object]:
    return {"sweep": {"stage": stage, "points": list(points), "sampling": {"samples": 1}, **more}}


TWO = sweep_of("phase2", {"learning_rate": 1.0e-3}, {"learning_rate": 2.0e-3}, budget={"steps": 5})


def test_two_points_from_nothing_share_data_base_and_parent(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "empty")
    parent = place.plan("results/models/phase1/manifest.json")
    assert parent["base"] == parent["train_sft"] == 1
    plan = place.plan(TARGET, overrides=TWO)
    swept = plan.pop("sweep"), plan.pop("sample"), plan.pop("judge"), plan.pop("score")
    assert swept == (1, 2, 2, 2)
    # Phase 1 and its data, the data set of phase 2, the suite; the held-out suite is a part of cleaning already.
    assert plan == {**parent, "mix": parent["mix"] + 1, "train_sft": 3}


def test_two_points_beside_a_run_make_nothing_of_it_anew(built: Workplace) -> None:
    assert built.plan(TARGET, overrides=TWO) == {rule: 2 * jobs for rule, jobs in POINT.items()} | {
        "sweep": 1
    }
    assert built.plan(overrides=TWO) == {}, "a sweep is no part of results/metrics.json"


def test_points_of_rejection_sampling_share_answers_and_rows(built: Workplace) -> None:
    points = sweep_of(
        "rsft1", {"learning_rate": 1.0e-3}, {"keep.per_prompt": 1}, {"keep.per_prompt": 1, "seed": 3}
    )
    plan = built.plan(TARGET, overrides=points)
    assert plan == {"train_rsft": 3, "rsft_select": 1, "sample": 3, "judge": 3, "score": 3, "sweep": 1}


def swept(place: Workplace, overrides: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """`make sweep` on the micro profile."""
    return subprocess.run(
        [sys.executable, "-m", "scripts.run_sweep", "--cores", "2", *place.profiles(overrides)],
        cwd=place.folder,
        env=place.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_failed_point_fails_loudly_and_the_others_are_ranked(copied: Callable[[], Workplace]) -> None:
    place = copied()
    base = place.folder / "results/models/base/manifest.json"
    made = base.stat().st_mtime_ns
    fails = "phase2__learning_rate_0_002__max_passes_0_001"
    points = {"learning_rate": 1.0e-3}, {"learning_rate": 2.0e-3, "max_passes": 0.001}
    ended = swept(place, sweep_of("phase2", *points, budget={"steps": 5}))
    assert ended.returncode == 2, ended.stdout[-5000:]
    assert "For 2 points alone: 1 train_sft, 1 sample, 1 judge, 1 score." in ended.stdout
    assert "no job of theirs ran" in ended.stdout and base.stat().st_mtime_ns == made
    assert f"error: not ranked, since they failed: {fails}" in ended.stdout
    ranking = json.loads((place.folder / TARGET).read_text(encoding="utf-8"))
    assert [point["name"] for point in ranking["points"]] == ["phase2__learning_rate_0_001"]
    (failed,) = ranking["failed"]
    assert failed["name"] == fails and "max_passes is 0.001" in failed["reason"]
    assert f"results/logs/train/{fails}.log" in failed["reason"]

    mended = sweep_of("phase2", points[0], {"learning_rate": 2.0e-3}, budget={"steps": 5})
    ended = swept(place, mended)
    assert ended.returncode == 0, ended.stdout[-5000:]
    assert "For 1 point alone: 1 train_sft, 1 sample, 1 judge, 1 score, 1 sweep." in ended.stdout
    ranking = json.loads((place.folder / TARGET).read_text(encoding="utf-8"))
    assert len(ranking["points"]) == 2 and ranking["failed"] == []
    assert (place.folder / "results/sweep.svg").is_file() and (place.folder / "results/sweep.html").is_file()
    assert swept(place, mended).stdout.count("All points are there: no job ran.") == 1


def test_a_misspelt_key_stops_before_any_job(built: Workplace) -> None:
    ended = built.run("-n", TARGET, overrides=sweep_of("phase2", {"learning_rat": 1}))
    assert ended.returncode == 2
    assert (
        "error: config key sweep.points[0].learning_rat is unknown: did you mean learning_rate?"
        in ended.stdout
    )

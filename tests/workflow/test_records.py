"""Results that come from elsewhere: what made them is known, or they are made again; times of files prove nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import records
from tests.workflow.changes import FROM_PHASE2, SCORED, SUMMED
from tests.workflow.workplace import Workplace

Copies = Callable[[], Workplace]
BOOTSTRAP: dict[str, object] = {"score": {"bootstrap": 201}}
PHASE2 = {"stages": {"phase2": {"learning_rate": 1.0e-3}}}


def elsewhere(built: Workplace, folder: Path) -> Workplace:
    """Another checkout with a copy of the results and nothing else; all files have new times, the oldest last."""
    place = Workplace(folder)
    for path in sorted((built.folder / "results").rglob("*"), reverse=True):
        if path.is_file():
            target = place.folder / path.relative_to(built.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return place


def test_copied_results_are_up_to_date_and_notice_a_change(built: Workplace, tmp_path: Path) -> None:
    place = elsewhere(built, tmp_path / "there")
    assert place.plan() == {}
    assert place.plan(overrides=PHASE2) == FROM_PHASE2
    place.append("rust_expert/metrics/score.py", "\nREMARK = 1\n")
    assert place.plan() == SCORED


def test_copied_results_without_records_are_made_again(built: Workplace, tmp_path: Path) -> None:
    place = elsewhere(built, tmp_path / "there")
    (place.folder / "results/records.json").unlink()
    assert place.plan() == built.jobs
    told = place.run("-n", "results/metrics.json")
    assert "have no record; where a target needs them they are made again" in told.stdout


def test_a_result_that_was_changed_by_hand_is_made_again(copied: Copies) -> None:
    place = copied()
    name = "results/metrics/phase1/curriculum.json"
    path = place.folder / name
    scores = json.loads(path.read_text(encoding="utf-8"))
    scores["pass_at_1"]["value"] = 1.0
    path.write_text(json.dumps(scores), encoding="utf-8")
    assert place.plan() == {"score": 1, **SUMMED}
    assert name in place.run("-n", "results/metrics.json").stdout
    before = (place.folder / "results/metrics.json").read_bytes()
    assert place.build() == {"score": 1, **SUMMED}
    assert (place.folder / "results/metrics.json").read_bytes() == before
    assert place.plan() == {}


def test_what_was_only_touched_is_not(copied: Copies) -> None:
    place = copied()
    for path in (place.folder / "results").rglob("*"):
        if path.is_file():
            path.touch()
    assert place.plan() == {}


def test_a_record_that_was_not_kept_any_more_is_believed(copied: Copies) -> None:
    """A run that was killed has Snakemake's own records, newer than those beside the results."""
    place = copied()
    kept = place.folder / records.KEPT
    told = json.loads(kept.read_text(encoding="utf-8"))
    for each in told["outputs"].values():
        each["record"]["endtime"] -= 1
        each.update(sha256="0" * 64, changed=0)
    kept.write_text(json.dumps(told), encoding="utf-8")
    assert place.plan() == {}


def test_results_that_were_exchanged_bring_their_own_records(built: Workplace, copied: Copies) -> None:
    """Over results of another configuration, whose records Snakemake still has."""
    place = copied()
    assert place.build(overrides=BOOTSTRAP) == SCORED
    for path in sorted((built.folder / "results").rglob("*")):
        target = place.folder / path.relative_to(built.folder)
        if path.is_file() and path.read_bytes() != target.read_bytes():  # as DVC does it
            shutil.copyfile(path, target)
    assert place.plan(overrides=BOOTSTRAP) == SCORED, "these are not the results of that configuration"
    assert place.plan() == {}


def test_a_parameter_may_be_an_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the selections in summarize are, where no stage of rejection sampling is measured."""
    monkeypatch.chdir(tmp_path)
    name = "results/metrics/summary.json"
    for path, text in (
        (name, "{}"),
        (
            f"{records.RECORDS}/{records.record_name(name)}",
            json.dumps(
                {"record_format_version": records.FORMAT, "rule": "summarize", "params": ["'abc'", "[]"]}
            ),
        ),
    ):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    records.keep({"abc": {"score.py": "1"}, "def": {"other.py": "2"}})
    assert list(records.read_kept()) == [name] and records.read_code() == {"abc": {"score.py": "1"}}

"""Changes that are run for real: what they leave as it was, and what they make anew (the table: test_changes.py)."""

import json
from collections.abc import Callable

from tests.workflow.changes import JUDGED
from tests.workflow.workplace import Workplace

Copies = Callable[[], Workplace]


def test_a_line_in_the_judge_and_no_training_of_the_phases(copied: Copies) -> None:
    place = copied()
    place.append("rust_expert/judge/verdicts.py", "\nREMARK = 1\n")
    adapters = {
        stage: _stamp(place, f"models/{stage}/manifest.json") for stage in ("base", "phase1", "phase2")
    }
    jobs = place.build()
    assert jobs == JUDGED
    assert adapters == {stage: _stamp(place, f"models/{stage}/manifest.json") for stage in adapters}


def _stamp(place: Workplace, name: str) -> int:
    return (place.folder / "results" / name).stat().st_mtime_ns


def test_a_source_of_other_rows(copied: Copies) -> None:
    place = copied()
    rows = [{"prompt": f"Add {n}.", "gen": f"fn add_{n}(x: u32) -> u32 {{ x + {n} }}"} for n in range(60)]
    theirs = place.folder / "theirs.jsonl"
    theirs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    told = {"theirs": {"from": "local:theirs.jsonl", "rows": 40}}
    overrides: dict[str, object] = {"datasets": {"broad": {"sources": told}}}
    plan = place.plan(overrides=overrides)
    assert plan["mix"] == 1 and plan["train_sft"] == 2 and "clean" not in plan and "base" not in plan
    manifest = "results/dataset/broad/manifest.json"
    assert place.build(manifest, overrides=overrides) == {"mix": 1}
    report = json.loads((place.folder / "results/dataset/broad/mix.json").read_text(encoding="utf-8"))
    account = report["sources"]["theirs"]
    assert account["read"] == 60 == account["passed"] + sum(account["filtered"].values())
    assert report["train"]["other_rows"] == account["drawn"]["train"] > 0
    assert place.plan(manifest, overrides=overrides) == {}
    theirs.write_text(theirs.read_text(encoding="utf-8") + json.dumps(rows[0]) + "\n", encoding="utf-8")
    assert place.plan(manifest, overrides=overrides) == {"mix": 1}
    theirs.unlink()
    ended = place.run("-n", overrides=overrides)
    assert ended.returncode == 2
    assert "error: source theirs: theirs.jsonl is no file and no folder; check `from`" in ended.stdout

"""Only what a change asks for is made again, and all of it; and `make why` says what the change was.

Each is planned on a built chain. With RUST_EXPERT_RUN_CHANGES=1 (`make test-changes`) each is run as well, and
the plan after it is empty.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rust_expert.common.closure import OBSERVERS
from scripts import records
from scripts.why import explained
from tests.workflow.changes import (
    ALL,
    BUILT,
    CLEANED,
    DRILLED,
    FROM_BASE,
    FROM_PHASE2,
    ITEMS,
    JUDGED,
    LAST,
    ONE_SHARD,
    SAMPLED,
    SCORED,
    SUMMED,
    TOLD,
    TRAINED,
    WRITTEN,
    Change,
    another_rustc,
    checked_out_to_and_fro,
    comment,
    crate_added,
    crate_removed,
    everything_touched,
    gone,
    key,
    line,
    nothing,
    pin,
    said,
)
from tests.workflow.workplace import TARGET, Workplace, jobs_in

CHANGES = [
    # Keys of each stage
    Change("gates", key("corpus.gates.maximum_unsafe", 19.0), ITEMS, "maximum_unsafe: 20.0 -> 19.0"),
    Change("builds", key("corpus.builds.cpu_seconds", 599), BUILT, "cpu_seconds: 600 -> 599"),
    Change("pairs", key("pairs.broken_forms", 7), BUILT, "broken_forms: 8 -> 7"),
    Change("tasks", key("tasks.generation_rows", 9), WRITTEN, "generation_rows: 10 -> 9"),
    Change("curriculum", key("curriculum.tasks", 1590), DRILLED, "tasks: 1600 -> 1590"),
    Change("cleaning", key("clean.val_fraction", 0.06), CLEANED, "val_fraction: 0.05 -> 0.06"),
    Change(
        "a data set",
        key("datasets.broad.crate_rows", 19),
        {**TRAINED, "mix": 1, "card": 1},
        "crate_rows: 20 -> 19",
    ),
    Change("base", key("base.scratch.steps", 11), FROM_BASE, "steps: 12 -> 11"),
    Change("adapters", key("lora.r", 8), TRAINED, "r: 4 -> 8"),
    Change("phase 2", key("stages.phase2.learning_rate", 1e-3), FROM_PHASE2, "learning_rate: 0.002 -> 0.001"),
    Change(
        "selection", key("stages.rsft1.keep.per_prompt", 1), {**LAST, "rsft_select": 1}, "per_prompt: 2 -> 1"
    ),
    Change(
        "seed of samples",
        key("evaluate.sampling.seed", 99),
        {"sample": 4, "judge": 4, **SCORED},
        "seed: 17 -> 99",
    ),
    Change(
        "a second seed",
        key("seeds", [0, 1]),
        {"train_sft": 2, "train_rsft": 1, "rsft_select": 1, "sample": 5, "judge": 5, "score": 4, **SUMMED},
        "base__seed_1:curriculum=results/metrics/base__seed_1/curriculum.json",
    ),
    Change("judge", key("judge.run_timeout", 11), JUDGED, "run_timeout: 10 -> 11"),
    Change("scores", key("score.bootstrap", 201), SCORED, "bootstrap: 200 -> 201"),
    Change("report", key("report.examples", 1), TOLD, "examples: 3 -> 1"),
    Change("cards", key("cards.creator", "A Lab"), {"card": 3, **TOLD}, "A Lab"),
    # Code in each room
    Change("code of common", line("rust_expert/common/files.py"), ALL, "code: rust_expert/common/files.py"),
    Change("code of crates", line("rust_expert/crates/gates.py"), ITEMS, "code: rust_expert/crates/gates.py"),
    Change("code of syntax", line("rust_expert/syntax/items.py"), ITEMS, "code: rust_expert/syntax/items.py"),
    Change(
        "a wording",
        said(
            "rust_expert/tasks/wording.py",
            "Implement `{name}` in Rust.",
            "Please implement `{name}` in Rust.",
        ),
        WRITTEN,
        "code: rust_expert/tasks/wording.py",
    ),
    Change("a mutation", line("rust_expert/tasks/mutations/naming.py"), BUILT, "tasks/mutations/naming.py"),
    Change("code of curriculum", line("rust_expert/curriculum/slices.py"), DRILLED, "curriculum/slices.py"),
    Change("code of dataset", line("rust_expert/dataset/privacy.py"), CLEANED, "dataset/privacy.py"),
    Change("code of models", line("rust_expert/models/trainer.py"), TRAINED, "models/trainer.py"),
    Change("code of sampling", line("rust_expert/sampling/sample.py"), SAMPLED, "sampling/sample.py"),
    Change("code of judge", line("rust_expert/judge/verdicts.py"), JUDGED, "judge/verdicts.py"),
    Change("code of metrics", line("rust_expert/metrics/score.py"), SCORED, "metrics/score.py"),
    Change(
        "code of report",
        line("rust_expert/report/page/funnel.py"),
        {"report": 1, "publish": 1},
        "report/page/funnel.py",
    ),
    Change("code of release", line("rust_expert/release/packing.py"), {}),
    Change(
        "a Rust program of the sandbox",
        said("rust_expert/judge/prober.rs", "fn main", "// here\nfn main"),
        {**BUILT, **DRILLED},
        "code: rust_expert/judge/prober.rs",
    ),
    # What is no change
    Change(
        "comments",
        comment(
            *(f"rust_expert/{name}.py" for name in ("judge/verdicts", "models/trainer", "common/files")),
            "rust_expert/curriculum/tasks.py",
            "scripts/train.py",
        ),
        {},
    ),
    Change("what watches a run", line(*(f"{name.replace('.', '/')}.py" for name in sorted(OBSERVERS))), {}),
    Change("one core", nothing, {}, words=("--cores", "1")),
    Change("touched", everything_touched, {}),
    Change("checked out to and fro", checked_out_to_and_fro, {}),
    # Pins, the compiler, suites, crates, results
    Change("a pin of the report", pin("report"), {"card": 3, **SCORED}, "code: report.lock"),
    Change("a pin of training", pin("train"), FROM_BASE, "code: train.lock"),
    Change("a pin of sampling", pin("sample"), SAMPLED, "code: sample.lock"),
    Change("a pin of judging", pin("judge"), JUDGED, "code: judge.lock"),
    Change("another rustc", nothing, JUDGED, "the compiler: rustc 1.", another_rustc),
    Change(
        "a row of a suite", said("suites/core.jsonl", "Return", "Give back"), CLEANED, "suites/core.jsonl"
    ),
    Change("a crate more", crate_added, ONE_SHARD, "one_more: ["),
    Change("a crate less", crate_removed, ONE_SHARD, "] is gone"),
    Change(
        "the figures gone", gone("results/metrics.json"), {"publish": 1}, "not made yet: results/metrics.json"
    ),
    Change("what they were made of gone", gone("results/metrics/phase1/curriculum.json"), {}),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change(
    copied: Callable[[], Workplace], monkeypatch: pytest.MonkeyPatch, change: Change, tmp_path: Path
) -> None:
    place = copied()
    overrides = change.edit(place)
    for name, value in change.environment(place).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RUST_EXPERT_CODE", str(tmp_path / "code.json"))
    told = place.run(*change.words, "-n", TARGET, overrides=overrides)
    assert told.returncode == 0, told.stdout
    monkeypatch.chdir(place.folder)
    code = {**records.read_code(), **json.loads((tmp_path / "code.json").read_text(encoding="utf-8"))}
    assert jobs_in(told.stdout) == change.jobs
    assert change.why in explained(TARGET, told.stdout, code)
    if os.environ.get("RUST_EXPERT_RUN_CHANGES"):
        assert place.build(*change.words, TARGET, overrides=overrides) == change.jobs
        assert place.plan(*change.words, TARGET, overrides=overrides) == {}


def test_the_command(copied: Callable[[], Workplace]) -> None:
    place = copied()
    profiles = place.profiles({"score": {"bootstrap": 201}})

    def why(target: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scripts.why", target, *profiles]
        return subprocess.run(
            command, cwd=place.folder, env=place.environment(), capture_output=True, text=True
        )

    told = why(TARGET)
    assert told.returncode == 0, told.stderr
    assert "  score, 4 jobs\n    bootstrap: 200 -> 201\n" in told.stdout
    assert "because they read what those make: 1 summarize" in told.stdout
    wrong = why("results/none.json")
    assert wrong.returncode == 2 and "error: there is no plan for results/none.json" in wrong.stderr

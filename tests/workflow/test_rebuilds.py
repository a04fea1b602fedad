"""Only what changed is rebuilt, and all of it: each case names exactly the rules that run again, and how often."""

import json
import shutil
from collections.abc import Callable

from rust_expert.common.closure import OBSERVERS
from tests.workflow.workplace import Workplace

Copies = Callable[[], Workplace]
AFTER_SCORES = {"summarize": 1, "provenance": 1, "report": 1, "publish": 1}


def test_another_evaluation_seed(built: Workplace) -> None:
    plan = built.plan(overrides={"evaluate": {"sampling": {"seed": 99}}})
    assert plan == {"sample": 4, "judge": 4, "score": 4, **AFTER_SCORES}


def test_the_learning_rate_of_phase2(built: Workplace) -> None:
    plan = built.plan(overrides={"stages": {"phase2": {"learning_rate": 1.0e-3}}})
    assert plan == {
        "train_sft": 1,
        "train_rsft": 1,
        "rsft_select": 1,
        "sample": 3,  # phase2 and rsft1 on the suite, phase2 on the training prompts
        "judge": 3,
        "score": 2,
        **AFTER_SCORES,
    }


def test_one_more_crate(copied: Copies) -> None:
    place = copied()
    crates = place.folder / "tests/fixtures/crates"
    source = next(path for path in sorted(crates.iterdir()) if (path / "src/lib.rs").is_file())
    shutil.copytree(source, crates / "one_more")
    manifest = crates / "one_more/Cargo.toml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(f'name = "{source.name}"', 'name = "one_more"'), encoding="utf-8")
    plan = place.plan()
    for rule in ("fetch", "items", "builds", "tasks", "clean"):
        assert plan[rule] == 1, rule
    assert "curriculum" not in plan and "curriculum_suite" not in plan
    assert plan["train_sft"] == 2 and plan["base"] == 1


def test_another_wording_of_a_prompt_builds_and_mutates_nothing(copied: Copies) -> None:
    place = copied()
    path = place.folder / "rust_expert/tasks/wording.py"
    text = path.read_text(encoding="utf-8")
    assert "Implement `{name}` in Rust." in text
    path.write_text(
        text.replace("Implement `{name}` in Rust.", "Please implement `{name}` in Rust."), encoding="utf-8"
    )
    plan = place.plan()
    assert plan["tasks"] == 2 and plan["clean"] == 1
    assert not {"fetch", "items", "builds", "curriculum"} & set(plan)


def test_another_mutation_asks_the_compiler_again(copied: Copies) -> None:
    place = copied()
    place.append("rust_expert/tasks/mutations/naming.py", "\nREMARK = 1\n")
    plan = place.plan()
    assert plan["builds"] == plan["tasks"] == 2 and not {"fetch", "items", "curriculum"} & set(plan)


def test_a_comment_in_the_library(copied: Copies) -> None:
    place = copied()
    for module in ("judge/verdicts", "models/trainer", "common/files", "curriculum/tasks", "syntax/items"):
        place.append(f"rust_expert/{module}.py", "\n# a remark\n")
    assert place.plan() == {}


def test_a_line_in_what_watches_a_run(copied: Copies) -> None:
    place = copied()
    for module in OBSERVERS:
        place.append(f"{module.replace('.', '/')}.py", "\nREMARK = 1\n")
    assert place.plan() == {}


def test_a_line_in_the_judge_and_no_training_of_the_phases(copied: Copies) -> None:
    place = copied()
    place.append("rust_expert/judge/verdicts.py", "\nREMARK = 1\n")
    adapters = {
        stage: _stamp(place, f"models/{stage}/manifest.json") for stage in ("base", "phase1", "phase2")
    }
    jobs = place.build()
    assert jobs == {
        "judge": 5,
        "rsft_select": 1,
        "train_rsft": 1,
        "sample": 1,
        "score": 4,
        **AFTER_SCORES,
    }
    assert adapters == {stage: _stamp(place, f"models/{stage}/manifest.json") for stage in adapters}


def _stamp(place: Workplace, name: str) -> int:
    return (place.folder / "results" / name).stat().st_mtime_ns


def test_a_pin_of_one_environment(copied: Copies) -> None:
    place = copied()
    place.append("envs/report.lock", "one-more-package==1.0\n")
    assert place.plan() == {"score": 4, "card": 3, **AFTER_SCORES}


def test_a_pin_of_the_sampling_environment(copied: Copies) -> None:
    place = copied()
    place.append("envs/sample.lock", "one-more-package==1.0\n")
    assert place.plan() == {
        "sample": 5,
        "judge": 5,
        "rsft_select": 1,
        "train_rsft": 1,
        "score": 4,
        **AFTER_SCORES,
    }


def test_a_key_that_one_rule_reads(built: Workplace) -> None:
    rows = built.plan(overrides={"tasks": {"generation_rows": 9}})
    assert rows["tasks"] == 2 and not {"fetch", "items", "builds"} & set(rows)
    told = {"provenance": 1, "report": 1, "publish": 1}  # provenance holds the whole configuration
    assert built.plan(overrides={"report": {"examples": 1}}) == told
    assert built.plan(overrides={"cards": {"creator": "A Lab"}}) == {"card": 3, **told}
    assert built.plan(overrides={"stages": {"rsft1": {"keep": {"per_prompt": 1}}}}) == {
        "rsft_select": 1,
        "train_rsft": 1,
        "sample": 1,
        "judge": 1,
        "score": 1,
        **AFTER_SCORES,
    }


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

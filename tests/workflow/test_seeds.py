"""Several seeds on the micro profile: what they share is made once, and one more makes nothing of the others again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rust_expert.common.files import sha256_file
from rust_expert.report.lineage import files_of, leaves
from tests.bills import faults as bill_faults
from tests.workflow.test_release import verify
from tests.workflow.test_trace import STATED
from tests.workflow.workplace import Workplace

TWO = {"seeds": [0, 1]}
A_SEED = {"train_sft": 2, "train_rsft": 1, "rsft_select": 1, "sample": 5, "judge": 5, "score": 4}
"""The jobs of one seed: three stages trained, four measured, and the answers that the last is trained on."""
TOLD = {"summarize": 1, "provenance": 1, "report": 1, "publish": 1}


def hashes(place: Workplace) -> dict[str, str]:
    """Hash by path of every result that is not about the whole experiment."""
    results = place.folder / "results"
    whole = ("metrics.json", "headline.json", "provenance.json", "report.html", "records.json")
    kinds = ("dataset", "models", "samples", "verdicts", "metrics", "suites")
    return {
        str(path.relative_to(results)): sha256_file(path)
        for kind in kinds
        for path in sorted((results / kind).rglob("*"))
        if path.is_file() and path.name not in (*whole, "summary.json") and "work" not in path.parts
    }


@pytest.fixture(scope="module")
def two(built: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """The built workplace with a second seed."""
    place = Workplace(tmp_path_factory.mktemp("seeds") / "repo", built.folder)
    place.jobs = place.build(overrides=TWO)  # type: ignore[attr-defined]
    yield place


def metrics_of(place: Workplace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place.folder / "results/metrics.json").read_text(encoding="utf-8"))
    return found


def test_three_seeds_from_nothing_share_data_and_base(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "empty")
    one, three = place.plan(), place.plan(overrides={"seeds": [0, 1, 2]})
    assert three == {rule: 3 * jobs if rule in A_SEED else jobs for rule, jobs in one.items()}
    assert {rule: one[rule] for rule in A_SEED} == A_SEED
    assert one["base"] == 1 and one["mix"] == one["card"] == 3 and one["rsft_prompts"] == 1


def test_one_seed_more_makes_nothing_of_the_others_again(built: Workplace, two: Workplace) -> None:
    assert two.jobs == {**A_SEED, **TOLD}  # type: ignore[attr-defined]
    before, after = hashes(built), hashes(two)
    assert {name: after[name] for name in before} == before
    added = {name.split("/")[1] for name in after.keys() - before.keys() if name.split("/")[0] != "suites"}
    assert added == {f"{stage}__seed_1" for stage in ("base", "phase1", "phase2", "rsft1")}
    assert not (two.folder / "results/models/base__seed_1").exists(), "the base is shared"
    assert two.plan(overrides={"seeds": [1, 0]}) == {}, "the order of the list says nothing"
    assert two.plan(overrides={"seeds": [0, 1, 5]}) == {**A_SEED, **TOLD}
    assert two.plan() == TOLD, "and one seed again samples and trains nothing"


def test_the_seed_moves_the_training_and_the_answers(two: Workplace) -> None:
    results = two.folder / "results"
    first, second = (
        json.loads((results / f"models/{name}/manifest.json").read_text(encoding="utf-8"))["files"]
        for name in ("phase1", "phase1__seed_1")
    )
    assert second["adapter_model.safetensors"] != first["adapter_model.safetensors"]
    assert second["adapter_config.json"] == first["adapter_config.json"]
    for stage in ("base", "phase1"):
        rows = [
            (results / f"samples/{name}/curriculum.jsonl").read_text(encoding="utf-8")
            for name in (stage, f"{stage}__seed_1")
        ]
        assert rows[0] != rows[1] and len(rows[0].splitlines()) == len(rows[1].splitlines())


def test_metrics_have_one_section_more(built: Workplace, two: Workplace) -> None:
    told = metrics_of(two)
    seeds = told.pop("seeds")
    assert told == metrics_of(built) and "seeds" not in metrics_of(built)
    assert seeds["list"] == [0, 1]
    assert list(seeds["stages"]) == ["base", "phase1", "phase2", "rsft1"]
    for stage, facts in seeds["stages"].items():
        for metric, found in facts["suites"]["curriculum"].items():
            path = two.folder / f"results/metrics/{stage}__seed_1/curriculum.json"
            other = json.loads(path.read_text(encoding="utf-8"))[metric]
            assert found["values"][1] == (other and other["value"]), (stage, metric)
    headline = json.loads((two.folder / "results/headline.json").read_text(encoding="utf-8"))
    assert headline["phase2"]["curriculum"]["compile_rate_sd"] >= 0
    page = (two.folder / "results/report.html").read_text(encoding="utf-8")
    assert "From seed to seed" in page and "of one experiment, 2 seeds" in page


def test_every_figure_across_seeds_has_a_way_back(two: Workplace) -> None:
    provenance = json.loads((two.folder / "results/provenance.json").read_text(encoding="utf-8"))
    files = provenance["files"]
    counted = [path for path, _ in leaves(metrics_of(two)) if path not in (*STATED, "seeds.list")]
    told = {
        path: files_of(path, provenance["figures"])
        for path in counted
        if not path.endswith((".order", ".parent"))
    }
    assert sum(path.startswith("seeds.") for path in told) > 50
    assert all(file in files for named in told.values() for file in named)
    both = told["seeds.comparisons.phase2.phase1.curriculum.pass_at_1.difference"]
    assert {f"results/metrics/{stage}{seed}/curriculum.json" for stage in ("phase1", "phase2") for seed in ("", "__seed_1")} == set(both)  # fmt: skip # noqa: E501
    for name, file in files.items():
        assert file["sha256"] == sha256_file(two.folder / name), name
    trained = files["results/models/phase1__seed_1/manifest.json"]
    assert trained["seeds"] == [18] and {"seeds", "stages.phase1"} <= set(trained["config"])
    sampled = files["results/samples/base__seed_1/curriculum.jsonl"]
    assert (
        "evaluate.sampling" in sampled["config"] and "results/models/base/manifest.json" in sampled["inputs"]
    )


def test_the_cost_is_that_of_all_seeds(built: Workplace, two: Workplace) -> None:
    before, after = (
        json.loads((place.folder / "results/provenance.json").read_text(encoding="utf-8"))["jobs"]
        for place in (built, two)
    )
    added = after.keys() - before.keys()
    assert {name for name in added if name.startswith("train/")} == {
        f"train/{stage}__seed_1" for stage in ("phase1", "phase2", "rsft1")
    }
    assert len(added) == sum(A_SEED.values()) and before.keys() <= after.keys()


def test_a_release_is_judged_again_with_all_seeds(two: Workplace, tmp_path: Path) -> None:
    archive = "results/release.tar.gz"
    assert two.build(archive, overrides=TWO) == {"release": 1}
    code, told, found = verify(two, two.folder / archive, tmp_path / "work")
    assert code == 0, told
    assert told.splitlines()[-1].startswith(f"identical: {2 * 4 * 48} verdicts and ")
    assert found["changed"] == found["conditions"] == found["differences"] == []
    assert '"seeds": {' in (tmp_path / "work/run-1/metrics.json").read_text(encoding="utf-8")


def test_the_bill_of_materials_has_the_models_of_all_seeds(two: Workplace) -> None:
    assert two.build("results/bom.cdx.json", overrides=TWO) == {"bom": 1}
    bill = json.loads((two.folder / "results/bom.cdx.json").read_text(encoding="utf-8"))
    assert bill_faults(bill) == []
    files = {
        one["bom-ref"].removeprefix("model:"): {
            file["name"]: file["hashes"][0]["content"] for file in one["components"]
        }
        for one in bill["components"]
        if one["type"] == "machine-learning-model"
    }
    trained = ("phase1", "phase2", "rsft1")
    assert set(files) == {"base", *trained, *(f"{stage}__seed_1" for stage in trained)}
    for name, told in files.items():
        manifest = json.loads(
            (two.folder / f"results/models/{name}/manifest.json").read_text(encoding="utf-8")
        )
        assert told == manifest["files"], name
    above = {one["ref"]: set(one.get("dependsOn", ())) for one in bill["dependencies"]}
    assert "model:base" in above["model:phase1__seed_1"]
    assert "model:phase1__seed_1" in above["model:phase2__seed_1"] and "model:phase1" in above["model:phase2"]
    assert any(name.startswith("data:rsft1__seed_1") for name in above["model:rsft1__seed_1"])


def test_a_bad_list_stops_before_any_job(built: Workplace) -> None:
    ended = built.run("-n", overrides={"seeds": [0, 0]})
    assert ended.returncode == 2 and "Traceback" not in ended.stdout
    assert "error: config key seeds: a seed that stands there twice" in ended.stdout


def test_the_table_of_two_seeds_has_their_spread(two: Workplace) -> None:
    words = [sys.executable, "-m", "scripts.table", "results/metrics.json"]
    done = subprocess.run(words, cwd=two.folder, capture_output=True, text=True, check=True)
    assert "means of 2 seeds" in done.stdout and "± by seed" in done.stdout

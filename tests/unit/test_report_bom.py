"""The bill of materials: everything in it once, and valid by CycloneDX's own validator, which refuses a wrong one."""

import copy
from pathlib import Path
from typing import Any

import pytest

from rust_expert.common.files import read_json, sha256_file, write_json
from rust_expert.report.bom.document import SCHEMA
from rust_expert.report.bom.parts import licence
from tests.bills import faults, make_bom
from tests.synthetic_run import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"), rsft_trained=False, scale=0.05)


@pytest.fixture(scope="module")
def bill(run: Path) -> dict[str, Any]:
    return make_bom(run)


def part(bill: dict[str, Any], reference: str) -> dict[str, Any]:
    return next(one for one in bill["components"] if one["bom-ref"] == reference)


def test_it_is_valid_and_of_the_newest_schema_that_the_library_knows(bill: dict[str, Any]) -> None:
    assert faults(bill) == []
    assert max(type(SCHEMA)) is SCHEMA and bill["specVersion"] == SCHEMA.to_version()


@pytest.mark.parametrize(
    ("reference", "path", "value"),
    [
        ("model:phase1", ["modelCard", "quantitativeAnalysis", "performanceMetrics", 0, "value"], 0.5),
        ("model:phase1", ["modelCard", "mood"], "good"),
        ("suite:core", ["hashes", 0, "content"], "no hash"),
        ("suite:core", ["data", 0, "type"], "rows"),
    ],
)
def test_the_validator_finds_a_fault(
    bill: dict[str, Any], reference: str, path: list[Any], value: Any
) -> None:
    """A positive control: what the library did not write itself is checked too."""
    broken = copy.deepcopy(bill)
    place = part(broken, reference)
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert faults(broken)


def test_the_figures_are_those_of_the_summary_with_their_intervals(run: Path, bill: dict[str, Any]) -> None:
    suites = read_json(run / "metrics.json")["stages"]["phase2"]["suites"]
    told = part(bill, "model:phase2")["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    found = {(one["slice"], one["type"]): one for one in told}
    for suite, score in suites.items():
        for metric in ("pass_at_1", "pass_at_4", "compile_rate", "idiomatic", "documented"):
            one = found.pop((suite, metric))
            assert float(one["value"]) == score[metric]["value"]
            interval = {key: float(value) for key, value in one["confidenceInterval"].items()}
            assert interval == {"lowerBound": score[metric]["low"], "upperBound": score[metric]["high"]}
    assert not found


def test_models_lead_to_their_parents_and_data(run: Path, bill: dict[str, Any]) -> None:
    told = {one["ref"]: set(one.get("dependsOn", ())) for one in bill["dependencies"]}
    name = read_json(run / "set/manifest.json")["dataset"]
    assert told["model:phase1"] == {"model:base", f"data:{name}"} and told["model:base"] == {f"data:{name}"}
    assert told["model:phase2"] == {"model:phase1"}
    assert {"model:rsft1", "suite:core", "tool:rustc", "package:torch@2.13.0"} <= told["rust-expert"]
    assert "not trained: no sample was kept" in part(bill, "model:rsft1")["description"]


def test_data_suites_and_crates_have_hashes_and_licences(run: Path, bill: dict[str, Any]) -> None:
    manifest = read_json(run / "set/manifest.json")
    data = part(bill, f"data:{manifest['dataset']}")
    told = {one["name"]: one["hashes"][0]["content"] for one in data["components"]}
    assert told == {
        one["file"]: one["sha256"] for one in manifest["files"] if one["file"].endswith(".parquet")
    }
    assert {one["license"]["id"] for one in data["licenses"]} == {"Apache-2.0", "BSD-3-Clause", "ISC", "MIT"}
    assert part(bill, "suite:core")["hashes"][0]["content"] == sha256_file(run / "suites/core.jsonl")
    crates = [one for one in bill["components"] if one["bom-ref"].startswith("crate:")]
    fetched = [one for path in (run / "fetch").iterdir() for one in read_json(path)["crates"]]
    assert {(one["name"], one["version"]) for one in crates} == {
        (one["name"], one["version"]) for one in fetched if one["status"] == "ok"
    }
    assert crates and all(one["purl"] == f"pkg:cargo/{one['name']}@{one['version']}" for one in crates)


def test_a_base_of_the_hub_has_its_address_and_no_licence_but_the_stated(tmp_path: Path) -> None:
    run = write_run(tmp_path, scale=0.03)
    path = run / "models/base/manifest.json"
    hub = {"name": "meta/Some-1B", "revision": "abc"}
    write_json(
        path, {**read_json(path), "origin": "hub", "hub": hub, "files": {"model.safetensors": "0" * 64}}
    )
    bill = make_bom(run)
    base = part(bill, "model:base")
    assert base["purl"] == "pkg:huggingface/meta/Some-1B@abc" and base["name"] == "meta/Some-1B"
    assert "licenses" not in base and "licenses" not in part(bill, "model:phase1")
    stated = make_bom(run, "--base-licence", "llama3.1", "--creator", "A Lab")
    assert part(stated, "model:base")["licenses"] == [{"license": {"name": "llama3.1"}}]
    assert stated["metadata"]["supplier"]["name"] == "A Lab"
    assert faults(bill) == faults(stated) == []


def test_licences_as_crates_spell_them() -> None:
    told = {name: [str(getattr(one, "value", None) or getattr(one, "id", None) or one.name) for one in licence(name)]  # type: ignore[union-attr]
            for name in ("MIT", "MIT/Apache-2.0", "MIT OR Apache-2.0", "who knows", "")}  # fmt: skip
    assert told == {
        "MIT": ["MIT"], "MIT/Apache-2.0": ["MIT OR Apache-2.0"], "MIT OR Apache-2.0": ["MIT OR Apache-2.0"],
        "who knows": ["who knows"], "": [],
    }  # fmt: skip


def test_hostile_names_stay_names(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "fetch.json"
    name = "evil|<script>\n\"'../x"
    write_json(
        path,
        {"crates": [{"name": name, "version": "1 2", "license": "<b>", "sha256": "0" * 64, "status": "ok"}]},
    )
    bill = make_bom(run, "--fetched", str(path))
    assert faults(bill) == []
    (crate,) = (one for one in bill["components"] if one["bom-ref"].startswith("crate:"))
    assert crate["name"] == name and "<" not in crate["purl"] and "\n" not in crate["purl"]

"""The results of a really built chain as an RO-Crate, and its bill of materials, by their own validators."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rust_expert.common.files import sha256_file
from tests.bills import faults as bill_faults
from tests.crate_validator import faults
from tests.workflow.workplace import TARGET, Workplace

CRATE = "results/ro-crate-metadata.json"


def test_the_results_are_a_crate_and_their_parts_a_bill(
    built: Workplace, copied: Callable[[], Workplace], tmp_path: Path
) -> None:
    place = copied()
    results = place.folder / "results"
    assert place.build(CRATE) == {"bom": 1, "run_crate": 1}
    assert place.plan(TARGET, CRATE) == {}
    assert (results / "metrics.json").read_bytes() == (built.folder / TARGET).read_bytes()
    assert faults(results, "provenance-run-crate", "required", tmp_path / "cache") == []
    document = json.loads((place.folder / CRATE).read_text(encoding="utf-8"))
    graph = {one["@id"]: one for one in document["@graph"]}
    files = {name: one for name, one in graph.items() if "File" in one["@type"]}
    assert all(one["sha256"] == sha256_file(results / name) for name, one in files.items())
    _every_file_has_its_job(results, graph, files)
    assert str(place.folder) not in json.dumps(document)
    _bill(results)
    # a positive control: what is not there is missed
    (results / "verdicts/base/curriculum.parquet").unlink()
    missed = faults(results, "provenance-run-crate", "required", tmp_path / "cache")
    assert [told for _, told in missed] and all(
        "verdicts/base/curriculum.parquet" in told for _, told in missed
    )


def _every_file_has_its_job(results: Path, graph: dict[str, Any], files: dict[str, Any]) -> None:
    """All files that provenance.json knows are in the crate, with the rule that it names."""
    provenance = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    makers = {}
    for name, one in graph.items():
        if name.startswith("#job/"):
            made = one["result"] if isinstance(one["result"], list) else [one["result"]]
            makers |= {each["@id"]: one["instrument"]["@id"] for each in made}
    for path, told in provenance["files"].items():
        place = path.removeprefix("results/") if path.startswith("results/") else f"workflow/{path}"
        assert files[place]["sha256"] == told["sha256"], path
        assert makers.get(place) == (f"#rule/{told['rule']}" if "rule" in told else None), path
    for place in ("metrics.json", "report.html", "provenance.json", "bom.cdx.json", "cards/checklist.md"):
        assert place in makers, place
    timed = {name.removeprefix("#job/") for name in graph if name.startswith("#job/")} & set(
        provenance["jobs"]
    )
    assert timed == set(provenance["jobs"])
    assert all("resourceUsage" in graph[f"#job/{name}"] for name in timed)


def _bill(results: Path) -> None:
    bill = json.loads((results / "bom.cdx.json").read_text(encoding="utf-8"))
    assert bill_faults(bill) == []
    parts = {one["bom-ref"]: one for one in bill["components"]}
    for stage in ("base", "phase1", "phase2", "rsft1"):
        files = json.loads((results / f"models/{stage}/manifest.json").read_text(encoding="utf-8"))["files"]
        told = {one["name"]: one["hashes"][0]["content"] for one in parts[f"model:{stage}"]["components"]}
        assert told == files and parts[f"model:{stage}"]["modelCard"]["modelParameters"]["datasets"]
    assert parts["crate:mini-wrap@0.3.1"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert "purl" not in parts["crate:mini-wrap@0.3.1"]  # of a folder, not of the registry
    assert {"suite:curriculum", "data:broad", "tool:rustc"} <= set(parts)
    bill["components"][0]["mood"] = "good"
    assert bill_faults(bill)


@pytest.mark.parametrize("comment", [True, False])
def test_a_change_of_the_workflows_own_files_makes_the_crate_anew(
    copied: Callable[[], Workplace], comment: bool
) -> None:
    place = copied()
    assert place.build(CRATE) == {"bom": 1, "run_crate": 1}
    place.append("rules/export.smk", "\n# a remark\n" if comment else "")
    assert place.plan(CRATE) == ({"run_crate": 1} if comment else {})

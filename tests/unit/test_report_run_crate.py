"""A made-up run as a crate: the graph that jobs and files make, and what the validator of RO-Crate says of it."""

import copy
from pathlib import Path
from typing import Any

import pytest

from rust_expert.common.files import sha256_file, write_json
from rust_expert.report.beside import readme
from rust_expert.report.run_crate.contents import Contents
from rust_expert.report.run_crate.document import PROFILES, TERMS, run_crate
from rust_expert.report.run_crate.jobs import jobs_behind
from tests.crate_validator import faults, terms

CODE = "0123456789abcdef"
PROFILE = "provenance-run-crate"


def record(rule: str, log: str, inputs: list[str], started: float, *params: str) -> dict[str, Any]:
    return {
        "rule": rule, "input": inputs, "params": [CODE, *params], "log": [f"results/logs/{log}.log"],
        "shellcmd": f"python -m scripts.{rule} --out x", "starttime": started, "endtime": started + 2.5,
    }  # fmt: skip


RECORDS = {
    "results/samples/base/core.jsonl": record(
        "sample", "sample/base/core", ["suites/core.jsonl"], 1e9, "--seed 17"
    ),
    "results/verdicts/base/core.parquet": record(
        "judge", "judge/base/core",
        ["results/samples/base/core.jsonl", "../elsewhere/suites/core.jsonl"], 1e9 + 5, "rustc 1.95.0 (x)",
    ),
    "results/metrics.json": record("publish", "publish", ["results/verdicts/base/core.parquet"], 1e9 + 9),
    "results/headline.json": record("publish", "publish", ["results/verdicts/base/core.parquet"], 1e9 + 9),
    "results/plots/of_old.csv": record("publish", "publish", [], 1e9 - 99),  # that rule made it once
    "results/unrelated.json": record("other", "other", [], 1e9),
}  # fmt: skip
PROVENANCE = {
    "made": "2031-02-03T04:05:06+00:00", "git": {"commit": "a" * 40, "dirty": True}, "packages": {"snakemake": "9"},
    "jobs": {"judge/base/core": {"wall_s": 2.5, "cpu_s": None, "peak_memory_mb": 90.5, "energy_j": 12.0}},
}  # fmt: skip


def contents(folder: Path, creator: str | None = None) -> Contents:
    """The files of the run, and what it was; the sources and one input lie outside the results."""
    jobs = jobs_behind(["results/metrics.json"], RECORDS)
    made = Contents(
        root=folder, jobs=jobs, provenance=PROVENANCE, sources=["Snakefile", "rules/a.smk"], creator=creator
    )
    for place in ("samples/base/core.jsonl", "verdicts/base/core.parquet", "metrics.json", "headline.json",
                  "workflow/Snakefile", "workflow/rules/a.smk", "workflow/suites/core.jsonl",
                  "workflow/elsewhere/suites/core.jsonl", "logs/publish.log"):  # fmt: skip
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(f"{place}\n")
    write_json(folder / "workflow/config.json", {"seed": 1})
    (folder / "README.md").write_text(readme())
    return made


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    write_json(folder / "ro-crate-metadata.json", run_crate(contents(folder, "A Lab")))
    return folder


def graph(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["@id"]: one for one in document["@graph"]}


def ids(value: Any) -> list[str]:
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def test_jobs_are_those_behind_the_target_each_after_what_it_reads() -> None:
    jobs = jobs_behind(["results/metrics.json"], RECORDS)
    assert [(job.name, job.rule) for job in jobs] == [
        ("sample/base/core", "sample"),
        ("judge/base/core", "judge"),
        ("publish", "publish"),
    ]
    assert jobs[0].script == "sample"
    assert jobs[-1].outputs == ("results/headline.json", "results/metrics.json")
    assert jobs_behind(["results/none.json"], RECORDS) == []


def test_a_job_leads_from_its_files_to_what_it_made(tmp_path: Path) -> None:
    told = graph(run_crate(contents(tmp_path)))
    judged = told["#job/judge/base/core"]
    assert ids(judged["object"]) == ["workflow/elsewhere/suites/core.jsonl", "samples/base/core.jsonl"]
    assert ids(judged["result"]) == ["verdicts/base/core.parquet"]
    assert (judged["startTime"], judged["endTime"]) == (
        "2001-09-09T01:46:45+00:00",
        "2001-09-09T01:46:47+00:00",
    )
    costs = {told[one]["propertyID"]: told[one]["value"] for one in ids(judged["resourceUsage"])}
    assert costs == {"wall_s": "2.5", "peak_memory_mb": "90.5", "energy_j": "12.0"}
    rule = told[judged["instrument"]["@id"]]
    assert rule["softwareVersion"] == CODE and told[rule["softwareRequirements"]["@id"]]["name"] == "rustc"
    (seeded,) = (one for one in ids(told["#job/sample/base/core"]["object"]) if one.startswith("#options"))
    assert told[seeded]["value"] == "--seed 17"
    assert told["metrics.json"]["sha256"] == sha256_file(tmp_path / "metrics.json")
    assert [told[f"#step/{rule}"]["position"] for rule in ("sample", "judge")] == ["1", "2"]
    assert "with changes that no commit has" in told["./"]["description"]
    assert "author" not in told["./"] and "agent" not in judged


def test_a_file_that_is_gone_is_named_and_no_part(tmp_path: Path) -> None:
    given = contents(tmp_path)
    (tmp_path / "samples/base/core.jsonl").unlink()
    told = graph(run_crate(given))
    assert "samples/base/core.jsonl" not in told
    assert told["#gone/samples/base/core.jsonl"]["description"] == "no longer there"
    assert ids(told["#job/sample/base/core"]["result"]) == ["#gone/samples/base/core.jsonl"]


def test_every_term_is_one_of_the_specification(tmp_path: Path) -> None:
    document = run_crate(contents(tmp_path, "A Lab"))
    assert document["@context"] == ["https://w3id.org/ro/crate/1.1/context", TERMS]
    known = {*terms(), *TERMS, "@id", "@type"}
    for one in document["@graph"]:
        kinds = one["@type"] if isinstance(one["@type"], list) else [one["@type"]]
        assert {*one, *kinds} <= known, one
    assert set(PROFILES) == set(ids(graph(document)["./"]["conformsTo"]))


def test_it_passes_and_what_is_recommended_and_missing_is_known(crate: Path, tmp_path: Path) -> None:
    """Rules have no address of their own in the web, and nobody stated that of the publisher."""
    assert {told for _, told in faults(crate, PROFILE, "recommended", tmp_path)} == {
        "The SoftwareApplication id SHOULD be an absolute URI",
        "The Application SHOULD have a url",
        "The organization SHOULD have a URL.",
    }
    assert faults(crate, PROFILE, "required", tmp_path) == []


def test_the_validator_finds_faults(crate: Path, tmp_path: Path) -> None:
    """A positive control: links that are missing, a file that is not there, and no licence are refused."""
    document = run_crate(contents(tmp_path / "results"))
    broken = copy.deepcopy(document)
    told = graph(broken)
    del told["#organised"]["result"], told["#step/judge"]["workExample"], told["./"]["license"]
    write_json(tmp_path / "results/ro-crate-metadata.json", broken)
    (tmp_path / "results/metrics.json").unlink()
    text = "\n".join(
        said for _, said in faults(tmp_path / "results", PROFILE, "required", tmp_path / "cache")
    )
    for part in ("must reference the action representing the workflow run", "via workExample", "license",
                 "metrics.json"):  # fmt: skip
        assert part in text, part

"""From each figure of a built chain there is a way back to the files that nobody made here."""

import json
import subprocess
import sys
from collections.abc import Callable

from rust_expert.common.files import sha256_file
from rust_expert.report.lineage import files_of, leaves
from rust_expert.report.page.rerun import PROFILE
from tests.workflow.workplace import TARGET, Workplace

STATED = ("schema", "bootstrap", "confidence")
"""What the configuration states; no figure."""


def trace(place: Workplace, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.trace", *words]
    return subprocess.run(command, cwd=place.folder, capture_output=True, text=True)


def test_every_figure_has_a_way_back(built: Workplace) -> None:
    results = built.folder / "results"
    provenance = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    metrics = json.loads((results / "metrics.json").read_text(encoding="utf-8"))
    files = provenance["files"]
    counted = [path for path, _ in leaves(metrics) if path not in STATED]
    told = {
        path: files_of(path, provenance["figures"])
        for path in counted
        if not path.endswith((".order", ".parent"))
    }
    assert len(told) > 100 and all(file in files for named in told.values() for file in named)
    for name, file in files.items():
        assert file["sha256"] == sha256_file(built.folder / name), name
        if "rule" not in file:
            assert not name.startswith("results/"), name
            continue
        assert len(file["code"]) == 16 and all(each in files for each in file["inputs"]), name
        assert bool(file["config"]) == bool(file["options"]), name
    assert {file["rule"] for file in files.values() if "rule" in file} == set(built.jobs) - {
        "summarize", "provenance", "report", "publish", "card",
    }  # fmt: skip
    assert "suites/core.jsonl" in files
    fetched = [file["others"] for file in files.values() if file.get("rule") == "fetch"]
    assert "mini-wrap" in json.dumps(fetched)  # crates by name and hash


def test_it_is_told_as_a_tree_and_names_what_was_changed(copied: Callable[[], Workplace]) -> None:
    place = copied()
    figure = "stages.phase2.suites.curriculum.pass_at_1.value"
    told = trace(place, figure)
    assert told.returncode == 0, told.stderr
    first, second, third, *rest = told.stdout.splitlines()
    assert first.startswith(f"{figure} = ") and second.startswith(
        "results/metrics/phase2/curriculum.json  sha256 "
    )
    assert third.startswith("  by rule score; code ") and third.endswith("config score; seed 17")
    text = "\n".join(rest)
    assert "by rule train_sft" in text and "config lora, quantization, stages.phase2; seed 18" in text
    assert "CHANGED" not in told.stdout
    place.append("suites/core.jsonl", "\n")
    (marked,) = {line.strip() for line in trace(place, figure).stdout.splitlines() if "CHANGED" in line}
    assert marked.startswith("suites/core.jsonl")
    assert figure in trace(place).stdout
    wrong = trace(place, "stages.phase9.rows")
    assert wrong.returncode == 2 and "stages.phase9.rows is no figure of metrics.json" in wrong.stderr


def test_the_configuration_in_provenance_is_a_profile_that_makes_the_same(
    copied: Callable[[], Workplace],
) -> None:
    place = copied()
    subprocess.run(PROFILE, shell=True, check=True, cwd=place.folder / "results", env=place.environment())
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", TARGET]
    command += ["--configfile", "results/this-run.yaml"]
    told = subprocess.run(command, cwd=place.folder, env=place.environment(), capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "Nothing to be done" in told.stdout + told.stderr

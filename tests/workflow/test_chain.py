"""The whole chain on the micro profile: every number has its place, and two runs give the same bytes."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rust_expert.common.contracts import Completion, Problem, Sample, Verdict
from rust_expert.common.files import sha256_file
from rust_expert.common.tables import read_jsonl, read_parquet
from tests.watched import figures, lines, of_run
from tests.workflow.workplace import Workplace

STAGES = ["base", "phase1", "phase2", "rsft1"]


def test_metrics_have_every_stage_and_comparison(built: Workplace) -> None:
    metrics = json.loads((built.folder / "results/metrics.json").read_text(encoding="utf-8"))
    assert list(metrics["stages"]) == sorted(STAGES)
    for stage in STAGES:
        figures = metrics["stages"][stage]["suites"]["curriculum"]
        assert figures["problems"] == 24 and figures["samples"] == 48
        for name in ("pass_at_1", "pass_at_2", "compile_rate"):
            assert figures[name]["low"] <= figures[name]["value"] <= figures[name]["high"]
        assert sum(one["samples"] for one in figures["sizes"]) == 48
        assert figures["policy_pass_at_1"]["value"] <= figures["pass_at_1"]["value"]
    assert metrics["judge"] == {"sandbox": ["bubblewrap"], "policy": ["report"]}
    pairs = {(row["stage"], row["against"]) for row in metrics["comparisons"]}
    assert {
        ("phase1", "base"),
        ("phase2", "base"),
        ("phase2", "phase1"),
        ("rsft1", "phase2"),
        ("rsft1", "base"),
    } <= pairs


def test_metrics_tell_no_time_and_no_place(built: Workplace) -> None:
    text = (built.folder / "results/metrics.json").read_text(encoding="utf-8")
    assert str(built.folder) not in text and "/" + "tmp" not in text
    for word in ("timestamp", "seconds", "duration", "hostname", "date"):
        assert f'"{word}' not in text


def test_rows_keep_to_their_contracts(built: Workplace) -> None:
    results = built.folder / "results"
    problems = {
        problem.task_id: problem for problem in read_jsonl(results / "suites/curriculum.jsonl", Problem)
    }
    for stage in STAGES:
        completions = read_jsonl(results / f"samples/{stage}/curriculum.jsonl", Completion)
        verdicts = read_parquet(results / f"verdicts/{stage}/curriculum.parquet", Verdict)
        assert [(row.task_id, row.sample) for row in completions] == [
            (row.task_id, row.sample) for row in verdicts
        ]
        assert {row.task_id for row in completions} == set(problems)
        assert not [row for row in verdicts if row.status == "judge_error"]
    for name in ("foundation", "broad", "sharpened", "rsft1"):
        train = read_parquet(sorted((results / f"dataset/{name}").glob("train-*.parquet")), Sample)
        lines = [
            row
            for path in sorted((results / f"dataset/{name}").glob("train-*.jsonl"))
            for row in read_jsonl(path, Sample)
        ]
        assert train == lines
        assert bool(train) == (name != "rsft1")
        assert all(row.split == "train" for row in train)


def test_no_held_out_combination_is_trained_on(built: Workplace) -> None:
    results = built.folder / "results"
    held_out = {problem.combination for problem in read_jsonl(results / "suites/curriculum.jsonl", Problem)}
    assert None not in held_out
    for path in sorted((results / "dataset").glob("*/*.parquet")):
        assert not held_out & {row.combination for row in read_parquet(path, Sample)}, path


def test_both_sources_and_all_task_types_reach_the_data(built: Workplace) -> None:
    rows = read_parquet(built.folder / "results/dataset/clean.parquet", Sample)
    assert {row.source for row in rows} == {"crates", "curriculum"}
    assert {row.task_type for row in rows} == {
        "code_generation",
        "transformations",
        "error_fixing",
        "explanations",
    }
    assert all(row.license for row in rows)


def test_each_data_set_has_its_cards_and_the_report_leads_to_them(built: Workplace) -> None:
    results = built.folder / "results"
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "The figures do not add up" not in page
    for name in ("foundation", "broad", "sharpened"):
        card = (results / f"dataset/{name}/README.md").read_text(encoding="utf-8")
        told = json.loads((results / f"dataset/{name}/croissant.json").read_text(encoding="utf-8"))
        for one in told["distribution"]:
            if one["@type"] == "cr:FileObject":
                assert sha256_file(results / f"dataset/{name}/{one['contentUrl']}") == one["sha256"]
                assert one["sha256"] in card
        assert f'href="dataset/{name}/README.md"' in page and f'href="dataset/{name}/croissant.json"' in page


def test_the_broken_crate_is_recorded_and_the_run_goes_on(built: Workplace) -> None:
    manifests = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (built.folder / "results/corpus/fetch").glob("*.json")
    ]
    text = json.dumps(manifests)
    assert '"failed"' in text and '"reason"' in text


def test_a_stage_that_keeps_no_sample_passes_its_parents_adapter_on(built: Workplace) -> None:
    models = built.folder / "results/models"
    stage = json.loads((models / "rsft1/manifest.json").read_text(encoding="utf-8"))
    parent = json.loads((models / "phase2/manifest.json").read_text(encoding="utf-8"))
    assert (stage["trained"], stage["reason"]) == (False, "no sample kept")
    assert stage["files"]["adapter_model.safetensors"] == parent["files"]["adapter_model.safetensors"]
    metrics = json.loads((built.folder / "results/metrics.json").read_text(encoding="utf-8"))
    assert metrics["stages"]["rsft1"]["training"]["trained"] is False


def test_the_adapter_says_what_took_effect(built: Workplace) -> None:
    for stage in ("phase1", "phase2"):
        effective = json.loads(
            (built.folder / f"results/models/{stage}/effective.json").read_text(encoding="utf-8")
        )
        text = json.dumps(effective)
        assert "nf4" in text and "float32" in text and "384" in text


def test_every_job_tells_what_it_counted_and_cost(built: Workplace) -> None:
    results = built.folder / "results"
    merged = results / "telemetry/metrics.prom"
    codes = {
        (dict(labels)["rule"], dict(labels)["job"]): value
        for (name, labels), value in figures(merged).items()
        if name == "exit_code"
    }
    assert set(codes.values()) == {0}
    assert Counter(rule for rule, _ in codes) == built.jobs
    cleaned = of_run(merged, rule="clean")
    funnel = json.loads((results / "dataset/funnel.json").read_text(encoding="utf-8"))
    for step in funnel["steps"]:
        assert cleaned[f"rows_lost reason={step['step']}"] == step["removed"]
    rows_in, rows_lost, rows_out = (
        sum(value for name, value in cleaned.items() if name.startswith(f"rows_{way} "))
        for way in ("in", "lost", "out")
    )
    assert rows_in - rows_lost == rows_out == funnel["rows_out"]["rows"] > 0
    judged = of_run(merged, rule="judge", job="phase2/curriculum")
    assert sum(value for name, value in judged.items() if name.startswith("rows_out ")) == 48
    assert judged["cpu_seconds of=children"] > 0.1, "compilers run in rooms of their own"


def test_what_the_run_cost_is_what_linux_counted(built: Workplace) -> None:
    """Snakemake looks at a job now and then: it sees nothing of most compilers, nor a job's last seconds."""
    results = built.folder / "results"
    counted: dict[str, float] = {}
    for (name, labels), value in figures(results / "telemetry/metrics.prom").items():
        if name == "cpu_seconds":
            told = dict(labels)
            rule = "train" if told["rule"].startswith("train_") else told["rule"]
            job = f"{rule}/{told['job']}".rstrip("/")
            counted[job] = counted.get(job, 0.0) + value
    provenance = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    assert len(provenance["jobs"]) > 30
    for job, cost in provenance["jobs"].items():
        assert cost["cpu_s"] == pytest.approx(counted[job], abs=0.006), job
    assert provenance["total"]["cpu_s"] == pytest.approx(
        sum(counted[job] for job in provenance["jobs"]), abs=0.5
    )


def test_every_log_stands_beside_its_events(built: Workplace) -> None:
    logs = sorted((built.folder / "results/logs").rglob("*.log"))
    assert len(logs) == sum(built.jobs.values())
    for path in logs:
        events = lines(path.with_suffix(".jsonl"))
        assert [events[0]["event"], events[-1]["event"]] == ["begun", "ended"]
        assert {event["rule"] for event in events} <= built.jobs.keys()
        said = [event["event"] for event in events[1:-1]]
        text = path.read_text(encoding="utf-8")
        assert all(event in text for event in said) and len(text.splitlines()) >= len(said)
    event = lines(built.folder / "results/logs/judge/base/curriculum.jsonl")[1]
    told = {key: event[key] for key in ("rule", "stage", "suite", "job")}
    assert told == {"rule": "judge", "stage": "base", "suite": "curriculum", "job": "base/curriculum"}


def test_a_run_that_fails_tells_that_too(copied: Callable[[], Workplace]) -> None:
    place = copied()
    (place.folder / "results/corpus/fetch/0.json").write_text("{}", encoding="utf-8")
    (
        place.folder / "results/records.json"
    ).unlink()  # it knows that the file is another one, and has it made again
    words = ["--cores", "2", "--target", "results/corpus/items/0.parquet", *place.profiles(None)]
    ended = subprocess.run(
        [sys.executable, "-m", "scripts.run", *words],
        cwd=place.folder,
        env=place.environment(),
        capture_output=True,
    )
    assert ended.returncode == 2
    merged = place.folder / "results/telemetry/metrics.prom"
    assert of_run(merged, rule="items", job="0")["exit_code"] == 2
    assert of_run(merged, rule="items", job="1")["exit_code"] == 0
    assert of_run(merged, rule="run", job="")["exit_code"] == 2


def test_a_second_run_does_nothing(built: Workplace) -> None:
    assert built.plan() == {}


def test_two_runs_from_nothing_give_the_same_bytes(built: Workplace, tmp_path: Path) -> None:
    again = Workplace(tmp_path / "again")
    again.build()
    for name in (
        "metrics.json",
        "suites/curriculum.jsonl",
        "samples/rsft1/curriculum.jsonl",
        "dataset/decontamination.json",
    ):
        assert (again.folder / "results" / name).read_bytes() == (
            built.folder / "results" / name
        ).read_bytes(), name


def test_deleted_results_come_back_from_the_cache_without_a_network(copied: Callable[[], Workplace]) -> None:
    place = copied()
    shutil.rmtree(place.folder / "results/metrics")
    (place.folder / "results/metrics.json").unlink()
    before = (place.folder / "results/samples/base/curriculum.jsonl").stat().st_mtime_ns
    jobs = place.build()
    assert set(jobs) == {"score", "summarize", "provenance", "report", "publish"}
    assert (place.folder / "results/samples/base/curriculum.jsonl").stat().st_mtime_ns == before

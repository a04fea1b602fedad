"""`python -m scripts.judge`, as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.closure import import_closure
from rust_expert.common.contracts import Verdict
from rust_expert.common.files import read_json, sha256_file
from rust_expert.common.tables import read_jsonl, read_parquet
from rust_expert.common.toolchain import rustc_version

ROOT = Path(__file__).resolve().parents[2]
PROBLEM = {
    "task_id": "inc",
    "prompt": "fn inc(x: i32) -> i32 {\n",
    "canonical_solution": "    x + 1\n}\n",
    "entry_point": "inc",
    "test": "#[cfg(test)]\nmod tests { use super::*;\n#[test]\nfn t() { assert_eq!(inc(1), 2); } }",
    "extra": "of another suite",
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    samples, suite = tmp_path / "samples.jsonl", tmp_path / "suite.jsonl"
    broken = {**PROBLEM, "task_id": "bad", "canonical_solution": "    x\n}\n"}
    suite.write_text("".join(json.dumps(row) + "\n" for row in (PROBLEM, broken)))
    rows = [
        {"task_id": "inc", "completion": "    x + 1\n}\n"},
        {"task_id": "bad", "completion": "    x + 1\n}\n", "sample": 3},
        {"task_id": "inc", "completion": "    x\n}\n", "sample": 1},
    ]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return samples, suite


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.judge", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_both_formats_hold_the_same_verdicts(files: tuple[Path, Path], tmp_path: Path) -> None:
    samples, suite = files
    done = run(
        samples,
        "--suite",
        suite,
        "--out",
        tmp_path / "a" / "v.parquet",
        "--workers",
        2,
        "--log",
        tmp_path / "log",
    )
    assert done.returncode == 0, done.stderr
    table = read_parquet(tmp_path / "a" / "v.parquet", Verdict)
    assert [row.status for row in table] == ["passed", "judge_error", "failed"]
    assert table[1].message.startswith("the problem is left out: its own solution fails: ")
    assert table[1].sample == 3
    assert "bad is left out" in (tmp_path / "log").read_text()
    done = run(samples, "--suite", suite, "--out", tmp_path / "v.jsonl")
    assert done.returncode == 0, done.stderr
    lines = [Verdict.model_validate_json(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert lines == table


def test_a_fresh_folder_is_enough(tmp_path: Path) -> None:
    """Rows of task_id and completion alone, no configuration, no workflow: verdicts in order and all figures."""
    suite, samples = tmp_path / "suite.jsonl", tmp_path / "samples.jsonl"
    dec = {**PROBLEM, "task_id": "dec", "prompt": "fn inc(x: i32) -> i32 {\n"}
    broken = {**PROBLEM, "task_id": "bad", "canonical_solution": "    x\n}\n"}
    suite.write_text("".join(json.dumps(row) + "\n" for row in (PROBLEM, dec, broken)))
    texts = {"inc": ("    x + 1\n}\n", "    unsafe { x + 1 }\n}\n"), "dec": ("no code", "    x + 1\n}\n")}
    rows = [{"task_id": name, "completion": text} for name, both in texts.items() for text in both]
    samples.write_text("".join(json.dumps(row) + "\n" for row in [rows[2], *rows[:2], rows[3]]))
    command = [sys.executable, "-m", "scripts.judge", "samples.jsonl", "--suite", "suite.jsonl"]
    command += ["--out", "out/v.jsonl", "--metrics", "out/m.json", "--k", "1,2,10", "--no-lints"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["m.json", "v.jsonl"]
    told = read_jsonl(tmp_path / "out/v.jsonl", Verdict)
    assert [(row.task_id, row.sample, row.status) for row in told] == [
        ("dec", 0, "no_code"), ("inc", 0, "passed"), ("inc", 1, "passed"), ("dec", 1, "passed")
    ]  # fmt: skip
    figures = read_json(tmp_path / "out/m.json")
    assert (figures["problems"], figures["samples"], list(figures["problems_excluded"])) == (2, 4, ["bad"])
    assert (figures["pass_at_1"]["value"], figures["pass_at_2"]["value"]) == (0.75, 1.0)
    assert figures["policy_pass_at_1"]["value"] == 0.5 and figures["policy_findings"] == 1
    assert figures["k_left_out"] == {"pass_at_10": "inc has 2 of the 10 samples that it needs"}
    assert "pass_at_10" not in figures and "pass@10 is left out: inc has 2 of the 10" in done.stderr
    assert figures["suite_sha256"] == sha256_file(suite)
    assert figures["samples_sha256"] == sha256_file(samples)
    judge = figures["judge"]
    assert (judge["policy"], judge["lints"], judge["rustc"]) == ("report", False, rustc_version())
    assert judge["sandbox"]["backend"] == "bubblewrap" and judge["sandbox"]["run"]["memory_mb"] == 1024
    assert str(tmp_path) not in json.dumps(figures)


def test_the_figures_are_those_of_the_score_command(files: tuple[Path, Path], tmp_path: Path) -> None:
    samples, suite = files
    done = run(samples, "--suite", suite, "--out", tmp_path / "v.parquet", "--metrics", tmp_path / "m.json")
    assert done.returncode == 0, done.stderr
    words = ["--verdicts", tmp_path / "v.parquet", "--suite", suite, "--completions", samples]
    command = [sys.executable, "-m", "scripts.score", *words, "--out", tmp_path / "s.json"]
    subprocess.run(list(map(str, command)), check=True, cwd=ROOT, capture_output=True)
    assert (tmp_path / "m.json").read_bytes() == (tmp_path / "s.json").read_bytes()


def test_the_figures_are_no_part_of_the_rule_judge() -> None:
    """An edit of the figures must not judge, and with that train, anew: see docs/decisions/034."""
    rooms = {path.relative_to(ROOT).parts[1] for path in import_closure("scripts.judge", ROOT)}
    assert "judge" in rooms and not rooms & {"metrics", "report", "models"}


def test_figures_want_an_answer_to_each_usable_problem(files: tuple[Path, Path], tmp_path: Path) -> None:
    samples, suite = files
    other = {**PROBLEM, "task_id": "other"}
    suite.write_text(suite.read_text() + json.dumps(other) + "\n")
    done = run(samples, "--suite", suite, "--out", tmp_path / "v.jsonl", "--metrics", tmp_path / "m.json")
    assert done.returncode == 2
    assert "1 of 2 problems have no sample (other)" in done.stderr and "Traceback" not in done.stderr
    assert run(samples, "--suite", suite, "--out", tmp_path / "v.jsonl").returncode == 0


def test_faults_are_one_sentence(files: tuple[Path, Path], tmp_path: Path) -> None:
    samples, suite = files
    for words, said in (
        (["--out", tmp_path / "v.csv"], ".parquet or .jsonl"),
        (["--out", tmp_path / "v.jsonl", "--workers", 0], "--workers 0"),
        (["--out", tmp_path / "v.jsonl", "--run-timeout", "soon"], "--run-timeout"),
        (["--out", tmp_path / "v.jsonl", "--k", "1"], "--k: pass@k is one of the figures of --metrics"),
        (["--out", tmp_path / "v.jsonl", "--metrics", tmp_path / "m", "--k", "1,x"], "--k"),
        (["--out", tmp_path / "v.jsonl", "--metrics", tmp_path / "m", "--k", "0"], "--k"),
    ):
        done = run(samples, "--suite", suite, *words)
        assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    samples.write_text(
        samples.read_text() + json.dumps({"task_id": "inc", "completion": "", "sample": 1}) + "\n"
    )
    done = run(samples, "--suite", suite, "--out", tmp_path / "v.jsonl")
    assert done.returncode == 2 and "sample 1 of inc stands twice" in done.stderr
    samples.write_text(json.dumps({"task_id": "else", "completion": ""}) + "\n")
    done = run(samples, "--suite", suite, "--out", tmp_path / "v.jsonl")
    assert done.returncode == 2 and "answers else, which is not in the suite" in done.stderr
    assert not list(tmp_path.glob("v.jsonl*"))

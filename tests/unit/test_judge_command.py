"""`python -m scripts.judge`, as a person types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.contracts import Verdict
from rust_expert.common.tables import read_parquet

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


def test_faults_are_one_sentence(files: tuple[Path, Path], tmp_path: Path) -> None:
    samples, suite = files
    for words, said in (
        (["--out", tmp_path / "v.csv"], ".parquet or .jsonl"),
        (["--out", tmp_path / "v.jsonl", "--workers", 0], "--workers 0"),
        (["--out", tmp_path / "v.jsonl", "--run-timeout", "soon"], "--run-timeout"),
    ):
        done = run(samples, "--suite", suite, *words)
        assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr

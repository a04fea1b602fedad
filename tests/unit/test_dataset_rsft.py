"""Rejection sampling: prompts are never a suite's problems, and only answers that pass are kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.config.rsft import RsftKeep
from rust_expert.common.contracts import Completion, Problem, Sample, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_text
from rust_expert.common.tables import read_jsonl, read_parquet, write_jsonl, write_parquet
from rust_expert.dataset.decontamination import Suite
from rust_expert.dataset.rsft_prompts import training_prompts
from rust_expert.dataset.rsft_selection import faults, select

ROOT = Path(__file__).resolve().parents[2]


def task(place: int, **metadata: object) -> Sample:
    given = {
        "prompt": f"Task {place}.",
        "gen": f"fn task_{place}() -> u32 {{ {place} }}",
        "split": "train",
        "source": "curriculum",
        "family": "f",
        "combination": f"f|{place % 20}",
        "entry_point": f"task_{place}",
        "tests": "fn t() {}",
        "task_type": "code_generation",
    }
    return Sample.make(**{**given, **metadata})  # type: ignore[arg-type]


def test_prompts_are_training_rows_with_tests_and_no_problem_of_a_suite() -> None:
    held = Problem(
        task_id="p", prompt="Task 6.", canonical_solution="fn a() -> u32 { 7 }", test="", combination="f|3"
    )
    rows = [
        *(task(place) for place in range(40)),
        task(100, tests=None),
        task(101, entry_point=None),
        task(102, split="val"),
        task(103, prompt="Task 1."),
    ]
    made = training_prompts(rows, [Suite("s", [held])], 100, 17, 10)
    assert len({problem.prompt for problem in made}) == len(made)
    told = {problem.prompt for problem in made}
    # 3 and 23 have the held-out combination, 6 the question, 7 the solution.
    assert told == {f"Task {place}." for place in range(40) if place not in (3, 23, 6, 7)}
    one = next(problem for problem in made if problem.prompt == "Task 8.")
    assert one.task_id == "train/" + task(8).id[:16]
    assert (one.canonical_solution, one.test, one.entry_point, one.combination, one.category) == (
        task(8).gen, "fn t() {}", "task_8", "f|8", "f"
    )  # fmt: skip
    fewer = training_prompts(rows, [], 5, 17, 10)
    assert len(fewer) == 5
    assert fewer == training_prompts(list(reversed(rows)), [], 5, 17, 10)
    assert fewer != training_prompts(rows, [], 5, 18, 10)


def good(task_id: str, sample: int, code: str, **given: object) -> Verdict:
    return Verdict.model_validate(
        {
            "task_id": task_id,
            "sample": sample,
            "status": "passed",
            "compiled": True,
            "clippy_warnings": 0,
            "idiomatic": 0.9,
            "documented": 0.8,
            "code": code,
            "completion_sha256": sha256_text(code),
            **given,
        }
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, []),
        ({"clippy_warnings": 2, "idiomatic": 0.7, "documented": 0.5}, []),
        ({"clippy_warnings": 3}, ["too many clippy warnings"]),
        ({"clippy_warnings": None}, ["not linted"]),
        ({"idiomatic": 0.69}, ["not idiomatic enough"]),
        ({"idiomatic": None}, ["no idiomatic score"]),
        ({"documented": 0.49}, ["not documented enough"]),
        ({"documented": None}, ["no documentation score"]),
        ({"status": "failed"}, ["tests not passed"]),
        ({"status": "timeout"}, ["tests not passed"]),
        ({"status": "judge_error"}, ["judge_error", "tests not passed"]),
        ({"status": "no_code", "code": "", "compiled": False},
         ["no_code", "not compiled", "tests not passed"]),
        ({"status": "compile_error", "compiled": False, "clippy_warnings": None},
         ["not compiled", "tests not passed", "not linted"]),
        ({"status": "policy_violation"}, ["policy_violation", "tests not passed"]),
    ],
)  # fmt: skip
def test_each_threshold(given: dict[str, object], wanted: list[str]) -> None:
    judged = good("a", 0, "fn f() {}").model_copy(update=given)
    assert faults(judged, RsftKeep()) == wanted


def test_thresholds_can_be_switched_off() -> None:
    off = RsftKeep(tests=False, compiled=False, max_clippy=None, min_idiomatic=None, min_documented=None)
    bad = {
        "status": "compile_error",
        "compiled": False,
        "clippy_warnings": None,
        "idiomatic": None,
        "documented": None,
    }
    assert faults(good("a", 0, "fn f( {}", **bad), off) == []
    assert faults(good("a", 0, "", status="no_code"), off) == ["no_code"]


def setting(verdicts: list[Verdict], texts: dict[tuple[str, int], str] | None = None) -> list[Completion]:
    told = texts or {}
    return [
        Completion(task_id=v.task_id, sample=v.sample, completion=told.get((v.task_id, v.sample), v.code))
        for v in verdicts
    ]


PROBLEMS = [
    Problem(
        task_id=f"train/{name}", prompt=f"Task {name}.", canonical_solution="x", test="t", combination=name
    )
    for name in "abc"
]


def test_the_best_distinct_answers_are_kept_and_every_sample_is_accounted_for() -> None:
    verdicts = [
        good("train/a", 0, "fn f() { 1 }", clippy_warnings=1),
        good("train/a", 1, "fn f() {\n  1 // same\n}"),
        good("train/a", 2, "fn f() { 2 }", idiomatic=0.8),
        good("train/a", 3, "fn f() { 3 }", idiomatic=1.0),
        good("train/a", 4, "fn f() { 4 }", status="failed"),
        good("train/b", 0, "fn g() { 1 }", status="compile_error", compiled=False, clippy_warnings=None),
        good("train/b", 1, "", status="no_code", compiled=False),
        good("train/c", 0, "fn h() { 1 }"),
    ]
    parents = [task(place) for place in range(50)]
    made = select(PROBLEMS, setting(verdicts), verdicts, parents, "rsft1", RsftKeep(mix_ratio=0.4))
    report = made.report
    assert sum(report["outcomes"].values()) == report["samples"] == 8
    assert report["outcomes"] == {
        "kept": 3, "duplicate": 1, "enough for its prompt": 1,
        "tests not passed": 1, "not compiled": 1, "no_code": 1,
    }  # fmt: skip
    kept = {s.gen for s in made.train if s.template == "rsft"}
    assert kept == {"fn f() { 3 }", "fn f() {\n  1 // same\n}", "fn h() { 1 }"}
    assert (report["kept"], report["prompts_with_kept"], report["parent_rows"], report["trains"]) == (
        3,
        2,
        2,
        True,
    )
    assert len(made.train) == 5  # two fifths are the parent's
    one = next(s for s in made.train if s.gen == "fn h() { 1 }")
    assert (one.prompt, one.split, one.combination) == ("Task c.", "train", "c")
    assert "tests pass" in one.verified
    again = select(
        PROBLEMS,
        setting(verdicts)[::-1],
        verdicts[::-1],
        parents[::-1],
        "rsft1",
        RsftKeep(mix_ratio=0.4),
    )
    assert again.train == made.train


def test_the_model_is_trained_on_what_it_wrote() -> None:
    """The judge puts the prompt's types in front of an answer, and takes prose away; the first is no part of it."""
    own, types = "/// Doc.\nfn f(a: A) -> u8 { a.0 }", "struct A(u8);"
    verdicts = [
        good("train/a", 0, f"{types}\n{own}", completion_sha256=""),
        good("train/b", 0, f"{types}\n{own}", completion_sha256=""),
    ]
    texts = {("train/a", 0): f"{own}\n", ("train/b", 0): f"Here it is:\n```\n{own}\n```"}
    made = select(PROBLEMS, setting(verdicts, texts), verdicts, [], "rsft1", RsftKeep())
    assert {s.prompt: s.gen for s in made.train} == {"Task a.": own, "Task b.": f"{types}\n{own}"}


def test_a_kept_answer_that_the_parent_knows_stands_once() -> None:
    known = task(1, prompt="Task a.", gen="fn f() { 1 }")
    verdicts = [good("train/a", 0, "fn f() { 1 }")]
    made = select(PROBLEMS, setting(verdicts), verdicts, [known], "rsft1", RsftKeep(mix_ratio=0.9))
    assert [s.id for s in made.train] == [known.id]
    assert made.report["parent_rows"] == 0


def test_nothing_kept_is_said() -> None:
    verdicts = [good("train/a", 0, "fn f() {}", status="failed")]
    made = select(PROBLEMS, setting(verdicts), verdicts, [task(1)], "rsft1", RsftKeep())
    assert made.train == []
    assert made.report["trains"] is False
    assert made.report["reason"] == "none of 1 samples was fit to be kept"
    none = select([], [], [], [task(1)], "rsft1", RsftKeep())
    assert none.train == [] and none.report["reason"] == "none of 0 samples was fit to be kept"


def test_files_that_do_not_belong_together_are_refused() -> None:
    verdict = good("train/a", 0, "fn f() {}")
    keep = RsftKeep()
    with pytest.raises(UserError, match="on another text"):
        select(PROBLEMS, setting([verdict], {("train/a", 0): "fn g() {}"}), [verdict], [], "s", keep)
    with pytest.raises(UserError, match="sample 0 of train/a has no verdict"):
        select(PROBLEMS, setting([verdict]), [], [], "s", keep)
    with pytest.raises(UserError, match="has no completion"):
        select(PROBLEMS, [], [verdict], [], "s", keep)
    with pytest.raises(UserError, match="judged twice"):
        select(PROBLEMS, setting([verdict]), [verdict, verdict], [], "s", keep)
    with pytest.raises(UserError, match="stands twice"):
        select(PROBLEMS, setting([verdict, verdict]), [verdict], [], "s", keep)
    with pytest.raises(UserError, match="which is no problem here"):
        select(PROBLEMS[1:], setting([verdict]), [verdict], [], "s", keep)


def test_the_commands(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-0.parquet", [task(place) for place in range(30)], Sample)
    write_parquet(tmp_path / "val-0.parquet", [task(place, split="val") for place in range(40, 44)], Sample)

    def run(*words: str) -> None:
        done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    run(
        "scripts.rsft_prompts",
        "--data",
        f"{tmp_path}/train-0.parquet",
        "--out",
        f"{tmp_path}/p.jsonl",
        "--count",
        "6",
    )
    problems = read_jsonl(tmp_path / "p.jsonl", Problem)
    assert len(problems) == 6
    for name, status in (("some", "passed"), ("none", "failed")):
        verdicts = [good(p.task_id, s, f"fn f() {{ {s} }}", status=status) for p in problems for s in (0, 1)]
        write_jsonl(tmp_path / f"{name}.jsonl", setting(verdicts))
        write_parquet(tmp_path / f"{name}.parquet", verdicts, Verdict)
        run(
            "scripts.rsft_select", "--stage", "rsft1", "--problems", f"{tmp_path}/p.jsonl",
            "--completions", f"{tmp_path}/{name}.jsonl", "--verdicts", f"{tmp_path}/{name}.parquet",
            "--parent-train", f"{tmp_path}/train-0.parquet", "--parent-val", f"{tmp_path}/val-0.parquet",
            "--report", f"{tmp_path}/{name}/selection.json", "--shards", "2", "--max-clippy", "null",
        )  # fmt: skip
    some, none = (read_json(tmp_path / name / "selection.json") for name in ("some", "none"))
    parts = [read_parquet(tmp_path / "some" / f"train-0000{i}.parquet", Sample) for i in (0, 1)]
    assert some["kept"] == 12 and sum(map(len, parts)) == 24
    assert some["val_rows"] == none["val_rows"] == 4
    assert none["trains"] is False and none["outcomes"] == {"tests not passed": 12}
    assert read_parquet(tmp_path / "none" / "train-00001.parquet", Sample) == []

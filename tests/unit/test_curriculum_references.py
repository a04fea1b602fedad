"""References against the real compiler, clippy and rustfmt; the hand-written suite; the scripts."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.contracts import Problem, Sample
from rust_expert.common.tables import read_jsonl, read_parquet
from rust_expert.curriculum.families import FAMILIES
from rust_expert.curriculum.generation import held_out_combinations, tasks_of
from rust_expert.curriculum.tasks import Task
from rust_expert.curriculum.verification import WrongReference, verify
from rust_expert.judge.rustc import TestProgram, run_tests_many

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "suites" / "core.jsonl"


@pytest.fixture(scope="module")
def some() -> list[Task]:
    """Every ninth combination of each family, each time another task of it."""
    chosen: list[Task] = []
    for family in FAMILIES.values():
        for place, combination in enumerate(family.combinations[len(family.name) % 9 :: 9]):
            made = tasks_of(combination, 17)
            chosen.append([next(made) for _ in range(place % 4 + 1)][-1])
    return chosen


@pytest.fixture(scope="module")
def core() -> list[Problem]:
    return read_jsonl(CORE, Problem)


def _clippy(codes: list[str], folder: Path, edition: str) -> list[str]:
    """The warnings of clippy's and rustc's default groups, dead code aside, about modules of one crate."""
    for place, code in enumerate(codes):
        (folder / f"m{place}.rs").write_text(code, encoding="utf-8")
    root = folder / "root.rs"
    root.write_text("#![allow(dead_code)]\n" + "".join(f"mod m{n};\n" for n in range(len(codes))))
    words = [
        "clippy-driver",
        "--crate-type=lib",
        "--emit=metadata",
        f"--edition={edition}",
        "--error-format=json",
    ]
    ran = subprocess.run(
        [*words, "-o", str(folder / "out.rmeta"), str(root)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[:3000]
    told = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")]
    return [each["rendered"] for each in told if each["spans"]]


def test_a_sample_of_references_passes_its_tests(some: list[Task]) -> None:
    assert len(some) > 350 and {task.family for task in some} == set(FAMILIES)
    assert verify(some, workers=2) == len(some)


@pytest.mark.parametrize("edition", ["2021", "2024"])
def test_clippy_has_nothing_to_say(some: list[Task], tmp_path: Path, edition: str) -> None:
    assert _clippy([task.documented for task in some], tmp_path, edition) == []


@pytest.mark.skipif(not shutil.which("rustfmt"), reason="rustfmt is not installed")
def test_rustfmt_has_nothing_to_change(some: list[Task], core: list[Problem], tmp_path: Path) -> None:
    codes = [task.documented for task in some] + [task.prompt + task.canonical_solution for task in core]
    files = [tmp_path / f"m{place}.rs" for place in range(len(codes))]
    for file, code in zip(files, codes, strict=True):
        file.write_text(code, encoding="utf-8")
    ran = subprocess.run(
        ["rustfmt", "--edition=2024", "--check", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[:3000]


def test_a_wrong_reference_stops_the_run(some: list[Task]) -> None:
    task = some[0]
    wrong = dataclasses.replace(task, expected=("oops", *task.expected[1:]))
    with pytest.raises(WrongReference, match=re.escape(task.combination)):
        verify([*some[1:4], wrong])
    loose = dataclasses.replace(task, draft=dataclasses.replace(task.draft, body=("missing",)))
    with pytest.raises(WrongReference, match="E0425|missing"):
        verify([loose])


def test_the_hand_written_suite_is_sound(core: list[Problem]) -> None:
    assert len(core) == 24
    assert len({problem.task_id for problem in core}) == len({problem.entry_point for problem in core}) == 24
    for problem in core:
        assert problem.prompt.startswith(("///", "use ", "#[derive", "trait "))
        assert problem.prompt.endswith(" {\n") and f"fn {problem.entry_point}" in problem.prompt
        assert problem.test.count("assert") >= 3 and problem.category
    runs = run_tests_many(
        [TestProgram(problem.prompt + problem.canonical_solution, problem.test) for problem in core]
    )
    assert [run.message for run in runs if not run.ok] == []


def test_the_hand_written_tests_reject_empty_bodies(core: list[Problem]) -> None:
    lazy = [TestProgram(problem.prompt + "    todo!()\n}\n", problem.test) for problem in core]
    assert not any(run.ok for run in run_tests_many(lazy))


def test_the_hand_written_suite_is_clean_rust(core: list[Problem], tmp_path: Path) -> None:
    assert _clippy([problem.prompt + problem.canonical_solution for problem in core], tmp_path, "2021") == []


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_scripts_write_verified_rows_and_problems(tmp_path: Path) -> None:
    flags = ["--tasks", "120", "--problems", "12", "--families", '["arithmetic", "chars", "newtypes"]']
    options = CurriculumOptions(tasks=120, problems=12, families=["arithmetic", "chars", "newtypes"])
    made: list[Sample] = []
    for shard in ("0", "1"):
        out = tmp_path / f"{shard}.parquet"
        ran = _run("scripts.curriculum", "--shard", shard, "--shards", "2", "--out", str(out), *flags)
        assert ran.returncode == 0, ran.stderr
        made += read_parquet(out, Sample)
    assert len(made) == 120 and len({sample.id for sample in made}) == 120
    ran = _run("scripts.curriculum_suite", "--out", str(tmp_path / "suite.jsonl"), *flags)
    assert ran.returncode == 0, ran.stderr
    problems = read_jsonl(tmp_path / "suite.jsonl", Problem)
    assert len(problems) == 12
    assert {problem.combination for problem in problems} <= set(held_out_combinations(options))
    assert not {problem.combination for problem in problems} & {sample.combination for sample in made}


def test_bad_flags_are_one_sentence(tmp_path: Path) -> None:
    out = str(tmp_path / "x.parquet")
    for flags, told in (
        (["--families", '["arithmetics"]'], "did you mean arithmetic?"),
        (["--held-out-fraction", "0.9"], "--held-out-fraction"),
        (["--shard", "3", "--shards", "2"], "--shard 3"),
    ):
        ran = _run("scripts.curriculum", "--out", out, *flags)
        assert ran.returncode == 2 and told in ran.stderr and "Traceback" not in ran.stderr, ran.stderr
    assert not Path(out).exists()

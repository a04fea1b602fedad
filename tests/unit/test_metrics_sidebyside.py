"""`python -m scripts.compare`: two runs on one suite, paired by problem."""

import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json
from rust_expert.common.tables import write_jsonl
from rust_expert.metrics.figures import Judged, figures_of
from rust_expert.metrics.sidebyside import side_by_side
from rust_expert.report.sidebyside import side_by_side_table

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ScoreOptions(k=[1, 2], bootstrap=500)
PROBLEMS = [Problem(task_id=f"p/{i}", prompt="p", canonical_solution="c", test="t") for i in range(40)]


def judged(
    folder: Path, name: str, solved: int, samples: int = 2, policy: str = "report", **given: object
) -> Path:
    """The figures of a run that solves the first problems with its first sample, and nothing with the others."""
    verdicts = [
        Verdict.model_validate(
            {
                "task_id": problem.task_id, "sample": sample, "compiled": number < 20, "code": "fn f() {}\n" * 6,
                "status": "passed" if number < solved and sample == 0 else "failed" if number < 20 else "compile_error",
                "idiomatic": 0.5 + solved / 100 if number < 20 else None, **given,
            }
        )
        for number, problem in enumerate(PROBLEMS)
        for sample in range(samples)
    ]  # fmt: skip
    suite, answers, path = folder / "suite.jsonl", folder / f"{name}.jsonl", folder / f"{name}.json"
    write_jsonl(suite, PROBLEMS)
    completions = [Completion(task_id=one.task_id, sample=one.sample, completion=name) for one in verdicts]
    write_jsonl(answers, completions)
    facts = {"sandbox": {"backend": "bubblewrap"}, "policy": policy, "rustc": "rustc 1"}
    run = Judged(str(suite), str(answers), PROBLEMS, completions, verdicts, facts)
    write_json(path, figures_of(run, OPTIONS, leave_out=True))
    return path


def test_each_figure_with_its_interval_and_the_paired_difference(tmp_path: Path) -> None:
    found = side_by_side(str(judged(tmp_path, "a", 6)), str(judged(tmp_path, "b", 18)))
    rows = {row.name: row for row in found.rows}
    one = rows["pass_at_1"]
    assert one.first and one.second and one.paired
    assert (one.first.value, one.second.value) == (3 / 40, 9 / 40)
    assert one.paired["difference"] == pytest.approx(6 / 40)
    assert one.paired["low"] > 0 and one.paired["significant"]
    exact = one.paired["mcnemar"]
    assert (exact["only_first"], exact["only_second"]) == (12, 0)  # B alone solves twelve
    assert exact["p_value"] == pytest.approx(2 / 2**12, rel=1e-4)
    assert rows["pass_at_2"].paired and "mcnemar" not in rows["pass_at_2"].paired
    assert rows["idiomatic"].paired and rows["idiomatic"].paired["difference"] == pytest.approx(0.12)
    compiles = rows["compile_rate"].paired
    assert compiles and (compiles["difference"], compiles["mcnemar"]["p_value"]) == (0, 1)
    assert "documented" not in rows and "clippy_warnings" not in rows  # nothing public, nothing linted
    assert [(name, mine and mine.samples) for name, mine, _ in found.sizes] == [("5-49", 80)]
    assert found.judged_differently == []


def test_the_policy_is_compared_where_both_know_it(tmp_path: Path) -> None:
    a = judged(tmp_path, "a", 6, policy_findings=["unsafe"])
    rows = {row.name: row for row in side_by_side(str(a), str(judged(tmp_path, "b", 6))).rows}
    assert rows["pass_at_1"].paired and rows["pass_at_1"].paired["difference"] == 0
    told = rows["policy_pass_at_1"]
    assert told.paired and told.paired["difference"] == pytest.approx(3 / 40)
    assert told.paired["mcnemar"]["only_first"] == 6
    off = side_by_side(str(a), str(judged(tmp_path, "c", 6, policy="off")))
    row = next(row for row in off.rows if row.name == "policy_pass_at_1")
    assert row.first and row.second is None and row.paired is None
    assert off.judged_differently == ["policy (report, off)"]
    assert "Not judged alike: policy (report, off)." in side_by_side_table(off, ("a", "c"))


def test_a_k_of_one_run_stands_alone(tmp_path: Path) -> None:
    found = side_by_side(str(judged(tmp_path, "a", 6)), str(judged(tmp_path, "b", 18, samples=1)))
    row = next(row for row in found.rows if row.name == "pass_at_2")
    assert row.first and row.second is None and row.paired is None


def test_the_table_fits_a_terminal(tmp_path: Path) -> None:
    given = {"clippy_warnings": 1, "documented": 0.5, "public_items": 2, "policy_findings": ["unsafe"]}
    found = side_by_side(str(judged(tmp_path, "a", 6, **given)), str(judged(tmp_path, "b", 20)))
    text = side_by_side_table(found, ("a.json", "b.json"))
    assert max(map(len, text.splitlines())) <= 100
    for word in (
        "pass@2",
        "pass@1 policy",
        "compiles",
        "pre-filtered",
        "idiomatic",
        "documented",
        "5-49",
        "+17.5*",
    ):
        assert word in text
    plain = side_by_side_table(found, ("a.json", "b.json"), unicode=False)
    assert plain.isascii() and max(map(len, plain.splitlines())) <= 100
    assert "\x1b[32m" in side_by_side_table(found, ("a.json", "b.json"), colour=True)


def test_what_cannot_be_compared_is_refused_in_one_sentence(tmp_path: Path) -> None:
    a, b = judged(tmp_path, "a", 6), judged(tmp_path, "b", 18)
    figures = read_json(b)
    for change, said in (
        ({"suite_sha256": "0" * 64}, "different suites"),
        ({"intervals": {**figures["intervals"], "seed": 1}}, "score both alike"),
        ({"suite_sha256": ""}, "does not say which suite"),
        ({"per_problem": {**figures["per_problem"], "q": figures["per_problem"]["p/0"]}}, "problem q is scored in one"),
        ({"per_problem": {"p/0": {"samples": 1}}}, "not the figures of a stage"),
    ):  # fmt: skip
        write_json(b, {**figures, **change})
        with pytest.raises(UserError, match=said) as caught:
            side_by_side(str(a), str(b))
        assert "\n" not in str(caught.value)


def test_the_command(tmp_path: Path) -> None:
    a, b = judged(tmp_path, "a", 6), judged(tmp_path, "b", 18)
    command = [sys.executable, "-m", "scripts.compare", str(a)]
    done = subprocess.run([*command, str(b)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "40 problems" in done.stdout and "+15.0*" in done.stdout and "(0:12)" in done.stdout
    write_json(b, {**read_json(b), "suite_sha256": "1" * 64})
    done = subprocess.run([*command, str(b)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "different suites" in done.stderr

"""From verdicts to metrics.json: nothing falls out of a denominator, nothing varies from run to run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.contracts import LEFT_OUT, Completion, Problem, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, sha256_text, write_json
from rust_expert.common.seeds import rng
from rust_expert.common.tables import write_jsonl, write_parquet
from rust_expert.metrics.score import score
from rust_expert.metrics.sizes import bucket_of, lines_of
from rust_expert.metrics.summary import (
    JudgedWith,
    Reports,
    ScoreFile,
    TrainingFacts,
    read_training,
    summarize,
)
from rust_expert.metrics.tally import tally
from rust_expert.report.summary import SuiteScore

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ScoreOptions(k=[1, 2], bootstrap=500)
PROBLEMS = [
    Problem(task_id=f"p/{i}", prompt="p", canonical_solution="c", test="t", category=f"family{i % 3}")
    for i in range(30)
]


def verdict(task: str, sample: int, status: str, **given: object) -> Verdict:
    compiled = status in ("passed", "failed", "timeout")
    return Verdict.model_validate(
        {
            "task_id": task,
            "sample": sample,
            "status": status,
            "compiled": compiled,
            "error_codes": [] if compiled else ["E0308", "E0308"],
            "completion_sha256": sha256_text(f"{task} {sample}"),
            "extraction": "whole",
            **given,
        }
    )


def completions(verdicts: list[Verdict]) -> list[Completion]:
    return [
        Completion(
            task_id=v.task_id, sample=v.sample, completion=f"{v.task_id} {v.sample}", tokens=10, sampling="x"
        )
        for v in verdicts
    ]


def of_skill(skill: float, samples: int = 2) -> list[Verdict]:
    told = []
    for problem in PROBLEMS:
        for sample in range(samples):
            draw = rng(1, problem.task_id, sample).random()
            status = "passed" if draw < skill else "failed" if draw < skill + 0.2 else "compile_error"
            told.append(verdict(problem.task_id, sample, status))
    return told


def scored(verdicts: list[Verdict], options: ScoreOptions = OPTIONS) -> dict[str, object]:
    made = completions(verdicts)
    return score(tally(PROBLEMS, made, verdicts, options.max_judge_errors), made, options)


def test_what_compiles_and_does_not_fit_its_tests_stands_apart() -> None:
    verdicts = [verdict(problem.task_id, 0, "passed") for problem in PROBLEMS[3:]]
    verdicts += [verdict("p/0", 0, "compile_error"), verdict("p/1", 0, "compile_error", compiled=True)]
    verdicts += [verdict("p/2", 0, "failed")]
    told = scored(verdicts, ScoreOptions(k=[1], bootstrap=100))
    assert told["statuses"] == {"compile_error": 2, "failed": 1, "passed": 27}
    assert told["compiles_without_fitting"] == 1
    figures = {name: told[name] for name in ("problems", "samples", "pass_at_1", "compile_rate", "statuses")}
    figures["compiles_without_fitting"] = told["compiles_without_fitting"]
    shown = SuiteScore.model_validate(figures).outcomes
    assert (shown["compile_error"], shown["unfit"], shown["passed"]) == (1, 1, 27)
    assert told["compile_rate"]["value"] == round(29 / 30, 6)  # type: ignore[index]


def test_figures_by_hand() -> None:
    statuses = {
        "p/0": ["passed", "failed"],
        "p/1": ["no_code", "policy_violation"],
        "p/2": ["passed", "passed"],
    }
    verdicts = [verdict(t, s, status) for t, both in statuses.items() for s, status in enumerate(both)]
    verdicts[0] = verdict(
        "p/0",
        0,
        "passed",
        clippy_warnings=3,
        lints={"style": 2, "perf": 1},
        idiomatic=0.5,
        policy_findings=["unsafe"],
    )
    made = completions(verdicts)
    told = score(tally(PROBLEMS[:3], made, verdicts, 0.0), made, OPTIONS)
    assert told["pass_at_1"]["value"] == pytest.approx((0.5 + 0 + 1) / 3, abs=1e-6)
    assert told["pass_at_2"]["value"] == pytest.approx((1 + 0 + 1) / 3, abs=1e-6)
    assert told["compile_rate"]["value"] == pytest.approx(4 / 6, abs=1e-6)
    assert told["prefiltered_compile_rate"] == {"value": 1.0, "low": pytest.approx(0.025**0.5, abs=1e-6), "high": 1.0, "of": 4}  # fmt: skip # noqa: E501
    assert told["policy_pass_at_1"]["value"] == pytest.approx((0 + 0 + 1) / 3, abs=1e-6)
    assert told["statuses"] == {"failed": 1, "no_code": 1, "passed": 3, "policy_violation": 1}
    assert told["compiles_without_fitting"] == 0
    assert told["error_codes"] == {"E0308": 2}  # samples with the code, however often each has it
    assert told["clippy_warnings"] == {"value": 3, "low": 3, "high": 3, "of": 1}
    assert (told["idiomatic"]["value"], told["idiomatic"]["of"], told["documented"]) == (0.5, 1, None)
    assert (told["finished"], told["tokens_mean"]) == (None, 10)  # where the samples state it
    assert told["lints"] == {"perf": 1, "style": 2}
    assert told["categories"]["family1"] == {"problems": 1, "pass_at_1": 0, "compile_rate": 0}
    assert told["per_problem"]["p/0"] == {
        "samples": 2, "passed": 1, "passed_under_policy": 0, "compiled": 2, "prefiltered": 0,
        "prefiltered_compiled": 2, "styled": 1, "idiomatic": 0.5, "public_items": 0, "documented_items": 0,
        "linted": 1, "clippy_warnings": 3, "judge_errors": 0,
        "first": "passed", "first_compiled": True, "first_policy": True,
    }  # fmt: skip
    assert (told["problems"], told["samples"], told["samples_judged"]) == (3, 6, 6)
    json.dumps(told, allow_nan=False)


def test_a_sample_without_public_items_says_nothing_of_documentation() -> None:
    verdicts = [
        verdict("p/0", 0, "passed", documented=0.6667, public_items=3),
        verdict("p/0", 1, "passed", documented=1.0, public_items=0),
        verdict("p/1", 0, "failed", documented=0.0, public_items=1),
        verdict("p/1", 1, "compile_error"),
    ]
    told = score(tally(PROBLEMS[:2], completions(verdicts), verdicts, 0.0), completions(verdicts), OPTIONS)
    assert (told["documented"]["value"], told["documented"]["of"]) == (0.5, 4)


def test_the_policy_is_another_reading_of_the_same_verdicts() -> None:
    verdicts = [verdict(v.task_id, v.sample, v.status, policy_findings=["unsafe"]) if v.sample else v for v in of_skill(0.6)]  # fmt: skip # noqa: E501
    made = completions(verdicts)
    tallies = tally(PROBLEMS, made, verdicts, 0.0)
    told = score(tallies, made, OPTIONS)
    first = [v for v in verdicts if v.sample == 0 and v.status == "passed"]
    assert told["policy_pass_at_1"]["value"] == pytest.approx(len(first) / 60, abs=1e-6)
    assert told["policy_pass_at_2"]["value"] == pytest.approx(len(first) / 30, abs=1e-6)
    assert told["pass_at_1"] == score(tally(PROBLEMS, made, of_skill(0.6), 0.0), made, OPTIONS)["pass_at_1"]
    unknown = score(tallies, made, OPTIONS, policy_known=False)
    assert (unknown["policy_pass_at_1"], unknown["policy_findings"]) == (None, None)
    assert unknown["pass_at_1"] == told["pass_at_1"]


def test_lengths_of_code() -> None:
    for lines, bucket in (
        (1, "1-4"), (4, "1-4"), (5, "5-49"), (49, "5-49"), (50, "50-99"), (99, "50-99"), (100, "100-499"),
        (499, "100-499"), (500, "500-999"), (999, "500-999"), (1000, "1000+"), (20_000, "1000+"),
    ):  # fmt: skip
        code = "\n\n" + "// a\n" * (lines - 1) + "fn f() {}\n\n\n"
        assert (lines_of(code), bucket_of(code)) == (lines, bucket)
    assert (bucket_of(""), bucket_of(" \n\t\n")) == ("no code", "no code")
    assert lines_of("a\n\nb") == 3  # what stands between counts


def test_every_judged_sample_is_in_one_bucket() -> None:
    def coded(task: str, sample: int, status: str, lines: int) -> Verdict:
        return verdict(task, sample, status, code="x\n" * lines)

    verdicts = [
        coded("p/0", 0, "passed", 7),
        coded("p/0", 1, "failed", 7),
        coded("p/1", 0, "compile_error", 40),
        coded("p/1", 1, "passed", 200),
        coded("p/2", 0, "no_code", 0),
        coded("p/2", 1, "judge_error", 7),
    ]
    made = completions(verdicts)
    told = score(tally(PROBLEMS[:3], made, verdicts, 1.0), made, ScoreOptions(bootstrap=500))["sizes"]
    shown = [
        (one["lines"], one["samples"], one["compile_rate"]["value"], one["pass_rate"]["value"])
        for one in told
    ]
    assert shown == [("no code", 1, 0, 0), ("5-49", 3, pytest.approx(2 / 3, abs=1e-6), pytest.approx(1 / 3, abs=1e-6)), ("100-499", 1, 1, 1)]  # fmt: skip # noqa: E501
    assert all(one[name]["low"] <= one[name]["value"] <= one[name]["high"] for one in told for name in ("compile_rate", "pass_rate"))  # fmt: skip # noqa: E501


def test_more_k_than_samples_is_refused() -> None:
    with pytest.raises(UserError, match="pass@2 needs 2 samples"):
        scored(of_skill(0.5, samples=1))


def test_a_fault_of_the_judge_is_no_verdict_and_not_silent() -> None:
    verdicts = of_skill(0.5)
    broken = verdict("p/4", 1, "judge_error", compiled=False)
    with pytest.raises(UserError, match=r"the judge failed on 1 of 60 samples \(one: sample 1 of p/4\)"):
        scored([broken if (v.task_id, v.sample) == ("p/4", 1) else v for v in verdicts])
    lenient = OPTIONS.model_copy(update={"max_judge_errors": 0.05})
    told = scored([broken if (v.task_id, v.sample) == ("p/4", 1) else v for v in verdicts], lenient)
    assert told["judge_errors"] == {
        "count": 1,
        "samples": ["p/4#1"],
        "problems_left_out": {"pass_at_2": ["p/4"]},
    }
    assert (told["samples"], told["samples_judged"]) == (60, 59)
    assert told["statuses"]["judge_error"] == 1  # type: ignore[index]
    everything = [verdict(v.task_id, v.sample, "judge_error") for v in verdicts]
    with pytest.raises(UserError, match="there is nothing to score"):
        scored(everything, OPTIONS.model_copy(update={"max_judge_errors": 1.0}))


def test_a_problem_that_judges_nobody_is_in_no_figure_and_named() -> None:
    verdicts = [
        verdict(v.task_id, v.sample, "judge_error", message=f"{LEFT_OUT}it has no test")
        if v.task_id == "p/4"
        else v
        for v in of_skill(0.5)
    ]
    told = scored(verdicts)
    assert told["problems_excluded"] == {"p/4": "it has no test"}
    assert (told["problems"], told["samples"], told["judge_errors"]["count"]) == (29, 58, 0)  # type: ignore[index]
    assert "p/4" not in told["per_problem"]  # type: ignore[operator]
    # The judge's command says it in these words.
    everything = [verdict(v.task_id, v.sample, "judge_error", message=f"{LEFT_OUT}x") for v in verdicts]
    with pytest.raises(UserError, match="there is nothing to score"):
        scored(everything)


def test_every_sample_and_problem_is_in_the_denominator() -> None:
    verdicts = of_skill(0.5)
    made = completions(verdicts)
    for problems, texts, given, wanted in (
        (PROBLEMS, made, verdicts[1:], "sample 0 of p/0 has no verdict"),
        (PROBLEMS, made[1:], verdicts, "sample 0 of p/0 has a verdict but no completion"),
        (PROBLEMS, made[2:], verdicts[2:], "problem p/0 has no sample"),
        (PROBLEMS[1:], made, verdicts, "the completions name p/0, which is no problem of the suite"),
        (PROBLEMS, [*made, made[0]], verdicts, "sample 0 of p/0 stands twice"),
        (PROBLEMS, made, [*verdicts, verdicts[0]], "sample 0 of p/0 was judged twice"),
        (
            PROBLEMS,
            [made[0].model_copy(update={"completion": "x"}), *made[1:]],
            verdicts,
            "is on another text",
        ),
    ):
        with pytest.raises(UserError, match=wanted):
            tally(problems, texts, given, 0.0)


def score_file(skill: float) -> ScoreFile:
    return ScoreFile.model_validate(scored(of_skill(skill)))


PARENTS = {"base": None, "phase1": "base", "phase2": "phase1"}


def test_each_stage_is_compared_with_its_parent_and_with_base() -> None:
    scores = {
        ("base", "s"): score_file(0.1),
        ("phase1", "s"): score_file(0.5),
        ("phase2", "s"): score_file(0.5),
    }
    told = summarize(scores, PARENTS, {}, Reports(), OPTIONS)
    pairs = [(c["stage"], c["against"], c["relation"], c["metric"]) for c in told["comparisons"]]
    metrics = ("pass_at_1", "pass_at_2", "compile_rate")
    assert pairs == [
        *(("phase1", "base", ["parent", "base"], metric) for metric in metrics),
        *(("phase2", "phase1", ["parent"], metric) for metric in metrics),
        *(("phase2", "base", ["base"], metric) for metric in metrics),
    ]
    found = {(c["stage"], c["against"], c["metric"]): c for c in told["comparisons"]}
    gain = found["phase1", "base", "pass_at_1"]
    assert gain["significant"] and gain["low"] > 0 and gain["p_value"] < 0.01
    first = [
        (told_by[f"p/{i}"].first == "passed")
        for told_by in (scores["phase1", "s"].per_problem, scores["base", "s"].per_problem)
        for i in range(30)
    ]
    assert gain["mcnemar"]["only_first"] == sum(
        a and not b for a, b in zip(first[:30], first[30:], strict=True)
    )
    level = found["phase2", "phase1", "pass_at_1"]
    assert (level["difference"], level["p_value"], level["significant"]) == (0, 1, False)
    assert [told["stages"][name]["order"] for name in PARENTS] == [0, 1, 2]
    assert "per_problem" not in told["stages"]["base"]["suites"]["s"]
    assert told["stages"]["base"]["suites"]["s"]["judge_errors"] == 0


def test_the_summary_stays_small_and_says_what_judged() -> None:
    """DVC shows a column for each figure that is not in a list: detail stays in the score files."""
    file = score_file(0.4)
    one = file.model_copy(update={"judge": JudgedWith(sandbox={"backend": "firejail"}, policy="off")})
    two = file.model_copy(update={"judge": JudgedWith(sandbox={"backend": "none"}, policy="off")})
    told = summarize({("base", "s"): one, ("phase1", "s"): two}, PARENTS, {}, Reports(), OPTIONS)
    assert told["judge"] == {"sandbox": ["firejail", "none"], "policy": ["off"]}
    shown = told["stages"]["base"]["suites"]["s"]
    assert set(shown["compile_rate"]) == {"value", "low", "high"}
    assert "policy_pass_at_1" in shown
    assert not {"policy_pass_at_2", "per_problem", "intervals", "judge", "suite_sha256"} & set(shown)
    assert shown["sizes"] == [
        {
            "lines": "no code",
            "samples": 60,
            "compile_rate": shown["compile_rate"]["value"],
            "pass_rate": shown["pass_at_1"]["value"],
        }
    ]


def test_a_stage_without_figures_is_passed_over() -> None:
    scores = {("base", "s"): score_file(0.1), ("phase2", "s"): score_file(0.5)}
    told = summarize(scores, PARENTS, {}, Reports(), OPTIONS)
    assert {(c["stage"], c["against"]) for c in told["comparisons"]} == {("phase2", "base")}
    assert told["stages"]["phase1"]["suites"] == {}


def test_a_broken_chain_is_refused() -> None:
    scores = {("base", "s"): score_file(0.1)}
    with pytest.raises(UserError, match="phase1 comes from basse, which is not listed"):
        summarize(scores, {"base": None, "phase1": "basse"}, {}, Reports(), OPTIONS)
    with pytest.raises(UserError, match="a -> b -> a is a circle"):
        summarize(scores, {"base": None, "a": "b", "b": "a"}, {}, Reports(), OPTIONS)
    with pytest.raises(UserError, match="base:s is of no stage"):
        summarize(scores, {"other": None}, {}, Reports(), OPTIONS)


def test_runs_on_different_problems_are_not_compared() -> None:
    fewer = score_file(0.5)
    del fewer.per_problem["p/3"]
    with pytest.raises(UserError, match="problem p/3 is scored in one run only"):
        summarize({("base", "s"): score_file(0.1), ("phase1", "s"): fewer}, PARENTS, {}, Reports(), OPTIONS)


def test_training_facts_of_manifests(tmp_path: Path) -> None:
    stage = {
        "kind": "stage",
        "method": "rsft",
        "trained": False,
        "reason": "nothing kept",
        "steps": 0,
        "files": {},
    }
    scratch = {"kind": "base", "origin": "scratch", "training": {"steps": 400, "rows": 9, "val_loss": 0.51}}
    hub = {"kind": "base", "origin": "hub", "training": None}
    facts = []
    for name, manifest in (("stage", stage), ("scratch", scratch), ("hub", hub)):
        write_json(tmp_path / name, manifest)
        facts.append(read_training(str(tmp_path / name)))
    assert facts[0] == TrainingFacts(trained=False, reason="nothing kept", method="rsft", steps=0)
    assert facts[1] == TrainingFacts(method="scratch", steps=400, rows=9, val_loss=0.51)
    assert facts[2] == TrainingFacts(trained=False, reason="an existing model", method="hub")
    told = summarize({("base", "s"): score_file(0.1)}, {"base": None}, {"base": facts[1]}, Reports(), OPTIONS)
    assert told["stages"]["base"]["training"]["final_val_loss"] == 0.51


def test_the_commands(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True)

    write_jsonl(tmp_path / "s.jsonl", PROBLEMS)
    for name, skill in (("base", 0.2), ("phase1", 0.6)):
        verdicts = of_skill(skill)
        write_jsonl(tmp_path / f"{name}.jsonl", completions(verdicts))
        write_parquet(tmp_path / f"{name}.parquet", verdicts, Verdict)
        done = run(
            "scripts.score", "--verdicts", f"{tmp_path}/{name}.parquet", "--suite", f"{tmp_path}/s.jsonl",
            "--completions", f"{tmp_path}/{name}.jsonl", "--out", f"{tmp_path}/{name}.json",
            "--k", "[1, 2]", "--bootstrap", "500",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    told = read_json(tmp_path / "base.json")
    assert told.pop("suite_sha256") == sha256_file(tmp_path / "s.jsonl")
    assert told.pop("samples_sha256") == sha256_file(tmp_path / "base.jsonl")
    assert (told.pop("judge"), told.pop("k_left_out")) == (None, {})
    assert told == {**scored(of_skill(0.2)), "finished": 1.0}
    written = []
    for name in ("one", "two"):
        done = run(
            "scripts.summarize",
            "--scores", f"base:s={tmp_path}/base.json", f"phase1:s={tmp_path}/phase1.json",
            "--parents", '{"base": null, "phase1": "base"}', "--out", f"{tmp_path}/{name}/summary.json",
            "--k", "[1, 2]", "--bootstrap", "500",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        written.append((tmp_path / name / "summary.json").read_bytes())
    assert written[0] == written[1]
    assert str(tmp_path).encode() not in written[0]
    missing = run(
        "scripts.publish", "--summary", f"{tmp_path}/one/summary.json", "--beside", f"{tmp_path}/report.html",
        "--headline", f"{tmp_path}/headline.json", "--out", f"{tmp_path}/metrics.json",
    )  # fmt: skip
    assert missing.returncode == 2 and "report.html: missing or empty" in missing.stderr
    assert not (tmp_path / "metrics.json").exists()
    (tmp_path / "report.html").write_text("<p>")
    done = run(
        "scripts.publish", "--summary", f"{tmp_path}/one/summary.json", "--beside", f"{tmp_path}/report.html",
        "--headline", f"{tmp_path}/headline.json", "--out", f"{tmp_path}/metrics.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "metrics.json").read_bytes() == written[0]
    few, all_figures = read_json(tmp_path / "headline.json"), json.loads(written[0])
    for stage in ("base", "phase1"):
        told = all_figures["stages"][stage]["suites"]["s"]
        names = {"pass_at_1", "pass_at_2", "compile_rate"}
        assert few[stage]["s"] == {name: told[name]["value"] for name in names}
    wrong = run(
        "scripts.summarize",
        "--scores",
        f"base={tmp_path}/base.json",
        "--parents",
        "{}",
        "--out",
        f"{tmp_path}/x",
    )
    assert wrong.returncode == 2 and "write STAGE:SUITE=FILE" in wrong.stderr

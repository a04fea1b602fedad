"""Figures across seeds: each run's own, and an interval that is as wide as seeds and problems make it."""

import functools
import json
import math
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.metrics.headline import headline
from rust_expert.metrics.seeds import across_seeds, cells
from rust_expert.metrics.summary import Reports, ScoreFile, TrainingFacts, summarize
from rust_expert.metrics.twoway import Error, error_of
from scripts.summarize import run_names
from tests.unit.test_metrics_summary import OPTIONS, of_skill, score_file, scored, verdict

PARENTS = {"base": None, "phase1": "base"}
NAMES = {0: {"base": "base", "phase1": "phase1"}, 2: {"base": "base__seed_2", "phase1": "phase1__seed_2"}}
THREE = {**NAMES, 5: {"base": "base__seed_5", "phase1": "phase1__seed_5"}}


made = functools.cache(score_file)


def scores_of(skills: Mapping[str, float]) -> dict[tuple[str, str], ScoreFile]:
    return {(name, "s"): made(skill) for name, skill in skills.items()}


SKILLS = {"base": 0.2, "phase1": 0.5, "base__seed_2": 0.25, "phase1__seed_2": 0.6, "base__seed_5": 0.2}
SKILLS["phase1__seed_5"] = 0.4


def across(scores: Mapping[tuple[str, str], ScoreFile], names: Any = THREE, **more: Any) -> dict[str, Any]:
    return across_seeds(scores, PARENTS, names, more.get("training", {}), more.get("selections", {}), OPTIONS)


def test_a_figure_is_each_runs_own_and_their_mean() -> None:
    scores = scores_of(SKILLS)
    told = across(scores)
    assert told["list"] == [0, 2, 5]
    for stage in PARENTS:
        found = told["stages"][stage]["suites"]["s"]
        for metric in (
            "pass_at_1",
            "pass_at_2",
            "compile_rate",
            "prefiltered_compile_rate",
            "policy_pass_at_1",
        ):
            own = [(scores[names[stage], "s"].model_extra or {})[metric]["value"] for names in THREE.values()]
            assert found[metric]["values"] == own
            assert found[metric]["mean"] == pytest.approx(statistics.mean(own), abs=1e-6)
            assert found[metric]["sd"] == pytest.approx(statistics.stdev(own), abs=1e-6)
            assert found[metric]["low"] < found[metric]["mean"] < found[metric]["high"]
    json.dumps(told, allow_nan=False)


def test_stages_are_compared_within_each_run() -> None:
    scores = scores_of(SKILLS)
    told = {one["metric"]: one for one in across(scores)["comparisons"]}
    assert set(told) == {"pass_at_1", "pass_at_2", "compile_rate"}
    for metric, one in told.items():
        assert (one["stage"], one["against"], one["relation"]) == ("phase1", "base", ["parent", "base"])
        own = [
            (scores[names["phase1"], "s"].model_extra or {})[metric]["value"]
            - (scores[names["base"], "s"].model_extra or {})[metric]["value"]
            for names in THREE.values()
        ]
        assert one["values"] == pytest.approx(own, abs=2e-6)
        assert one["difference"] == pytest.approx(statistics.mean(own), abs=2e-6)
        single = summarize(
            {key: score for key, score in scores.items() if key[0] in PARENTS},
            PARENTS,
            {},
            Reports(),
            OPTIONS,
        )["comparisons"]
        (first,) = (each for each in single if each["metric"] == metric)
        assert one["values"][0] == pytest.approx(first["difference"], abs=2e-6)


def test_what_seeds_alone_can_turn_round_is_said() -> None:
    steady = {**SKILLS, "base__seed_2": 0.2, "phase1__seed_2": 0.5, "phase1__seed_5": 0.5}
    contrary = {**SKILLS, "phase1": 0.3, "phase1__seed_2": 0.1, "phase1__seed_5": 0.25}
    for skills, within in ((steady, False), (contrary, True)):
        (one,) = (one for one in across(scores_of(skills))["comparisons"] if one["metric"] == "pass_at_1")
        assert one["within_seed_spread"] is within
        assert one["significant"] is not within
        assert one["within_seed_spread"] == (abs(one["difference"]) <= one["sd"] != 0)


def test_runs_that_are_all_alike_have_no_spread_and_no_doubt() -> None:
    same = scores_of(dict.fromkeys(SKILLS, 0.4))
    told = across(same)
    found = told["stages"]["phase1"]["suites"]["s"]["pass_at_1"]
    assert found["sd"] == 0 and found["low"] < found["mean"] < found["high"]
    one = told["comparisons"][0]
    assert (one["difference"], one["low"], one["high"], one["p_value"]) == (0, 0, 0, 1)
    assert not one["significant"] and not one["within_seed_spread"]


def test_none_solved_by_any_run_is_not_taken_for_certain() -> None:
    told = across(scores_of(dict.fromkeys(SKILLS, 0.0)))["stages"]["base"]["suites"]["s"]["pass_at_1"]
    assert (told["mean"], told["low"]) == (0, 0)
    assert told["high"] == pytest.approx(1 - 0.025 ** (1 / 30), abs=1e-6)


def test_a_figure_that_one_run_lacks_has_no_mean() -> None:
    scores = scores_of(SKILLS)
    styled = [
        verdict(v.task_id, v.sample, v.status, idiomatic=0.5 if v.compiled else None) for v in of_skill(0.5)
    ]
    other = ScoreFile.model_validate(scored(styled))
    told = across({**scores, ("phase1", "s"): other})["stages"]["phase1"]["suites"]["s"]["idiomatic"]
    assert told["values"] == [0.5, None, None] and told["mean"] is told["sd"] is told["low"] is None


def test_trainings_and_selections_stand_by_seed() -> None:
    training = {
        "base": TrainingFacts(method="scratch", val_loss=0.5),
        "base__seed_2": TrainingFacts(method="scratch", val_loss=0.5),
        "phase1": TrainingFacts(train_loss=0.4, val_loss=0.6),
        "phase1__seed_2": TrainingFacts(trained=False, reason="no sample was kept"),
    }
    kept = {"phase1": {"samples": 10, "kept": 4}, "phase1__seed_2": {"samples": 10, "kept": 0}}
    told = across(scores_of(SKILLS), NAMES, training=training, selections=kept)["stages"]
    assert told["phase1"]["training"]["trained"] == [True, False]
    assert told["phase1"]["training"]["final_val_loss"] == {"values": [0.6, None], "mean": None, "sd": None}
    assert told["base"]["training"]["final_val_loss"] == {"values": [0.5, 0.5], "mean": 0.5, "sd": 0}
    assert told["phase1"]["selection"] == {"samples": [10, 10], "kept": [4, 0]}
    assert "selection" not in told["base"]


def test_the_headline_has_means_and_deviations() -> None:
    scores = scores_of(SKILLS)
    first = {key: score for key, score in scores.items() if key[0] in PARENTS}
    summary = summarize(first, PARENTS, {}, Reports(), OPTIONS)
    assert set(headline(summary)["phase1"]["s"]) == {"compile_rate", "pass_at_1", "pass_at_2"}
    summary["seeds"] = across(scores)
    told = headline(summary)["phase1"]["s"]
    found = summary["seeds"]["stages"]["phase1"]["suites"]["s"]
    assert (
        told["pass_at_1"] == found["pass_at_1"]["mean"] and told["pass_at_1_sd"] == found["pass_at_1"]["sd"]
    )
    assert set(told) == {
        f"{name}{end}" for name in ("compile_rate", "pass_at_1", "pass_at_2") for end in ("", "_sd")
    }


def test_a_missing_run_and_other_problems_are_refused() -> None:
    scores = scores_of(SKILLS)
    fewer = {key: score for key, score in scores.items() if key[0] != "base__seed_5"}
    with pytest.raises(UserError, match="base__seed_5:s is missing"):
        across(fewer)
    odd = scores["base__seed_5", "s"]
    less = odd.model_copy(update={"per_problem": dict(list(odd.per_problem.items())[1:])})
    with pytest.raises(UserError, match="p/0 is scored in one run only"):
        across({**scores, ("base__seed_5", "s"): less})


def test_a_ratio_is_linearised_about_each_runs_own() -> None:
    """Rows have the runs' ratios as means, and their spread is that of the ratio estimator."""
    skewed = [v for v in of_skill(0.5) if v.task_id != "p/3" or v.sample == 0]
    runs = [made(0.5), ScoreFile.model_validate(scored(skewed, ScoreOptions(k=[1], bootstrap=100)))]
    table = cells([one.per_problem for one in runs], "compile_rate")
    assert table is not None and table.shape == (2, 30)
    for row, run in zip(table, runs, strict=True):
        problems = run.per_problem.values()
        assert row.mean() == pytest.approx(
            sum(p.compiled for p in problems) / sum(p.samples for p in problems)
        )
    even = [problem.compiled / problem.samples for _, problem in sorted(runs[0].per_problem.items())]
    assert table[0] == pytest.approx(even)


def test_one_seed_and_one_problem() -> None:
    with pytest.raises(ValueError, match="one seed"):
        error_of(np.ones((1, 5)))
    error = error_of(np.array([[0.0], [1.0], [0.5]]))
    assert (error.standard, error.freedom) == (pytest.approx(0.5 / math.sqrt(3)), 2)


def test_where_seeds_agree_it_is_a_t_interval_over_problems() -> None:
    problems = np.array([0.0, 1.0, 0.5, 1.0, 0.0, 0.0, 0.5, 1.0])
    error = error_of(np.tile(problems, (3, 1)))
    assert error.standard == pytest.approx(statistics.stdev(problems) / math.sqrt(8))
    assert error.freedom == 7 and error.half_width(0.95) == pytest.approx(2.364624 * error.standard, rel=1e-6)


def test_where_problems_agree_it_is_a_t_interval_over_seeds() -> None:
    seeds = np.array([0.2, 0.5, 0.4])
    error = error_of(np.tile(seeds[:, None], (1, 50)))
    assert error.standard == pytest.approx(statistics.stdev(seeds) / math.sqrt(3))
    assert error.freedom == 2 and error.half_width(0.95) == pytest.approx(4.302653 * error.standard, rel=1e-6)


def test_both_by_hand() -> None:
    """MS of rows 6 * 0.01 = 0.06, of columns 0.3, of what is left 0."""
    rows, columns = np.array([0.4, 0.6]), np.array([-0.2, 0.0, 0.2])
    error = error_of(rows[:, None] + columns[None, :])
    of_rows, of_columns = 3 * 0.02, 2 * 0.04
    assert error.standard == pytest.approx(math.sqrt((of_rows + of_columns) / 6))
    assert error.freedom == pytest.approx((of_rows + of_columns) ** 2 / (of_rows**2 / 1 + of_columns**2 / 2))


def test_the_p_value_is_that_of_the_interval() -> None:
    error = Error(0.1, 4.0)
    edge = error.half_width(0.95)
    assert error.p_value(edge) == error.p_value(-edge) == pytest.approx(0.05)
    assert (Error(0.0, 2).p_value(0.0), Error(0.0, 2).p_value(0.1), Error(0.0, 2).half_width(0.95)) == (
        1,
        0,
        0,
    )


def _covered(seeds: int, spread: float, times: int) -> tuple[float, float]:
    """How often the interval holds the true value, and how often one over problems alone does."""
    draw = np.random.default_rng(3)
    # A probit with a share of problems and one of seeds: its mean over both is known.
    truth = statistics.NormalDist().cdf(-0.5 / math.sqrt(1 + 1.0 + spread**2))
    held = alone = 0
    for _ in range(times):
        skill = -0.5 + draw.normal(0, 1, 200)[None, :] + draw.normal(0, spread, seeds)[:, None]
        found = draw.normal(0, 1, (2, seeds, 200)) < skill
        table = found.mean(axis=0)
        mean = table.mean()
        held += abs(mean - truth) <= error_of(table).half_width(0.95)
        of_problems = table.mean(axis=0).std(ddof=1) / math.sqrt(200)
        alone += abs(mean - truth) <= 1.96 * of_problems
    return held / times, alone / times


@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.0), (3, 0.15), (3, 0.6), (5, 0.15)])
def test_the_interval_holds_the_truth_as_often_as_it_says(seeds: int, spread: float) -> None:
    held, alone = _covered(seeds, spread, 600)
    assert 0.91 <= held <= 0.99
    if spread >= 0.6:
        assert alone < 0.6, "an interval over problems alone is far too sure"


def _words(folder: Path, skills: Mapping[str, float]) -> list[str]:
    for name, skill in skills.items():
        write_json(folder / f"{name}.json", made(skill).model_dump(mode="json"))
    pairs = [f"{name}:s={folder}/{name}.json" for name in skills]
    return ["--scores", *pairs, "--parents", json.dumps(PARENTS), "--k", "1,2", "--bootstrap", "100"]


def _summarized(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "scripts.summarize", *words], capture_output=True, text=True)


def test_the_script_adds_a_section_and_changes_nothing_else(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    alone = {name: skill for name, skill in SKILLS.items() if name in PARENTS}
    seeds = json.dumps({seed: names for seed, names in THREE.items() if seed})
    for words, out in ((_words(tmp_path, alone), one), ([*_words(tmp_path, SKILLS), "--runs", seeds], two)):
        done = _summarized([*words, "--out", str(out)])
        assert done.returncode == 0, done.stderr
    single, several = (json.loads(path.read_text(encoding="utf-8")) for path in (one, two))
    assert "seeds" not in single and several.pop("seeds")["list"] == [0, 2, 5]
    assert several == single and list(several) == list(single)


@pytest.mark.parametrize(
    "told",
    ["{", "[1]", '{"0": {"base": "b"}}', '{"1": {"base": "b"}}', '{"1": {"base": "base", "phase1": "x"}}'],
)
def test_names_that_are_none_are_one_sentence(told: str) -> None:
    with pytest.raises(UserError, match="--runs: each seed"):
        run_names(told, PARENTS)

"""A sweep's points: stages of their own with stable names that share what is the same; a fault names key and point."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rust_expert.common.config import profile
from rust_expert.common.config.points import Sweep, branch_name, expand
from rust_expert.common.config.profile import NAME, Profile
from rust_expert.common.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))


def checked(**sweep: Any) -> Profile:
    return profile.check({**copy.deepcopy(DEFAULT), "sweep": sweep})


def expanded(**sweep: Any) -> Sweep:
    return expand(checked(**sweep))


def test_a_profile_without_a_sweep_has_no_points() -> None:
    assert expand(profile.check(DEFAULT)) == Sweep()
    assert expand(profile.check({**DEFAULT, "sweep": None})) == Sweep()


def test_the_example_holds() -> None:
    raw = yaml.safe_load((ROOT / "config/sweep.yaml").read_text(encoding="utf-8"))
    assert list(raw) == ["sweep"]
    made = expand(profile.check({**DEFAULT, **raw}))
    assert list(made.points) == ["phase2__learning_rate_0_0012", "phase2__learning_rate_0_003"]
    assert made.sampling is not None and made.sampling.samples == 1
    assert made.score is not None and made.score.k == [1]


def test_a_grid_is_every_combination_with_the_budget_and_the_rest_as_it_was() -> None:
    made = expanded(
        stage="phase2", grid={"learning_rate": [2.0e-3, "1e-3"], "seed": [1, 2]}, budget={"steps": 60}
    )
    assert list(made.points) == [
        f"phase2__learning_rate_{rate}__seed_{seed}" for rate in ("0_002", "0_001") for seed in (1, 2)
    ]
    before = profile.check(DEFAULT).stages["phase2"]
    for point in made.points.values():
        assert point.stage == before.model_copy(update={"steps": 60, **point.varied})
    assert made.stages == {name: point.stage for name, point in made.points.items()}


def test_a_name_hangs_on_values_alone() -> None:
    both = expanded(stage="phase2", grid={"learning_rate": [1e-3, 2e-3]})
    more = expanded(stage="phase2", points=[{"learning_rate": rate} for rate in (5e-3, 0.002, "1.0e-3")])
    assert both.points.keys() < more.points.keys()
    assert all(both.stages[name] == more.stages[name] for name in both.points)


def test_every_name_is_one_of_a_stage_and_no_two_values_share_one() -> None:
    values = [
        1e-05,
        1e5,
        1.5,
        15,
        -1.5,
        None,
        True,
        "nf4",
        "a_b",
        "a-b",
        "A_b",
        ["q_proj"],
        ["q", "proj"],
        "x" * 300,
        "x" * 301,
    ]
    names = [branch_name("phase2", {"keep.max_clippy": value}) for value in values]
    assert len(set(names)) == len(values)
    for name in names:
        assert NAME.fullmatch(name) and len(name) <= 90
    assert names[0] == "phase2__keep_max_clippy_0_00001"


def test_steps_and_epochs_replace_each_other() -> None:
    made = expanded(stage="phase2", grid={"epochs": [1, 2]})
    assert [(point.stage.steps, point.stage.epochs) for point in made.points.values()] == [
        (None, 1.0),
        (None, 2.0),
    ]
    made = expanded(stage="rsft1", grid={"seed": [1, 2]}, budget={"steps": 30})
    assert all((stage.steps, stage.epochs) == (30, None) for stage in made.stages.values())


def test_points_of_rejection_sampling_share_answers_and_rows_that_are_the_same() -> None:
    points = [
        {"learning_rate": 1e-3},
        {"keep.per_prompt": 1},
        {"keep": {"per_prompt": 1}, "seed": 3},
        {"sampling.temperature": 0.5},
    ]
    made = expanded(stage="rsft1", points=points)
    rate, kept, seed, warm = made.points
    assert [made.selections[name] for name in (rate, kept, seed, warm)] == ["rsft1", kept, kept, warm]
    assert [made.answers[name] for name in (rate, kept, seed, warm)] == ["rsft1", "rsft1", "rsft1", warm]
    short = expanded(stage="rsft1", points=points, budget={"prompts.count": 50})
    rate, kept, seed, warm = short.points
    assert short.answers[rate] == short.answers[kept] == short.answers[seed] == "rsft1__prompts_count_50"
    assert short.stages["rsft1__prompts_count_50"].prompts.count == 50  # type: ignore[union-attr]
    assert short.selections[kept] == short.selections[seed] == "rsft1__keep_per_prompt_1__prompts_count_50"
    assert short.answers[short.selections[kept]] == "rsft1__prompts_count_50"


def test_the_adapter_is_varied_where_a_stage_begins_one() -> None:
    made = expanded(stage="phase1", grid={"lora.r": [8, 16]}, budget={"lora.alpha": 16})
    assert [(point.lora.r, point.lora.alpha) for point in made.points.values()] == [(8, 16), (16, 16)]
    made = expanded(stage="phase2", grid={"lora.dropout": [0.0, 0.1]})
    assert [point.lora.dropout for point in made.points.values()] == [0.0, 0.1]


def test_the_samples_say_which_k_are_scored() -> None:
    made = expanded(stage="phase2", grid={"seed": [1]}, metric="pass_at_4", sampling={"samples": 4})
    assert made.score is not None and made.score.k == [1, 2, 4]
    made = expanded(stage="phase2", grid={"seed": [1]}, metric="compile_rate", sampling={"samples": 1})
    assert made.score is not None and made.score.k == [1]


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        ({"stage": "phase2"}, ["config key sweep", "exactly one of grid and points"]),
        ({"stage": "phase2", "grid": {}}, ["at least one key"]),
        ({"stage": "phase2", "grid": {"seed": [1]}, "points": [{"seed": 1}]}, ["exactly one"]),
        ({"stage": "phse2", "grid": {"seed": [1]}}, ["sweep.stage", "did you mean phase2?"]),
        ({"stage": "phase2", "grid": {"seed": [1]}, "suit": "core"}, ["sweep.suit", "suite?"]),
        ({"stage": "phase2", "grid": {"seed": [1]}, "suite": "coer"}, ["sweep.suite", "core?"]),
        ({"stage": "phase2", "grid": {"seed": [1]}, "metric": "pass@1"}, ["sweep.metric", "pass_at_1"]),
        ({"stage": "phase2", "grid": {"learning_rat": [1]}}, ["sweep.grid.learning_rat", "learning_rate?"]),
        ({"stage": "rsft1", "grid": {"keep.max_clipy": [1]}}, ["grid.keep.max_clipy", "keep.max_clippy?"]),
        ({"stage": "phase2", "points": [{"seed": 1}, {"sed": 1}]}, ["sweep.points[1].sed", "seed?"]),
        ({"stage": "phase2", "points": [{}]}, ["sweep.points[0]", "empty"]),
        ({"stage": "phase2", "grid": {"method": ["rsft"]}}, ["sweep.grid.method is unknown"]),
        ({"stage": "phase2", "grid": {"keep.per_prompt": [1]}}, ["sweep.grid.keep.per_prompt is unknown"]),
        ({"stage": "phase2", "grid": {"seed": 1}}, ["sweep.grid.seed must be a list", "not 1"]),
        ({"stage": "phase2", "grid": {"seed": []}}, ["sweep.grid.seed must be a list"]),
        ({"stage": "phase2", "grid": {"seed": [1]}, "budget": {"step": 5}}, ["sweep.budget.step", "steps?"]),
        ({"stage": "phase2", "grid": {"seed": [1]}, "budget": {"seed": 5}}, ["sweep.budget.seed is varied"]),
        (
            {"stage": "phase2", "grid": {"learning_rate": [1e-3, "fast"]}},
            ["the point learning_rate=fast", "stages.phase2.learning_rate", "'fast'"],
        ),
        (
            {"stage": "phase2", "grid": {"steps": [100, 10]}},
            ["the point steps=10", "warmup_steps must be less than steps"],
        ),
        ({"stage": "phase2", "grid": {"data": ["broad", "brod"]}}, ["the point data=brod", "broad?"]),
        ({"stage": "phase1", "grid": {"parent": ["phase2"]}}, ["the point parent=phase2", "phase1 itself"]),
        ({"stage": "rsft1", "grid": {"parent": ["base"]}}, ["the point parent=base", "trained stage"]),
        ({"stage": "phase2", "grid": {"learning_rate": [1e-3, "0.001"]}}, ["two points are the same", "0.001"]),
        ({"stage": "phase2", "points": [{"learning_rate": 1.2e-3}, {"seed": 18}]}, ["two points are the same"]),
        ({"stage": "phase2", "grid": {"lora.r": [8]}}, ["lora.r", "adapter of phase1", "parent is base"]),
        ({"stage": "phase1", "grid": {"lora.rank": [8]}}, ["sweep.grid.lora.rank", "did you mean"]),
        ({"stage": "phase2", "grid": {"seed": [1]}, "metric": "pass_at_3"}, ["pass_at_3", "3 samples"]),
        (
            {"stage": "phase2", "grid": {"seed": [1]}, "sampling": {"sample": 1}},
            ["sweep.sampling.sample", "samples?"],
        ),
    ],
)  # fmt: skip
def test_a_fault_is_one_sentence_that_names_key_and_point(sweep: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        expanded(**sweep)
    told = str(caught.value)
    assert "\n" not in told and caught.value.exit_code == 2
    for word in words:
        assert word in told, told


def test_a_point_may_not_be_called_as_a_data_set() -> None:
    raw = copy.deepcopy(DEFAULT)
    raw["datasets"]["phase2__seed_1"] = raw["datasets"]["broad"]
    raw["sweep"] = {"stage": "phase2", "grid": {"seed": [1]}}
    with pytest.raises(UserError, match=re.escape("the point phase2__seed_1")):
        expand(profile.check(raw))

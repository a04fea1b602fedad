"""The seeds of an experiment: each further one adds stages of its own, and moves nothing that is shared."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rust_expert.common.config import profile
from rust_expert.common.config.points import expand as expand_sweep
from rust_expert.common.config.profile import LARGEST_SEED, NAME, Profile
from rust_expert.common.config.seeds import Runs, expand, moved
from rust_expert.common.config.stages import RsftStage
from rust_expert.common.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))


def checked(seeds: Any, **more: Any) -> Profile:
    return profile.check({**copy.deepcopy(DEFAULT), **more, "seeds": seeds})


def test_one_seed_adds_nothing() -> None:
    assert DEFAULT["seeds"] == [0]
    without = {key: value for key, value in DEFAULT.items() if key != "seeds"}
    assert expand(profile.check(without)) == expand(checked([0])) == Runs()


def test_the_example_holds() -> None:
    raw = yaml.safe_load((ROOT / "config/seeds.yaml").read_text(encoding="utf-8"))
    assert raw == {"seeds": [0, 1, 2]}
    made = expand(profile.check({**DEFAULT, **raw}))
    assert list(made.names) == [1, 2]
    assert list(made.stages) == [
        f"{stage}__seed_{seed}" for seed in (1, 2) for stage in ("phase1", "phase2", "rsft1")
    ]
    assert all(NAME.fullmatch(name) for name in made.origins)


def test_a_seed_moves_seeds_and_parents_and_nothing_else() -> None:
    given = checked([0, 4])
    made = expand(given)
    for stage, before in given.stages.items():
        after = made.stages[f"{stage}__seed_4"]
        assert after.seed == before.seed + 4
        assert after.parent == (before.parent if before.parent == "base" else f"{before.parent}__seed_4")
        changed = {"seed": before.seed, "parent": before.parent}
        if isinstance(after, RsftStage) and isinstance(before, RsftStage):
            assert after.sampling == before.sampling.model_copy(update={"seed": before.sampling.seed + 4})
            assert (after.prompts, after.keep) == (before.prompts, before.keep)
            changed["sampling"] = before.sampling  # type: ignore[assignment]
        assert after.model_copy(update=changed) == before
    assert made.answers == {"rsft1__seed_4": "rsft1"}, "the training prompts are those of every run"


def test_names_tell_stage_seed_and_weights() -> None:
    made = expand(checked([0, 2]))
    assert (made.stage_of("phase2__seed_2"), made.seed_of("phase2__seed_2")) == ("phase2", 2)
    assert (made.stage_of("phase2"), made.seed_of("phase2"), made.seed_of("other__seed_2")) == (
        "phase2",
        0,
        0,
    )
    assert made.model_of("base__seed_2") == made.model_of("base") == "base"
    assert made.model_of("phase1__seed_2") == "phase1__seed_2"


def test_order_and_one_seed_more_change_no_stage() -> None:
    assert checked([7, 3, 0]) == checked([0, 3, 7])
    two, three = expand(checked([0, 7])), expand(checked([7, 3, 0]))
    assert list(three.names) == [3, 7]
    assert all(three.stages[name] == stage for name, stage in two.stages.items())


def test_a_section_without_a_move_is_itself() -> None:
    sampling = checked([0]).evaluate.sampling
    assert moved(sampling, 0) is sampling and moved(sampling, 3).seed == sampling.seed + 3


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ([], ["list of whole numbers", "not []"]),
        (3, ["list of whole numbers", "not 3"]),
        ({"0": 1}, ["list of whole numbers"]),
        ([0, 1, 1], ["twice", "not [0, 1, 1]"]),
        ([0, -1], ["from 0 to 1,000,000", "-1 is none"]),
        ([0, 1.5], ["1.5 is none"]),
        ([0, 1.0], ["1.0 is none"]),
        ([0, True], ["True is none"]),
        ([0, "1"], ["'1' is none"]),
        ([0, None], ["None is none"]),
        ([0, LARGEST_SEED + 1], ["1000001 is none"]),
        ([1, 2], ["0 is missing", "write [0, 1, 2]"]),
    ],
)
def test_a_bad_list_is_one_sentence(seeds: Any, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        checked(seeds)
    told = str(caught.value)
    assert caught.value.exit_code == 2 and "\n" not in told and told.startswith("config key seeds: ")
    for word in words:
        assert word in told


def test_a_stage_of_a_seed_is_called_as_nothing_else_is() -> None:
    raw = copy.deepcopy(DEFAULT)
    raw["datasets"]["phase2__seed_1"] = raw["datasets"]["broad"]
    with pytest.raises(UserError, match=re.escape("config key seeds: phase2__seed_1")):
        expand(checked([0, 1], datasets=raw["datasets"]))
    both = checked([0, 1], sweep={"stage": "phase2", "grid": {"seed": [1]}})
    with pytest.raises(UserError, match=re.escape("config key seeds: phase2__seed_1")):
        expand(both, expand_sweep(both).stages)
    other = checked([0, 1], sweep={"stage": "phase2", "grid": {"seed": [2]}})
    assert expand(other, expand_sweep(other).stages) == expand(checked([0, 1]))

"""The headline says what the intervals carry, and no more."""

import json
from pathlib import Path
from typing import Any

import pytest

from rust_expert.common.errors import UserError
from rust_expert.report.findings import find
from rust_expert.report.summary import Summary, read_summary
from rust_expert.report.wording import THIN


def score(value: float) -> dict[str, Any]:
    one = {"value": value, "low": value - 0.04, "high": value + 0.04}
    return {"problems": 100, "samples": 400, "pass_at_1": one, "pass_at_4": one, "compile_rate": one}


def summary(
    values: dict[str, float], comparisons: list[dict[str, Any]], **training: dict[str, Any]
) -> Summary:
    names = list(values)
    return Summary.model_validate(
        {
            "stages": {
                name: {
                    "order": index,
                    "parent": names[index - 1] if index else None,
                    "training": training.get(name, {}),
                    "suites": {"held_out": score(values[name])},
                }
                for index, name in enumerate(names)
            },
            "comparisons": comparisons,
        }
    )


def compared(stage: str, against: str, difference: float, half: float) -> dict[str, Any]:
    low, high = difference - half, difference + half
    return {
        "stage": stage, "against": against, "suite": "held_out", "metric": "pass_at_1", "difference": difference,
        "low": low, "high": high, "p_value": 0.0004, "significant": low > 0 or high < 0,
    }  # fmt: skip


def test_a_real_gain() -> None:
    found = find(summary({"base": 0.4, "phase1": 0.6}, [compared("phase1", "base", 0.2, 0.05)]), "held_out")
    assert found.headline.replace(THIN, " ") == (
        "phase1 solves 60.0 % of held-out Rust problems. Before training: 40.0 %."
    )
    assert "20.0 percentage points ahead of base" in found.evidence
    assert "+15.0 to +25.0" in found.evidence and "< 0.001" in found.evidence.replace(THIN, " ")
    assert [(step.tone, step.told) for step in found.steps] == [
        ("up", "+20.0 points (+15.0 to +25.0), better")
    ]


def test_a_gain_inside_the_interval_is_none() -> None:
    found = find(summary({"base": 0.4, "phase1": 0.43}, [compared("phase1", "base", 0.03, 0.05)]), "held_out")
    assert found.headline.startswith("No stage is measurably better than base")
    assert found.steps[0].tone == "level"


def test_a_loss_is_called_one() -> None:
    found = find(summary({"base": 0.6, "phase1": 0.4}, [compared("phase1", "base", -0.2, 0.05)]), "held_out")
    assert found.headline.startswith("Training made it worse")
    assert "20.0 percentage points behind base" in found.evidence


def test_an_untrained_stage_says_so_and_is_never_the_best() -> None:
    made = summary(
        {"base": 0.4, "phase1": 0.5, "rsft1": 0.51},
        [compared("phase1", "base", 0.1, 0.05), compared("rsft1", "phase1", 0.01, 0.05)],
        rsft1={"trained": False, "reason": "no sample was kept"},
    )
    found = find(made, "held_out")
    assert found.stage == "phase1"
    assert found.steps[-1].told == "not trained: no sample was kept; it answers with the weights of phase1"
    assert found.steps[-1].tone == "none"


def test_the_earlier_of_equal_stages_is_the_best_and_their_number_is_told() -> None:
    made = summary({"base": 0.4, "b": 0.5, "a": 0.5}, [compared("b", "base", 0.1, 0.05)])
    assert find(made, "held_out").stage == "b"
    assert "best of 2 trained stages" in find(made, "held_out").evidence


def test_a_base_alone_has_no_claim() -> None:
    found = find(summary({"base": 0.4}, []), "held_out")
    assert "40.0" in found.headline and found.steps == ()


def test_stages_stand_in_the_order_of_the_chain(tmp_path: Path) -> None:
    stages = {name: {"parent": parent} for name, parent in (("a", "z"), ("z", None), ("m", "a"), ("b", "z"))}
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"stages": stages}))
    assert list(read_summary(str(path)).stages) == ["z", "a", "m", "b"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a summary of scores"),
        ('{"stages": {}}', "stages"),
        ('{"stages": {"a": {"suites": {"s": {"problems": 1, "samples": 1}}}}}', "stages.a.suites.s"),
    ],
)
def test_a_broken_summary_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(text)
    with pytest.raises(UserError, match=told) as caught:
        read_summary(str(path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)

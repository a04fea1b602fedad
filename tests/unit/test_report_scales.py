"""Axes: round ticks that hold their values."""

import random

import pytest

from rust_expert.report.scales import Scale, differences, shares, spanning, up_to


def test_spanning_holds_its_values_with_few_round_ticks() -> None:
    random_ = random.Random(3)
    for _ in range(500):
        low = random_.uniform(-5, 5) * 10 ** random_.randint(-3, 4)
        high = low + random_.uniform(0.001, 5) * 10 ** random_.randint(-3, 4)
        scale = spanning(low, high)
        assert scale.low <= low + 1e-9 * abs(low) and scale.high >= high - 1e-9 * abs(high)
        assert 2 <= len(scale.ticks) <= 7


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [
        (0.37, 0.88, (0.3, 0.9)),
        (0.0, 0.0, (0.0, 0.4)),
        (0.0, 1.0, (0.0, 1.0)),
        (0.97, 1.0, (0.6, 1.0)),
        (0.512, 0.523, (0.3, 0.7)),
    ],
)
def test_shares_stay_between_nothing_and_all(low: float, high: float, ends: tuple[float, float]) -> None:
    scale = shares(low, high)
    assert (scale.low, scale.high) == pytest.approx(ends)
    assert scale.low <= low and high <= scale.high
    assert 3 <= len(scale.ticks) <= 6


def test_differences_always_show_zero() -> None:
    for low, high in ((0.05, 0.3), (-0.3, -0.05), (-0.01, 0.01), (0.0, 0.0)):
        scale = differences(low, high)
        assert 0.0 in scale.ticks
        assert scale.low < min(low, 0) and scale.high > max(high, 0)


def test_an_axis_of_steps_ends_at_the_last_step() -> None:
    scale = up_to(730)
    assert scale.at(730) == 100 and scale.at(0) == 0
    assert scale.ticks == (0, 200, 400, 600)


def test_values_outside_are_held_at_the_ends() -> None:
    scale = Scale(0, 10, (0, 5, 10))
    assert (scale.at(-3), scale.at(2.5), scale.at(30)) == (0, 25, 100)

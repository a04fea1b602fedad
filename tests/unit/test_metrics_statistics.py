"""pass@k, intervals and tests against enumeration, exact distributions and simulation."""

import itertools
import math
import random

import numpy as np
import pytest

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.metrics.bootstrap import ends, mean_interval, ratio_interval, resampled
from rust_expert.metrics.paired import mcnemar, paired_bootstrap
from rust_expert.metrics.passk import pass_at_k

OPTIONS = ScoreOptions(bootstrap=4000)


def test_pass_at_k_by_enumeration_of_every_draw() -> None:
    for samples in range(1, 9):
        for passed in range(samples + 1):
            for k in range(1, samples + 1):
                draws = list(itertools.combinations([True] * passed + [False] * (samples - passed), k))
                wanted = sum(any(draw) for draw in draws) / len(draws)
                assert pass_at_k(samples, passed, k) == pytest.approx(wanted, abs=1e-12)


def test_pass_at_k_is_unbiased() -> None:
    """Its mean over every outcome of n trials with chance p is 1 - (1 - p)^k."""
    for p in (0.1, 0.5, 0.9):
        for n, k in ((5, 1), (5, 3), (8, 8), (20, 10)):
            mean = sum(math.comb(n, c) * p**c * (1 - p) ** (n - c) * pass_at_k(n, c, k) for c in range(n + 1))
            assert mean == pytest.approx(1 - (1 - p) ** k, abs=1e-12)


def test_pass_at_k_of_large_numbers_stays_a_probability() -> None:
    wanted = 1 - math.comb(9990, 100) / math.comb(10_000, 100)
    assert pass_at_k(10_000, 10, 100) == pytest.approx(wanted, rel=1e-9)


def test_pass_at_k_refuses_more_than_there_is() -> None:
    with pytest.raises(UserError, match=r"pass@5 needs 5 samples of each problem, there are 4"):
        pass_at_k(4, 2, 5)
    for given in ((4, 5, 1), (4, -1, 1), (4, 1, 0)):
        with pytest.raises(ValueError):
            pass_at_k(*given)


def test_resampling_in_chunks_is_resampling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each draw is a mean of values drawn with replacement; its spread is that of the textbook."""
    rnd = np.random.default_rng(1)
    values = rnd.random(80)
    draws = resampled(values, np.ones(80), OPTIONS, "x")
    assert len(draws) == 4000
    assert draws.mean() == pytest.approx(values.mean(), abs=0.003)
    assert draws.std() == pytest.approx(values.std() / math.sqrt(80), rel=0.05)
    monkeypatch.setattr("rust_expert.metrics.bootstrap._CHUNK", 8000)
    chunked = resampled(values, np.ones(80), OPTIONS, "x")
    assert chunked.std() == pytest.approx(draws.std(), rel=0.05)


def test_intervals_are_those_of_a_plain_loop() -> None:
    rnd = random.Random(2)
    denominators = np.array([float(rnd.randrange(1, 5)) for _ in range(40)])
    numerators = np.array([float(rnd.randrange(int(most) + 1)) for most in denominators])
    draws = []
    for _ in range(5_000):
        picked = [rnd.randrange(40) for _ in range(40)]
        draws.append(sum(numerators[i] for i in picked) / sum(denominators[i] for i in picked))
    low, high = ends(np.array(draws), 0.95)
    made = ratio_interval(numerators, denominators, ScoreOptions(bootstrap=20_000), "x")
    assert made.value == pytest.approx(sum(numerators) / sum(denominators))
    assert made.low == pytest.approx(low, abs=0.02)
    assert made.high == pytest.approx(high, abs=0.02)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rnd = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        values = (rnd.random(100) < 0.3).astype(float)
        made = mean_interval(values, ScoreOptions(bootstrap=400), trial)
        covered += made.low <= 0.3 <= made.high
    assert 180 <= covered <= 199


def test_intervals_hang_on_the_seed_alone() -> None:
    values = np.random.default_rng(4).random(50)
    first = mean_interval(values, OPTIONS, "x")
    assert first == mean_interval(values, OPTIONS, "x")
    assert first != mean_interval(values, OPTIONS, "y")
    assert first != mean_interval(values, OPTIONS.model_copy(update={"seed": 18}), "x")
    wider = mean_interval(values, OPTIONS.model_copy(update={"confidence": 0.99}), "x")
    assert wider.low < first.low < first.value < first.high < wider.high


def test_none_and_all_are_not_certain() -> None:
    """At the far end (Clopper and Pearson) so extreme a result has a chance of 2.5 %."""
    none = mean_interval(np.zeros(20), OPTIONS, "x")
    assert (none.value, none.low) == (0, 0)
    assert (1 - none.high) ** 20 == pytest.approx(0.025)
    every = ratio_interval(np.full(20, 4.0), np.full(20, 4.0), OPTIONS, "x")
    assert (every.value, every.high) == (1, 1)
    assert every.low**20 == pytest.approx(0.025)
    with pytest.raises(ValueError):
        ratio_interval(np.zeros(3), np.zeros(3), OPTIONS, "x")


def one(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values, np.ones(len(values))


def test_pairing_finds_what_two_intervals_would_miss() -> None:
    """One in twenty problems is gained and none lost: far inside each interval, yet plain in pairs."""
    rnd = np.random.default_rng(5)
    before = (rnd.random(300) < 0.5).astype(float)
    after = before.copy()
    after[np.flatnonzero(before == 0)[:15]] = 1
    a, b = mean_interval(after, OPTIONS, "x"), mean_interval(before, OPTIONS, "x")
    assert a.low < b.high
    found = paired_bootstrap(one(after), one(before), OPTIONS, "x")
    assert found.difference == pytest.approx(0.05)
    assert found.low > 0 and found.significant and found.p_value < 0.01
    back = paired_bootstrap(one(before), one(after), OPTIONS, "x")
    assert (back.difference, back.low, back.high, back.p_value) == pytest.approx(
        (-found.difference, -found.high, -found.low, found.p_value)
    )


def test_pairing_sees_nothing_where_there_is_nothing() -> None:
    rnd = np.random.default_rng(6)
    same = (rnd.random(100) < 0.4).astype(float)
    equal = paired_bootstrap(one(same), one(same), OPTIONS, "x")
    assert (equal.difference, equal.low, equal.high, equal.p_value, equal.significant) == (0, 0, 0, 1, False)
    alarms = 0
    for trial in range(200):
        first, second = (rnd.random((2, 80)) < 0.5).astype(float)
        alarms += paired_bootstrap(one(first), one(second), ScoreOptions(bootstrap=300), trial).significant
    assert alarms <= 22  # 5 % of 200, and the room that chance takes
    with pytest.raises(ValueError):
        paired_bootstrap(one(same), one(same[:-1]), OPTIONS, "x")


def test_mcnemar_by_enumeration_of_every_outcome() -> None:
    for total in range(13):
        for b in range(total + 1):
            at_most = sum(
                1 for flips in itertools.product((0, 1), repeat=total) if sum(flips) <= min(b, total - b)
            )
            assert mcnemar(b, total - b) == pytest.approx(min(1.0, 2 * at_most / 2**total))
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(10, 2) == pytest.approx(0.03857421875)  # 158 / 4096
    assert 0 < mcnemar(1300, 700) < 1e-30
    with pytest.raises(ValueError):
        mcnemar(-1, 2)

"""Intervals by resampling problems: the problem, not the sample, is what a suite draws at random."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.seeds import stable_hash

Values = NDArray[np.float64]

_CHUNK = 2_000_000
"""Draws held in memory at once."""
_DIGITS = 6


@dataclass(frozen=True)
class Interval:
    """A figure and the ends of its interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """The three figures, rounded to six digits."""
        return {key: round(getattr(self, key), _DIGITS) for key in ("value", "low", "high")}


def resampled(numerators: Values, denominators: Values, options: ScoreOptions, *key: object) -> Values:
    """`bootstrap` values of sum(numerators) / sum(denominators) over problems drawn with replacement.

    Both arrays have one entry per problem. Efron and Tibshirani 1993, An Introduction to the Bootstrap,
    chapter 6; as a ratio of sums it weighs each sample alike where problems have different numbers of
    samples. A draw with nothing in its denominator counts as 0. The draws hang on the seed and `key` alone.
    """
    count = len(numerators)
    generator = np.random.Generator(np.random.PCG64(stable_hash(options.seed, "bootstrap", *key)))
    out = np.empty(options.bootstrap)
    step = max(1, _CHUNK // count)
    for start in range(0, options.bootstrap, step):
        rows = min(step, options.bootstrap - start)
        drawn = generator.integers(0, count, size=(rows, count))
        below = denominators[drawn].sum(axis=1)
        above = numerators[drawn].sum(axis=1)
        out[start : start + rows] = np.divide(above, below, out=np.zeros(rows), where=below > 0)
    return out


def ratio_interval(
    numerators: Values, denominators: Values, options: ScoreOptions, *key: object, share: bool = True
) -> Interval:
    """sum(numerators) / sum(denominators), percentile interval (Efron and Tibshirani 1993, chapter 13).

    `share`: the ratio lies between 0 and 1. Where all of a share is 0 or all of it 1, resampling can show no
    spread; the far end is then the exact bound of Clopper and Pearson (1934) for that many problems,
    (alpha / 2)^(1 / n), so that 0 of 20 is not taken for certain.
    """
    total = float(denominators.sum())
    if total <= 0:
        raise ValueError("nothing to take a share of")
    value = float(numerators.sum()) / total
    low, high = ends(resampled(numerators, denominators, options, *key), options.confidence)
    if not share:
        return Interval(value, low, high)
    held = int((denominators > 0).sum())
    bound = ((1 - options.confidence) / 2) ** (1 / held)
    if not numerators.any():
        high = 1 - bound
    elif np.array_equal(numerators, denominators):
        low = bound
    return Interval(value, low, high)


def mean_interval(values: Values, options: ScoreOptions, *key: object) -> Interval:
    """The mean of one share per problem with its interval, as `ratio_interval`."""
    return ratio_interval(values, np.ones(len(values)), options, *key)


def ends(draws: Values, confidence: float) -> tuple[float, float]:
    """The percentiles that leave (1 - confidence) / 2 out on each side."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)

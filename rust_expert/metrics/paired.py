"""Two runs over the same problems: is one better than the other?"""

import math
from dataclasses import dataclass

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.metrics.bootstrap import ends, resampled
from rust_expert.metrics.measures import Shares


@dataclass(frozen=True)
class Difference:
    """How much the first run is above the second, with interval and p-value."""

    difference: float
    low: float
    high: float
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def paired_bootstrap(first: Shares, second: Shares, options: ScoreOptions, *key: object) -> Difference:
    """The difference of two runs' shares, over the same problems in the same order.

    Problems are drawn with replacement, both runs' figures together (Efron and Tibshirani 1993, chapters 8
    and 13; for systems compared on one test set: Koehn 2004, Statistical Significance Tests for Machine
    Translation Evaluation). The two-sided p-value is twice the smaller share of draws on one side of zero,
    zero included, with one added to count and total so that it is never 0 (Davison and Hinkley 1997,
    Bootstrap Methods, 4.2.3).
    """
    if len(first[0]) != len(second[0]) or not len(first[0]):
        raise ValueError(f"{len(first[0])} and {len(second[0])} problems cannot be paired")
    # Equal keys give equal draws: problem i of one run is drawn whenever problem i of the other is.
    draws = resampled(*first, options, *key) - resampled(*second, options, *key)
    low, high = ends(draws, options.confidence)
    below, above = int((draws <= 0).sum()), int((draws >= 0).sum())
    p_value = min(1.0, 2 * (min(below, above) + 1) / (len(draws) + 1))
    value = float(first[0].sum() / first[1].sum() - second[0].sum() / second[1].sum())
    return Difference(value, low, high, p_value)


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p-value of the exact test of McNemar, for one yes or no per problem in each run.

    `only_first` problems are solved by the first run alone, `only_second` by the second alone; under equality
    each of them falls to either side like a fair coin. McNemar 1947 (Psychometrika 12), exact binomial form:
    min(1, 2 P(X <= min(b, c))) with X of Binomial(b + c, 1/2). 1.0 where the runs agree on every problem.
    """
    if only_first < 0 or only_second < 0:
        raise ValueError("counts are 0 or more")
    total = only_first + only_second
    tail = sum(math.comb(total, count) for count in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / (1 << total))

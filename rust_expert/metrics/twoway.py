"""The mean over seeds and problems, with an interval that counts that both were drawn at random."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from rust_expert.metrics.bootstrap import Values


@dataclass(frozen=True)
class Error:
    """How far a mean over seeds and problems may be off: its standard error, and the degrees of freedom behind that."""

    standard: float
    freedom: float

    def half_width(self, confidence: float) -> float:
        """Half of the t interval."""
        return float(stdtrit(self.freedom, 0.5 + confidence / 2)) * self.standard if self.standard else 0.0

    def p_value(self, mean: float) -> float:
        """The two-sided p-value against a mean of 0."""
        if not self.standard:
            return 1.0 if mean == 0 else 0.0
        return 2 * float(stdtr(self.freedom, -abs(mean) / self.standard))


def error_of(cells: Values) -> Error:
    """The standard error of the mean of `cells`, one row per seed (two or more) and one column per problem.

    Two-way random effects, seeds crossed with problems (Searle, Casella and McCulloch 1992, Variance Components,
    chapter 4): with the mean squares of rows, columns and their interaction, the variance of the mean is estimated by
    (MS_rows + MS_columns - MS_interaction) / (rows * columns), never by less than either of the first two alone, since
    a component is not negative. Degrees of freedom by Satterthwaite 1946, An Approximate Distribution of Estimates of
    Variance Components (Biometrics Bulletin 2): where the seeds carry most of the variance they are near the number of
    seeds less one, and the interval is as wide as a t interval over the seeds; where problems do, it is one over
    problems. Resampling two or three seeds covers too little (docs/decisions/076-intervals-across-seeds.md).
    """
    seeds, problems = cells.shape
    if seeds < 2:
        raise ValueError("one seed shows no spread of seeds")
    rows, columns, mean = cells.mean(axis=1), cells.mean(axis=0), cells.mean()
    of_rows = problems * float(np.square(rows - mean).sum()) / (seeds - 1)
    if problems == 1:
        return Error(math.sqrt(of_rows / seeds), seeds - 1)
    of_columns = seeds * float(np.square(columns - mean).sum()) / (problems - 1)
    both = (seeds - 1) * (problems - 1)
    left = cells - rows[:, None] - columns[None, :] + mean
    of_both = float(np.square(left).sum()) / both
    if of_rows > of_both and of_columns > of_both:
        variance = of_rows + of_columns - of_both
        parts = of_rows**2 / (seeds - 1) + of_columns**2 / (problems - 1) + of_both**2 / both
        freedom = variance**2 / parts
    else:
        variance, freedom = max((of_rows, seeds - 1), (of_columns, problems - 1))
    return Error(math.sqrt(variance / (seeds * problems)), freedom)

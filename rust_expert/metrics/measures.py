"""The figures that are shares of something counted per problem: what is counted, and out of what.

One definition serves the figures of a run and the difference of two, so that they cannot drift apart.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from rust_expert.metrics.bootstrap import Values
from rust_expert.metrics.passk import pass_at_k

Shares = tuple[Values, Values]
"""Numerators and denominators, one of each per problem."""


class Counts(Protocol):
    """What is counted of the samples of one problem; those that the judge failed on are in none of it."""

    @property
    def samples(self) -> int: ...  # noqa: D102
    @property
    def passed(self) -> int: ...  # noqa: D102
    @property
    def passed_under_policy(self) -> int: ...  # noqa: D102
    @property
    def compiled(self) -> int: ...  # noqa: D102
    @property
    def prefiltered(self) -> int: ...  # noqa: D102
    @property
    def prefiltered_compiled(self) -> int: ...  # noqa: D102
    @property
    def styled(self) -> int: ...  # noqa: D102
    @property
    def idiomatic(self) -> float: ...  # noqa: D102
    @property
    def public_items(self) -> int: ...  # noqa: D102
    @property
    def documented_items(self) -> int: ...  # noqa: D102
    @property
    def linted(self) -> int: ...  # noqa: D102
    @property
    def clippy_warnings(self) -> int: ...  # noqa: D102


Count = Callable[[Counts], float]

RATIOS: dict[str, tuple[Count, Count]] = {
    # Every sample is in the denominator, whatever became of it.
    "compile_rate": (lambda one: one.compiled, lambda one: one.samples),
    # As others publish it: without the samples that hold no code or were stopped by the policy.
    "prefiltered_compile_rate": (
        lambda one: one.prefiltered_compiled,
        lambda one: one.samples - one.prefiltered,
    ),
    # The mean score of rust_expert.syntax.style over the samples that compile.
    "idiomatic": (lambda one: one.idiomatic, lambda one: one.styled),
    # Public items with a doc comment among all public items of the samples that compile, as rustc's missing_docs
    # asks for; a sample without public items says nothing.
    "documented": (lambda one: one.documented_items, lambda one: one.public_items),
    # Warnings of clippy::all for each sample that clippy looked at.
    "clippy_warnings": (lambda one: one.clippy_warnings, lambda one: one.linted),
}
"""Figures that are a sum over a sum: numerator and denominator of one problem."""

UNBOUNDED = frozenset({"clippy_warnings"})
"""Ratios that are no shares: they may be above 1."""


def ratio(problems: Iterable[Counts], name: str) -> Shares:
    """A figure of `RATIOS`, problem by problem."""
    above, below = RATIOS[name]
    listed = list(problems)
    return (
        np.array([float(above(one)) for one in listed]),
        np.array([float(below(one)) for one in listed]),
    )


def pass_shares(problems: Sequence[Counts], k: int, *, policy: bool = False) -> Shares:
    """pass@k of each problem, each with the same weight; `policy` counts what breaks the policy as not passed.

    The verdicts are the same with and without: nothing is sampled or judged twice. Raises UserError where k is more
    than the samples of a problem.
    """
    values = [
        pass_at_k(one.samples, one.passed_under_policy if policy else one.passed, k) for one in problems
    ]
    return np.array(values), np.ones(len(problems))

"""How samples fare by the length of their code."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.contracts import Verdict
from rust_expert.metrics.bootstrap import ratio_interval
from rust_expert.metrics.tally import Tally

BORDERS = (1, 5, 50, 100, 500, 1000)
BUCKETS = ("no code", "1-4", "5-49", "50-99", "100-499", "500-999", "1000+")
"""A bucket holds its lower border and not its upper one: 50 lines are in 50-99."""


def lines_of(code: str) -> int:
    """The lines of some code as an editor numbers them, without blank ones before the first and after the last.

    Comments and blank lines between count: what is measured is how much the model wrote.
    """
    stripped = code.strip()
    return stripped.count("\n") + 1 if stripped else 0


def bucket_of(code: str) -> str:
    """The bucket of a sample's extracted code."""
    return BUCKETS[bisect_right(BORDERS, lines_of(code))]


def size_buckets(problems: Sequence[Tally], options: ScoreOptions) -> list[dict[str, Any]]:
    """For each bucket with samples: how many, the share that compiles, the share that passes, with intervals.

    Every sample that was judged is in one bucket. The length is that of the answer, which the model chooses: the
    buckets describe a run, and no bucket of one run is paired with that of another.
    """
    found: list[dict[str, Any]] = []
    for name in BUCKETS:
        inside = [
            [one for one in tally.verdicts if one.status != "judge_error" and bucket_of(one.code) == name]
            for tally in problems
        ]
        held = [verdicts for verdicts in inside if verdicts]
        if held:
            found.append(
                {
                    "lines": name,
                    "samples": sum(map(len, held)),
                    "compile_rate": _share(held, options, name, "compiled"),
                    "pass_rate": _share(held, options, name, "passed"),
                }
            )
    return found


def _share(
    held: Sequence[Sequence[Verdict]], options: ScoreOptions, name: str, what: str
) -> dict[str, float]:
    good = [
        sum(one.compiled if what == "compiled" else one.status == "passed" for one in verdicts)
        for verdicts in held
    ]
    return ratio_interval(
        np.array(good, dtype=np.float64),
        np.array([float(len(verdicts)) for verdicts in held]),
        options,
        "size",
        name,
        what,
    ).as_json()

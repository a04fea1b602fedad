"""What a sweep found, in words that the intervals carry."""

import json
from collections.abc import Mapping
from typing import Any

from rust_expert.metrics.ranking import Ranked, Ranking
from rust_expert.report.summary import metric_name
from rust_expert.report.wording import THIN, listed, percent, plural, points, points_range


def values(varied: Mapping[str, Any]) -> str:
    """`learning_rate 0.001, seed 3`: what sets a point apart."""
    return ", ".join(f"{key} {value_word(value)}" for key, value in varied.items())


def value_word(value: Any) -> str:
    """A value as a configuration would state it."""
    return value if isinstance(value, str) else json.dumps(value)


def headline(ranking: Ranking) -> str:
    """The best point and its figure, that none is measurably the best, or that there is none."""
    metric = metric_name(ranking.metric)
    if not ranking.points:
        return f"No point of the sweep of {ranking.stage} was finished."
    best = ranking.points[0]
    if best.estimate is None:
        return f"No point of the sweep of {ranking.stage} has a figure for {metric}."
    told = f"{values(best.varied)}, {metric} {percent(best.estimate.value)}"
    if _level(ranking):
        return f"No point of {ranking.stage} is measurably the best; the highest: {told}."
    return f"Best of {ranking.stage}: {told}."


def _level(ranking: Ranking) -> list[Ranked]:
    """The points that cannot be told from the first."""
    return [
        one for one in ranking.points if one.against_best is not None and not one.against_best.significant
    ]


def evidence(ranking: Ranking) -> str:
    """How sure that is: which points are measurably below the best, and which cannot be told from it."""
    if not ranking.points or ranking.points[0].estimate is None:
        return _failures(ranking)
    best, level = ranking.points[0], _level(ranking)
    sure = f"{100 * ranking.confidence:g}{THIN}%"
    asked = (
        f"On {plural(best.problems, 'problem')} of the suite {ranking.suite},"
        f" {plural(best.samples, 'answer')} from each point"
    )
    if len(ranking.points) == 1:
        told = "there is no other point to compare it with."
    elif not level:
        told = f"every other point is below it (the paired {sure} interval leaves zero out)."
    else:
        names = [values(one.varied) for one in level[:3]]
        names += [f"{len(level) - 3} more"] if len(level) > 3 else []
        told = f"{listed(names)} cannot be told from it (paired {sure} interval)."
    return " ".join(part for part in (f"{asked}: {told}", _failures(ranking)) if part)


def _failures(ranking: Ranking) -> str:
    if not ranking.failed:
        return ""
    are = "is" if len(ranking.failed) == 1 else "are"
    return f"{plural(len(ranking.failed), 'point')} failed and {are} not ranked."


def distance(point: Ranked) -> str:
    """`−3.1 (−6.0 to −0.2)`, points below the best; a dash for the best itself."""
    one = point.against_best
    return "–" if one is None else f"{points(one.difference)} ({points_range(one.low, one.high)})"

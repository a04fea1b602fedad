"""How alike held-out problems and training rows are where both come from one generator.

They may be alike: that is what generalising over combinations means. The report states by how much.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rust_expert.dataset.shingles import shingles_of

SHINGLE = 5
"""Tokens of the alpha form in a run."""


def closest(problems: Mapping[str, str], rows: Mapping[str, str]) -> list[tuple[str, str, float]]:
    """For each problem the most alike row, and the Jaccard similarity of their runs of five tokens.

    Both arguments map a name to an alpha form; forms too short for one run are left out. Of equally alike
    rows the first name wins. Empty where there are no rows.
    """
    problem_names, problem_sets = _sets(problems)
    row_names, row_sets = _sets(rows)
    if not row_names:
        return []
    sizes = np.array([len(one) for one in row_sets])
    wanted = {run for one in problem_sets for run in one.tolist()}
    holders: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(row_sets):
        for run in wanted.intersection(one.tolist()):
            holders[run].append(place)
    lists = {run: np.array(places, dtype=np.int64) for run, places in holders.items()}
    found: list[tuple[str, str, float]] = []
    for name, one in zip(problem_names, problem_sets, strict=True):
        parts = [lists[run] for run in one.tolist() if run in lists]
        both = np.bincount(
            np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64), minlength=len(row_names)
        )
        likeness = both / (len(one) + sizes - both)
        best = int(np.argmax(likeness))
        found.append((name, row_names[best], float(likeness[best])))
    return found


def _sets(forms: Mapping[str, str]) -> tuple[list[str], list[NDArray[np.uint64]]]:
    names = sorted(forms)
    shingles = shingles_of([forms[name].split(" ") for name in names], SHINGLE)
    sets = [np.unique(shingles.of(place)) for place in range(len(names))]
    kept = [place for place, one in enumerate(sets) if len(one)]
    return [names[place] for place in kept], [sets[place] for place in kept]


def distribution(found: Sequence[tuple[str, str, float]]) -> dict[str, Any]:
    """Largest similarity and whose, mean, quantiles, and a histogram of tenths."""
    if not found:
        return {"problems": 0}
    values = np.array([likeness for _, _, likeness in found])
    most = max(found, key=lambda one: (one[2], one[0]))
    counts, _ = np.histogram(values, bins=10, range=(0.0, 1.0))
    marks = (0.1, 0.25, 0.5, 0.75, 0.9)
    return {
        "problems": len(found),
        "maximum": round(most[2], 4),
        "closest_pair": {"problem": most[0], "row": most[1]},
        "mean": round(float(values.mean()), 4),
        "quantiles": {
            f"p{round(mark * 100)}": round(float(point), 4)
            for mark, point in zip(marks, np.quantile(values, marks), strict=True)
        },
        "tenths": {f"{tenth / 10:.1f}": int(count) for tenth, count in enumerate(counts)},
    }

"""How alike held-out problems and training rows are where both come from one generator.

They may be alike: that is what generalising over combinations means. The report states by how much.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rust_expert.dataset.joined import Hashes, Places, among, mixed
from rust_expert.dataset.shingles import runs_of
from rust_expert.dataset.tokenised import Stream

SHINGLE = 5
"""Tokens of the alpha form in a run."""

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def closest(
    problem_names: Sequence[str], problems: Stream, row_names: Sequence[str], rows: Stream
) -> list[tuple[str, str, float]]:
    """For each problem the most alike row, and the Jaccard similarity of their runs of five tokens.

    `problems` and `rows` are the alpha forms of those named. Forms too short for one run are left out. Of equally
    alike rows the first name wins. Empty where there are no rows.
    """
    problem_names, problem_runs, problem_owners = _sets(problem_names, problems)
    row_names, row_runs, row_owners = _sets(row_names, rows)
    sizes = np.bincount(row_owners, minlength=len(row_names))
    if not sizes.any():
        return []
    shared = among(row_runs, np.unique(problem_runs))
    order = np.argsort(row_runs[shared], kind="stable")
    held, holders = row_runs[shared][order], row_owners[shared][order]
    first, last = (np.searchsorted(held, problem_runs, side=side) for side in ("left", "right"))
    found: list[tuple[str, str, float]] = []
    for number, name in enumerate(problem_names):
        own = np.flatnonzero(problem_owners == number)
        if not len(own):
            continue
        parts = [holders[first[run] : last[run]] for run in own.tolist()]
        both = np.bincount(np.concatenate(parts), minlength=len(row_names))
        likeness = np.where(sizes > 0, both / np.maximum(len(own) + sizes - both, 1), -1.0)
        best = int(np.argmax(likeness))
        found.append((name, row_names[best], float(likeness[best])))
    return found


def _sets(names: Sequence[str], forms: Stream) -> tuple[list[str], Hashes, Places]:
    """The names in order; the different runs of each form, and whose they are by the place of the name."""
    order = sorted(range(len(names)), key=lambda place: names[place])
    runs = runs_of(forms.take(np.array(order, dtype=np.int64)), SHINGLE)
    owners = np.repeat(np.arange(len(order)), runs.counts())
    keys = mixed(runs.hashes ^ mixed((owners.astype(np.uint64) + np.uint64(1)) * _SPREAD))
    _, kept = np.unique(keys, return_index=True)
    return [names[place] for place in order], runs.hashes[kept], owners[kept]


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

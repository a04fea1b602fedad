"""How many rows went into and came out of each step, by task type and by source."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from rust_expert.common.contracts import Sample


def count_by(samples: Iterable[Sample], name: Callable[[Sample], str | None]) -> dict[str, int]:
    """Rows by what `name` says of them, sorted; `unnamed` where it says nothing."""
    counts: Counter[str] = Counter()
    for kind, count in Counter(map(name, samples)).items():
        counts[kind or "unnamed"] += count
    return dict(sorted(counts.items()))


_task_type: Callable[[Sample], str | None] = attrgetter("task_type")
_source: Callable[[Sample], str | None] = attrgetter("source")


class Funnel:
    """Follows rows from step to step."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._start = self._current = list(samples)
        self._steps: list[dict[str, Any]] = []
        self._counts = [count_by(samples, name) for name in (_task_type, _source)]

    def step(self, name: str, remaining: Sequence[Sample], **notes: Any) -> None:
        """Record that `remaining` are left after the step `name`."""
        before, after = len(self._current), len(remaining)
        counts = self._counts
        if before != after:
            counts = [count_by(remaining, kind) for kind in (_task_type, _source)]
        by_type, by_source = map(_loss, self._counts, counts)
        self._steps.append(
            {
                "step": name,
                "in": before,
                "removed": before - after,
                "out": after,
                "removed_by_task_type": by_type,
                "removed_by_source": by_source,
                **notes,
            }
        )
        self._current, self._counts = list(remaining), counts

    def report(self) -> dict[str, Any]:
        """Rows at the start, each step, and what is left by split, task type and source."""
        left = self._current
        return {
            "schema": 1,
            "rows_in": _composition(self._start),
            "steps": self._steps,
            "rows_out": {
                **_composition(left),
                "by_split": count_by(left, lambda sample: sample.split),
                "val_crates": sorted({s.source_crate for s in left if s.split == "val" and s.source_crate}),
                "val_combinations": len({s.combination for s in left if s.split == "val" and s.combination}),
            },
        }


def _composition(samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "rows": len(samples),
        "by_task_type": count_by(samples, _task_type),
        "by_source": count_by(samples, _source),
        "by_crate": count_by((s for s in samples if s.source_crate), lambda sample: sample.source_crate),
        "by_family": count_by((s for s in samples if s.family), lambda sample: sample.family),
    }


def _loss(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    lost = {kind: count - after.get(kind, 0) for kind, count in before.items()}
    return {kind: count for kind, count in lost.items() if count}

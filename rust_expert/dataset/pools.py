"""The rows that a data set may draw from, and the draws: by the hash of (seed, data set, row) alone."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from rust_expert.common.config.dataset import DatasetSpec
from rust_expert.common.contracts import Sample
from rust_expert.common.seeds import stable_hash
from rust_expert.dataset.reading import Reading

Rank = tuple[float, ...]
Ranking = Callable[[Sample], tuple[Rank, int, str]]

_SLACK = 1_000
"""Rows held beyond what can be drawn, before the worst are let go."""


def kind_of(sample: Sample) -> str:
    """What quotas and weights go by: `curriculum`, or the task type of other rows."""
    return "curriculum" if sample.source == "curriculum" else sample.task_type or "unnamed"


def ranking(spec: DatasetSpec, name: str, reading: Reading) -> Ranking:
    """The order in which rows are drawn: what the data set prefers, then the hash of seed, data set and row."""

    def rank(sample: Sample) -> tuple[Rank, int, str]:
        preferred: Rank = ()
        if spec.prefer_documented:
            preferred += (0.0 if reading.is_documented(sample) else 1.0,)
        if spec.prefer_idiomatic:
            preferred += (-reading.idiomatic_score(sample),)
        return preferred, stable_hash(spec.seed, name, "draw", sample.id), sample.id

    return rank


class Pool:
    """Rows by kind in the order they are drawn; of rows with one key the first of that order.

    `limit` is the most that will be drawn: with it memory is bounded by what is drawn, not by what comes in.
    """

    def __init__(self, rank: Ranking, limit: int | None = None) -> None:
        self._rank, self._limit = rank, limit
        self._held: dict[str, dict[object, tuple[tuple[Rank, int, str], Sample]]] = defaultdict(dict)
        self._seen: dict[str, set[object]] = defaultdict(set)

    def add(self, sample: Sample, key: object) -> bool:
        """Take a row in; False where another of its key was seen before."""
        kind = kind_of(sample)
        held, seen = self._held[kind], self._seen[kind]
        new, known = (self._rank(sample), sample), held.get(key)
        if (known is None) or new[0] < known[0]:
            held[key] = new
        first = key not in seen
        seen.add(key)
        if self._limit is not None and len(held) > 2 * self._limit + _SLACK:
            best = sorted(held.items(), key=lambda item: item[1][0])[: self._limit]
            self._held[kind] = dict(best)
        return first

    def sizes(self) -> dict[str, int]:
        """How many rows of different keys came in, by kind."""
        return {kind: len(keys) for kind, keys in sorted(self._seen.items())}

    def ranked(self) -> dict[str, list[Sample]]:
        """The rows of each kind in the order they are drawn; with a limit at least that many."""
        return {
            kind: [sample for _, sample in sorted(held.values(), key=lambda one: one[0])]
            for kind, held in sorted(self._held.items())
        }


def taken(ranked: Mapping[str, Sequence[Sample]], counts: Mapping[str, int]) -> list[Sample]:
    """So many rows of each kind, the first first; beyond the last one they come round again."""
    return [
        ranked[kind][place % len(ranked[kind])]
        for kind, count in sorted(counts.items())
        for place in range(count if ranked.get(kind) else 0)
    ]


def in_order(samples: Iterable[Sample], seed: int, name: str) -> list[Sample]:
    """Drawn rows in training order; a row that was drawn again has a place of its own for each time."""
    times: Counter[str] = Counter()
    placed: list[tuple[int, str, int, Sample]] = []
    for sample in samples:
        again = times[sample.id]
        times[sample.id] += 1
        key: tuple[object, ...] = (seed, name, "order", sample.id)
        placed.append((stable_hash(*key, *([again] if again else [])), sample.id, again, sample))
    placed.sort(key=lambda one: one[:3])
    return [sample for _, _, _, sample in placed]

"""From the items of a shard, and what the compiler confirmed of them, to its instruction samples, with counts of what
was lost at each step. Nothing is compiled here, and no more than one crate's rows are in memory.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.rust_lexing import lexed
from rust_expert.common.seeds import stable_hash
from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.token_counts import token_counts
from rust_expert.tasks.building import ShardResult
from rust_expert.tasks.explanations import explanations, may_be_explained
from rust_expert.tasks.generation import generation, pattern_of
from rust_expert.tasks.pairs import PairRow
from rust_expert.tasks.repairs import fixing, transformations
from rust_expert.tasks.writing import Crate, Keyed, Made

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""A crate's name and version."""
TASKS = ("code_generation", "error_fixing", "transformations", "explanations")


class Production:
    """Makes the samples of a shard crate by crate, and counts what led to them."""

    def __init__(self, built: ShardResult, options: TasksOptions) -> None:
        self._built, self._options = built, options
        self._results = {(result.name, result.version): result for result in built.crates}
        self._scales, self._crates = Counter[str](), 0
        self._kept, self._candidates = Counter[str](), Counter[str]()
        self._lost = {name: Counter[str]() for name in TASKS}
        self._known: set[str] = set()
        self.written = Counter[str]()
        """Samples that were given out, by task type."""

    def samples(
        self, crates: Iterable[Sequence[ItemRow]], pairs: Iterable[Sequence[PairRow]]
    ) -> Iterator[list[Sample]]:
        """The samples of each crate in turn, sorted by place, none twice.

        Items and confirmed forms come crate by crate in the same order; a crate may have no forms. Raises UserError
        where forms are left over. The result depends on the arguments alone.
        """
        groups = iter(pairs)
        waiting = next(groups, None)
        for rows in crates:
            key = rows[0].crate, rows[0].version
            confirmed: Sequence[PairRow] = []
            if waiting is not None and (waiting[0].crate, waiting[0].version) == key:
                confirmed, waiting = waiting, next(groups, None)
            yield self._of_crate(key, rows, confirmed)
        if waiting is not None:
            raise UserError(
                f"the confirmed forms of {waiting[0].crate} {waiting[0].version} belong to no item that came before "
                "them; make items and builds of the same crates again"
            )

    def _of_crate(self, key: Key, rows: Sequence[ItemRow], pairs: Sequence[PairRow]) -> list[Sample]:
        self._crates += 1
        self._scales.update(row.scale or "none" for row in rows)
        if key not in self._results or self._results[key].outcome != "passes":
            return []
        told = _of_crate(rows, frozenset(self._results[key].files), pairs, self._built, self._options)
        for name, each in told.items():
            self._kept[name] += len(each.rows)
            self._candidates[name] += each.candidates
            self._lost[name] += each.lost
        new = {row.id: row for each in told.values() for row in each.rows if row.id not in self._known}
        self._known.update(new)
        self.written.update(row.task_type or "unnamed" for row in new.values())
        samples = sorted(new.values(), key=lambda each: (each.source_file or "", each.span or [], each.id))
        _count_tokens(samples)
        return samples

    def counts(self) -> dict[str, Any]:
        """The funnel from what came so far to its samples, with the reasons of each loss."""
        return {
            "items": self._scales.total(),
            "crates": self._crates,
            "chunks": dict(sorted(self._scales.items())),
            "forms": _forms(self._built),
            "tasks": {
                name: {
                    "candidates": self._candidates[name],
                    "kept": self._kept[name],
                    "lost": dict(sorted(self._lost[name].items())),
                }
                for name in TASKS
            },
            "samples": len(self._known),
        }


def _of_crate(
    rows: Sequence[ItemRow],
    files: frozenset[str],
    pairs: Sequence[PairRow],
    built: ShardResult,
    options: TasksOptions,
) -> dict[str, Made]:
    """The samples of one crate that passed its build, by task type."""
    seed, rustc = options.seed, built.rustc
    crate = Crate(rows, files, {pair.key: pair.way for pair in pairs if pair.kind == "stands"})

    def forms(purpose: str, *kinds: str) -> list[PairRow]:
        return crate.standing_first(_drawn([pair for pair in pairs if pair.kind in kinds], purpose, seed))

    broken = forms("fixing", "broken")
    wanted = crate.standing_first(_drawn(crate.rows, "generation", seed, pattern_of))
    documented = _drawn(crate.rows, "explanations", seed, may_be_explained)
    fixed, explained = broken[: options.fixing_rows], broken[options.fixing_rows :]
    return {
        "code_generation": generation(crate, wanted, options, rustc),
        "transformations": transformations(crate, forms("rewriting", "plain", "suggested"), options, rustc),
        "error_fixing": fixing(crate, fixed, options, rustc),
        "explanations": explanations(crate, documented, explained, built.explained, options, rustc),
    }


def _count_tokens(samples: Sequence[Sample]) -> None:
    """Note the tokens of each answer that is code."""
    code = [sample for sample in samples if not sample.is_prose]
    files = [lexed(sample.gen.encode()).marked for sample in code]
    counts = token_counts(files, [[(0, len(file))] for file in files])
    for sample, count in zip(code, counts, strict=True):
        sample.tokens = count


def _drawn(
    rows: Sequence[Keyed], purpose: str, seed: int, fits: Callable[[Keyed], object] = bool
) -> list[Keyed]:
    """The rows that fit, by a hash of each: one more row changes at most one other's place."""
    return sorted(filter(fits, rows), key=_hash(purpose, seed))


def _hash(purpose: str, seed: int) -> Callable[[Keyed], int]:
    def of(row: Keyed) -> int:
        more = (row.kind, row.way, row.text) if isinstance(row, PairRow) else (row.scale,)
        return stable_hash(seed, purpose, row.key, *more)

    return of


def _forms(built: ShardResult) -> dict[str, Any]:
    forms: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for result in built.crates:
        for kind, tally in result.forms.items():
            for name, counts in tally.items():
                forms[kind][name].update(counts)
    return {
        kind: {name: dict(sorted(counts.items())) for name, counts in sorted(tally.items())}
        for kind, tally in sorted(forms.items())
    }

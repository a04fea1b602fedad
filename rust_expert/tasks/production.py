"""From the items of a shard, and what the compiler confirmed of them, to its instruction samples, with counts of what
was
lost at each step. Nothing is compiled here.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.contracts import Sample
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


def samples_of(
    rows: Sequence[ItemRow], built: ShardResult, pairs: Sequence[PairRow], options: TasksOptions
) -> tuple[list[Sample], dict[str, Any]]:
    """The samples of a shard's items, sorted by place, and the funnel that led to them.

    The result depends on the arguments alone.
    """
    by_crate = _by_crate(rows)
    confirmed = _by_crate(pairs)
    crates: dict[Key, Crate] = {}
    for result in built.crates:
        key = result.name, result.version
        if result.outcome == "passes":
            standing = {pair.key: pair.way for pair in confirmed[key] if pair.kind == "stands"}
            crates[key] = Crate(by_crate[key], frozenset(result.files), standing)

    def forms(purpose: str, *kinds: str) -> list[tuple[Crate, list[PairRow]]]:
        return [
            (crate, crate.standing_first(_drawn(
                [pair for pair in confirmed[key] if pair.kind in kinds], purpose, options.seed
            )))
            for key, crate in crates.items()
        ]  # fmt: skip

    broken = forms("fixing", "broken")
    used = options.fixing_rows
    made = {
        "code_generation": generation(
            (
                (crate, crate.standing_first(_drawn(crate.rows, "generation", options.seed, pattern_of)))
                for crate in crates.values()
            ),
            options, built.rustc,
        ),
        "error_fixing": fixing(((crate, inside[:used]) for crate, inside in broken), options, built.rustc),
        "transformations": transformations(forms("rewriting", "plain", "suggested"), options, built.rustc),
        "explanations": explanations(
            [
                (crate, _drawn(crate.rows, "explanations", options.seed, may_be_explained), inside[used:])
                for crate, inside in broken
            ],
            built.explained, options, built.rustc,
        ),
    }  # fmt: skip
    samples = list({each.id: each for part in made.values() for each in part.rows}.values())
    samples.sort(key=lambda each: (each.source_crate or "", each.source_file or "", each.span or [], each.id))
    _count_tokens(samples)
    return samples, _counts(rows, built, made, len(samples))


def _count_tokens(samples: Sequence[Sample]) -> None:
    """Note the tokens of each answer that is code."""
    code = [sample for sample in samples if not sample.is_prose]
    files = [lexed(sample.gen.encode()).marked for sample in code]
    counts = token_counts(files, [[(0, len(file))] for file in files])
    for sample, count in zip(code, counts, strict=True):
        sample.tokens = count


def _by_crate(rows: Iterable[Keyed]) -> Mapping[Key, list[Keyed]]:
    found: dict[Key, list[Keyed]] = defaultdict(list)
    for row in rows:
        found[row.crate, row.version].append(row)
    return found


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


def _counts(
    rows: Sequence[ItemRow], built: ShardResult, made: Mapping[str, Made], samples: int
) -> dict[str, Any]:
    forms: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for result in built.crates:
        for kind, tally in result.forms.items():
            for name, counts in tally.items():
                forms[kind][name].update(counts)
    return {
        "items": len(rows),
        "crates": len({(row.crate, row.version) for row in rows}),
        "chunks": dict(sorted(Counter(row.scale or "none" for row in rows).items())),
        "forms": {
            kind: {name: dict(sorted(counts.items())) for name, counts in sorted(tally.items())}
            for kind, tally in sorted(forms.items())
        },
        "tasks": {
            name: {
                "candidates": each.candidates,
                "kept": len(each.rows),
                "lost": dict(sorted(each.lost.items())),
            }
            for name, each in made.items()
        },
        "samples": samples,
    }

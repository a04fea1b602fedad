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
TASKS = ("code_generation", "error_fixing", "transformations", "explanations")


def samples_of(
    crates: Iterable[Sequence[ItemRow]], built: ShardResult, pairs: Sequence[PairRow], options: TasksOptions
) -> tuple[list[Sample], dict[str, Any]]:
    """The samples of a shard's items, which come crate by crate, sorted by place; and the funnel that led to them.

    No more than one crate's items are kept. The result depends on the arguments alone.
    """
    results = {(result.name, result.version): result for result in built.crates}
    confirmed = _by_crate(pairs)
    made = {name: Made() for name in TASKS}
    scales, count = Counter[str](), 0
    for rows in crates:
        count += 1
        scales.update(row.scale or "none" for row in rows)
        key = rows[0].crate, rows[0].version
        if key in results and results[key].outcome == "passes":
            told = _of_crate(rows, frozenset(results[key].files), confirmed[key], built, options)
            for name, each in told.items():
                made[name].add(each)
    samples = list({each.id: each for part in made.values() for each in part.rows}.values())
    samples.sort(key=lambda each: (each.source_crate or "", each.source_file or "", each.span or [], each.id))
    _count_tokens(samples)
    return samples, _counts(scales, count, built, made, len(samples))


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
    scales: Counter[str], crates: int, built: ShardResult, made: Mapping[str, Made], samples: int
) -> dict[str, Any]:
    forms: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for result in built.crates:
        for kind, tally in result.forms.items():
            for name, counts in tally.items():
                forms[kind][name].update(counts)
    return {
        "items": scales.total(),
        "crates": crates,
        "chunks": dict(sorted(scales.items())),
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

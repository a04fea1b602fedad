"""From the items of a shard to its instruction samples, with counts of what was lost at each step."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.progress import Progress
from rust_expert.common.toolchain import rustc_version
from rust_expert.syntax.corpus import ItemRow
from rust_expert.tasks.code import Code
from rust_expert.tasks.crate_index import CrateIndex, Incomplete
from rust_expert.tasks.pairs import Tally, broken_forms, chosen, compiling, plain_forms
from rust_expert.tasks.rows import Made, Maker
from rust_expert.tasks.units import Unit, reason_against, unit_of

log = logging.getLogger(__name__)


def samples_of(
    rows: Sequence[ItemRow], options: TasksOptions, workers: int
) -> tuple[list[Sample], dict[str, Any]]:
    """The samples of a shard's items, sorted by place, and the funnel that led to them.

    The result depends on the rows and the options alone, not on `workers`.
    Raises UserError where there is no rustc or no sandbox.
    """
    units, unmade = units_of(rows, options)
    tried = _chosen_by_crate(units, options)
    with Progress(len(tried), "checking items") as progress:
        good = compiling(tried, workers, progress.advance)
    codes = {unit.row.key: Code(unit.row.text) for unit in good}
    with Progress(None, "checking broken forms") as progress:
        order = chosen(good, len(good), options.seed, "fixing")
        broken, fixing_tally = broken_forms(order, codes, options, workers, progress.advance)
    with Progress(None, "checking plainer forms") as progress:
        order = chosen(good, len(good), options.seed, "transformations")
        plain, plain_tally = plain_forms(order, codes, options, workers, progress.advance)
    maker = Maker(options, _short_version())
    made = {
        "code_generation": maker.generation(chosen(good, len(good), options.seed, "generation")),
        "error_fixing": maker.fixing(broken),
        "transformations": maker.transformations(plain),
        "explanations": maker.explanations(_by_chance(rows, options)),
    }
    if options.unchecked_generation:
        compiled = {unit.row.key for unit in good}
        others = [Unit(row) for row in _by_chance(rows, options) if row.key not in compiled and _may_ask(row)]
        made["unchecked_generation"] = maker.generation(others, checked=False)
    samples = _distinct(made)
    samples.sort(key=lambda each: (each.source_crate or "", each.source_file or "", each.span or [], each.id))
    counts = {
        "items": len(rows),
        "crates": len({row.crate for row in rows}),
        "units": {
            "made": len(units),
            "not_made": dict(sorted(unmade.items())),
            "checked": len(tried),
            "compile": len(good),
            "self_contained": sum(unit.self_contained for unit in good),
        },
        "forms": {"broken": _told(fixing_tally), "plain": _told(plain_tally)},
        "tasks": {
            name: {
                "candidates": each.candidates,
                "kept": len(each.rows),
                "lost": dict(sorted(each.lost.items())),
            }
            for name, each in made.items()
        },
        "samples": len(samples),
    }
    return samples, counts


def units_of(rows: Sequence[ItemRow], options: TasksOptions) -> tuple[list[Unit], Counter[str]]:
    """The units that the rows give, crate by crate, and why the others give none."""
    by_crate: dict[tuple[str, str], list[ItemRow]] = defaultdict(list)
    for row in rows:
        by_crate[row.crate, row.version].append(row)
    units: list[Unit] = []
    lost: Counter[str] = Counter()
    for _, inside in sorted(by_crate.items()):
        crate = CrateIndex(inside)
        for row in inside:
            reason = reason_against(row) or _length_reason(row, options)
            if reason:
                lost[reason] += 1
                continue
            try:
                units.append(unit_of(row, crate, options.context_lines))
            except Incomplete as why:
                lost[str(why)] += 1
    return units, lost


def _length_reason(row: ItemRow, options: TasksOptions) -> str:
    lines = row.text.count("\n") + 1
    if lines < options.min_lines:
        return "fewer lines than min_lines"
    if lines > options.max_lines or len(row.text) > options.max_chars:
        return "too long for a sample"
    return ""


def _chosen_by_crate(units: Sequence[Unit], options: TasksOptions) -> list[Unit]:
    """At most `items_per_crate` units of each crate, self-contained and documented ones first, then by chance."""
    by_crate: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        by_crate[unit.row.crate].append(unit)
    found: list[Unit] = []
    for _, inside in sorted(by_crate.items()):
        order = chosen(inside, len(inside), options.seed, "items")
        order.sort(key=lambda unit: (not unit.self_contained, not unit.row.docs))
        found += order[: options.items_per_crate]
    return found


def _by_chance(rows: Sequence[ItemRow], options: TasksOptions) -> list[ItemRow]:
    return [unit.row for unit in chosen([Unit(row) for row in rows], len(rows), options.seed, "rows")]


def _may_ask(row: ItemRow) -> bool:
    return row.kind == "function" and not reason_against(row)


def _distinct(made: dict[str, Made]) -> list[Sample]:
    """All samples, those with the same prompt and answer once."""
    return list({each.id: each for part in made.values() for each in part.rows}.values())


def _told(tally: Tally) -> dict[str, Any]:
    return {
        "tried": dict(sorted(tally.tried.items())),
        "kept": dict(sorted(tally.kept.items())),
        "lost": dict(sorted(tally.lost.items())),
        "codes": dict(sorted(tally.codes.items())),
    }


def _short_version() -> str:
    """`rustc 1.95.0`: without commit and date, which the provenance file holds."""
    return " ".join(rustc_version().split()[:2])

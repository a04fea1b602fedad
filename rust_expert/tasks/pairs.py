"""What rustc confirms about units: that the originals compile, that broken forms do not, that plainer forms do.

Prompts are made elsewhere (rust_expert.tasks.rows), so that another wording asks rustc nothing again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.seeds import rng, stable_hash
from rust_expert.judge.rustc import CheckResult, check, check_many
from rust_expert.tasks.code import Code
from rust_expert.tasks.mutations.catalogue import mutants_of
from rust_expert.tasks.rewrites.catalogue import rewritten_forms
from rust_expert.tasks.units import Unit

SNIPPET = "snippet.rs"
"""What the judge calls the file of a snippet; prompts call it src/lib.rs."""

EDITIONS = ("2015", "2018", "2021", "2024")

TRIED_FOR_ONE = 1.2
"""Forms tried for each one wanted: of the broken ones about nine in ten fail as they should."""

_LIBRARY = re.compile(r"(?:/rustc/\w+|/[\w./-]*rustlib/src/rust)/library/")

Told = Callable[[int], None]


@dataclass(frozen=True)
class Broken:
    """A unit's item in a form that fails inside the item; `message` is what rustc prints, `codes` its error codes."""

    unit: Unit
    operator: str
    text: str
    message: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Plain:
    """A unit's item in a plainer form that compiles as the original does."""

    unit: Unit
    rewrite: str
    text: str


@dataclass
class Tally:
    """How many forms were tried and confirmed, and why the others were not."""

    tried: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


def chosen(units: Sequence[Unit], count: int, seed: int, purpose: str) -> list[Unit]:
    """`count` of the units, by a hash of each: one more unit changes at most one other's place."""
    return sorted(units, key=lambda unit: stable_hash(seed, purpose, unit.row.key))[:count]


def compiling(units: Sequence[Unit], workers: int, told: Told | None = None) -> list[Unit]:
    """The units whose file compiles as it is, in the order given, each in its crate's edition."""
    found = _compile([(unit, unit.row.text) for unit in units], workers, told)
    return [unit for unit, compiles in zip(units, found, strict=True) if compiles]


def _compile(forms: Sequence[tuple[Unit, str]], workers: int, told: Told | None) -> list[bool]:
    """Whether each form compiles, in order; forms of one edition go together, most of them being good."""
    by_edition: dict[str, list[int]] = defaultdict(list)
    for place, (unit, _) in enumerate(forms):
        by_edition[_edition(unit)].append(place)
    results: dict[int, bool] = {}
    for edition, places in sorted(by_edition.items()):
        codes = [forms[place][0].file(forms[place][1]) for place in places]
        found = check_many(codes, edition=edition, diagnostics=False, workers=workers, progress=told)
        results.update((place, result.ok) for place, result in zip(places, found, strict=True))
    return [results[place] for place in range(len(forms))]


def _fail(forms: Sequence[tuple[Unit, str]], workers: int, told: Told | None) -> list[CheckResult]:
    """What rustc says of each form alone, in order: nearly all fail, so that a batch would save nothing."""

    def alone(form: tuple[Unit, str]) -> CheckResult:
        return check(form[0].file(form[1]), edition=_edition(form[0]))

    results: list[CheckResult] = []
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for result in pool.map(alone, forms):
            results.append(result)
            if told is not None:
                told(1)
    return results


def _edition(unit: Unit) -> str:
    return unit.row.edition if unit.row.edition in EDITIONS else "2021"


class _Quota:
    """How many forms a crate may still give, and how many by one way of making them, so that no way crowds out the
    others: the commonest ones apply to nearly every item.
    """

    def __init__(self, rows: int) -> None:
        self.most = round(rows * TRIED_FOR_ONE)
        self.most_by_one = max(2, rows // 8)
        self.made: dict[str, Counter[str]] = defaultdict(Counter)

    def left(self, crate: str, most: int) -> int:
        """How many more forms a crate may give now, `most` at the most."""
        return max(0, min(most, self.most - self.made[crate].total()))

    def spent(self, crate: str) -> frozenset[str]:
        """The ways that have given a crate enough."""
        return frozenset(name for name, count in self.made[crate].items() if count >= self.most_by_one)

    def take(self, crate: str, names: list[str]) -> None:
        """Count forms made."""
        self.made[crate].update(names)


def broken_forms(
    units: Sequence[Unit],
    codes: dict[str, Code],
    options: TasksOptions,
    workers: int,
    told: Told | None = None,
) -> tuple[list[Broken], Tally]:
    """Mutations of units that compile, kept where they fail with errors of known code inside the item alone.

    `codes` gives each unit's parsed item by its key. Units of one crate are tried until the crate can give what the
    options allow it.
    """
    tally, quota = Tally(), _Quota(options.fixing_rows)
    forms: list[tuple[Unit, str, str]] = []
    for unit in units:
        count = quota.left(unit.row.crate, options.mutants_per_item)
        if count:
            chance = rng(options.seed, "mutants", unit.row.key)
            made = mutants_of(codes[unit.row.key], count, chance, quota.spent(unit.row.crate))
            quota.take(unit.row.crate, [mutant.operator for mutant in made])
            forms += [(unit, mutant.operator, mutant.text) for mutant in made]
    results = _fail([(unit, text) for unit, _, text in forms], workers, told)
    kept: list[Broken] = []
    for (unit, operator, text), result in zip(forms, results, strict=True):
        tally.tried[operator] += 1
        reason = _reason_against(unit, text, result, options.max_errors)
        if reason:
            tally.lost[reason] += 1
            continue
        tally.kept[operator] += 1
        tally.codes.update(result.codes)
        kept.append(Broken(unit, operator, text, rendered(result), tuple(result.codes)))
    return kept, tally


def _reason_against(unit: Unit, text: str, result: CheckResult, max_errors: int) -> str:
    """Why a broken form is no fair task; "" for one that is."""
    errors = [each for each in result.diagnostics if each.is_error]
    if result.ok:
        return "it compiles"
    if not errors or not result.codes:
        return "an error without a code"
    if len(errors) > max_errors:
        return "too many errors"
    start, end = unit.bounds(text)
    for error in errors:
        places = [span for span in error.spans if span.primary]
        if not places or not all(
            span.file == SNIPPET and start <= span.byte_start and span.byte_end <= end for span in places
        ):
            return "an error outside the item"
    return ""


def rendered(result: CheckResult) -> str:
    """rustc's messages as it prints them, the file called src/lib.rs, without paths of this machine."""
    parts = [each.rendered.strip("\n") for each in result.diagnostics if each.is_error]
    text = "\n\n".join(parts)
    text = re.sub(rf"(-->|:::) {re.escape(SNIPPET)}\b", r"\1 src/lib.rs", text)
    return _LIBRARY.sub("library/", text)


def plain_forms(
    units: Sequence[Unit],
    codes: dict[str, Code],
    options: TasksOptions,
    workers: int,
    told: Told | None = None,
) -> tuple[list[Plain], Tally]:
    """Backward rewrites of units that compile, kept where the rewritten form compiles too."""
    tally, quota = Tally(), _Quota(options.transformation_rows)
    forms: list[tuple[Unit, str, str]] = []
    for unit in units:
        count = quota.left(unit.row.crate, options.rewrites_per_item)
        if count:
            chance = rng(options.seed, "rewrites", unit.row.key)
            made = rewritten_forms(codes[unit.row.key], count, chance, quota.spent(unit.row.crate))
            quota.take(unit.row.crate, [form.rewrite for form in made])
            forms += [(unit, form.rewrite, form.text) for form in made]
    results = _compile([(unit, text) for unit, _, text in forms], workers, told)
    kept: list[Plain] = []
    for (unit, rewrite, text), compiles in zip(forms, results, strict=True):
        tally.tried[rewrite] += 1
        if compiles:
            tally.kept[rewrite] += 1
            kept.append(Plain(unit, rewrite, text))
        else:
            tally.lost["it does not compile"] += 1
    return kept, tally

"""One built crate, examined: which of its items' forms fail, which plainer forms and suggestions compile, which items
stand without their crate. Prompts are made elsewhere (rust_expert.tasks.rows), so that another wording asks rustc
nothing.
"""

import functools
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rust_expert.common.config.pairs import PairOptions
from rust_expert.common.seeds import rng, stable_hash
from rust_expert.judge.diagnostics import Diagnostic
from rust_expert.judge.in_place import InPlace
from rust_expert.judge.rustc import check_many
from rust_expert.judge.third_party import Build
from rust_expert.syntax.corpus import ItemRow
from rust_expert.tasks.code import Code
from rust_expert.tasks.composed import Form, public_paths
from rust_expert.tasks.crate_index import CrateIndex, Incomplete
from rust_expert.tasks.mutations.catalogue import mutants_of
from rust_expert.tasks.pairs import PairRow, Tally, pair_of
from rust_expert.tasks.rewrites.catalogue import rewritten_forms
from rust_expert.tasks.suggestions import suggested
from rust_expert.tasks.trying import Trials
from rust_expert.tasks.units import Unit, reason_against, unit_of

log = logging.getLogger(__name__)

EDITIONS = ("2015", "2018", "2021", "2024")
_WORD = re.compile(rb"[A-Za-z_]\w*")


@dataclass
class Examined:
    """What came out: the confirmed forms in the order of their items, and how many were tried for each kind."""

    pairs: list[PairRow] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))


def examined(
    rows: Sequence[ItemRow],
    sources: Mapping[str, bytes],
    crate: InPlace,
    build: Build,
    options: PairOptions,
) -> Examined:
    """Examine the items of one crate. `rows`: all of them; `sources`: the files that took part in its build;
    `warnings`: clippy's, of the crate as it is.

    The result depends on the arguments alone. Raises UserError and JudgeFault as the sandbox does.
    """
    examination = _Examination(rows, sources, Trials(crate, sources), options)
    found = Examined()
    for kind, ask in (
        ("broken", examination.broken),
        ("plain", examination.plain),
        ("suggested", lambda: examination.suggested(build)),
        ("stands", examination.standing),
    ):
        pairs, tally = ask()
        found.pairs += pairs
        found.tallies[kind].add(tally)
    found.pairs.sort(key=lambda pair: (pair.file, pair.start, pair.kind, pair.way, pair.text))
    return found


class _Examination:
    """What all questions share: the items worth asking about, their trees, the compiler."""

    def __init__(
        self, rows: Sequence[ItemRow], sources: Mapping[str, bytes], trials: Trials, options: PairOptions
    ) -> None:
        self.rows, self.sources, self.trials, self.options = rows, sources, trials, options
        self.items = [row for row in rows if row.file in sources and not _reason(row, options)]
        self._trees: dict[str, Code] = {}

    def broken(self) -> tuple[list[PairRow], Tally]:
        """Mutations, kept where they fail with errors of known code inside the item alone."""
        tally, forms = Tally(), self._forms("fixing", self.options.broken_forms, self._mutants)
        tried = self.trials.failing(forms, self.options.max_errors)
        tally.tried.update(form.way for form in forms)
        tally.kept.update(each.form.way for each in tried.failed)
        tally.codes.update(code for each in tried.failed for code in each.codes)
        tally.lost = tried.lost
        return [
            pair_of(
                each.form.row,
                "broken",
                each.form.way,
                each.form.text,
                public_paths(each.message),
                each.codes,
                tuple(map(public_paths, each.notes)),
            )  # fmt: skip
            for each in tried.failed
        ], tally

    def plain(self) -> tuple[list[PairRow], Tally]:
        """Backward rewrites, kept where the rewritten form compiles too."""
        tally, forms = Tally(), self._forms("transformations", self.options.plain_forms, self._rewrites)
        kept: list[Form] = []
        for group in _rounds(forms):
            tried = self.trials.compiling(group)
            kept += tried.compiling
            tally.lost.update(tried.lost)
        tally.tried.update(form.way for form in forms)
        tally.kept.update(form.way for form in kept)
        return [pair_of(form.row, "plain", form.way, form.text) for form in kept], tally

    def suggested(self, build: Build) -> tuple[list[PairRow], Tally]:
        """Clippy's suggestions, kept where the item compiles with them and the lint is silent about that."""
        tally = Tally()
        told = dict(self._suggestions(build))
        kept: list[Form] = []
        for group in _rounds(list(told)):
            tried = self.trials.compiling(group, lints=True)
            tally.lost.update(tried.lost)
            for form in tried.compiling:
                if tried.warned[form][form.way] < _warned(build.warnings, form.row)[form.way]:
                    kept.append(form)
                else:
                    tally.lost["clippy goes on about it"] += 1
        tally.tried.update(form.way for form in told)
        tally.kept.update(form.way for form in kept)
        return [
            pair_of(form.row, "suggested", form.way, form.text, public_paths(told[form].rendered.strip("\n")))
            for form in kept
        ], tally

    def standing(self) -> tuple[list[PairRow], Tally]:
        """The items that compile as a file of their own, alone or beside what they need of their crate."""
        tally, crate, units = Tally(), CrateIndex(self.rows), list[Unit]()
        for row in self._order("items"):
            if len(units) == self.options.standing_items:
                break
            try:
                units.append(unit_of(row, crate, self.options.context_lines))
            except Incomplete as why:
                tally.lost[str(why)] += 1
        by_edition: dict[str, list[Unit]] = defaultdict(list)
        for unit in units:
            by_edition[unit.row.edition if unit.row.edition in EDITIONS else "2021"].append(unit)
        pairs: list[PairRow] = []
        for edition, inside in sorted(by_edition.items()):
            files = [unit.file(unit.row.text) for unit in inside]
            for unit, result in zip(
                inside, check_many(files, edition=edition, diagnostics=False), strict=True
            ):
                way = "alone" if unit.self_contained else "beside"
                tally.tried[way] += 1
                if result.ok:
                    tally.kept[way] += 1
                    pairs.append(pair_of(unit.row, "stands", way))
                else:
                    tally.lost["it does not compile"] += 1
        return pairs, tally

    def _order(self, purpose: str) -> list[ItemRow]:
        """The items by a hash of each: one more item changes at most one other's place."""
        return sorted(self.items, key=lambda row: stable_hash(self.options.seed, purpose, row.key))

    def _forms(
        self, purpose: str, most: int, make: Callable[[ItemRow, int, frozenset[str]], list[Form]]
    ) -> list[Form]:
        """At most `most` forms, none by a way that has given an eighth of them: the commonest apply to nearly all."""
        forms: list[Form] = []
        made: Counter[str] = Counter()
        most_by_one = max(2, most // 8)
        for row in self._order(purpose):
            left = most - len(forms)
            if left <= 0:
                break
            spent = frozenset(way for way, count in made.items() if count >= most_by_one)
            more = make(row, left, spent)
            made.update(form.way for form in more)
            forms += more
        return forms

    def _mutants(self, row: ItemRow, left: int, spent: frozenset[str]) -> list[Form]:
        chance = rng(self.options.seed, "mutants", row.key)
        count = min(left, self.options.mutants_per_item)
        made = [
            Form(row, each.operator, each.text, each.inside)
            for each in mutants_of(self._tree(row), count, chance, spent)
        ]
        # What changes a signature breaks its callers too, unless nothing in the crate names it.
        return [form for form in made if form.inside or self._uses[row.name.encode()] <= 1]

    @functools.cached_property
    def _uses(self) -> Counter[bytes]:
        """How often each name stands in the crate, its definition included."""
        return Counter(word for source in self.sources.values() for word in _WORD.findall(source))

    def _tree(self, row: ItemRow) -> Code:
        if row.key not in self._trees:
            self._trees[row.key] = Code(row.text)
        return self._trees[row.key]

    def _rewrites(self, row: ItemRow, left: int, spent: frozenset[str]) -> list[Form]:
        chance = rng(self.options.seed, "rewrites", row.key)
        count = min(left, self.options.rewrites_per_item)
        return [
            Form(row, each.rewrite, each.text)
            for each in rewritten_forms(self._tree(row), count, chance, spent)
        ]

    def _suggestions(self, build: Build) -> list[tuple[Form, Diagnostic]]:
        """The suggestions that are tried, by a hash of each, the same limits on ways and items as elsewhere."""
        found = list(suggested(self.items, self._tree, build.warnings, build.groups))
        seed = self.options.seed
        found.sort(key=lambda each: stable_hash(seed, "suggestions", each[0].key, each[0].way, each[0].text))
        ways, items = Counter[str](), Counter[str]()
        most_by_one = max(2, self.options.suggested_forms // 8)
        kept: list[tuple[Form, Diagnostic]] = []
        for form, warning in found:
            if len(kept) == self.options.suggested_forms:
                break
            if ways[form.way] < most_by_one and items[form.key] < self.options.suggestions_per_item:
                ways[form.way] += 1
                items[form.key] += 1
                kept.append((form, warning))
        return kept


def _warned(warnings: Sequence[Diagnostic], row: ItemRow) -> Counter[str]:
    """How often each lint warns inside an item."""
    return Counter(
        each.code
        for each in warnings
        for span in each.spans[:1]
        if span.file == row.file and row.start <= span.byte_start and span.byte_end <= row.end
    )


def _reason(row: ItemRow, options: PairOptions) -> str:
    """Why an item is not asked about; "" for one that is."""
    lines = row.text.count("\n") + 1
    if lines < options.min_lines:
        return "fewer lines than min_lines"
    if lines > options.max_lines or len(row.text) > options.max_chars:
        return "too long for a sample"
    return reason_against(row)


def _rounds(forms: Sequence[Form]) -> list[list[Form]]:
    """Groups in which each item stands once."""
    groups: list[list[Form]] = []
    seen: Counter[str] = Counter()
    for form in forms:
        place = seen[form.key]
        seen[form.key] += 1
        if place == len(groups):
            groups.append([])
        groups[place].append(form)
    return groups

"""The training tasks and the problems of the held-out suite, from a seed."""

import difflib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.errors import UserError
from rust_expert.common.seeds import rng, shard_of, stable_hash
from rust_expert.curriculum.drafts import Draft, Family
from rust_expert.curriculum.families import FAMILIES, names
from rust_expert.curriculum.held_out import held_out_of
from rust_expert.curriculum.phrasing import phrased
from rust_expert.curriculum.tasks import Cases, Task, chosen

# Draws per wanted task before a combination counts as exhausted.
TRIES = 60


@dataclass(frozen=True)
class Row:
    """One training row: a task, how it is put, and the answer."""

    task: Task
    prompt: str
    answer: str
    template: str


def families_of(options: CurriculumOptions) -> list[Family]:
    """The families that the options name, in the order of the registry; all for [].

    Raises UserError for a name that is no family.
    """
    for name in options.families:
        if name not in FAMILIES:
            near = difflib.get_close_matches(name, names(), 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names())}"
            raise UserError(f"curriculum.families: no family is called {name!r}{hint}")
    return [family for name, family in FAMILIES.items() if not options.families or name in options.families]


def _split(family: Family, options: CurriculumOptions) -> tuple[list[str], list[str]]:
    kept_back = held_out_of(family.name, options.seed, options.held_out_fraction)
    training = [name for name in family.combinations if name not in kept_back]
    return training, [name for name in family.combinations if name in kept_back]


def training_combinations(options: CurriculumOptions) -> list[str]:
    """Every combination that may be trained on."""
    return [name for family in families_of(options) for name in _split(family, options)[0]]


def held_out_combinations(options: CurriculumOptions) -> list[str]:
    """Every combination that is kept for the suite."""
    return [name for family in families_of(options) for name in _split(family, options)[1]]


def _evenly(total: int, parts: list[str], seed: int) -> dict[str, int]:
    """`total` spread over `parts`; who gets one more depends on the seed and its name alone."""
    each, more = divmod(total, len(parts))
    first = sorted(parts, key=lambda name: stable_hash(seed, "one more", name))[:more]
    counts = dict.fromkeys(parts, each)
    for name in first:
        counts[name] += 1
    return counts


def tasks_of(combination: str, seed: int) -> Iterator[Task]:
    """The tasks of a combination, without end."""
    family = FAMILIES[combination.split("/")[0]]
    rivals = _rivals(family, combination, seed)
    known: dict[tuple[Any, ...], Cases] = {}
    for index in itertools.count():
        draft = family.draft(seed, combination, index)
        # The inputs depend on the constants alone (Draw.cases), and so does what they tell apart.
        if draft.constants not in known:
            known[draft.constants] = chosen(draft, rivals)
        yield Task(family.name, combination, index, draft, *known[draft.constants])


def _rivals(family: Family, combination: str, seed: int) -> list[Draft]:
    """Functions that the tests should tell apart from this one: another operation on just one axis, the same types."""
    member = tuple(combination.split("/")[1:])
    own = family.draft(seed, combination, 0)
    kinds = [param.kind for param in own.params]
    near = [
        other
        for other in family.members
        if [axis for axis, a, b in zip(family.axes, member, other, strict=True) if a != b]
        not in ([], ["kind"])
        and sum(a != b for a, b in zip(member, other, strict=True)) == 1
    ]
    drafts = [family.draft(seed, "/".join((family.name, *other)), 0) for other in near]
    return [
        rival for rival in drafts if rival.returns == own.returns and [p.kind for p in rival.params] == kinds
    ]


def generate(options: CurriculumOptions, shard: int = 0, shards: int = 1) -> Iterator[Row]:
    """The training rows of one shard, in a fixed order. A combination lies in one shard as a whole.

    The prompts of all shards are distinct. Raises UserError where a combination has fewer distinct prompts than the
    options ask of it.
    """
    counts = _evenly(options.tasks, training_combinations(options), options.seed)
    for combination, count in counts.items():
        if shard_of(combination, shards) == shard:
            yield from _rows(combination, count, options)


def _rows(combination: str, count: int, options: CurriculumOptions) -> Iterator[Row]:
    seen: set[str] = set()
    for task in tasks_of(combination, options.seed):
        if len(seen) == count:
            return
        if task.index >= TRIES * count + TRIES:
            raise UserError(
                f"curriculum.tasks: {combination} has only {len(seen)} distinct prompts and {count} are asked of it; "
                f"lower curriculum.tasks or name more families"
            )
        prompt, template = phrased(task, rng(options.seed, "phrasing", combination, task.index))
        if prompt not in seen:
            seen.add(prompt)
            yield Row(task, prompt, task.documented if options.documented else task.solution, template)


def problems(options: CurriculumOptions) -> Iterator[Task]:
    """The held-out problems, family by family: as many of each as there can be at most two of a combination.

    Raises UserError where the held-out combinations are too few.
    """
    families = families_of(options)
    pools = {family.name: _split(family, options)[1] for family in families}
    quotas = _quotas(options, {name: 2 * len(pool) for name, pool in pools.items()})
    for family in families:
        for combination, count in _evenly(quotas[family.name], pools[family.name], options.seed).items():
            seen: set[str] = set()
            for task in tasks_of(combination, options.seed):
                if len(seen) == count:
                    break
                if task.canonical_solution not in seen or task.index >= TRIES:
                    seen.add(task.canonical_solution + str(task.index if task.index >= TRIES else ""))
                    yield task


def _quotas(options: CurriculumOptions, room: dict[str, int]) -> dict[str, int]:
    """How many problems each family gives: as evenly as their room allows."""
    if options.problems > sum(room.values()):
        raise UserError(
            f"curriculum.problems: {options.problems} problems are asked for and the held-out combinations give "
            f"{sum(room.values())}; raise curriculum.held_out_fraction or lower curriculum.problems"
        )
    quotas = dict.fromkeys(room, 0)
    left = options.problems
    while left:
        open_ = [name for name in room if quotas[name] < room[name]]
        open_.sort(key=lambda name: (quotas[name], stable_hash(options.seed, "quota", name)))
        for name in open_[:left]:
            quotas[name] += 1
        left -= min(left, len(open_))
    return quotas

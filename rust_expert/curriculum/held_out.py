"""Which combinations are never trained on.

Up to half of them are whole operations, held out for every type at once: their pair of, say, fold and condition is
never seen in training. The others are single combinations, whose type is new to the operation. Either way each value
on each axis of a held-out combination occurs in training with other partners.
"""

from collections import Counter
from functools import cache

from rust_expert.common.seeds import stable_hash
from rust_expert.curriculum.drafts import Family
from rust_expert.curriculum.families import FAMILIES

# Of the combinations that carry one value on one axis, at least this share stays in training.
KEPT = 0.5


def held_out(combination: str, seed: int, fraction: float) -> bool:
    """Whether a combination belongs to the held-out suite and not to training."""
    return combination in held_out_of(combination.split("/")[0], seed, fraction)


@cache
def held_out_of(family: str, seed: int, fraction: float) -> frozenset[str]:
    """The held-out combinations of a family, about `fraction` of all; each family's choice is its own."""
    made = FAMILIES[family]
    quota = max(1, round(fraction * len(made.members)))
    totals = Counter(value for member in made.members for value in enumerate(member))
    left = totals.copy()
    chosen: set[tuple[str, ...]] = set()
    for batch, most in ((_operations(made, seed), quota / 2), (_single(made, seed), quota)):
        for group in batch:
            fresh = [member for member in group if member not in chosen]
            used = Counter(value for member in fresh for value in enumerate(member))
            fits = all(left[value] - count >= max(1.0, KEPT * totals[value]) for value, count in used.items())
            if fresh and fits and len(chosen) + len(fresh) <= most:
                chosen.update(fresh)
                left.subtract(used)
    return frozenset("/".join((family, *member)) for member in chosen)


def _operations(family: Family, seed: int) -> list[list[tuple[str, ...]]]:
    """The members of each operation over all types, in a seeded order; none where there is no type axis."""
    if "kind" not in family.axes:
        return []
    place = family.axes.index("kind")
    groups: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for member in family.members:
        groups.setdefault(member[:place] + member[place + 1 :], []).append(member)
    return sorted(groups.values(), key=lambda group: stable_hash(seed, "operation", family.name, *group[0]))


def _single(family: Family, seed: int) -> list[list[tuple[str, ...]]]:
    """Each member by itself, in a seeded order."""
    members = sorted(family.members, key=lambda member: stable_hash(seed, "held out", family.name, *member))
    return [[member] for member in members]

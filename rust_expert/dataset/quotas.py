"""Whole numbers of rows from shares."""

from collections.abc import Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=str)


def quotas(total: int, shares: Mapping[Name, float]) -> dict[Name, int]:
    """`total` dealt out by `shares`, which add up to 1, in whole numbers.

    The method of the largest remainder (Hamilton); of equal remainders the earlier name in the alphabet wins.
    The result adds up to `total`.
    """
    exact = {name: total * share for name, share in shares.items()}
    # A share such as 0.15 of 20 is 3.0000000000000004 or 2.9999999999999996: what is whole is taken as whole.
    dealt = {name: int(part + 1e-9) for name, part in exact.items()}
    by_rest = sorted(shares, key=lambda name: (-round(exact[name] - dealt[name], 9), name))
    for name in by_rest[: total - sum(dealt.values())]:
        dealt[name] += 1
    return dealt


def weighted_sizes(sizes: Mapping[Name, int], weights: Mapping[Name, float]) -> dict[Name, int]:
    """How many rows each kind gives when all are taken as often as its weight says; 1 where it has none."""
    return {name: int(size * weights.get(name, 1.0) + 0.5) for name, size in sizes.items()}


def shared_out(total: int, sizes: Mapping[Name, int]) -> dict[Name, int]:
    """At most `total`, dealt out in proportion to `sizes` and never more of a name than its size."""
    whole = sum(sizes.values())
    if total >= whole:
        return dict(sizes)
    return quotas(total, {name: size / whole for name, size in sizes.items()})

"""The order in which several sources become one data set; each keeps the order of its own rows."""

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any, Literal, TypeVar

Item = TypeVar("Item")
Manner = Literal["weighted", "round_robin", "sequential"]

_END: Any = object()


def sequential(parts: Sequence[Sequence[Item]]) -> list[Item]:
    """One part after the other."""
    return list(chain.from_iterable(parts))


def round_robin(parts: Sequence[Sequence[Item]]) -> list[Item]:
    """One of each part in turn; a part that has run out is passed over."""
    turns = zip_longest(*parts, fillvalue=_END)
    return [item for turn in turns for item in turn if item is not _END]


def weighted(parts: Sequence[Sequence[Item]]) -> list[Item]:
    """Each part spread evenly over the whole, so that every stretch has the parts in the proportions of the whole.

    The j-th of n rows stands at (j + 1/2) / n of the way; of two at one place the earlier part's comes first.
    """
    placed = [
        ((2 * row + 1) / (2 * len(part)), number, item)
        for number, part in enumerate(parts)
        for row, item in enumerate(part)
    ]
    placed.sort(key=lambda one: one[:2])
    return [item for _, _, item in placed]


_MANNERS: dict[str, Callable[[Sequence[Sequence[Any]]], list[Any]]] = {
    "weighted": weighted,
    "round_robin": round_robin,
    "sequential": sequential,
}


def interleaved(parts: Sequence[Sequence[Item]], manner: Manner) -> list[Item]:
    """The rows of all parts in the order that `manner` names."""
    return _MANNERS[manner](parts)

"""All families of the curriculum, by name."""

from types import ModuleType

from rust_expert.curriculum import (
    abstractions,
    choices,
    loops,
    numbers,
    outcomes,
    pairs,
    records,
    slices,
    tables,
    text,
)
from rust_expert.curriculum.drafts import Family

_MODULES: tuple[ModuleType, ...] = (
    numbers,
    choices,
    loops,
    slices,
    pairs,
    text,
    outcomes,
    records,
    abstractions,
    tables,
)

FAMILIES: dict[str, Family] = {
    made.name: made for module in _MODULES for made in vars(module).values() if isinstance(made, Family)
}


def names() -> list[str]:
    """The names of all families, in the order of their modules."""
    return list(FAMILIES)

"""All mutation operators, and the seeded choice of a few for one item."""

import random
from dataclasses import dataclass

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Edits
from rust_expert.tasks.mutations import borrows, contracts, naming, ownership, types
from rust_expert.tasks.mutations.operator import Operator, functions

OPERATORS: tuple[Operator, ...] = (
    *types.OPERATORS,
    *ownership.OPERATORS,
    *borrows.OPERATORS,
    *naming.OPERATORS,
    *contracts.OPERATORS,
)


@dataclass(frozen=True)
class Mutant:
    """A broken form of an item: the operator's name, the whole changed text, whether only bodies differ."""

    operator: str
    text: str
    inside: bool


def mutants_of(
    code: Code, count: int, chance: random.Random, spent: frozenset[str] = frozenset()
) -> list[Mutant]:
    """Up to `count` broken forms, by different operators drawn by weight among those that apply; all different.

    `spent`: names of operators that have been used enough.
    """
    places = [(each, found) for each in OPERATORS if each.name not in spent and (found := each.find(code))]
    made: list[Mutant] = []
    seen = {code.edited(())}
    while places and len(made) < count:
        chosen = chance.choices(range(len(places)), weights=[each.weight for each, _ in places])[0]
        each, found = places.pop(chosen)
        edits = chance.choice(found)
        text = code.edited(edits)
        if text not in seen:
            seen.add(text)
            made.append(Mutant(each.name, text, _inside_bodies(code, edits)))
    return made


def _inside_bodies(code: Code, edits: Edits) -> bool:
    """Whether all edits lie within bodies of functions, between the braces."""
    bodies = [body for function in functions(code) if (body := field(function, "body")) is not None]
    return all(
        any(body.start_byte < edit.start and edit.end < body.end_byte for body in bodies) for edit in edits
    )

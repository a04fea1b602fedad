"""All backward rewrites, and the seeded choice of a few for one item."""

import random
from dataclasses import dataclass

from rust_expert.syntax.parser import is_whole
from rust_expert.tasks.code import Code
from rust_expert.tasks.rewrites import loops, patterns, plain, questions
from rust_expert.tasks.rewrites.rewrite import Rewrite

REWRITES: tuple[Rewrite, ...] = (
    *questions.REWRITES,
    *patterns.REWRITES,
    *loops.REWRITES,
    *plain.REWRITES,
)

BY_NAME = {each.name: each for each in REWRITES}


@dataclass(frozen=True)
class Rewritten:
    """The plainer form of an item: the rewrite's name and the whole changed text."""

    rewrite: str
    text: str


def rewritten_forms(
    code: Code, count: int, chance: random.Random, spent: frozenset[str] = frozenset()
) -> list[Rewritten]:
    """Up to `count` plainer forms, by different rewrites drawn by weight among those that apply; all different.

    `spent`: names of rewrites that have been used enough.
    """
    places = [(each, found) for each in REWRITES if each.name not in spent and (found := each.find(code))]
    made: list[Rewritten] = []
    seen = {code.edited(())}
    while places and len(made) < count:
        chosen = chance.choices(range(len(places)), weights=[each.weight for each, _ in places])[0]
        each, found = places.pop(chosen)
        text = code.rewritten(found)
        if text not in seen and is_whole(text.encode("utf-8")):
            seen.add(text)
            made.append(Rewritten(each.name, text))
    return made

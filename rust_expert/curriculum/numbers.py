"""Families over plain numbers: arithmetic, tests, branches, floats, overflow, bits."""

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rust_expert.curriculum.drafts import Draft, Draw, Param, family, if_else, singles
from rust_expert.curriculum.integers import FOUR, SIGNED, TYPES, Integer
from rust_expert.curriculum.vocabulary import (
    ATOM,
    PAIRINGS,
    PRODUCT,
    Expression,
    word,
)

BOTH = ("add", "mul", "max", "min", "sub", "abs_diff")


def pairs(draw: Draw, t: Integer, near: tuple[int, ...] = (), limit: int = 20) -> list[tuple[int, int]]:
    """Two numbers worth testing; in an unsigned type the first is never the smaller by accident alone."""
    values = draw.numbers(t, near, limit)
    return [(a, draw.cases.choice(values)) for a in values]


@family(kind=FOUR, pair=BOTH, map=("plain", "double", "square", "plus", "halve"))
def arithmetic(draw: Draw, kind: str, pair: str, map: str) -> Draft:
    """An operation on one number and a mapped second one."""
    t, p, m = TYPES[kind], PAIRINGS[pair], draw.mapping(map)
    a, b = draw.pair()
    plain = map == "plain"
    names = (word(pair), f"{word(pair)}_two") if plain else (f"{word(pair)}_{map}", f"{map}_{word(pair)}")
    return Draft(
        name=draw.one(*names),
        params=(Param(a, kind), Param(b, kind)),
        returns=kind,
        doc=f"{draw.verb()} {p.of(f'`{a}`', m.of(f'`{b}`'))}.",
        body=(p.code(Expression(a), m.code(b)).text,),
        reference=lambda a, b: t.fit(p.run(a, m.of_x(b))),
        inputs=pairs(draw, t),
    )


@family(
    kind=SIGNED,
    first=("even", "odd", "multiple"),
    join=("and", "or"),
    second=("positive", "negative", "above", "below"),
)
def predicates(draw: Draw, kind: str, first: str, join: str, second: str) -> Draft:
    """Two conditions of one number, joined."""
    c, e = draw.condition(first), draw.condition(second)
    x = draw.scalar()
    operator = {"and": "&&", "or": "||"}[join]
    body = f"{c.code(x)} {operator} {e.code(x)}"
    return Draft(
        name=draw.one(f"is_{first}_{join}_{second}", f"{first}_{join}_{second}"),
        params=(Param(x, kind),),
        returns="bool",
        doc=f"{draw.one('Checks', 'Tells')} whether `{x}` is {c.clause.format(k=c.k)} {join} {e.clause.format(k=e.k)}.",
        body=(body,),
        reference=lambda x: (c.holds(x) and e.holds(x)) if join == "and" else (c.holds(x) or e.holds(x)),
        inputs=singles(draw.numbers(TYPES[kind], (*e.near, *c.near, 2, 3, 30))),
        firm=2,
    )


@family(
    lambda kind, cond, map: (cond, map) not in (("negative", "negate"), ("positive", "negate")),
    kind=("i16", "i32", "i64"),
    cond=("even", "odd", "positive", "negative", "above", "below", "multiple"),
    map=("double", "square", "plus", "minus", "halve", "negate"),
)
def branches(draw: Draw, kind: str, cond: str, map: str) -> Draft:
    """A number mapped if it passes a test, else left alone."""
    c, m = draw.condition(cond), draw.mapping(map)
    x = draw.scalar()
    tick = f"`{x}`"
    return Draft(
        name=draw.one(f"{map}_if_{cond}", f"{map}_when_{cond}"),
        params=(Param(x, kind),),
        returns=kind,
        doc=f"{draw.verb()} {m.of(tick)} if {c.says(tick)}, otherwise {tick}.",
        body=if_else(c.code(x), m.code(x).text, x),
        reference=lambda x: m.of_x(x) if c.holds(x) else x,
        inputs=singles(draw.numbers(TYPES[kind], c.near)),
        firm=2,
    )


_REAL_PAIRS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "max": max,
    "min": min,
}
_REAL_MAPS: dict[str, tuple[str, int, str, Callable[[Fraction], Fraction]]] = {
    "plain": ("{x}", ATOM, "{x}", lambda x: x),
    "double": ("{x} * 2.0", PRODUCT, "twice {x}", lambda x: x * 2),
    "half": ("{x} * 0.5", PRODUCT, "half of {x}", lambda x: x / 2),
    "square": ("{x} * {x}", PRODUCT, "the square of {x}", lambda x: x * x),
    "abs": ("{x}.abs()", ATOM, "the absolute value of {x}", abs),
    "floor": ("{x}.floor()", ATOM, "{x} rounded down", lambda x: Fraction(x.__floor__())),
}


@family(kind=("f32", "f64"), pair=_REAL_PAIRS, map=_REAL_MAPS)
def floats(draw: Draw, kind: str, pair: str, map: str) -> Draft:
    """An operation on one float and a mapped second one; every value is a multiple of 1/8 and thus exact."""
    p, (form, level, phrase, run) = PAIRINGS[pair], _REAL_MAPS[map]
    a, b = draw.pair()
    quarters = [Fraction(draw.cases.randint(-40, 40), 4) for _ in range(12)]
    return Draft(
        name=draw.one(*((f"{pair}_{map}", f"{map}_{pair}") if map != "plain" else (pair, f"{pair}_floats"))),
        params=(Param(a, kind), Param(b, kind)),
        returns=kind,
        doc=f"{draw.verb()} {p.of(f'`{a}`', phrase.format(x=f'`{b}`'))}.",
        body=(p.code(Expression(a), Expression(form.format(x=b), level)).text,),
        reference=lambda a, b: _REAL_PAIRS[pair](a, run(b)),
        inputs=list(zip(quarters[:6], quarters[6:], strict=True)),
    )


_MODES = {
    "checked": ("Option<{t}>", "or `None` on overflow"),
    "saturating": ("{t}", "capped at the bounds of the type"),
    "wrapping": ("{t}", "wrapping around on overflow"),
}


@family(
    lambda kind, mode, pair: True,
    kind=("i8", "i32", "i64", "u8", "u32", "u64"),
    mode=_MODES,
    pair=("add", "sub", "mul"),
)
def overflow(draw: Draw, kind: str, mode: str, pair: str) -> Draft:
    """Arithmetic at the bounds of a type, in one of three ways that std offers."""
    t, p, (result, phrase) = TYPES[kind], PAIRINGS[pair], _MODES[mode]
    a, b = draw.pair()

    def run(a: int, b: int) -> Any:
        exact = p.run(a, b)
        fits = t.low <= exact <= t.high
        return {
            "checked": exact if fits else None,
            "saturating": t.clamp(exact),
            "wrapping": t.wrap(exact),
        }[mode]

    small = draw.cases.sample(range(2, 10), 4)
    inputs = [
        (small[0], small[1]),
        (t.high, small[2]),
        (t.low, small[3]),
        (t.high, t.high),
        (small[2], t.high - small[0]),
    ]
    return Draft(
        name=draw.one(f"{mode}_{pair}", f"{pair}_{mode}"),
        params=(Param(a, kind), Param(b, kind)),
        returns=result.format(t=kind),
        doc=f"{draw.verb()} {p.of(f'`{a}`', f'`{b}`')}, {phrase}.",
        body=(f"{a}.{mode}_{pair}({b})",),
        reference=run,
        inputs=inputs,
    )


_BITWISE: dict[str, tuple[str, str, Callable[[int, int], int]]] = {
    "and": ("{a} & {b}", "the bits set in both {a} and {b}", lambda a, b: a & b),
    "or": ("{a} | {b}", "the bits set in {a} or {b}", lambda a, b: a | b),
    "xor": ("{a} ^ {b}", "the bits set in just one of {a} and {b}", lambda a, b: a ^ b),
    "without": ("{a} & !{b}", "the bits set in {a} but not in {b}", lambda a, b: a & ~b),
}
_BIT_ENDS = {
    "value": ("", ""),
    "count": (".count_ones()", "the number of "),
    "leading": (".leading_zeros()", "the leading zeros of "),
    "trailing": (".trailing_zeros()", "the trailing zeros of "),
    "any": (" != 0", "whether there are any of "),
}


@family(kind=("u8", "u16", "u32", "u64"), op=_BITWISE, end=_BIT_ENDS)
def bits(draw: Draw, kind: str, op: str, end: str) -> Draft:
    """Two numbers combined bit by bit, and what is read off the result."""
    t, (form, phrase, combine), (call, lead) = TYPES[kind], _BITWISE[op], _BIT_ENDS[end]
    a, b = draw.pair()
    text = form.format(a=a, b=b)

    def run(a: int, b: int) -> int | bool:
        value = combine(a, b)
        length = value.bit_length()
        if end == "any":
            return length > 0
        lowest = (value & -value).bit_length() - 1 if value else t.bits
        return {"value": value, "count": value.bit_count(), "leading": t.bits - length}.get(end, lowest)

    numbers = [draw.cases.randint(0, 127) for _ in range(8)]
    return Draft(
        name=draw.one(*((f"bits_{op}", f"{op}_bits") if end == "value" else (f"{end}_{op}", f"{op}_{end}"))),
        params=(Param(a, kind), Param(b, kind)),
        returns={"value": kind, "any": "bool"}.get(end, "u32"),
        doc=f"{draw.verb()} {lead}{phrase.format(a=f'`{a}`', b=f'`{b}`')}.",
        body=(f"({text}){call}" if call else text,),
        reference=run,
        inputs=[
            (0, 0),
            (1, 2),
            (6, 3),
            (3, 7),
            *zip(numbers[:4], numbers[4:], strict=True),
            (numbers[0], numbers[0]),
            (12, 10),
        ],
    )

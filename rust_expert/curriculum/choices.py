"""Families that decide by pattern: match with guards, match on ranges, tuples."""

import bisect

from rust_expert.curriculum.drafts import Draft, Draw, Param, block, family, singles
from rust_expert.curriculum.integers import FOUR, TYPES
from rust_expert.curriculum.numbers import pairs
from rust_expert.curriculum.rendering import render
from rust_expert.curriculum.vocabulary import PAIRINGS, Expression, suits, word

LABELS = ("low", "high", "mid", "good", "bad", "hot", "cold", "big", "small", "left", "right", "on", "off")
_OUTCOMES = {
    "label": ("&'static str", LABELS),
    "number": ("u32", tuple(range(10))),
    "letter": ("char", tuple("abcdefghxyz")),
}


@family(
    kind=("i16", "i32", "i64"),
    special=("zero", "value"),
    cond=("even", "odd", "positive", "negative", "above", "below", "multiple"),
    out=("label", "number"),
)
def match_guard(draw: Draw, kind: str, special: str, cond: str, out: str) -> Draft:
    """A match with one literal, one guarded arm and a default."""
    c = draw.condition(cond)
    k = 0 if special == "zero" else draw.constant((1, 2, 3, 4, 5, 6, 7, 8, 9))
    returns, pool = _OUTCOMES[out]
    first, second, third = draw.constants_of(pool, 3)
    x = draw.scalar()
    shown = [render(returns, value) for value in (first, second, third)]
    doc = f"{draw.gives()} {shown[0]} if `{x}` is {k}, {shown[1]} if it is {c.clause.format(k=c.k)}, else {shown[2]}."
    arms = (f"{k} => {shown[0]},", f"{x} if {c.code(x)} => {shown[1]},", f"_ => {shown[2]},")
    verb = {"label": "label", "number": "code"}[out]
    return Draft(
        name=draw.one(f"{verb}_{special}_or_{cond}", f"{verb}_{cond}_or_{special}"),
        params=(Param(x, kind),),
        returns=returns,
        doc=doc,
        body=block(f"match {x} {{", arms),
        reference=lambda x: first if x == k else second if c.holds(x) else third,
        inputs=[(k,), *singles(draw.numbers(TYPES[kind], c.near))],
        firm=3,
    )


@family(
    kind=FOUR,
    arms=("three", "four"),
    order=("rising", "falling"),
    out=_OUTCOMES,
)
def match_range(draw: Draw, kind: str, arms: str, order: str, out: str) -> Draft:
    """A match that sorts a number into ranges, from the lowest up or from the highest down."""
    returns, pool = _OUTCOMES[out]
    count = {"three": 3, "four": 4}[arms]
    steps = draw.constant(((5, 10, 20), (10, 20, 50), (10, 50, 90), (3, 6, 9), (4, 8, 12), (10, 20, 30)))
    limits = list(steps[: count - 1])
    values = draw.constants_of(pool, count)
    shown = [render(returns, value) for value in values]
    x = draw.scalar()
    if order == "rising":
        bounds = [f"..{limits[0]}", *(f"{a}..{b}" for a, b in zip(limits, limits[1:], strict=False)), "_"]
        spans = [f"below {limit}" for limit in limits]
    else:
        limits.reverse()
        bounds = [f"{limits[0]}..", *(f"{b}..{a}" for a, b in zip(limits, limits[1:], strict=False)), "_"]
        spans = [f"from {limit}" for limit in limits]
    told = ", ".join(f"{value} {span}" for value, span in zip(shown, spans, strict=False))

    def run(x: int) -> object:
        place = bisect.bisect_right(sorted(limits), x)
        return values[place if order == "rising" else count - 1 - place]

    verb = {"label": "label", "number": "level", "letter": "grade"}[out]
    return Draft(
        name=draw.one(f"{verb}_{arms}", f"{arms}_{verb}s"),
        params=(Param(x, kind),),
        returns=returns,
        doc=f"{draw.gives()} {told}, else {shown[-1]}.",
        body=block(
            f"match {x} {{", (f"{bound} => {value}," for bound, value in zip(bounds, shown, strict=True))
        ),
        reference=run,
        inputs=singles([*(value for limit in limits for value in (limit - 1, limit)), 0, 99]),
        firm=2,
    )


@family(
    lambda kind, first, second: first != second and suits(TYPES[kind], (first, second)),
    kind=FOUR,
    first=("add", "mul", "max", "min", "sub", "abs_diff"),
    second=("add", "mul", "max", "min", "sub", "abs_diff"),
)
def tuples(draw: Draw, kind: str, first: str, second: str) -> Draft:
    """Two operations on a pair, as a tuple."""
    t, p, q = TYPES[kind], PAIRINGS[first], PAIRINGS[second]
    a, b = draw.pair()
    codes = [pairing.code(Expression(a), Expression(b)).text for pairing in (p, q)]
    ticks = (f"`{a}`", f"`{b}`")
    return Draft(
        name=draw.one(f"{word(first)}_{word(second)}", f"{word(first)}_and_{word(second)}"),
        params=(Param(a, kind), Param(b, kind)),
        returns=f"({kind}, {kind})",
        doc=f"{draw.verb()} {p.of(*ticks)}, and {q.phrase}.",
        body=(f"({codes[0]}, {codes[1]})",),
        reference=lambda a, b: (t.fit(p.run(a, b)), t.fit(q.run(a, b))),
        inputs=pairs(draw, t),
    )

"""Families over one slice of integers, mostly iterator chains."""

from collections.abc import Callable
from typing import Any

from rust_expert.curriculum.drafts import Draft, Draw, Param, chain, family, singles
from rust_expert.curriculum.integers import FOUR, TYPES
from rust_expert.curriculum.vocabulary import FOLDS, word

THREE = ("i32", "i64", "u64")
CONDS = ("even", "odd", "positive", "negative", "above", "below", "multiple")


@family(kind=FOUR, fold=("sum", "count", "max", "min"), cond=(*CONDS, "nonzero"))
def slice_fold(draw: Draw, kind: str, fold: str, cond: str) -> Draft:
    """The values of a slice that pass a test, folded."""
    t, f, c = TYPES[kind], FOLDS[fold], draw.condition(cond)
    xs = draw.slice()
    w = word(cond)
    return Draft(
        name=draw.one(f"{fold}_{w}", f"{w}_{fold}", f"{fold}_of_{w}"),
        params=(Param(xs, f"&[{kind}]"),),
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(c.values(draw.noun()))} in `{xs}`.",
        body=chain(xs, "iter()", "copied()", f"filter(|&x| {c.code()})", f.call),
        reference=lambda xs: f.run(t, [x for x in xs if c.holds(x)]),
        inputs=singles([*draw.lists(t, c.near), [c.k + 1], [1, 2]]),
    )


@family(
    kind=FOUR,
    map=("double", "square", "plus", "times", "halve", "rest", "negate", "abs"),
    fold=("sum", "max", "min"),
)  # fmt: skip
def map_fold(draw: Draw, kind: str, map: str, fold: str) -> Draft:
    """The values of a slice, each mapped, then folded."""
    t, f, m = TYPES[kind], FOLDS[fold], draw.mapping(map)
    xs = draw.slice()
    return Draft(
        name=draw.one(f"{fold}_{map}", f"{map}_{fold}", f"{fold}_of_{map}"),
        params=(Param(xs, f"&[{kind}]"),),
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(draw.noun())} in `{xs}`, each {m.each()}.",
        body=chain(xs, "iter()", f"map(|&x| {m.code().text})", f.call),
        reference=lambda xs: f.run(t, [m.of_x(x) for x in xs]),
        inputs=singles(draw.lists(t)),
    )


@family(
    kind=FOUR,
    cond=("even", "odd", "above", "below", "multiple", "nonzero"),
    map=("double", "square", "plus", "times", "negate"),
)
def vec_map(draw: Draw, kind: str, cond: str, map: str) -> Draft:
    """A new vector of the values that pass a test, each mapped."""
    t, c, m = TYPES[kind], draw.condition(cond), draw.mapping(map)
    xs = draw.slice()
    w = word(cond)
    calls = ("iter()", "copied()", f"filter(|&x| {c.code()})", f"map(|x| {m.code().text})", "collect()")
    return Draft(
        name=draw.one(f"{map}_{w}", f"{w}_{map}", f"{map}_all_{w}"),
        params=(Param(xs, f"&[{kind}]"),),
        returns=f"Vec<{kind}>",
        doc=f"{draw.verb()} a vector of the {c.values(draw.noun())} in `{xs}`, each {m.each()}.",
        body=chain(xs, *calls),
        reference=lambda xs: [m.of_x(x) for x in xs if c.holds(x)],
        inputs=singles(draw.lists(t, c.near)),
    )


def _places(xs: list[int], holds: Callable[[int], bool]) -> list[int]:
    return [place for place, x in enumerate(xs) if holds(x)]


@family(kind=THREE, method=("any", "all", "position", "find", "last"), cond=CONDS)
def slice_search(draw: Draw, kind: str, method: str, cond: str) -> Draft:
    """Whether, where or what passes a test in a slice."""
    t, c = TYPES[kind], draw.condition(cond)
    xs = draw.slice()
    w = word(cond)
    call = {"find": "find", "last": "rfind"}.get(method, method)
    closure = f"{call}(|&x| {c.code()})"
    calls = ("iter()", "copied()", closure) if method in ("find", "last") else ("iter()", closure)
    noun = draw.noun()
    one = c.values("value")
    doc = {
        "any": f"{draw.one('Checks', 'Tells')} whether any of the {noun} in `{xs}` is {c.clause.format(k=c.k)}.",
        "all": f"{draw.one('Checks', 'Tells')} whether all of the {noun} in `{xs}` are {c.clause.format(k=c.k)}.",
        "position": f"{draw.one('Returns', 'Finds')} the index of the first {one} in `{xs}`.",
        "find": f"{draw.one('Returns', 'Finds')} the first {one} in `{xs}`.",
        "last": f"{draw.one('Returns', 'Finds')} the last {one} in `{xs}`.",
    }[method]
    names = {
        "any": (f"any_{w}", f"has_{w}"),
        "all": (f"all_{w}", f"only_{w}"),
        "position": (f"position_{w}", f"first_{w}_index"),
        "find": (f"find_{w}", f"first_{w}"),
        "last": (f"last_{w}", f"find_last_{w}"),
    }[method]

    def run(xs: list[int]) -> Any:
        places = _places(xs, c.holds)
        if method in ("any", "all"):
            return bool(places) if method == "any" else len(places) == len(xs)
        if not places:
            return None
        return {"position": places[0], "find": xs[places[0]], "last": xs[places[-1]]}[method]

    lists = draw.lists(t, c.near)
    passing = [[x for x in xs if c.holds(x)] for xs in lists[1:4]]
    failing = [[x for x in xs if not c.holds(x)] for xs in lists[1:4]]
    returns = {"any": "bool", "all": "bool", "position": "Option<usize>"}
    return Draft(
        name=draw.one(*names),
        params=(Param(xs, f"&[{kind}]"),),
        returns=returns.get(method, f"Option<{kind}>"),
        doc=doc,
        body=chain(xs, *calls),
        reference=run,
        inputs=singles([*lists, *passing, *failing]),
    )


_PARTS: dict[str, tuple[tuple[str, ...], str, Callable[[list[int], int], list[int]]]] = {
    "first": (("take({n})",), "first `{n}` {nouns} of `{xs}`", lambda xs, n: xs[:n]),
    "rest": (("skip({n})",), "{nouns} of `{xs}` after the first `{n}`", lambda xs, n: xs[n:]),
    "last": (("rev()", "take({n})"), "last `{n}` {nouns} of `{xs}`", lambda xs, n: xs[::-1][:n]),
    "every": (("step_by({n})",), "{nouns} of `{xs}` at every `{n}`th place", lambda xs, n: xs[::n]),
}


@family(kind=FOUR, part=_PARTS, fold=("sum", "max", "min", "collect"))
def take_skip(draw: Draw, kind: str, part: str, fold: str) -> Draft:
    """A part of a slice by position, folded."""
    t, f = TYPES[kind], FOLDS[fold]
    calls, phrase, run = _PARTS[part]
    xs, n = draw.slice(), draw.one("n", "k")
    told = f.of(phrase.format(n=n, xs=xs, nouns=draw.noun()))
    back = " in reverse" if (part, fold) == ("last", "collect") else ""
    return Draft(
        name=draw.one(f"{fold}_{part}", f"{part}_{fold}", f"{fold}_of_{part}"),
        params=(Param(xs, f"&[{kind}]"), Param(n, "usize")),
        returns=f.returns(t),
        doc=f"{draw.verb()} {told}{back}.",
        body=chain(xs, "iter()", "copied()", *(call.format(n=n) for call in calls), f.call),
        reference=lambda xs, n: f.run(t, run(xs, n)),
        inputs=[(xs, draw.cases.randint(1, 4)) for xs in draw.lists(t)],
    )


@family(
    kind=FOUR,
    cond=("even", "odd", "above", "below", "multiple"),
    fold=("sum", "max", "collect"),
)  # fmt: skip
def enumerate_index(draw: Draw, kind: str, cond: str, fold: str) -> Draft:
    """The values of a slice whose index passes a test, folded."""
    t, f, c = TYPES[kind], FOLDS[fold], draw.condition(cond, (2, 3, 4) if cond != "multiple" else (3, 4))
    xs = draw.slice()
    w = word(cond)
    calls = ("iter()", "enumerate()", f"filter(|&(i, _)| {c.code('i')})", "map(|(_, &x)| x)", f.call)
    return Draft(
        name=draw.one(f"{fold}_at_{w}", f"{fold}_{w}_indices", f"{w}_index_{fold}"),
        params=(Param(xs, f"&[{kind}]"),),
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(draw.noun())} of `{xs}` at {c.values('indices')}.",
        body=chain(xs, *calls),
        reference=lambda xs: f.run(t, [x for i, x in enumerate(xs) if c.holds(i)]),
        inputs=singles(draw.lists(t)),
    )

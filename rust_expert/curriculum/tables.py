"""Families over hash maps and sets."""

from collections.abc import Callable

from rust_expert.curriculum.drafts import Draft, Draw, Param, block, chain, family, singles
from rust_expert.curriculum.integers import FOUR, TYPES, quotient, remainder
from rust_expert.curriculum.vocabulary import FOLDS, word

MAP = "use std::collections::HashMap;"

_KEYS: dict[str, tuple[str, str, Callable[[int, int], int]]] = {
    "plain": ("x", "by value", lambda x, k: x),
    "rest": ("x % {k}", "by their remainder by {k}", remainder),
    "tens": ("x / 10", "by their tens", lambda x, k: quotient(x, 10)),
}
_VALUES: dict[str, tuple[str, str]] = {"count": ("1", "Counts"), "sum": ("x", "Adds up")}


@family(
    kind=FOUR,
    key=_KEYS,
    value=_VALUES,
    cond=("any", "odd", "above", "nonzero"),
)  # fmt: skip
def map_groups(draw: Draw, kind: str, key: str, value: str, cond: str) -> Draft:
    """The values of a slice grouped in a map, each group counted or added up."""
    (form, phrase, run), (amount, verb) = _KEYS[key], _VALUES[value]
    c = None if cond == "any" else draw.condition(cond)
    k = draw.constant((3, 4, 5, 6)) if key == "rest" else 0
    xs, out = draw.slice(), draw.one("map", "out", "groups")
    step = (f"*{out}.entry({form.format(k=k)}).or_insert(0) += {amount};",)
    inner = block(f"if {c.code()} {{", step) if c else step
    result = "usize" if value == "count" else kind

    def reference(xs: list[int]) -> dict[int, int]:
        groups: dict[int, int] = {}
        for x in xs:
            if c is None or c.holds(x):
                place = run(x, k)
                groups[place] = groups.get(place, 0) + (1 if value == "count" else x)
        return groups

    noun = draw.noun()
    what = c.values(noun) if c else noun
    last = f"_{cond}" if c else ""
    return Draft(
        name=draw.one(f"{value}_by_{key}{last}", f"group_{value}_{key}{last}"),
        imports=MAP,
        params=(Param(xs, f"&[{kind}]"),),
        returns=f"HashMap<{kind}, {result}>",
        doc=f"{verb} the {what} in `{xs}` {phrase.format(k=k)}.",
        body=(f"let mut {out} = HashMap::new();", *block(f"for &x in {xs} {{", inner), out),
        reference=reference,
        inputs=singles(
            [*draw.lists(TYPES[kind], c.near if c else ()), [3, 3, 3, 1], [7, 12, 7, 15, 12], [0, 5, 0]]
        ),
    )


@family(kind=FOUR, fold=("sum", "count", "max", "min"), cond=("even", "odd", "above", "below", "nonzero"))
def map_values(draw: Draw, kind: str, fold: str, cond: str) -> Draft:
    """The values of a map that pass a test, folded."""
    t, f, c = TYPES[kind], FOLDS[fold], draw.condition(cond)
    table = draw.one("map", "m", "t")
    w = word(cond)
    maps = [dict(zip("abcdefg", items, strict=False)) for items in draw.lists(t, c.near, length=(3, 5))]
    return Draft(
        name=draw.one(f"{fold}_{w}_values", f"map_{fold}_{w}", f"{w}_values_{fold}"),
        imports=MAP,
        params=(Param(table, f"&HashMap<char, {kind}>"),),
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(c.values('values'))} in the map `{table}`.",
        body=chain(table, "values()", "copied()", f"filter(|&x| {c.code()})", f.call),
        reference=lambda table: f.run(t, [x for x in table.values() if c.holds(x)]),
        inputs=singles(maps),
    )


_SETS: dict[str, tuple[str, str, Callable[[set[int], set[int]], set[int]]]] = {
    "intersection": ("both", "in both `{a}` and `{b}`", lambda a, b: a & b),
    "union": ("either", "in `{a}` or `{b}`", lambda a, b: a | b),
    "difference": ("only", "in `{a}` but not in `{b}`", lambda a, b: a - b),
    "symmetric_difference": ("one", "in just one of `{a}` and `{b}`", lambda a, b: a ^ b),
}


@family(kind=FOUR, op=_SETS, fold=("sum", "count", "collect"))
def sets(draw: Draw, kind: str, op: str, fold: str) -> Draft:
    """Two ordered sets combined, then folded."""
    t, f, (name, phrase, run) = TYPES[kind], FOLDS[fold], _SETS[op]
    a, b = draw.two(("a", "b"), ("x", "y"), ("p", "q"))
    copied = ("copied()",) if fold == "collect" else ()
    items = [draw.cases.sample(range(10), draw.cases.randint(2, 5)) for _ in range(14)]
    kinds = f"BTreeSet<{kind}>"

    def show(values: list[int]) -> str:
        return f"&BTreeSet::from([{', '.join(map(str, values))}])"

    return Draft(
        name=draw.one(f"{fold}_{name}", f"{fold}_in_{name}", f"{name}_{fold}"),
        imports="use std::collections::BTreeSet;",
        params=(Param(a, f"&{kinds}", show), Param(b, f"&{kinds}", show)),
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(draw.noun())} {phrase.format(a=a, b=b)}.",
        body=chain(a, f"{op}({b})", *copied, f.call),
        reference=lambda a, b: f.run(t, sorted(run(set(a), set(b)))),
        inputs=[([1, 2], [2, 3]), *zip(items[:7], items[7:], strict=True)],
    )

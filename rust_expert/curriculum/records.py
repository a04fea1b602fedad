"""Families over structs, enums, newtypes and constant tables."""

from collections.abc import Callable
from typing import Any

from rust_expert.curriculum.drafts import Draft, Draw, Param, block, chain, family, singles, struct
from rust_expert.curriculum.integers import FOUR, TYPES
from rust_expert.curriculum.numbers import pairs
from rust_expert.curriculum.rendering import render
from rust_expert.curriculum.vocabulary import FOLDS, PAIRINGS, Expression, word

BOTH = ("add", "mul", "max", "min", "sub", "abs_diff")
# Structs of two numbers: their name, their fields.
SHAPES = (
    ("Point", "x", "y"),
    ("Size", "width", "height"),
    ("Item", "price", "count"),
    ("Score", "home", "away"),
    ("Span", "start", "end"),
    ("Pair", "left", "right"),
)
WRAPPERS = ("Meters", "Cents", "Points", "Ticks", "Grams", "Steps")


def shape(draw: Draw) -> tuple[str, str, str, str]:
    """A struct of two numbers: its name, a name for a value of it, and its two fields."""
    name, first, second = draw.constant(SHAPES)
    return name, name[0].lower(), first, second


@family(kind=FOUR, pair=BOTH, map=("plain", "double", "plus"))
def struct_fields(draw: Draw, kind: str, pair: str, map: str) -> Draft:
    """The two fields of a struct combined."""
    t, p, m = TYPES[kind], PAIRINGS[pair], draw.mapping(map)
    name, v, first, second = shape(draw)
    a, b = f"{v}.{first}", f"{v}.{second}"
    names = (f"{word(pair)}_fields", f"fields_{word(pair)}")
    if map != "plain":
        names = (f"{word(pair)}_{map}_fields", f"fields_{word(pair)}_{map}")
    return Draft(
        name=draw.one(*names),
        types=struct(name, {first: kind, second: kind}),
        params=(
            Param(v, f"&{name}", lambda value: f"&{name} {{ {first}: {value[0]}, {second}: {value[1]} }}"),
        ),
        returns=kind,
        doc=f"{draw.verb()} {p.of(f'the `{first}`', m.of(f'the `{second}`'))} of `{v}`.",
        body=(p.code(Expression(a), m.code(b)).text,),
        reference=lambda value: t.fit(p.run(value[0], m.of_x(value[1]))),
        inputs=singles(pairs(draw, t)),
    )


@family(kind=FOUR, fold=("sum", "max", "count"), cond=("even", "odd", "above", "below", "nonzero"))
def struct_list(draw: Draw, kind: str, fold: str, cond: str) -> Draft:
    """One field of the structs in a slice whose other field passes a test, folded."""
    t, f, c = TYPES[kind], FOLDS[fold], draw.condition(cond)
    name, v, first, second = shape(draw)
    xs = draw.slice()

    def show(values: list[tuple[int, int]]) -> str:
        return "&[" + ", ".join(f"{name} {{ {first}: {a}, {second}: {b} }}" for a, b in values) + "]"

    take = (f"map(|{v}| {v}.{first})",) if fold != "count" else ()
    lists = [[], *(pairs(draw, t, c.near)[place : place + 3] for place in range(1, 7))]
    what = f"`{first}` values" if fold != "count" else "structs"
    w = word(cond)
    return Draft(
        name=draw.one(f"{fold}_if_{w}", f"{fold}_where_{w}"),
        types=struct(name, {first: kind, second: kind}),
        params=(Param(xs, f"&[{name}]", show),),
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(what)} in `{xs}` whose `{second}` is {c.clause.format(k=c.k)}.",
        body=chain(xs, "iter()", f"filter(|{v}| {c.code(f'{v}.{second}')})", *take, f.call),
        reference=lambda xs: f.run(t, [a for a, b in xs if c.holds(b)]),
        inputs=singles(lists),
    )


ENUMS = (
    ("Light", ("Red", "Yellow", "Green", "Off")),
    ("Side", ("Left", "Right", "Top", "Bottom")),
    ("Level", ("Low", "Mid", "High", "Max")),
    ("Season", ("Spring", "Summer", "Autumn", "Winter")),
    ("Coin", ("Cent", "Dime", "Euro", "Crown")),
)
_OUTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "i32": ("i32", (-3, -2, -1, 0, 1, 2, 3, 4, 5, 10)),
    "u8": ("u8", tuple(range(12))),
    "u32": ("u32", (0, 1, 2, 5, 10, 20, 50, 100)),
    "i64": ("i64", (-10, -5, -1, 0, 1, 5, 10, 100)),
    "f64": ("f64", (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 4.0)),
    "bool": ("bool", (True, False)),
    "char": ("char", tuple("abcdxyzABCXYZ")),
    "label": ("&'static str", ("low", "high", "go", "stop", "up", "down", "hot", "cold", "on", "off")),
    "enum": ("", ()),
}


@family(
    lambda out, size, arms: arms == "each" or out != "bool",
    out=_OUTS,
    size=("three", "four"),
    arms=("each", "rest"),
)
def enum_match(draw: Draw, out: str, size: str, arms: str) -> Draft:
    """A value for each variant of an enum, each by its arm or the last ones by a wildcard."""
    name, variants = draw.constant(ENUMS)
    count = {"three": 3, "four": 4}[size]
    kept = variants[:count]
    returns, pool = _OUTS[out]
    if out == "enum":
        returns, pool = name, kept
    if out == "bool":
        values: list[Any] = [draw.constant(pool) for _ in kept[1:]]
        values.append(not values[0])
    elif arms == "each":
        values = draw.constants_of(pool, count)
    else:
        first, other = draw.constants_of(pool, 2)
        values = [first] + [other] * (count - 1)
    shown = [f"{name}::{value}" if out == "enum" else render(returns, value) for value in values]
    v = name[0].lower()
    told = ", ".join(f"{text} for {variant}" for text, variant in zip(shown, kept, strict=True))
    lines = [f"{name}::{variant} => {text}," for variant, text in zip(kept, shown, strict=True)]
    if arms == "rest":
        told = f"{shown[0]} for {kept[0]}, otherwise {shown[1]}"
        lines = [lines[0], f"_ => {shown[1]},"]
    verb = {"label": "label", "enum": "swap", "char": "letter", "bool": "flag"}.get(out, "value")
    derives = "Debug, PartialEq" if out == "enum" else ""
    table = dict(zip(kept, shown, strict=True))
    return Draft(
        name=draw.one(f"{verb}_of_{name.lower()}", f"{name.lower()}_{verb}"),
        types="\n".join(
            ([f"#[derive({derives})]"] if derives else [])
            + list(block(f"enum {name} {{", [f"{k}," for k in kept]))
        ),
        params=(Param(v, name, lambda value: f"{name}::{value}"),),
        returns=returns,
        doc=f"{draw.gives()} {told.replace(f'{name}::', '')}.",
        body=block(f"match {v} {{", lines),
        reference=lambda value: table[value],
        inputs=singles(kept),
        show=str,
    )


_DATA = (
    ("Shape", "Square", "Rect"),
    ("Cost", "Flat", "Each"),
    ("Move", "Jump", "Walk"),
    ("Load", "Single", "Double"),
)


@family(kind=FOUR, one=("plain", "double", "square", "plus", "times"), two=("add", "mul", "max", "min"))
def enum_data(draw: Draw, kind: str, one: str, two: str) -> Draft:
    """An enum whose variants carry one number or two."""
    t, m, p = TYPES[kind], draw.mapping(one), PAIRINGS[two]
    name, single, double = draw.constant(_DATA)
    v = name[0].lower()

    def show(value: tuple[int, ...]) -> str:
        return f"{name}::{single if len(value) == 1 else double}({', '.join(map(str, value))})"

    arms = (
        f"{name}::{single}(x) => {m.code().text},",
        f"{name}::{double}(x, y) => {p.code(Expression('x'), Expression('y')).text},",
    )
    numbers = [(x,) for x in draw.numbers(t)[1:]]
    both = pairs(draw, t)[1:]
    inputs = [values for two_of in zip(numbers, both, strict=False) for values in two_of]
    return Draft(
        name=draw.one(f"{one}_or_{two}", f"value_{one}_{two}", f"{name.lower()}_{one}_{two}"),
        types="\n".join(block(f"enum {name} {{", (f"{single}({kind}),", f"{double}({kind}, {kind}),"))),
        params=(Param(v, name, show),),
        returns=kind,
        doc=f"{draw.verb()} {m.of('the number')} of a `{single}`, and {p.phrase} of both of a `{double}`.",
        body=block(f"match {v} {{", arms),
        reference=lambda value: t.fit(m.of_x(value[0]) if len(value) == 1 else p.run(*value)),
        inputs=singles(inputs),
    )


@family(kind=FOUR, pair=BOTH, map=("plain", "double", "plus"))
def newtypes(draw: Draw, kind: str, pair: str, map: str) -> Draft:
    """Two values of a newtype combined into a third."""
    t, p, m = TYPES[kind], PAIRINGS[pair], draw.mapping(map)
    name = draw.constant(WRAPPERS)
    a, b = draw.pair()
    code = p.code(Expression(f"{a}.0"), m.code(f"{b}.0")).text
    lower = name.lower()
    names = (f"{word(pair)}_{lower}", f"{lower}_{word(pair)}")
    if map != "plain":
        names = (f"{word(pair)}_{map}_{lower}", f"{lower}_{word(pair)}_{map}")
    return Draft(
        name=draw.one(*names),
        types=f"#[derive(Debug, PartialEq)]\nstruct {name}({kind});",
        params=(Param(a, name, lambda x: f"{name}({x})"), Param(b, name, lambda x: f"{name}({x})")),
        returns=name,
        doc=f"{draw.verb()} {p.of(f'`{a}`', m.of(f'`{b}`'))}.",
        body=(f"{name}({code})",),
        reference=lambda a, b: t.fit(p.run(a, m.of_x(b))),
        inputs=pairs(draw, t),
        show=lambda x: f"{name}({x})",
    )


_LOOKUPS: dict[str, tuple[tuple[str, ...], str, str, Callable[[list[int], int], Any]]] = {
    "get": (("get({i})", "copied()"), "Option<{t}>", "the value of `{table}` at `{i}`, if there is one",
            lambda table, i: table[i] if i < len(table) else None),
    "or_zero": (("get({i})", "copied()", "unwrap_or(0)"), "{t}", "the value of `{table}` at `{i}`, or 0",
                lambda table, i: table[i] if i < len(table) else 0),
    "wrap": (("[{i} % {table}.len()]",), "{t}", "the value of `{table}` at `{i}`, starting over at its end",
             lambda table, i: table[i % len(table)]),
    "sum_first": (("iter()", "take({i})", "sum()"), "{t}", "the sum of the first `{i}` values of `{table}`",
                  lambda table, i: sum(table[:i])),
    "sum_rest": (("iter()", "skip({i})", "sum()"), "{t}", "the sum of `{table}` from `{i}` on",
                 lambda table, i: sum(table[i:])),
    "max_first": (("iter()", "copied()", "take({i})", "max()"), "Option<{t}>",
                  "the largest of the first `{i}` values of `{table}`",
                  lambda table, i: max(table[:i], default=None)),
}  # fmt: skip


@family(
    kind=FOUR,
    lookup=_LOOKUPS,
    size=("three", "four"),
)  # fmt: skip
def const_table(draw: Draw, kind: str, lookup: str, size: str) -> Draft:
    """A constant array and what is looked up in it."""
    calls, returns, phrase, run = _LOOKUPS[lookup]
    table = draw.constant(("TABLE", "PRICES", "WEIGHTS", "RATES"))
    count = {"three": 3, "four": 4}[size]
    values = draw.constants_of(range(1, 30), count)
    i = draw.one("i", "n", "k")
    ready = [call.format(i=i, table=table) for call in calls]
    body = (f"{table}{ready[0]}",) if lookup == "wrap" else chain(table, *ready)
    lower = table.lower()
    shown = ", ".join(map(str, values))
    return Draft(
        name=draw.one(f"{lower}_{lookup}", f"{lookup}_{lower}"),
        types=f"const {table}: [{kind}; {count}] = [{shown}];",
        params=(Param(i, "usize"),),
        returns=returns.format(t=kind),
        doc=f"{draw.gives()} {phrase.format(i=i, table=table)}.",
        body=body,
        reference=lambda i: run(values, i),
        inputs=singles((0, 1, 2, count, count - 1, count + 2)),
    )

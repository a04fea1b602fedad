"""Families over Option and Result."""

from typing import Any

from rust_expert.curriculum.drafts import Draft, Draw, Param, block, chain, family, if_else, singles
from rust_expert.curriculum.integers import FOUR, TYPES
from rust_expert.curriculum.rendering import quoted, render
from rust_expert.curriculum.vocabulary import PAIRINGS, Expression, word

CONDS = ("even", "odd", "positive", "negative", "above", "below", "multiple")
BOTH = ("add", "mul", "max", "min", "sub", "abs_diff")

_ENDS: dict[str, tuple[str, str, str]] = {
    "option": ("", "Option<{t}>", ""),
    "or_value": ("unwrap_or({k})", "{t}", ", or {k} for `None`"),
    "or_default": ("unwrap_or_default()", "{t}", ", or the default for `None`"),
}


@family(kind=FOUR, map=("double", "square", "plus", "times", "halve", "negate", "abs"), end=_ENDS)
def option_map(draw: Draw, kind: str, map: str, end: str) -> Draft:
    """What is in an option, mapped."""
    m, (call, returns, phrase) = draw.mapping(map), _ENDS[end]
    k = draw.constant((1, 2, 3, 4, 5, 10)) if end == "or_value" else 0
    v = draw.one("opt", "val", "item")
    tail = (call.format(k=k),) if call else ()
    names = {
        "option": (f"map_{map}", f"{map}_option"),
        "or_value": (f"{map}_or_value", f"map_{map}_or_value"),
        "or_default": (f"{map}_or_default", f"map_{map}_or_default"),
    }[end]
    return Draft(
        name=draw.one(*names),
        params=(Param(v, f"Option<{kind}>"),),
        returns=returns.format(t=kind),
        doc=f"{draw.gives()} the value in `{v}` {m.each()}{phrase.format(k=k)}.",
        body=chain(v, f"map(|x| {m.code().text})", *tail),
        reference=lambda v: m.of_x(v) if v is not None else None if end == "option" else k,
        inputs=singles([None, *draw.numbers(TYPES[kind])]),
    )


_TESTS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "filter": (("filter(|&x| {c})",), "Option<{t}>", "{v} the value in `{o}` if it is {what}"),
    "some": (("is_some_and(|x| {c})",), "bool", "{w} whether `{o}` holds a value that is {what}"),
    "none": (("is_none_or(|x| {c})",), "bool", "{w} whether `{o}` is `None` or holds a value that is {what}"),
    "value": (
        ("filter(|&x| {c})", "unwrap_or({k})"),
        "{t}",
        "{v} the value in `{o}` if it is {what}, else {k}",
    ),
}


@family(kind=("i32", "i64", "u64"), test=_TESTS, cond=CONDS)
def option_filter(draw: Draw, kind: str, test: str, cond: str) -> Draft:
    """What is in an option, tested."""
    (calls, returns, phrase), c = _TESTS[test], draw.condition(cond)
    k = draw.constant((0, 1, 2, 3, 5, 10)) if test == "value" else 0
    v = draw.one("opt", "val", "item")
    clause = c.clause.format(k=c.k)
    words = {
        "filter": (f"filter_{cond}", f"keep_{cond}"),
        "some": (f"some_{cond}", f"is_some_{cond}"),
        "none": (f"none_or_{cond}", f"is_none_or_{cond}"),
        "value": (f"{cond}_or_value", f"keep_{cond}_or_value"),
    }[test]

    def run(v: int | None) -> Any:
        if test in ("filter", "value"):
            kept = v if v is not None and c.holds(v) else None
            return k if test == "value" and kept is None else kept
        return (test == "none") if v is None else c.holds(v)

    doc = phrase.format(o=v, what=clause, v=draw.gives(), w=draw.one("Checks", "Tells"), k=k)
    return Draft(
        name=draw.one(*words),
        params=(Param(v, f"Option<{kind}>"),),
        returns=returns.format(t=kind),
        doc=doc + ".",
        body=chain(v, *(call.format(c=c.code(), k=k) for call in calls)),
        reference=run,
        inputs=singles([None, *draw.numbers(TYPES[kind], c.near)]),
        firm=3,
    )


@family(kind=FOUR, pair=BOTH, mode=("question", "or_zero", "either"))
def option_pair(draw: Draw, kind: str, pair: str, mode: str) -> Draft:
    """Two options combined: both needed, missing ones as zero, or either alone."""
    t, p = TYPES[kind], PAIRINGS[pair]
    a, b = draw.two(("a", "b"), ("x", "y"), ("m", "n"))
    code = p.code(Expression(a), Expression(b)).text
    body: tuple[str, ...] = {
        "question": (f"let {a} = {a}?;", f"let {b} = {b}?;", f"Some({code})"),
        "or_zero": (f"let {a} = {a}.unwrap_or(0);", f"let {b} = {b}.unwrap_or(0);", code),
        "either": block(
            f"match ({a}, {b}) {{",
            (f"(Some({a}), Some({b})) => Some({code}),", f"({a}, {b}) => {a}.or({b}),"),
        ),
    }[mode]
    rest = {
        "question": ", or `None` if either is `None`",
        "or_zero": ", taking `None` as 0",
        "either": ", or the one that is there",
    }[mode]

    def run(a: int | None, b: int | None) -> int | None:
        if a is not None and b is not None:
            return t.fit(p.run(a, b))
        if mode == "or_zero":
            return t.fit(p.run(a or 0, b or 0))
        return None if mode == "question" else a if a is not None else b

    values = draw.numbers(t, limit=12)[1:]
    both = [(x, draw.cases.choice(values)) for x in values]
    some = [(None, None), (values[1], None), (None, values[2])]
    name = word(pair)
    return Draft(
        name=draw.one(f"{name}_options_{mode}", f"{name}_{mode}", f"{mode}_{name}"),
        params=(Param(a, f"Option<{kind}>"), Param(b, f"Option<{kind}>")),
        returns=kind if mode == "or_zero" else f"Option<{kind}>",
        doc=f"{draw.verb()} {p.of(f'`{a}`', f'`{b}`')}{rest}.",
        body=body,
        reference=run,
        inputs=[both[0], *some, *both[1:]],
    )


@family(
    kind=("i16", "i32", "i64"),
    cond=CONDS,
    map=("plain", "double", "square", "plus"),
)  # fmt: skip
def result_check(draw: Draw, kind: str, cond: str, map: str) -> Draft:
    """A number checked: mapped in `Ok`, or a message in `Err`."""
    c, m = draw.condition(cond), draw.mapping(map)
    message = draw.constant(("bad", "no", "wrong", "invalid", "out"))
    x = draw.scalar()
    tick = f"`{x}`"
    names = (
        (f"check_{cond}", f"require_{cond}")
        if map == "plain"
        else (f"{map}_checked_{cond}", f"check_{cond}_{map}")
    )
    return Draft(
        name=draw.one(*names),
        params=(Param(x, kind),),
        returns=f"Result<{kind}, String>",
        doc=f"{draw.gives()} {m.of(tick)} if {c.says(tick)}, otherwise the error {quoted(message)}.",
        body=if_else(c.code(x), f"Ok({m.code(x).text})", f"Err(String::from({quoted(message)}))"),
        reference=lambda x: (True, m.of_x(x)) if c.holds(x) else (False, message),
        inputs=singles(draw.numbers(TYPES[kind], c.near)),
        firm=2,
    )


@family(kind=FOUR, pair=("add", "mul", "max", "min"), error=("option", "result", "zero"))
def parse_pair(draw: Draw, kind: str, pair: str, error: str) -> Draft:
    """Two numbers read from strings with `?`, combined."""
    t, p = TYPES[kind], PAIRINGS[pair]
    a, b = draw.two(("a", "b"), ("x", "y"), ("p", "q"))
    read = {"option": ".parse().ok()?", "result": ".parse()?", "zero": ".parse().unwrap_or(0)"}[error]
    code = p.code(Expression(a), Expression(b)).text
    last = {"option": f"Some({code})", "result": f"Ok({code})", "zero": code}[error]
    returns = {
        "option": f"Option<{kind}>",
        "result": f"Result<{kind}, std::num::ParseIntError>",
        "zero": kind,
    }[error]
    rest = {
        "option": ", or `None` if one is not a number",
        "result": ", or the error of the one that is not a number",
        "zero": ", taking what is not a number as 0",
    }[error]

    def number(text: str) -> int | None:
        return int(text) if text.lstrip("-").isdigit() and (t.signed or "-" not in text) else None

    def run(a: str, b: str) -> Any:
        x, y = number(a), number(b)
        if error == "zero":
            return t.fit(p.run(x or 0, y or 0))
        return None if x is None or y is None else t.fit(p.run(x, y))

    option = f"Option<{kind}>"
    values = [str(x) for x in draw.numbers(t)]
    pairs = [(x, draw.cases.choice(values[2:])) for x in values]
    odd = [("x", "3"), ("4", "")]
    return Draft(
        name=draw.one(f"parse_{pair}_{error}", f"{pair}_parsed_{error}"),
        params=(Param(a, "&str"), Param(b, "&str")),
        returns=returns,
        doc=f"{draw.verb()} {p.of(f'the numbers in `{a}`', f'`{b}`')}{rest}.",
        body=(f"let {a}: {kind} = {a}{read};", f"let {b}: {kind} = {b}{read};", last),
        reference=run,
        inputs=[pairs[3], *odd, *pairs],
        show=lambda value: render(kind if error == "zero" else option, value),
        view=".ok()" if error == "result" else "",
    )

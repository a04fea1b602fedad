"""Families with loops, ranges and recursion."""

from collections.abc import Callable
from typing import Any

from rust_expert.curriculum.drafts import Draft, Draw, Param, block, chain, family, if_else, singles
from rust_expert.curriculum.integers import FOUR, SIGNED, TYPES, quotient
from rust_expert.curriculum.vocabulary import FOLDS, PRODUCT, SUM, suits, word


@family(
    lambda kind, fold, cond: (fold, cond) != ("count", "any"),
    kind=SIGNED,
    fold=("sum", "count", "max", "product"),
    cond=("any", "even", "odd", "above", "below"),
)
def digits(draw: Draw, kind: str, fold: str, cond: str) -> Draft:
    """A loop over the decimal digits of a number."""
    t, f = TYPES[kind], FOLDS[fold]
    c = None if cond == "any" else draw.condition(cond, (2, 3, 4, 5, 6, 7))
    n, total = draw.scalar(), draw.one("total", "out", "acc")
    step = {"sum": f"{total} += d;", "count": f"{total} += 1;", "product": f"{total} *= d;"}.get(
        fold, f"{total} = {total}.max(d);"
    )
    inner = block(f"if {c.code('d')} {{", (step,)) if c else (step,)
    start = 1 if fold == "product" else 0
    body = (
        f"let mut {total} = {start};",
        *block(f"while {n} > 0 {{", (f"let d = {n} % 10;", *inner, f"{n} /= 10;")),
        total,
    )

    def run(n: int) -> int:
        kept = [int(digit) for digit in (str(n) if n else "") if c is None or c.holds(int(digit))]
        return {"sum": sum(kept), "count": len(kept), "max": max(kept, default=0)}.get(
            fold, t.product(kept) if fold == "product" else 0
        )

    what = c.values("digits") if c else "digits"
    phrase = {"max": "the largest of the"}.get(fold, f.phrase)
    names = (
        (f"{fold}_digits", f"digits_{fold}")
        if c is None
        else (f"{fold}_{cond}_digits", f"{cond}_digits_{fold}")
    )
    low = 1000 if fold == "product" else 0
    return Draft(
        name=draw.one(*names),
        params=(Param(f"mut {n}", kind),),
        returns="u32" if fold == "count" else kind,
        doc=f"{draw.verb()} {phrase} {what} of `{n}`.",
        body=body,
        reference=run,
        inputs=[(0,), *((draw.cases.randint(low, 30_000),) for _ in range(6)), (30_507,)],
    )


_DOWN: dict[str, tuple[str, str, Callable[[int], int]]] = {
    "one": ("- 1", "one less", lambda n: n - 1),
    "half": ("/ 2", "half of it", lambda n: n // 2),
    "tenth": ("/ 10", "a tenth of it", lambda n: n // 10),
}


@family(
    kind=("u32", "u64", "usize", "u128"),
    join=("add", "mul"),
    term=("plain", "double", "square", "plus"),
    down=_DOWN,
)
def recursion(draw: Draw, kind: str, join: str, term: str, down: str) -> Draft:
    """A function that calls itself with a smaller number."""
    t, m, (step, phrase, smaller) = TYPES["u32"], draw.mapping(term), _DOWN[down]
    base: int = draw.constant((0, 1, 2, 3, 4, 5) if join == "add" else (1, 2, 3))
    n = draw.scalar()
    verb = {"add": "sum", "mul": "product"}[join]
    name = draw.one(f"{verb}_{term}_{down}", f"{verb}_down_{term}_{down}")
    sign = {"add": "+", "mul": "*"}[join]
    head = m.code(n).at(SUM if join == "add" else PRODUCT)

    def run(n: int) -> int:
        if n == 0:
            return base
        rest = run(smaller(n))
        return t.fit(m.of_x(n) + rest if join == "add" else m.of_x(n) * rest)

    most = {"one": 6, "half": 30, "tenth": 300}[down]
    tick = f"`{n}`"
    what = {"add": f"{m.of(tick)} plus", "mul": f"{m.of(tick)} times"}[join]
    return Draft(
        name=name,
        params=(Param(n, kind),),
        returns=kind,
        doc=f"{draw.verb()} {base} for 0, otherwise {what} its own result for {phrase}.",
        body=if_else(f"{n} == 0", str(base), f"{head} {sign} {name}({n} {step})"),
        reference=run,
        inputs=[(0,), (1,), *((draw.cases.randint(2, most),) for _ in range(6))],
    )


_SPANS: dict[str, tuple[str, str, int]] = {
    "to": ("1..={b}", "from 1 to `{b}`", 1),
    "below": ("0..{b}", "from 0 up to but not including `{b}`", 1),
    "between": ("{a}..{b}", "from `{a}` up to but not including `{b}`", 2),
    "through": ("{a}..={b}", "from `{a}` to `{b}`", 2),
}


@family(
    kind=("i32", "i64", "u64"),
    span=_SPANS,
    fold=("sum", "count", "collect"),
    cond=("even", "odd", "multiple"),
)
def ranges(draw: Draw, kind: str, span: str, fold: str, cond: str) -> Draft:
    """The numbers of a range that pass a test, folded."""
    t, c, f = TYPES[kind], draw.condition(cond), FOLDS[fold]
    form, phrase, count = _SPANS[span]
    a, b = draw.one("a", "lo", "from"), draw.one("n", "b", "hi", "end")
    told = phrase.format(a=a, b=b)

    def run(*bounds: int) -> Any:
        low = {"to": 1, "below": 0}.get(span, bounds[0])
        high = bounds[-1] + (span in ("to", "through"))
        return f.run(t, [x for x in range(low, high) if c.holds(x)])

    ends = [0, 1, *(draw.cases.randint(3, 25) for _ in range(6))]
    inputs = [(end,) if count == 1 else (draw.cases.randint(0, max(end // 2, 1)), end) for end in ends]
    return Draft(
        name=draw.one(f"{fold}_{word(cond)}_{span}", f"{word(cond)}_{fold}_{span}"),
        params=(Param(a, kind), Param(b, kind))[2 - count :],
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(c.values('numbers'))} {told}.",
        body=chain(f"({form.format(a=a, b=b)})", f"filter(|&x| {c.code()})", f.call),
        reference=run,
        inputs=inputs,
    )


_RUNNING: dict[str, tuple[str, int, str, Callable[[int, int], int]]] = {
    "sum": ("total += x;", 0, "running sum", lambda total, x: total + x),
    "count": ("total += 1;", 0, "running count", lambda total, x: total + 1),
    "max": ("total = total.max(x);", 0, "running maximum", max),
    "last": ("total = x;", 0, "latest", lambda total, x: x),
}


@family(
    lambda kind, run, cond: (
        (cond != "any" or run in ("sum", "max"))
        and (run, cond) != ("sum", "nonzero")
        and suits(TYPES[kind], (cond,))
    ),
    kind=FOUR,
    run=_RUNNING,
    cond=("any", "odd", "positive", "above", "below", "nonzero"),
)
def running(draw: Draw, kind: str, run: str, cond: str) -> Draft:
    """A vector built in a loop: at each place what was gathered so far."""
    t = TYPES[kind]
    c = None if cond == "any" else draw.condition(cond)
    step, start, phrase, combine = _RUNNING[run]
    xs = draw.slice()
    inner = block(f"if {c.code()} {{", (step,)) if c else (step,)
    loop = block(f"for &x in {xs} {{", (*inner, "out.push(total);"))

    def reference(xs: list[int]) -> list[int]:
        total, out = start, []
        for x in xs:
            if c is None or c.holds(x):
                total = combine(total, x)
            out.append(t.fit(total))
        return out

    noun = draw.noun()
    what = c.values(noun) if c else noun
    names = (
        (f"running_{run}", f"{run}_so_far")
        if c is None
        else (f"running_{run}_{cond}", f"{run}_{cond}_so_far")
    )
    return Draft(
        name=draw.one(*names),
        params=(Param(xs, f"&[{kind}]"),),
        returns=f"Vec<{kind}>",
        doc=f"{draw.verb()} the {phrase} of the {what} at each place of `{xs}`, starting at 0.",
        body=("let mut out = Vec::new();", "let mut total = 0;", *loop, "out"),
        reference=reference,
        inputs=singles(draw.lists(t, c.near if c else ())),
    )


_ASSIGN: dict[str, tuple[str, str, Callable[[int, int], int]]] = {
    "plus": ("*x += {k};", "Adds {k} to", lambda x, k: x + k),
    "times": ("*x *= {k};", "Multiplies by {k}", lambda x, k: x * k),
    "halve": ("*x /= 2;", "Halves", lambda x, k: quotient(x, 2)),
    "set": ("*x = {k};", "Sets to {k}", lambda x, k: k),
    "square": ("*x *= *x;", "Squares", lambda x, k: x * x),
}


@family(
    kind=("i16", "i32", "i64"),
    change=_ASSIGN,
    cond=("any", "even", "odd", "negative", "positive", "above", "below"),
)
def in_place(draw: Draw, kind: str, change: str, cond: str) -> Draft:
    """The elements of a mutable slice changed where they stand."""
    c = None if cond == "any" else draw.condition(cond)
    form, verb, step = _ASSIGN[change]
    k = draw.constant((2, 3, 4, 5, 6, 7, 8, 9)) if "{k}" in form else 0
    xs = draw.slice()
    inner = block(f"if {c.code('*x')} {{", (form.format(k=k),)) if c else (form.format(k=k),)

    def reference(xs: list[int]) -> list[int]:
        return [step(x, k) if c is None or c.holds(x) else x for x in xs]

    noun = draw.noun()
    what = f"all {c.values(noun) if c else noun} of `{xs}`"
    names = (f"{change}_all", f"{change}_each") if c is None else (f"{change}_{cond}", f"{change}_all_{cond}")
    return Draft(
        name=draw.one(*names),
        params=(Param(xs, f"&mut [{kind}]"),),
        returns="",
        doc=f"{verb.format(k=k)} {what} in place.",
        body=block(f"for x in {xs}.iter_mut() {{", inner),
        reference=reference,
        inputs=singles(draw.lists(TYPES[kind], c.near if c else ())),
        mutates=True,
    )

"""Families with traits, generics, closures and impls of std traits."""

from collections.abc import Callable
from typing import Any

from rust_expert.curriculum.drafts import Draft, Draw, Param, block, chain, family, literal, singles, struct
from rust_expert.curriculum.integers import FOUR, TYPES
from rust_expert.curriculum.numbers import pairs
from rust_expert.curriculum.records import WRAPPERS, shape
from rust_expert.curriculum.rendering import Rust, quoted, render
from rust_expert.curriculum.text import BRACKETS, MARKS
from rust_expert.curriculum.vocabulary import FOLDS, PAIRINGS, Expression

TRAITS = (("Score", "score"), ("Weight", "weight"), ("Value", "value"), ("Rank", "rank"), ("Cost", "cost"))


def implement(head: str, method: str, body: tuple[str, ...], before: tuple[str, ...] = ()) -> str:
    """An impl block with one method."""
    return "\n".join(block(f"impl {head} {{", (*before, *block(f"fn {method} {{", body))))


@family(
    kind=FOUR,
    map=("double", "square", "plus", "times", "negate", "abs"),
    fold=("one", "sum", "max", "collect"),
)
def trait_impl(draw: Draw, kind: str, map: str, fold: str) -> Draft:
    """A trait implemented for a number type, and a function that is generic over it."""
    t, m = TYPES[kind], draw.mapping(map)
    name, method = draw.constant(TRAITS)
    xs = draw.slice()
    after = implement(f"{name} for {kind}", f"{method}(&self) -> {kind}", (m.code("self").text,))
    types = "\n".join(block(f"trait {name} {{", (f"fn {method}(&self) -> {kind};",)))
    numbers = f"; the {method} of a number is {m.of('it')}"
    if fold == "one":
        x = draw.scalar()
        return Draft(
            name=draw.one(f"{method}_{map}", f"{map}_{method}", f"{method}_of_{map}"),
            types=types, after=after, generics=f"<T: {name}>", params=(Param(x, "&T", lambda v: f"&{v}_{kind}"),),
            returns=kind, doc=f"{draw.verb()} the {method} of `{x}`{numbers}.", body=(f"{x}.{method}()",),
            reference=m.of_x, inputs=singles(draw.numbers(t)),
        )  # fmt: skip
    f = FOLDS[fold]
    return Draft(
        name=draw.one(f"{fold}_{map}_{method}", f"{method}_{map}_{fold}"),
        types=types, after=after, generics=f"<T: {name}>",
        params=(Param(xs, "&[T]", lambda v: render(f"&[{kind}]", v) if v else f"&[] as &[{kind}]"),),
        returns=f.returns(t), doc=f"{draw.verb()} {f.of(f'{method}s')} in `{xs}`{numbers}.",
        body=chain(xs, "iter()", f"map(|x| x.{method}())", f.call),
        reference=lambda xs: f.run(t, [m.of_x(x) for x in xs]), inputs=singles(draw.lists(t)),
    )  # fmt: skip


_RELATIONS: dict[str, tuple[str, str, Callable[[Any, Any], bool]]] = {
    "above": (">", "greater than", lambda x, y: x > y),
    "below": ("<", "less than", lambda x, y: x < y),
    "at_least": (">=", "at least", lambda x, y: x >= y),
    "at_most": ("<=", "at most", lambda x, y: x <= y),
    "equal": ("==", "equal to", lambda x, y: x == y),
    "unequal": ("!=", "different from", lambda x, y: x != y),
}
_FOLDS: dict[str, tuple[str, str, Callable[[list[Any], list[bool]], Any]]] = {
    "count": ("usize", "Counts the values in `{xs}` that are {what}", lambda xs, held: sum(held)),
    "any": ("bool", "Checks whether any value in `{xs}` is {what}", lambda xs, held: any(held)),
    "all": ("bool", "Checks whether all values in `{xs}` are {what}", lambda xs, held: all(held)),
    "position": ("Option<usize>", "Finds the index of the first value in `{xs}` that is {what}",
                 lambda xs, held: held.index(True) if True in held else None),
    "find": ("Option<T>", "Finds the first value in `{xs}` that is {what}",
             lambda xs, held: next((x for x, yes in zip(xs, held, strict=True) if yes), None)),
    "collect": ("Vec<T>", "Collects the values in `{xs}` that are {what}",
                lambda xs, held: [x for x, yes in zip(xs, held, strict=True) if yes]),
}  # fmt: skip


@family(
    lambda relation, fold, bound: (relation, fold, bound) != ("equal", "any", "copy"),
    relation=_RELATIONS,
    fold=_FOLDS,
    bound=("order", "copy"),
)
def generics(draw: Draw, relation: str, fold: str, bound: str) -> Draft:
    """A slice of any comparable type against a limit, given by reference or by value."""
    (sign, phrase, holds), (returns, doc, run) = _RELATIONS[relation], _FOLDS[fold]
    bounds = "PartialEq" if relation in ("equal", "unequal") else "PartialOrd"
    copied = bound == "copy"
    limit, xs = draw.one("limit", "key", "t"), draw.slice()
    if copied:
        start: tuple[str, ...] = ("iter()", "copied()") if fold in ("find", "collect") else ("iter()",)
        test = f"x {sign} {limit}"
        filtered = f"|&x| {test}" if fold in ("find", "collect") else f"|&&x| {test}"
        closure = f"|&x| {test}"
    else:
        start, test = ("iter()",), f"x {sign} {limit}"
        closure, filtered = f"|x| {test}", f"|&x| {test}"
    calls = {
        "count": (*start, f"filter({filtered})", "count()"),
        "collect": (*start, f"filter({filtered})", "collect()"),
        "find": (*start, f"find({filtered})"),
    }.get(fold, (*start, f"{fold}({closure})"))
    verbs = {"Counts": ("Counts", "Tells how many of"), "Checks": ("Checks", "Tells")}
    first = doc.split()[0]
    if first == "Checks":
        doc = doc.replace("Checks", draw.one(*verbs["Checks"]))
    letters = draw.cases.random() < 0.3
    pool: list[Any] = list("abcdwz") if letters else list(range(-4, 9))
    kind = "char" if letters else "i32"
    lists = [[], *([draw.cases.choice(pool) for _ in range(draw.cases.randint(3, 5))] for _ in range(8))]
    inputs = [(items, draw.cases.choice(items or pool)) for items in lists]
    for limit_ in (pool[3], pool[4]):
        inputs += [([x for x in lists[1] + lists[2] if holds(x, limit_)], limit_), ([limit_], limit_)]
    refer = "" if copied else "&"
    shown = returns.replace("T", kind if copied else f"&{kind}")
    life = "" if copied or "T" not in returns else "'a, "
    amp = "" if copied else "&'a " if life else "&"
    return Draft(
        name=draw.one(f"{fold}_{relation}", f"{fold}_{relation}_limit"),
        generics=f"<{life}T: {bounds}{' + Copy' if copied else ''}>",
        params=(
            Param(
                xs, f"&{amp.strip('&')}[T]", lambda v: render(f"&[{kind}]", v) if v else f"&[] as &[{kind}]"
            ),
            Param(limit, f"{refer}T", lambda v: refer + render(kind, v)),
        ),
        returns=returns.replace("T", "T" if copied else f"{amp}T"),
        doc=f"{doc.format(xs=xs, what=f'{phrase} `{limit}`')}.",
        body=chain(xs, *calls),
        reference=lambda xs, limit: run(xs, [holds(x, limit) for x in xs]),
        inputs=inputs,
        show=lambda value: render(shown, value),
    )


@family(kind=FOUR, pair=("add", "mul", "max", "min", "sub"), map=("plain", "double", "square", "plus"))
def closure_makers(draw: Draw, kind: str, pair: str, map: str) -> Draft:
    """A function that returns a closure over its argument."""
    t, p, m = TYPES[kind], PAIRINGS[pair], draw.mapping(map)
    n = draw.one("n", "k", "step")
    code = p.code(m.code(), Expression(n)).text
    names = (
        (f"make_{pair}", f"{pair}_maker") if map == "plain" else (f"make_{map}_{pair}", f"{map}_{pair}_maker")
    )
    return Draft(
        name=draw.one(*names),
        params=(Param(n, kind),),
        returns=f"impl Fn({kind}) -> {kind}",
        doc=f"{draw.gives()} a closure from `x` to {p.of(m.of('`x`'), f'`{n}`')}.",
        body=(f"move |x| {code}",),
        reference=lambda n, x: t.fit(p.run(m.of_x(x), n)),
        inputs=pairs(draw, t),
        show=lambda value: str(value),
        curried=True,
    )


_USES: dict[str, tuple[str, str]] = {
    "each": ("f({a})", "f({b})"),
    "first": ("f({a})", "{b}"),
    "twice": ("f(f({a}))", "{b}"),
}


@family(kind=FOUR, pair=("add", "mul", "max", "min"), use=_USES)
def closure_users(draw: Draw, kind: str, pair: str, use: str) -> Draft:
    """A function that calls the function it is given."""
    t, p, (left, right) = TYPES[kind], PAIRINGS[pair], _USES[use]
    a, b = draw.pair()
    code = p.code(Expression(left.format(a=a)), Expression(right.format(b=b))).text
    known: list[tuple[str, Callable[[int], int]]] = [
        ("|x| x + 1", lambda x: x + 1),
        ("|x| x * 2", lambda x: 2 * x),
    ]

    def run(f: tuple[str, Callable[[int], int]], a: int, b: int) -> int:
        call = f[1]
        x = call(call(a)) if use == "twice" else call(a)
        return t.fit(p.run(x, call(b) if use == "each" else b))

    told = {
        "each": p.of(f"`f({a})`", f"`f({b})`"),
        "first": p.of(f"`f({a})`", f"`{b}`"),
        "twice": p.of(f"`f(f({a}))`", f"`{b}`"),
    }[use]
    return Draft(
        name=draw.one(f"{pair}_{use}", f"apply_{use}_{pair}", f"{use}_{pair}"),
        params=(Param("f", f"impl Fn({kind}) -> {kind}", lambda f: f[0]), Param(a, kind), Param(b, kind)),
        returns=kind,
        doc=f"{draw.verb()} {told}.",
        body=(code,),
        reference=run,
        inputs=[(known[place % 2], a, b) for place, (a, b) in enumerate(pairs(draw, t)[1:])],
    )


@family(kind=FOUR, bracket=("bare", "round", "square", "angle"), mark=MARKS)
def display_impl(draw: Draw, kind: str, bracket: str, mark: str) -> Draft:
    """A struct with its own Display."""
    (left, right), sep = BRACKETS[bracket], MARKS[mark]
    name, v, first, second = shape(draw)
    write = f'write!(f, "{left}{{}}{sep}{{}}{right}", self.{first}, self.{second})'
    around = f" inside `{left}` and `{right}`" if left else ""
    verb = draw.one("Formats", "Writes", "Shows")
    return Draft(
        name=draw.one(f"show_{mark}_{bracket}", f"{bracket}_{mark}_text", f"display_{mark}_{bracket}"),
        imports="use std::fmt;",
        types=struct(name, {first: kind, second: kind}),
        after=implement(
            f"fmt::Display for {name}", "fmt(&self, f: &mut fmt::Formatter) -> fmt::Result", (write,)
        ),
        params=(
            Param(v, f"&{name}", lambda value: f"&{name} {{ {first}: {value[0]}, {second}: {value[1]} }}"),
        ),
        returns="String",
        doc=f"{verb} `{v}` by `Display`, with {quoted(sep)} between its fields{around}.",
        body=(f"{v}.to_string()",),
        reference=lambda value: f"{left}{value[0]}{sep}{value[1]}{right}",
        inputs=singles(pairs(draw, TYPES[kind])),
        show=quoted,
    )


@family(
    kind=FOUR, map=("plain", "double", "square", "plus", "times", "halve", "negate"), way=("into", "from")
)
def from_impl(draw: Draw, kind: str, map: str, way: str) -> Draft:
    """A newtype with its own From, used through `from` or `into`."""
    t, m = TYPES[kind], draw.mapping(map)
    name = draw.constant(WRAPPERS)
    x = draw.scalar()
    lower = name.lower()
    made = f"{name}({m.code(x).text})"
    return Draft(
        name=draw.one(f"to_{lower}_{map}", f"{map}_to_{lower}", f"{lower}_from_{map}"),
        types=f"#[derive(Debug, PartialEq)]\nstruct {name}({kind});",
        after=implement(f"From<{kind}> for {name}", f"from({x}: {kind}) -> Self", (made,)),
        params=(Param(x, kind),),
        returns=name,
        doc=f"{draw.one('Converts', 'Turns')} `{x}` into `{name}` by `{way.title()}`, holding {m.of(f'`{x}`')}.",
        body=(f"{x}.into()" if way == "into" else f"{name}::from({x})",),
        reference=lambda x: t.fit(m.of_x(x)),
        inputs=singles(draw.numbers(t)),
        show=lambda value: f"{name}({value})",
    )


_SECOND: dict[str, tuple[str, tuple[Any, ...]]] = {
    "char": ("char", tuple("abcxyz")),
    "label": ("&'static str", ("red", "blue", "main", "new", "left")),
    "u8": ("u8", (1, 2, 3, 4, 5, 8)),
    "f64": ("f64", (0.5, 1.0, 1.5, 2.0, 2.5)),
}
CONFIGS = (
    ("Config", "size", "mode"),
    ("Style", "width", "tone"),
    ("Plan", "level", "kind"),
    ("Setup", "depth", "flag"),
)


@family(kind=("i16", *FOUR), second=_SECOND, given=("first", "second"))
def default_impl(draw: Draw, kind: str, second: str, given: str) -> Draft:
    """A struct with its own Default, from which a function takes what it is not given."""
    other, pool = _SECOND[second]
    name, a, b = draw.constant(CONFIGS)
    k, value = draw.constant((1, 2, 3, 4, 5, 8, 10)), draw.constant(pool)
    default = literal(name, f"{a}: {k}", f"{b}: {render(other, value)}")
    before = ["#[derive(Debug, PartialEq)]"]
    known, inputs = (a, kind), singles(draw.numbers(TYPES[kind]))
    if given == "second":
        known, inputs = (b, other), singles(item for item in pool if item != value)

    def run(item: Any) -> Rust:
        first, last = (item, value) if given == "first" else (k, item)
        return Rust(f"{name} {{ {a}: {first}, {b}: {render(other, last)} }}")

    lower = name.lower()
    told = f"`{name}` defaults to {a} {k} and {b} {render(other, value)}"
    verb = draw.one("Makes", "Returns", "Builds")
    return Draft(
        name=draw.one(f"{lower}_with_{known[0]}", f"with_{known[0]}", f"make_{lower}"),
        types="\n".join([*before, struct(name, {a: kind, b: other})]),
        after=implement(f"Default for {name}", "default() -> Self", default),
        params=(Param(*known),),
        returns=name,
        doc=f"{verb} the default with the given `{known[0]}`; {told}.",
        body=literal(name, known[0], "..Default::default()"),
        reference=run,
        inputs=inputs,
    )

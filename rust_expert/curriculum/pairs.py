"""Families over two slices or neighbouring values, and over the order of values."""

import bisect
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from typing import Any

from rust_expert.curriculum.drafts import Draft, Draw, Param, chain, family, singles
from rust_expert.curriculum.integers import FOUR, TYPES, remainder
from rust_expert.curriculum.vocabulary import FOLDS, PAIRINGS, Expression, word

BOTH = ("add", "mul", "max", "min", "sub", "abs_diff")


@family(kind=FOUR, pair=BOTH, fold=("sum", "max", "collect"))
def zip_map(draw: Draw, kind: str, pair: str, fold: str) -> Draft:
    """Two slices combined place by place, then folded."""
    t, p, f = TYPES[kind], PAIRINGS[pair], FOLDS[fold]
    a, b = draw.two(("a", "b"), ("xs", "ys"))
    code = p.code(Expression("x"), Expression("y")).text
    return Draft(
        name=draw.one(f"{fold}_zip_{word(pair)}", f"zip_{word(pair)}_{fold}", f"{word(pair)}_pairs_{fold}"),
        params=(Param(a, f"&[{kind}]"), Param(b, f"&[{kind}]")),
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(p.plural)} of the pairs of `{a}` and `{b}`.",
        body=chain(a, "iter()", f"zip({b})", f"map(|(&x, &y)| {code})", f.call),
        reference=lambda a, b: f.run(t, [t.fit(p.run(x, y)) for x, y in zip(a, b, strict=False)]),
        inputs=_two(draw, kind),
    )


def _two(draw: Draw, kind: str) -> list[tuple[list[int], list[int]]]:
    """Pairs of slices, some of unequal length; in unsigned types the first holds the larger values."""
    t = TYPES[kind]
    lists = draw.lists(t, limit=9, length=(3, 5))
    others = draw.lists(t, limit=9, length=(3, 5))
    return list(zip(lists, others, strict=True))


@family(kind=FOUR, pair=BOTH, fold=("sum", "max", "collect"))
def windows(draw: Draw, kind: str, pair: str, fold: str) -> Draft:
    """Neighbouring values of a slice combined, then folded."""
    t, p, f = TYPES[kind], PAIRINGS[pair], FOLDS[fold]
    xs = draw.slice()
    code = p.code(Expression("w[0]"), Expression("w[1]")).text
    return Draft(
        name=draw.one(
            f"{fold}_{word(pair)}_windows", f"window_{word(pair)}_{fold}", f"{fold}_window_{word(pair)}"
        ),
        params=(Param(xs, f"&[{kind}]"),),
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(p.plural)} of neighbours in `{xs}`.",
        body=chain(xs, "windows(2)", f"map(|w| {code})", f.call),
        reference=lambda xs: f.run(t, [t.fit(p.run(a, b)) for a, b in pairwise(xs)]),
        inputs=singles(draw.lists(t, limit=9)),
    )


_INNER: dict[str, tuple[str, str, Callable[[Sequence[int]], int]]] = {
    "sum": ("c.iter().sum()", "the sum", sum),
    "first": ("c[0]", "the first value", lambda c: c[0]),
    "second": ("c[1]", "the second value", lambda c: c[1]),
    "ends": ("c[0] + c[c.len() - 1]", "the first plus the last value", lambda c: c[0] + c[-1]),
}
_CUTS = {"chunks": "chunk", "windows": "window", "chunks_exact": "full chunk"}


@family(
    lambda kind, cut, inner: (cut, inner) != ("chunks", "second"),
    kind=FOUR,
    cut=_CUTS,
    inner=_INNER,
)  # fmt: skip
def chunks(draw: Draw, kind: str, cut: str, inner: str) -> Draft:
    """A value for each chunk or window of a slice."""
    code, phrase, run = _INNER[inner]
    k = draw.constant((2, 3, 4))
    xs = draw.slice()

    def reference(xs: list[int]) -> list[int]:
        step = 1 if cut == "windows" else k
        parts = [xs[place : place + k] for place in range(0, len(xs), step)]
        return [run(part) for part in parts if cut == "chunks" or len(part) == k]

    return Draft(
        name=draw.one(f"{inner}_{cut}", f"{cut}_{inner}", f"{inner}_of_{cut}"),
        params=(Param(xs, f"&[{kind}]"),),
        returns=f"Vec<{kind}>",
        doc=f"{draw.verb()} {phrase} of each {_CUTS[cut]} of {k} {draw.noun()} of `{xs}`.",
        body=chain(xs, f"{cut}({k})", f"map(|c| {code})", "collect()"),
        reference=reference,
        inputs=singles(draw.lists(TYPES[kind])),
    )


_ORDERS: dict[str, tuple[str, str, Callable[[int, int], Any]]] = {
    "rising": ("sort();", "in rising order", lambda x, k: x),
    "falling": ("sort_by_key(|&x| std::cmp::Reverse(x));", "in falling order", lambda x, k: -x),
    "rest": ("sort_by_key(|&x| x % {k});", "by their remainder by {k}", remainder),
    "distance": ("sort_by_key(|&x| x.abs_diff({k}));", "by their distance from {k}", lambda x, k: abs(x - k)),
}
_AFTER: dict[str, tuple[str, str, Callable[[list[int], int], list[int]]]] = {
    "all": ("", "", lambda out, n: out),
    "distinct": (
        "out.dedup();",
        ", repeats removed",
        lambda out, n: [x for x, _ in groupby(out)],
    ),
    "few": ("out.truncate({n});", ", at most {n} of them", lambda out, n: out[:n]),
    "without_first": ("out.drain(..out.len().min({n}));", ", the first {n} left out", lambda out, n: out[n:]),
}


@family(kind=FOUR, order=_ORDERS, after=_AFTER)
def sorting(draw: Draw, kind: str, order: str, after: str) -> Draft:
    """A sorted copy of a slice, trimmed."""
    (call, phrase, key), (then, rest, trim) = _ORDERS[order], _AFTER[after]
    k = draw.constant((3, 4, 5, 6, 7, 8, 9, 10)) if "{k}" in call else 0
    n = draw.constant((2, 3, 4)) if "{n}" in then else 0
    xs = draw.slice()
    body = [f"let mut out = {xs}.to_vec();", f"out.{call.format(k=k)}", then.format(n=n), "out"]
    lists = draw.lists(TYPES[kind], limit=9, length=(5, 7))
    return Draft(
        name=draw.one(f"sort_{order}_{after}", f"sorted_{order}_{after}", f"{order}_{after}"),
        params=(Param(xs, f"&[{kind}]"),),
        returns=f"Vec<{kind}>",
        doc=f"{draw.verb()} the {draw.noun()} of `{xs}` sorted {phrase.format(k=k)}{rest.format(n=n)}.",
        body=tuple(line for line in body if line),
        reference=lambda xs: trim(sorted(xs, key=lambda x: key(x, k)), n),
        inputs=singles(lists),
    )


_QUERIES: dict[str, tuple[str, str, str, Callable[[list[int], int], Any]]] = {
    "contains": ("contains(&{k})", "bool", "whether `{xs}` contains {k}", lambda xs, k: k in xs),
    "index": (
        "iter().position(|&x| x == {k})", "Option<usize>", "the first index of {k} in `{xs}`",
        lambda xs, k: xs.index(k) if k in xs else None,
    ),
    "count": (
        "iter().filter(|&&x| x == {k}).count()", "usize", "how often {k} stands in `{xs}`",
        lambda xs, k: xs.count(k),
    ),
    "sorted_index": (
        "binary_search(&{k}).ok()", "Option<usize>", "the index of {k} in the sorted `{xs}`",
        lambda xs, k: xs.index(k) if k in xs else None,
    ),
    "sorted_has": (
        "binary_search(&{k}).is_ok()", "bool", "whether the sorted `{xs}` holds {k}", lambda xs, k: k in xs,
    ),
    "sorted_less": (
        "partition_point(|&x| x < {k})", "usize", "how many values of the sorted `{xs}` are less than {k}",
        lambda xs, k: bisect.bisect_left(xs, k),
    ),
    "sorted_most": (
        "partition_point(|&x| x <= {k})", "usize", "how many values of the sorted `{xs}` are at most {k}",
        lambda xs, k: bisect.bisect_right(xs, k),
    ),
}  # fmt: skip


@family(kind=FOUR, query=_QUERIES, target=("given", "fixed"))
def searching(draw: Draw, kind: str, query: str, target: str) -> Draft:
    """A value looked up in a slice, by scanning or by halving."""
    call, returns, phrase, run = _QUERIES[query]
    xs = draw.slice()
    fixed = target == "fixed"
    k = draw.constant((2, 3, 4, 5, 6, 7, 8, 9)) if fixed else 0
    name = str(k) if fixed else draw.one("t", "key", "goal")
    code = call.format(k=name)
    told = phrase.format(xs=xs, k=name if fixed else f"`{name}`")
    verb = draw.verb() if not told.startswith("whether") else draw.one("Checks", "Tells")
    lists = [sorted(set(items)) for items in draw.lists(TYPES[kind], (k, k) if fixed else (), limit=9)]
    inputs: list[tuple[Any, ...]] = []
    for items in lists:
        if query == "count":
            items += items[: draw.cases.randint(0, 2)]
        aim = draw.cases.choice([*items, 5])
        inputs.append((items,) if fixed else (items, aim))
    w = {"contains": "contains"}.get(query, query)
    return Draft(
        name=draw.one(f"{w}_{target}", f"{target}_{w}", f"find_{w}_{target}"),
        params=(Param(xs, f"&[{kind}]"), Param(name, kind))[: 1 if fixed else 2],
        returns=returns,
        doc=f"{verb} {told}.",
        body=chain(xs, *code.replace(").", ")\0").split("\0")),
        reference=lambda xs, goal=k: run(xs, goal),
        inputs=inputs,
    )

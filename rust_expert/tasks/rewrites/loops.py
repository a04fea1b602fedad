"""`for` loops written with the iterator in hand, and iterator chains written as loops."""

from collections.abc import Callable

import tree_sitter

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Rewriting, Slice, slice_of
from rust_expert.tasks.rewrites.patterns import label_of
from rust_expert.tasks.rewrites.rewrite import (
    has_comment_between,
    keeps_guard,
    leaves_early,
    rewrite,
    single_parameter,
    stands_open,
)

_ITERATORS = frozenset(
    {
        "iter", "iter_mut", "chars", "bytes", "lines", "enumerate", "zip", "rev", "into_iter", "windows", "chunks",
        "char_indices", "split", "split_whitespace", "skip", "take", "map", "filter", "chain", "step_by", "keys",
        "values", "values_mut", "drain", "cloned", "copied", "filter_map", "flat_map", "take_while", "skip_while",
    }
)  # fmt: skip


def _iterator(code: Code, value: tree_sitter.Node) -> tuple[str | Slice, ...] | None:
    """The iterator that a `for` makes of its value; None where the value keeps something locked while it runs."""
    if keeps_guard(code.text(value)):
        return None
    called = field(value, "function")
    name = field(called, "field") if called is not None and called.type == "field_expression" else None
    if value.type == "call_expression" and name is not None and code.text(name) in _ITERATORS:
        return (slice_of(value, 4),)
    if value.type in ("identifier", "field_expression", "call_expression", "parenthesized_expression"):
        return (slice_of(value, 4), ".into_iter()")
    return ("(", slice_of(value, 4), ").into_iter()")


def _loops(
    code: Code,
) -> list[tuple[tree_sitter.Node, tree_sitter.Node, tuple[str | Slice, ...], tree_sitter.Node]]:
    """`for` loops that can be rewritten: (loop, pattern, iterator, body)."""
    found = []
    for node in code.nodes("for_expression"):
        pattern, value, body = field(node, "pattern"), field(node, "value"), field(node, "body")
        if (
            pattern is None
            or value is None
            or body is None
            or has_comment_between(node)
            or not stands_open(node)
        ):
            continue
        made = _iterator(code, value)
        if made is not None:
            found.append((node, pattern, made, body))
    return found


Parts = tuple[str | Slice, ...]


def _by_hand(
    code: Code, written: Callable[[str, str, tree_sitter.Node, tree_sitter.Node], Parts]
) -> list[Rewriting]:
    """`for` loops over an iterator that is named first; `written(margin, its name, pattern, body)` is the loop."""
    items = code.fresh("items", "iterator", "rest")
    found: list[Rewriting] = []
    for node, pattern, made, body in _loops(code):
        margin = code.indentation(node)
        opening = (f"{{\n{margin}    let mut {items} = ", *made, f";\n{margin}    {label_of(node, code)}")
        loop = written(margin, items, pattern, body)
        found.append(Rewriting(node.start_byte, node.end_byte, (*opening, *loop, f"\n{margin}}}")))
    return found


@rewrite(
    "for instead of while let",
    6,
    "Use a `for` loop instead of calling `next` by hand",
    "Replace the `while let` over an iterator with a `for` loop",
)
def for_as_while_let(code: Code) -> list[Rewriting]:
    """`for p in x { a }` as a `while let` over its iterator."""

    def written(margin: str, items: str, pattern: tree_sitter.Node, body: tree_sitter.Node) -> Parts:
        return ("while let Some(", slice_of(pattern), f") = {items}.next() ", slice_of(body, 4))

    return _by_hand(code, written)


@rewrite(
    "for instead of loop",
    4,
    "Use a `for` loop instead of `loop`, `match` and `break`",
    "Replace the hand-written iteration with a `for` loop",
)
def for_as_loop(code: Code) -> list[Rewriting]:
    """`for p in x { a }` as a `loop` that matches on `next()`."""

    def written(margin: str, items: str, pattern: tree_sitter.Node, body: tree_sitter.Node) -> Parts:
        return (
            f"loop {{\n{margin}        match {items}.next() {{\n{margin}            Some(", slice_of(pattern), ") => ",
            slice_of(body, 12), f"\n{margin}            None => break,\n{margin}        }}\n{margin}    }}",
        )  # fmt: skip

    return _by_hand(code, written)


def _closure_calls(code: Code, method: str) -> list[tuple[tree_sitter.Node, ...]]:
    """Calls `receiver.method(|p| body)`: (call, receiver, pattern, body)."""
    found: list[tuple[tree_sitter.Node, ...]] = []
    for call in code.nodes("call_expression"):
        called, given = field(call, "function"), field(call, "arguments")
        if (
            called is None
            or given is None
            or called.type != "field_expression"
            or len(given.named_children) != 1
        ):
            continue
        name, receiver, closure = field(called, "field"), field(called, "value"), given.named_children[0]
        if (
            name is None
            or receiver is None
            or code.text(name) != method
            or closure.type != "closure_expression"
        ):
            continue
        if has_comment_between(called) or has_comment_between(given) or code.text(closure).startswith("move"):
            continue
        pattern, body = single_parameter(closure), field(closure, "body")
        if pattern is not None and body is not None and not leaves_early(body):
            found.append((call, receiver, pattern, body))
    return found


def _searched(code: Code, method: str, start: str, hit: str) -> list[Rewriting]:
    first = "found" if method == "any" else "all"
    name = code.fresh(first, "answer", "holds")
    found: list[Rewriting] = []
    for call, receiver, pattern, body in _closure_calls(code, method):
        if not stands_open(call) or body.type == "block" or "\n" in code.text(receiver):
            continue
        if call.parent is None or call.parent.type == "expression_statement":
            continue
        ends = _is_tail(code, call)  # there the statements need no block of their own
        margin = code.indentation(call) + ("" if ends else "    ")
        opening, closing = ("", "") if ends else (f"{{\n{margin}", f"\n{code.indentation(call)}}}")
        test: tuple[str | Slice, ...] = (
            (slice_of(body, 8),) if method == "any" else ("!(", slice_of(body, 8), ")")
        )
        found.append(
            Rewriting(
                call.start_byte,
                call.end_byte,
                (
                    f"{opening}let mut {name} = {start};\n{margin}for ", slice_of(pattern), " in ",
                    slice_of(receiver), f" {{\n{margin}    if ", *test,
                    f" {{\n{margin}        {name} = {hit};\n{margin}        break;\n{margin}    }}\n{margin}}}\n",
                    f"{margin}{name}{closing}",
                ),
            )
        )  # fmt: skip
    return found


@rewrite(
    "any",
    7,
    "Use the iterator method `any` instead of the loop with a flag",
    "Replace the search loop with `any`",
)
def any_as_loop(code: Code) -> list[Rewriting]:
    """`x.any(|p| c)` as a loop with a flag."""
    return _searched(code, "any", "false", "true")


@rewrite(
    "all",
    7,
    "Use the iterator method `all` instead of the loop with a flag",
    "Replace the checking loop with `all`",
)
def all_as_loop(code: Code) -> list[Rewriting]:
    """`x.all(|p| c)` as a loop with a flag."""
    return _searched(code, "all", "true", "false")


def _mapped(code: Code) -> list[tuple[tree_sitter.Node, ...]]:
    """`receiver.map(|p| body).collect()`: (outer call, receiver, pattern, body)."""
    found: list[tuple[tree_sitter.Node, ...]] = []
    for call, receiver, pattern, body in _closure_calls(code, "map"):
        outer = call.parent
        name = field(outer, "field") if outer is not None and outer.type == "field_expression" else None
        if outer is None or name is None or code.text(name) != "collect" or has_comment_between(outer):
            continue
        above = outer.parent
        if above is not None and above.type == "generic_function":
            above = above.parent
        if above is not None and above.type == "call_expression" and "\n" not in code.text(receiver):
            found.append((above, receiver, pattern, body))
    return found


@rewrite(
    "map and collect",
    8,
    "Build the vector with `map` and `collect` instead of a loop",
    "Replace the loop that pushes with an iterator chain that collects",
    "Use an iterator chain instead of pushing onto a vector",
)
def collect_as_loop(code: Code) -> list[Rewriting]:
    """`let v: Vec<T> = x.map(|p| e).collect();` and the same as a function's value: a loop that pushes."""
    found: list[Rewriting] = []
    for call, receiver, pattern, body in _mapped(code):
        parent = call.parent
        margin = code.indentation(call)
        if parent is None or "\n" in code.text(body):
            continue
        name, declared = field(parent, "pattern"), field(parent, "type")
        if parent.type == "let_declaration" and name is not None and name.type == "identifier":
            if (
                declared is None
                or not code.text(declared).startswith("Vec<")
                or field(parent, "alternative") is not None
            ):
                continue
            vector, start, end = code.text(name), parent.start_byte, parent.end_byte
            opening, closing = f"let mut {vector}: {code.text(declared)} = Vec::new();\n{margin}", ""
        elif parent.type == "block" and code.return_type(call).startswith("Vec<") and _is_tail(code, call):
            vector, start, end = code.fresh("items", "found", "made"), call.start_byte, call.end_byte
            opening, closing = f"let mut {vector} = Vec::new();\n{margin}", f"\n{margin}{vector}"
        else:
            continue
        found.append(
            Rewriting(
                start,
                end,
                (
                    f"{opening}for ", slice_of(pattern), " in ", slice_of(receiver),
                    f" {{\n{margin}    {vector}.push(", slice_of(body, 4), f");\n{margin}}}{closing}",
                ),
            )
        )  # fmt: skip
    return found


def _is_tail(code: Code, call: tree_sitter.Node) -> bool:
    function = code.function_of(call)
    tail = code.tail(function) if function is not None else None
    return tail is not None and tail == call


REWRITES = (for_as_while_let, for_as_loop, any_as_loop, all_as_loop, collect_as_loop)

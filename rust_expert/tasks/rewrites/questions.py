"""The question mark and the combinators of Option and Result, written out as `match`."""

import tree_sitter

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Rewriting, Slice, slice_of
from rust_expert.tasks.rewrites.rewrite import (
    begins_statement,
    has_comment_between,
    leaves_early,
    rewrite,
    single_parameter,
    stands_open,
)


def _match(
    code: Code, node: tree_sitter.Node, value: tree_sitter.Node, arms: list[tuple[str | Slice, ...]]
) -> Rewriting:
    """`match value { arms }` in the place of `node`, in parentheses where it needs them."""
    margin = code.indentation(node)
    opening, closing = ("", "") if stands_open(node) and not begins_statement(node) else ("(", ")")
    if node.parent is not None and node.parent.type in ("expression_statement", "block"):
        opening, closing = "", ""
    parts: list[str | Slice] = [f"{opening}match ", slice_of(value), " {\n"]
    for arm in arms:
        parts += [f"{margin}    ", *arm, ",\n"]
    return Rewriting(node.start_byte, node.end_byte, (*parts, f"{margin}}}{closing}"))


def _tried(code: Code, wrapper: str) -> list[tuple[tree_sitter.Node, tree_sitter.Node]]:
    found = []
    for node in code.nodes("try_expression"):
        if has_comment_between(node) or not node.named_children:
            continue
        if code.return_type(node).split("<")[0].rpartition("::")[2].strip() == wrapper:
            found.append((node, node.named_children[0]))
    return found


@rewrite(
    "question mark on Result",
    10,
    "Use the `?` operator to propagate the errors",
    "Replace the `match` expressions that only pass errors on with the `?` operator",
    "Shorten the error handling with `?`",
)
def question_on_result(code: Code) -> list[Rewriting]:
    """`f()?` as a match that returns the converted error."""
    value, error = code.fresh("value", "inner", "done"), code.fresh("error", "err", "fault")
    return [
        _match(
            code,
            node,
            inner,
            [(f"Ok({value}) => {value}",), (f"Err({error}) => return Err({error}.into())",)],
        )
        for node, inner in _tried(code, "Result")
    ]


@rewrite(
    "question mark on Option",
    10,
    "Use the `?` operator to return early on `None`",
    "Replace each `match` that returns `None` early with the `?` operator",
    "Simplify the handling of `None` with `?`",
)
def question_on_option(code: Code) -> list[Rewriting]:
    """`f()?` as a match that returns None."""
    value = code.fresh("value", "inner", "found")
    return [
        _match(code, node, inner, [(f"Some({value}) => {value}",), ("None => return None",)])
        for node, inner in _tried(code, "Option")
    ]


def _called(
    code: Code, method: str, count: int
) -> list[tuple[tree_sitter.Node, tree_sitter.Node, list[tree_sitter.Node]]]:
    """Calls `receiver.method(..)` with `count` arguments: (call, receiver, arguments)."""
    found = []
    for call in code.nodes("call_expression"):
        called, given = field(call, "function"), field(call, "arguments")
        if called is None or given is None or called.type != "field_expression":
            continue
        name, receiver = field(called, "field"), field(called, "value")
        if name is None or receiver is None or code.text(name) != method:
            continue
        if has_comment_between(called) or has_comment_between(given) or len(given.named_children) != count:
            continue
        found.append((call, receiver, given.named_children))
    return found


_CONSTANT = (
    "integer_literal",
    "float_literal",
    "string_literal",
    "boolean_literal",
    "char_literal",
    "unit_expression",
)


def _plain(node: tree_sitter.Node) -> bool:
    """Whether evaluating the node early or late is all the same: a literal, a name or a path."""
    return node.type in (*_CONSTANT, "identifier", "scoped_identifier")


@rewrite(
    "unwrap_or",
    5,
    "Use a combinator of `Option` or `Result` that gives the default",
    "Replace the `match` that supplies a default with a single method call",
)
def unwrap_or(code: Code) -> list[Rewriting]:
    """`x.unwrap_or(default)` and `x.unwrap_or_else(|| default)` on an Option as a match."""
    value = code.fresh("value", "inner", "found")
    found: list[Rewriting] = []
    for call, receiver, given in _called(code, "unwrap_or", 1):
        if _plain(given[0]):
            found.append(
                _match(
                    code, call, receiver, [(f"Some({value}) => {value}",), ("None => ", slice_of(given[0]))]
                )
            )
    for call, receiver, given in _called(code, "unwrap_or_else", 1):
        body = _lazy(given[0])
        if body is not None:
            found.append(
                _match(
                    code, call, receiver, [(f"Some({value}) => {value}",), ("None => ", slice_of(body, 4))]
                )
            )
    return found


def _lazy(closure: tree_sitter.Node) -> tree_sitter.Node | None:
    """The body of a closure `|| body` that can stand in the place where it would be called."""
    parameters, body = field(closure, "parameters"), field(closure, "body")
    if (
        closure.type != "closure_expression"
        or parameters is None
        or body is None
        or parameters.named_children
    ):
        return None
    return None if leaves_early(body) else body


@rewrite(
    "ok_or",
    6,
    "Turn the `Option` into a `Result` with one method call",
    "Use `ok_or` or `ok_or_else` instead of the `match`",
)
def ok_or(code: Code) -> list[Rewriting]:
    """`x.ok_or(e)` and `x.ok_or_else(|| e)` as a match."""
    value = code.fresh("value", "inner", "found")
    found: list[Rewriting] = []
    for call, receiver, given in _called(code, "ok_or", 1) + _called(code, "ok_or_else", 1):
        fault = (
            _lazy(given[0])
            if given[0].type == "closure_expression"
            else (given[0] if _plain(given[0]) else None)
        )
        if fault is not None:
            arms: list[tuple[str | Slice, ...]] = [
                (f"Some({value}) => Ok({value})",),
                ("None => Err(", slice_of(fault, 4), ")"),
            ]
            found.append(_match(code, call, receiver, arms))
    return found


_GIVES_OPTION = frozenset(
    {
        "get", "get_mut", "first", "last", "next", "next_back", "pop", "pop_front", "pop_back", "find", "rfind",
        "position", "max", "min", "max_by_key", "min_by_key", "as_ref", "as_mut", "as_deref", "strip_prefix",
        "strip_suffix", "split_once", "rsplit_once", "ok", "err", "to_digit", "peek", "nth", "checked_add",
        "checked_sub", "checked_mul", "checked_div", "take", "remove", "split_first", "split_last", "file_name",
    }
)  # fmt: skip


@rewrite(
    "map on Option",
    6,
    "Use `Option::map` instead of the `match`",
    "Replace the `match` that only changes the value inside `Some` with `map`",
)
def option_map(code: Code) -> list[Rewriting]:
    """`x.map(|v| e)` on an Option as a match."""
    found: list[Rewriting] = []
    for call, receiver, given in _called(code, "map", 1):
        called = field(receiver, "function")
        name = field(called, "field") if called is not None else None
        if name is None or code.text(name) not in _GIVES_OPTION or given[0].type != "closure_expression":
            continue
        parameter, body = single_parameter(given[0]), field(given[0], "body")
        if parameter is None or body is None or leaves_early(body) or code.text(given[0]).startswith("move"):
            continue
        arms: list[tuple[str | Slice, ...]] = [
            ("Some(", slice_of(parameter), ") => Some(", slice_of(body, 4), ")"),
            ("None => None",),
        ]
        found.append(_match(code, call, receiver, arms))
    return found


REWRITES = (question_on_result, question_on_option, unwrap_or, ok_or, option_map)

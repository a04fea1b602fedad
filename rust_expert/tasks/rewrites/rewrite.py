"""What a backward rewrite is: idiomatic code turned into the plainer code that somebody might have written first.

The original is the answer, the rewritten form the question. Each rewrite keeps the meaning by its syntax alone, or
by syntax together with rustc's type check, which drops the pairs whose rewritten form does not compile.
"""

from collections.abc import Callable
from dataclasses import dataclass

import tree_sitter

from rust_expert.syntax.parser import descend, field
from rust_expert.tasks.code import Code, Rewriting

Find = Callable[[Code], list[Rewriting]]


@dataclass(frozen=True)
class Rewrite:
    """One backward rewrite.

    `requests`: ways to ask for the idiomatic form, as imperatives without a full stop. `find`: every place where it
    applies; all are rewritten together. `weight`: how often it is taken, relative to the others.
    """

    name: str
    weight: float
    requests: tuple[str, ...]
    find: Find


def rewrite(name: str, weight: float, *requests: str) -> Callable[[Find], Rewrite]:
    """Make a rewrite of the function that finds its places."""

    def made(find: Find) -> Rewrite:
        return Rewrite(name, weight, requests, find)

    return made


_OPEN = frozenset(
    {
        "let_declaration", "arguments", "return_expression", "match_arm", "field_initializer", "tuple_expression",
        "parenthesized_expression", "expression_statement", "block", "array_expression",
    }
)  # fmt: skip


def stands_open(node: tree_sitter.Node) -> bool:
    """Whether a `match` or a block can take the node's place as it is, without parentheses."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type in ("assignment_expression", "compound_assignment_expr"):
        return field(parent, "right") == node
    return parent.type in _OPEN


def begins_statement(node: tree_sitter.Node) -> bool:
    """Whether something to the left of which nothing stands in its statement: `match x {}.y()` would not parse."""
    above = node.parent
    while above is not None and above.type not in ("expression_statement", "block", "let_declaration"):
        if above.start_byte != node.start_byte:
            return False
        above = above.parent
    return above is not None and above.type != "let_declaration" and above.start_byte == node.start_byte


def leaves_early(node: tree_sitter.Node) -> bool:
    """Whether control can leave the node other than by its value: what a closure's body must not do to be moved."""
    kinds = (
        "return_expression",
        "try_expression",
        "await_expression",
        "break_expression",
        "continue_expression",
    )
    return any(child.type in kinds for child in descend(node))


def single_parameter(closure: tree_sitter.Node) -> tree_sitter.Node | None:
    """The one pattern of a closure without types, or None."""
    parameters = field(closure, "parameters")
    named = parameters.named_children if parameters is not None else []
    if len(named) != 1 or named[0].type in ("parameter", "line_comment", "block_comment"):
        return None
    return named[0]


def has_comment_between(node: tree_sitter.Node) -> bool:
    """Whether a comment stands between the node's parts, where a rewrite would lose it."""
    return any(child.type in ("line_comment", "block_comment") for child in node.children)


_GUARDS = ("lock(", "borrow(", "borrow_mut(", "read(", "write(", "guard", ".await")


def keeps_guard(text: str) -> bool:
    """Whether an expression may make a lock or a borrow whose end a rewrite would move."""
    return any(word in text for word in _GUARDS)

"""What a mutation operator is, and the small looks at a tree that the operators share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import tree_sitter

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Edit, Edits

Find = Callable[[Code], list[Edits]]


@dataclass(frozen=True)
class Operator:
    """One way to break an item.

    `expects`: the error codes that it is made to provoke; `find` gives every place where it applies, each as the
    edits that break the item there. `weight`: how often it is taken, relative to the others, after what people meet.
    """

    name: str
    weight: float
    expects: frozenset[str]
    find: Find


def operator(name: str, weight: float, *expects: str) -> Callable[[Find], Operator]:
    """Make an operator of the function that finds its places."""

    def made(find: Find) -> Operator:
        return Operator(name, weight, frozenset(expects), find)

    return made


def replaced(node: tree_sitter.Node, text: str) -> Edits:
    """The edits that put `text` in a node's place."""
    return (Edit(node.start_byte, node.end_byte, text),)


def before(node: tree_sitter.Node, text: str) -> Edit:
    """The edit that puts `text` before a node."""
    return Edit(node.start_byte, node.start_byte, text)


def after(node: tree_sitter.Node, text: str) -> Edit:
    """The edit that puts `text` after a node."""
    return Edit(node.end_byte, node.end_byte, text)


def cut(start: int, end: int) -> Edits:
    """The edits that take away the bytes from `start` to `end`."""
    return (Edit(start, end, ""),)


def main_function(code: Code) -> tree_sitter.Node | None:
    """The function that the item is; None where it is something else (an impl has several)."""
    found = [child for child in code.root.children if child.type == "function_item"]
    return found[0] if len(found) == 1 else None


def functions(code: Code) -> list[tree_sitter.Node]:
    """The functions of the item that have a body."""
    return [node for node in code.nodes("function_item") if field(node, "body") is not None]


def tails(code: Code) -> Iterator[tuple[tree_sitter.Node, tree_sitter.Node, str]]:
    """Each function with a return type and a tail expression: (function, tail, return type)."""
    for function in functions(code):
        declared, tail = field(function, "return_type"), code.tail(function)
        if declared is not None and tail is not None:
            yield function, tail, code.text(declared)


def arguments(call: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The argument expressions of a call."""
    inside = field(call, "arguments")
    if inside is None:
        return []
    return [child for child in inside.named_children if child.type not in ("line_comment", "block_comment")]


def method_call(node: tree_sitter.Node, code: Code) -> tuple[tree_sitter.Node, str] | None:
    """The receiver and the method's name where `node` is a call `receiver.method(..)`."""
    called = field(node, "function")
    if node.type != "call_expression" or called is None or called.type != "field_expression":
        return None
    receiver, name = field(called, "value"), field(called, "field")
    if receiver is None or name is None or name.type != "field_identifier":
        return None
    return receiver, code.text(name)


def is_place(node: tree_sitter.Node, code: Code) -> bool:
    """Whether a node is a plain variable or a field of one: `items`, `self.items`."""
    if node.type == "identifier":
        return not code.text(node)[0].isupper()
    inner = field(node, "value")
    return node.type == "field_expression" and inner is not None and inner.type in ("identifier", "self")


def statements(code: Code) -> Iterator[tree_sitter.Node]:
    """The statements of blocks that stand on lines of their own, in source order."""
    for node in code.nodes("expression_statement", "let_declaration"):
        if node.parent is not None and node.parent.type == "block" and code.starts_line(node):
            yield node

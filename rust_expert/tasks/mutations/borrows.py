"""Operators that make borrows collide: shared against mutable (E0502), mutable twice (E0499), moved or assigned
while borrowed (E0505, E0506).

Free mutation hardly ever makes these, so each one puts a borrow before a statement and its use after it.
"""

from collections.abc import Iterator

import tree_sitter

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Edits
from rust_expert.tasks.mutations.operator import (
    after,
    arguments,
    before,
    is_place,
    method_call,
    operator,
    statements,
)

CHANGING = frozenset(
    {
        "push", "push_str", "push_back", "push_front", "insert", "clear", "extend", "extend_from_slice", "remove",
        "pop", "pop_front", "pop_back", "truncate", "append", "sort", "sort_by", "sort_unstable", "retain", "drain",
        "reserve", "resize", "swap", "reverse", "dedup", "fill", "write_str", "write_all", "next", "set",
    }
)  # fmt: skip


def _changed(code: Code) -> Iterator[tuple[tree_sitter.Node, str]]:
    """Statements that change a variable or field through a method, with that place's text."""
    for node in statements(code):
        call = node.named_children[0] if node.type == "expression_statement" else field(node, "value")
        while call is not None and call.type == "try_expression":
            call = call.named_children[0]
        called = method_call(call, code) if call is not None else None
        if called is not None and called[1] in CHANGING and is_place(called[0], code) and not _leaves(node):
            yield node, code.text(called[0])


def _leaves(node: tree_sitter.Node) -> bool:
    """Whether nothing can follow a statement: it is the block's value."""
    return node.type == "expression_statement" and not (node.text or b"").endswith(b";")


def _held(code: Code, node: tree_sitter.Node, taken: str, names: tuple[str, str]) -> Edits:
    """`let first = taken;` before a statement and a use of it after."""
    margin = code.indentation(node)
    first, last = code.fresh(names[0], "held"), code.fresh(names[1], "kept")
    return (
        before(node, f"let {first} = {taken};\n{margin}"),
        after(node, f"\n{margin}let {last} = {first};"),
    )


@operator("changed while a shared borrow lives", 9, "E0502")
def changed_while_shared(code: Code) -> list[Edits]:
    """`let view = &items;` before `items.push(x);`, and its use after."""
    return [_held(code, node, f"&{place}", ("view", "seen")) for node, place in _changed(code)]


@operator("changed while a mutable borrow lives", 8, "E0499")
def changed_while_mutable(code: Code) -> list[Edits]:
    """`let first = &mut items;` before `items.push(x);`, and its use after."""
    references = _mutable_references(code)
    return [
        _held(code, node, f"&mut *{place}" if place in references else f"&mut {place}", ("first", "last"))
        for node, place in _changed(code)
    ]


def _mutable_references(code: Code) -> set[str]:
    """Parameters that are mutable references: they are borrowed again, not themselves."""
    found: set[str] = set()
    for node in code.nodes("parameter"):
        name, declared = field(node, "pattern"), field(node, "type")
        if name is not None and declared is not None and declared.type == "reference_type":
            found.add(code.text(name))
    return found


@operator("moved while borrowed", 7, "E0505")
def moved_while_borrowed(code: Code) -> list[Edits]:
    """`let view = &items;` before `f(items)`, and its use after."""
    found: list[Edits] = []
    for node in statements(code):
        if _leaves(node):
            continue
        call = node.named_children[0] if node.type == "expression_statement" else field(node, "value")
        while call is not None and call.type == "try_expression":
            call = call.named_children[0]
        if call is None:
            continue
        places = [argument for argument in arguments(call) if call.type == "call_expression"]
        if call.type == "identifier":
            places = [call]
        for place in places:
            if place.type == "identifier" and is_place(place, code):
                found.append(_held(code, node, f"&{code.text(place)}", ("view", "seen")))
    return found


@operator("assigned while borrowed", 6, "E0506")
def assigned_while_borrowed(code: Code) -> list[Edits]:
    """`let previous = &total;` before `total += x;`, and its use after."""
    found: list[Edits] = []
    for node in statements(code):
        inner = node.named_children[0] if node.named_children else None
        if inner is None or inner.type not in ("assignment_expression", "compound_assignment_expr"):
            continue
        left = field(inner, "left")
        if left is not None and is_place(left, code) and not _leaves(node):
            found.append(_held(code, node, f"&{code.text(left)}", ("previous", "before")))
    return found


OPERATORS = (changed_while_shared, changed_while_mutable, moved_while_borrowed, assigned_while_borrowed)

"""Operators that break ownership: moves (E0382), references that outlive what they point to, missing `mut`."""

import tree_sitter

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Edit, Edits
from rust_expert.tasks.mutations.operator import after, cut, functions, method_call, operator, replaced, tails

_COPIES = frozenset({"reference_type", "primitive_type", "pointer_type", "function_type", "unit_type"})


def _owned_parameters(function: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The names of parameters that are taken by value and whose type may own something."""
    parameters = field(function, "parameters")
    found: list[tree_sitter.Node] = []
    for parameter in parameters.children if parameters is not None else []:
        name, declared = field(parameter, "pattern"), field(parameter, "type")
        if parameter.type != "parameter" or name is None or declared is None:
            continue
        if name.type == "identifier" and declared.type not in _COPIES:
            found.append(name)
    return found


def _occurrences(code: Code, inside: tree_sitter.Node, name: str, start: int) -> int:
    return sum(
        1
        for node in code.nodes("identifier")
        if start <= node.start_byte < inside.end_byte and code.text(node) == name
    )


@operator("parameter used after it was moved", 7, "E0382")
def parameter_moved(code: Code) -> list[Edits]:
    """`let taken = text;` before the first use of the parameter `text`."""
    found: list[Edits] = []
    for function in functions(code):
        body = field(function, "body")
        first = next(iter(body.named_children), None) if body is not None else None
        if body is None or first is None or not code.starts_line(first):
            continue
        for name in _owned_parameters(function):
            text = code.text(name)
            if _occurrences(code, body, text, body.start_byte):
                taken = code.fresh("taken", "moved", "previous")
                line = f"let {taken} = {text};\n{code.indentation(first)}"
                found.append((Edit(first.start_byte, first.start_byte, line),))
    return found


@operator("variable used after it was moved", 7, "E0382")
def variable_moved(code: Code) -> list[Edits]:
    """`drop(items);` or `let other = items;` after `let items = ..;`, before its next use."""
    found: list[Edits] = []
    for node in code.nodes("let_declaration"):
        name, block = field(node, "pattern"), node.parent
        if name is None or name.type != "identifier" or block is None or field(node, "value") is None:
            continue
        text = code.text(name)
        if _occurrences(code, block, text, node.end_byte) and code.starts_line(node):
            margin = "\n" + code.indentation(node)
            found.append((after(node, f"{margin}let {code.fresh('taken', 'moved', 'other')} = {text};"),))
            found.append((after(node, f"{margin}drop({text});"),))
    return found


@operator("clone dropped", 8, "E0382", "E0507", "E0308", "E0505")
def clone_dropped(code: Code) -> list[Edits]:
    """`x.clone()` becomes `x`."""
    found: list[Edits] = []
    for call in code.nodes("call_expression"):
        called = method_call(call, code)
        if called is not None and called[1] in ("clone", "cloned", "copied"):
            found.append(cut(called[0].end_byte, call.end_byte))
    return found


@operator("moved out of a borrow", 4, "E0507", "E0308")
def moved_out(code: Code) -> list[Edits]:
    """`self.name.as_str()` loses its borrowing method: `self.name`."""
    found: list[Edits] = []
    for call in code.nodes("call_expression"):
        called = method_call(call, code)
        if called is not None and called[1] in ("as_ref", "as_mut", "as_deref", "as_str", "iter", "take"):
            found.append(cut(called[0].end_byte, call.end_byte))
    return found


@operator("mut dropped", 8, "E0596", "E0384", "E0594")
def mut_dropped(code: Code) -> list[Edits]:
    """`let mut x` becomes `let x`, `mut x: T` becomes `x: T`."""
    found: list[Edits] = []
    for node in code.nodes("mutable_specifier"):
        parent = node.parent
        if parent is not None and parent.type in ("let_declaration", "parameter", "mut_pattern"):
            following = node.next_sibling
            found.append(
                cut(node.start_byte, following.start_byte if following is not None else node.end_byte)
            )
    return found


@operator("shared reference instead of a mutable one", 6, "E0596", "E0594", "E0308")
def shared_for_mutable(code: Code) -> list[Edits]:
    """`x: &mut T` becomes `x: &T`, `&mut self` becomes `&self`, `&mut x` becomes `&x`."""
    found: list[Edits] = []
    for node in code.nodes("mutable_specifier"):
        parent = node.parent
        if parent is not None and parent.type in ("reference_type", "self_parameter", "reference_expression"):
            following = node.next_sibling
            if parent.type == "self_parameter" and not code.text(parent).startswith("&"):
                continue
            found.append(
                cut(node.start_byte, following.start_byte if following is not None else node.end_byte)
            )
    return found


@operator("reference to a local value returned", 4, "E0515")
def local_returned(code: Code) -> list[Edits]:
    """A returned reference becomes one to a copy made inside: `&name.to_owned()`."""
    found: list[Edits] = []
    for _, tail, declared in tails(code):
        if declared.startswith("&") and "mut" not in declared and tail.type in (
            "call_expression", "field_expression", "identifier", "index_expression", "reference_expression",
        ):  # fmt: skip
            text = code.text(tail)
            found.append(
                replaced(tail, f"&({text}).to_owned()" if text.startswith("&") else f"&{text}.to_owned()")
            )
    return found


@operator("value dropped while borrowed", 4, "E0597", "E0716")
def dropped_while_borrowed(code: Code) -> list[Edits]:
    """`let x = f();` becomes a reference to a value that ends with its block."""
    found: list[Edits] = []
    for node in code.nodes("let_declaration"):
        name, value, block = field(node, "pattern"), field(node, "value"), node.parent
        if name is None or value is None or block is None or name.type != "identifier":
            continue
        if field(node, "alternative") is not None or not code.starts_line(node) or "\n" in code.text(value):
            continue
        if value.type == "call_expression" and _occurrences(code, block, code.text(name), node.end_byte):
            margin, inner = code.indentation(node), code.fresh("value", "inner", "made")
            text = f"{{\n{margin}    let {inner} = {code.text(value)};\n{margin}    &{inner}\n{margin}}}"
            found.append(replaced(value, text))
    return found


@operator("move dropped from a closure", 3, "E0373")
def closure_move_dropped(code: Code) -> list[Edits]:
    """`move |x| ..` becomes `|x| ..`."""
    found: list[Edits] = []
    for node in code.nodes("closure_expression"):
        for child in node.children:
            if child.type == "move" and child.next_sibling is not None:
                found.append(cut(child.start_byte, child.next_sibling.start_byte))
    return found


OPERATORS = (
    parameter_moved, variable_moved, clone_dropped, moved_out, mut_dropped, shared_for_mutable, local_returned,
    dropped_while_borrowed, closure_move_dropped,
)  # fmt: skip

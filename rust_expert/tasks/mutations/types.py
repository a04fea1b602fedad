"""Operators that break types: mismatches (E0308), operators and conversions that do not exist, missing parts."""

import re

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Edit, Edits
from rust_expert.tasks.mutations.operator import (
    after,
    arguments,
    cut,
    functions,
    is_place,
    operator,
    replaced,
    tails,
)

_NUMBERS = ("u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize")


@operator("semicolon after the tail expression", 5, "E0308")
def semicolon_after_tail(code: Code) -> list[Edits]:
    """`value` at the end becomes `value;`."""
    return [
        (after(tail, ";"),) for _, tail, _ in tails(code) if not tail.type.startswith(("return", "macro"))
    ]


@operator("number written as text", 2, "E0308", "E0277")
def number_as_text(code: Code) -> list[Edits]:
    """`0` becomes `"0"`."""
    found: list[Edits] = []
    for node in code.nodes("integer_literal"):
        parent = node.parent
        if parent is not None and parent.type in (
            "let_declaration",
            "arguments",
            "binary_expression",
            "block",
        ):
            digits = re.match(r"\d[\d_]*", code.text(node))
            if digits and digits[0] == code.text(node):
                found.append(replaced(node, f'"{digits[0]}"'))
    return found


@operator("owned text for borrowed text", 3, "E0308")
def owned_for_borrowed(code: Code) -> list[Edits]:
    """`f("a")` becomes `f("a".to_string())`, or `String::from("a")`."""
    found: list[Edits] = []
    for call in code.nodes("call_expression"):
        for argument in arguments(call):
            if argument.type == "string_literal":
                text = code.text(argument)
                found += [
                    replaced(argument, f"{text}.to_string()"),
                    replaced(argument, f"String::from({text})"),
                ]
    return found


@operator("borrowed text for owned text", 3, "E0308")
def borrowed_for_owned(code: Code) -> list[Edits]:
    """`"a".to_string()` and `String::from("a")` become `"a"`."""
    found: list[Edits] = []
    for call in code.nodes("call_expression"):
        called = field(call, "function")
        if called is None:
            continue
        if code.text(called) == "String::from" and len(arguments(call)) == 1:
            found.append(replaced(call, code.text(arguments(call)[0])))
        receiver, name = field(called, "value"), field(called, "field")
        if (
            receiver is not None
            and name is not None
            and code.text(name) in ("to_string", "to_owned", "to_vec")
        ):
            found.append(replaced(call, code.text(receiver)))
    return found


@operator("reference dropped", 5, "E0308", "E0277", "E0507")
def reference_dropped(code: Code) -> list[Edits]:
    """`f(&x)` becomes `f(x)`."""
    found: list[Edits] = []
    for node in code.nodes("reference_expression"):
        value, parent = field(node, "value"), node.parent
        if (
            value is not None
            and parent is not None
            and parent.type in ("arguments", "let_declaration", "block")
        ):
            found.append(cut(node.start_byte, value.start_byte))
    return found


@operator("reference added", 4, "E0308", "E0277")
def reference_added(code: Code) -> list[Edits]:
    """`f(x)` becomes `f(&x)`."""
    return [
        replaced(argument, f"&{code.text(argument)}")
        for call in code.nodes("call_expression")
        for argument in arguments(call)
        if is_place(argument, code) or argument.type == "integer_literal"
    ]


@operator("dereference dropped", 4, "E0308", "E0277", "E0369")
def dereference_dropped(code: Code) -> list[Edits]:
    """`*x` becomes `x`."""
    return [
        cut(node.start_byte, node.start_byte + 1)
        for node in code.nodes("unary_expression")
        if code.text(node).startswith("*")
    ]


@operator("dereference added", 2, "E0614")
def dereference_added(code: Code) -> list[Edits]:
    """`x + 1` becomes `*x + 1`."""
    found: list[Edits] = []
    for node in code.nodes("binary_expression"):
        left = field(node, "left")
        if left is not None and left.type == "identifier":
            found.append((Edit(left.start_byte, left.start_byte, "*"),))
    return found


@operator("wrapper dropped", 5, "E0308")
def wrapper_dropped(code: Code) -> list[Edits]:
    """`Some(x)` and `Ok(x)` that are returned become `x`."""
    found: list[Edits] = []
    for call in code.nodes("call_expression"):
        called, given = field(call, "function"), arguments(call)
        if called is None or code.text(called) not in ("Some", "Ok") or len(given) != 1:
            continue
        declared = code.return_type(call)
        if declared and given[0].type != "unit_expression":
            found.append(replaced(call, code.text(given[0])))
    return found


@operator("wrapper forgotten in the type", 3, "E0308", "E0277")
def wrapper_forgotten(code: Code) -> list[Edits]:
    """The return type `Option<T>` becomes `T`."""
    found: list[Edits] = []
    for function in functions(code):
        declared = field(function, "return_type")
        if declared is None or declared.type != "generic_type":
            continue
        name, given = field(declared, "type"), field(declared, "type_arguments")
        if name is None or given is None or code.text(name) not in ("Option", "Result"):
            continue
        first = next((child for child in given.children if child.is_named), None)
        if first is not None and first.type != "unit_type":
            found.append(replaced(declared, code.text(first)))
    return found


@operator("other return type", 3, "E0308")
def other_return_type(code: Code) -> list[Edits]:
    """`-> usize` becomes `-> i32`."""
    found: list[Edits] = []
    for function in functions(code):
        declared = field(function, "return_type")
        if declared is not None and code.text(declared) in _NUMBERS:
            for other in ("u32", "i32", "i64", "usize"):
                if other != code.text(declared):
                    found.append(replaced(declared, other))
        elif declared is not None and code.text(declared) == "bool":
            found.append(replaced(declared, "u8"))
        elif declared is not None and code.text(declared) == "String":
            found.append(replaced(declared, "&'static str"))
    return found


@operator("return type forgotten", 3, "E0308")
def return_type_forgotten(code: Code) -> list[Edits]:
    """`fn f() -> T` becomes `fn f()`."""
    found: list[Edits] = []
    for function, _, _ in tails(code):
        declared, parameters = field(function, "return_type"), field(function, "parameters")
        if declared is not None and parameters is not None:
            found.append(cut(parameters.end_byte, declared.end_byte))
    return found


@operator("else dropped", 3, "E0317")
def else_dropped(code: Code) -> list[Edits]:
    """`if a { b } else { c }` becomes `if a { b }`."""
    found: list[Edits] = []
    for node in code.nodes("if_expression"):
        other, then = field(node, "alternative"), field(node, "consequence")
        if other is not None and then is not None:
            found.append(cut(then.end_byte, other.end_byte))
    return found


@operator("cast dropped", 4, "E0308", "E0277")
def cast_dropped(code: Code) -> list[Edits]:
    """`x as usize` becomes `x`."""
    found: list[Edits] = []
    for node in code.nodes("type_cast_expression"):
        value = field(node, "value")
        if value is not None:
            found.append(cut(value.end_byte, node.end_byte))
    return found


@operator("index of another type", 3, "E0277")
def index_of_another_type(code: Code) -> list[Edits]:
    """`a[i]` becomes `a[i as i32]`."""
    found: list[Edits] = []
    for node in code.nodes("index_expression"):
        parts = node.named_children
        if len(parts) == 2 and parts[1].type in ("identifier", "binary_expression"):
            index = code.text(parts[1])
            wrapped = index if parts[1].type == "identifier" else f"({index})"
            found.append(replaced(parts[1], f"{wrapped} as i32"))
    return found


@operator("return without its value", 2, "E0069")
def return_without_value(code: Code) -> list[Edits]:
    """`return x;` becomes `return;`."""
    return [
        replaced(node, "return")
        for node in code.nodes("return_expression")
        if node.named_children and code.return_type(node)
    ]


@operator("argument dropped", 3, "E0061")
def argument_dropped(code: Code) -> list[Edits]:
    """`f(a, b)` becomes `f(a)`."""
    found: list[Edits] = []
    for call in code.nodes("call_expression"):
        given, called = arguments(call), field(call, "function")
        if not given or called is None or (called.type == "identifier" and code.text(called)[0].isupper()):
            continue
        start = given[-2].end_byte if len(given) > 1 else given[0].start_byte
        found.append(cut(start, given[-1].end_byte))
    return found


@operator("arguments swapped", 2, "E0308")
def arguments_swapped(code: Code) -> list[Edits]:
    """`f(a, b)` becomes `f(b, a)`."""
    found: list[Edits] = []
    for call in code.nodes("call_expression"):
        given = arguments(call)
        if len(given) >= 2 and code.text(given[0]) != code.text(given[1]):
            found.append((*replaced(given[0], code.text(given[1])), *replaced(given[1], code.text(given[0]))))
    return found


OPERATORS = (
    semicolon_after_tail, number_as_text, owned_for_borrowed, borrowed_for_owned, reference_dropped, reference_added,
    dereference_dropped, dereference_added, wrapper_dropped, wrapper_forgotten, other_return_type,
    return_type_forgotten, else_dropped, cast_dropped, index_of_another_type, return_without_value, argument_dropped,
    arguments_swapped,
)  # fmt: skip

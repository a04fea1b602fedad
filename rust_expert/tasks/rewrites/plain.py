"""Small idioms written the long way: returns, initialisers, emptiness, conditions, arguments of format strings."""

import re

import tree_sitter

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Rewriting, slice_of
from rust_expert.tasks.rewrites.rewrite import has_comment_between, rewrite, stands_open

_BLOCK_LIKE = frozenset(
    {
        "if_expression", "match_expression", "loop_expression", "while_expression", "for_expression", "block",
        "unsafe_block", "return_expression", "macro_invocation", "async_block",
    }
)  # fmt: skip


@rewrite(
    "value of the block",
    3,
    "Remove the needless `return`",
    "Let the function end with its value instead of a `return` statement",
)
def needless_return(code: Code) -> list[Rewriting]:
    """A tail expression as `return value;`."""
    found: list[Rewriting] = []
    for function in code.nodes("function_item"):
        tail = code.tail(function)
        if tail is not None and field(function, "return_type") is not None and tail.type not in _BLOCK_LIKE:
            found.append(Rewriting(tail.start_byte, tail.end_byte, ("return ", slice_of(tail), ";")))
    return found


@rewrite(
    "shorthand of fields",
    3,
    "Use the field init shorthand",
    "Remove the redundant field names in the struct expression",
)
def field_shorthand(code: Code) -> list[Rewriting]:
    """`Point { x }` as `Point { x: x }`."""
    return [
        Rewriting(node.start_byte, node.end_byte, (f"{code.text(node)}: {code.text(node)}",))
        for node in code.nodes("shorthand_field_initializer")
        if re.fullmatch(r"\w+", code.text(node))
    ]


@rewrite(
    "is_empty",
    4,
    "Use `is_empty` instead of comparing the length with zero",
    "Replace the comparison of `len()` with zero",
)
def length_zero(code: Code) -> list[Rewriting]:
    """`x.is_empty()` as `x.len() == 0`, `!x.is_empty()` as `x.len() > 0`."""
    found: list[Rewriting] = []
    for call in code.nodes("call_expression"):
        called, given = field(call, "function"), field(call, "arguments")
        name = field(called, "field") if called is not None else None
        receiver = field(called, "value") if called is not None else None
        if name is None or receiver is None or given is None or given.named_children:
            continue
        if code.text(name) != "is_empty" or (called is not None and has_comment_between(called)):
            continue
        outer, sign = call, "=="
        if (
            call.parent is not None
            and call.parent.type == "unary_expression"
            and code.text(call.parent)[0] == "!"
        ):
            outer, sign = call.parent, ">"
        parent = outer.parent
        bare = stands_open(outer) or (
            parent is not None and parent.type in ("if_expression", "while_expression", "match_arm")
        )
        logical = parent is not None and parent.type == "binary_expression" and _joins(code, parent)
        opening, closing = ("", "") if bare or logical else ("(", ")")
        found.append(
            Rewriting(
                outer.start_byte, outer.end_byte, (opening, slice_of(receiver), f".len() {sign} 0", closing)
            )
        )
    return found


def _joins(code: Code, node: tree_sitter.Node) -> bool:
    sign = field(node, "operator")
    return sign is not None and code.text(sign) in ("&&", "||")


_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">=", "&&", "||"})


@rewrite(
    "condition as value",
    4,
    "Return the condition itself instead of `if ... { true } else { false }`",
    "Remove the needless `if` around the boolean",
)
def needless_bool(code: Code) -> list[Rewriting]:
    """A comparison at the end of a function as `if c { true } else { false }`."""
    found: list[Rewriting] = []
    for function in code.nodes("function_item"):
        tail, declared = code.tail(function), field(function, "return_type")
        if (
            tail is None
            or declared is None
            or code.text(declared) != "bool"
            or tail.type != "binary_expression"
        ):
            continue
        sign = field(tail, "operator")
        if sign is None or code.text(sign) not in _COMPARISONS or "{" in code.text(tail):
            continue
        margin = code.indentation(tail)
        found.append(
            Rewriting(
                tail.start_byte,
                tail.end_byte,
                (
                    "if ",
                    slice_of(tail),
                    f" {{\n{margin}    true\n{margin}}} else {{\n{margin}    false\n{margin}}}",
                ),
            )
        )
    return found


_FORMATTING = frozenset(
    {
        "format",
        "println",
        "print",
        "eprintln",
        "eprint",
        "panic",
        "write",
        "writeln",
        "format_args",
        "unreachable",
    }
)
_PLACE = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)?(:[^{}$]*)?\}|\{[^{}]*\}")


@rewrite(
    "names inside the format string",
    5,
    "Put the variables directly into the format string",
    "Inline the arguments of the format string",
)
def inlined_arguments(code: Code) -> list[Rewriting]:
    """`format!("{x}")` as `format!("{}", x)`."""
    found: list[Rewriting] = []
    for node in code.nodes("macro_invocation"):
        name = field(node, "macro")
        tree = next((child for child in node.children if child.type == "token_tree"), None)
        if name is None or tree is None or code.text(name) not in _FORMATTING:
            continue
        tokens = tree.children[1:-1]
        if not tokens or tokens[-1].type != "string_literal":
            continue  # other arguments: their order would have to be kept
        literal = code.text(tokens[-1])
        places = [each for each in _PLACE.finditer(literal) if each[0] not in ("{{", "}}")]
        if not places or not all(each[1] and (each[2] is None or "*" not in each[2]) for each in places):
            continue
        names = [each[1] for each in places]
        emptied = _PLACE.sub(
            lambda each: each[0] if each[0] in ("{{", "}}") else f"{{{each[2] or ''}}}", literal
        )
        found.append(Rewriting(tokens[-1].start_byte, tokens[-1].end_byte, (", ".join([emptied, *names]),)))
    return found


@rewrite(
    "compound assignment",
    3,
    "Use compound assignment operators",
    "Shorten `x = x + 1` with the compound assignment operator",
)
def compound_assignment(code: Code) -> list[Rewriting]:
    """`x += 1` as `x = x + 1`; only numbers on the right, so that it is about numbers."""
    found: list[Rewriting] = []
    for node in code.nodes("compound_assignment_expr"):
        left, sign, right = field(node, "left"), field(node, "operator"), field(node, "right")
        if (
            left is None
            or sign is None
            or right is None
            or right.type not in ("integer_literal", "float_literal")
        ):
            continue
        if left.type in ("identifier", "field_expression") and re.fullmatch(r"[\w.]+", code.text(left)):
            text = f"{code.text(left)} = {code.text(left)} {code.text(sign)[:-1]} {code.text(right)}"
            found.append(Rewriting(node.start_byte, node.end_byte, (text,)))
    return found


@rewrite(
    "slices as parameters",
    5,
    "Take slices (`&str`, `&[T]`) instead of references to owned containers",
    "Make the parameter types more general: borrow a slice, not the container",
)
def owned_parameter(code: Code) -> list[Rewriting]:
    """`s: &str` as `s: &String`, `x: &[T]` as `x: &Vec<T>`."""
    found: list[Rewriting] = []
    for node in (
        [] if code.nodes("impl_item") else code.nodes("parameter")
    ):  # a trait prescribes its methods' types
        declared = field(node, "type")
        function = code.function_of(node)
        if declared is None or declared.type != "reference_type" or function is None:
            continue
        inner = field(declared, "type")
        if inner is None or "mut" in code.text(declared) or "'" in code.text(declared):
            continue
        if code.text(inner) == "str":
            found.append(Rewriting(inner.start_byte, inner.end_byte, ("String",)))
        elif (
            inner.type == "array_type"
            and field(inner, "length") is None
            and field(inner, "element") is not None
        ):
            found.append(
                Rewriting(inner.start_byte, inner.end_byte, (f"Vec<{code.text(inner)[1:-1].strip()}>",))
            )
    return found


REWRITES = (
    needless_return, field_shorthand, length_zero, needless_bool, inlined_arguments, compound_assignment,
    owned_parameter,
)  # fmt: skip

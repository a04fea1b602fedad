"""`if let`, `let else`, `while let` and `matches!`, written out as `match`."""

import tree_sitter

from rust_expert.syntax.parser import descend, field
from rust_expert.tasks.code import Code, Rewriting, Slice, slice_of
from rust_expert.tasks.rewrites.rewrite import has_comment_between, keeps_guard, rewrite, stands_open


def _let_condition(node: tree_sitter.Node) -> tuple[tree_sitter.Node, tree_sitter.Node] | None:
    """Pattern and value where the condition of `node` is one `let`."""
    condition = field(node, "condition")
    if condition is None or condition.type != "let_condition" or has_comment_between(condition):
        return None
    pattern, value = field(condition, "pattern"), field(condition, "value")
    if pattern is None or value is None or keeps_guard(value.text.decode() if value.text else ""):
        return None
    return pattern, value


@rewrite(
    "if let",
    8,
    "Use `if let` instead of the `match` with a single interesting arm",
    "Replace the `match` with `if let`",
    "Rewrite the two-armed `match` as an `if let`",
)
def if_let(code: Code) -> list[Rewriting]:
    """`if let P = x { a } else { b }` as a match with the arms `P` and `_`."""
    found: list[Rewriting] = []
    for node in code.nodes("if_expression"):
        matched, then, other = _let_condition(node), field(node, "consequence"), field(node, "alternative")
        if matched is None or then is None or has_comment_between(node) or not stands_open(node):
            continue
        pattern, value = matched
        margin = code.indentation(node)
        rest: tuple[str | Slice, ...] = ("{}",)
        if other is not None:
            inner = other.named_children
            if len(inner) != 1 or inner[0].type not in ("block", "if_expression"):
                continue
            rest = (slice_of(inner[0], 4),)
        found.append(
            Rewriting(
                node.start_byte,
                node.end_byte,
                (
                    "match ", slice_of(value), f" {{\n{margin}    ", slice_of(pattern), " => ", slice_of(then, 4),
                    f"\n{margin}    _ => ", *rest, f"\n{margin}}}",
                ),
            )
        )  # fmt: skip
    return found


def bindings(pattern: tree_sitter.Node, code: Code) -> list[str] | None:
    """The variables that a pattern binds, in source order; None where one is bound by `mut` or `ref`."""
    names: list[str] = []
    for node in descend(pattern):
        if node.type in (
            "mutable_specifier",
            "ref",
            "mut_pattern",
            "ref_pattern",
            "macro_invocation",
            "captured_pattern",
        ):
            return None
        if node.type == "shorthand_field_identifier":
            names.append(code.text(node))
        elif node.type == "identifier" and not code.text(node)[0].isupper():
            parent = node.parent
            if parent is not None and parent.type in ("scoped_identifier", "scoped_type_identifier"):
                continue
            names.append(code.text(node))
    return names if len(set(names)) == len(names) else None


@rewrite(
    "let else",
    8,
    "Use `let ... else` for the early exit",
    "Replace the `match` that leaves early with `let ... else`",
)
def let_else(code: Code) -> list[Rewriting]:
    """`let P = x else { leave };` as a match that gives the bound variables."""
    found: list[Rewriting] = []
    for node in code.nodes("let_declaration"):
        pattern, value, other = field(node, "pattern"), field(node, "value"), field(node, "alternative")
        if pattern is None or value is None or other is None or has_comment_between(node):
            continue
        names = bindings(pattern, code)
        if not names or field(node, "type") is not None:
            continue
        bound = names[0] if len(names) == 1 else f"({', '.join(names)})"
        margin = code.indentation(node)
        found.append(
            Rewriting(
                node.start_byte,
                node.end_byte,
                (
                    f"let {bound} = match ", slice_of(value), f" {{\n{margin}    ", slice_of(pattern),
                    f" => {bound},\n{margin}    _ => ", slice_of(other, 4), f"\n{margin}}};",
                ),
            )
        )  # fmt: skip
    return found


@rewrite(
    "while let",
    6,
    "Use `while let` instead of `loop` and `match`",
    "Replace the `loop` that breaks in one arm of a `match` with `while let`",
)
def while_let(code: Code) -> list[Rewriting]:
    """`while let P = x { a }` as a loop around a match."""
    found: list[Rewriting] = []
    for node in code.nodes("while_expression"):
        matched, body = _let_condition(node), field(node, "body")
        if matched is None or body is None or has_comment_between(node):
            continue
        pattern, value = matched
        margin = code.indentation(node)
        found.append(
            Rewriting(
                node.start_byte,
                node.end_byte,
                (
                    f"{label_of(node, code)}loop {{\n{margin}    match ", slice_of(value), f" {{\n{margin}        ",
                    slice_of(pattern), " => ", slice_of(body, 8), f"\n{margin}        _ => break,\n{margin}    }}\n",
                    f"{margin}}}",
                ),
            )
        )  # fmt: skip
    return found


def label_of(loop: tree_sitter.Node, code: Code) -> str:
    """`'name: ` where a loop has a label, else nothing."""
    first = loop.children[0]
    return f"{code.text(first)}: " if first.type == "label" else ""


@rewrite(
    "matches",
    6,
    "Use the `matches!` macro",
    "Replace the `match` that only gives `true` or `false` with `matches!`",
)
def matches_macro(code: Code) -> list[Rewriting]:
    """`matches!(x, P)` as a match that gives true or false."""
    found: list[Rewriting] = []
    for node in code.nodes("macro_invocation"):
        name = field(node, "macro")
        tree = next((child for child in node.children if child.type == "token_tree"), None)
        if name is None or tree is None or code.text(name) != "matches" or not stands_open(node):
            continue
        tokens = tree.children[1:-1]
        place = next((index for index, token in enumerate(tokens) if token.type == ","), None)
        # a `<` before the comma may be a list of generics with commas of its own
        if (
            not place
            or any(token.type in ("<", "::<") for token in tokens[:place])
            or has_comment_between(tree)
        ):
            continue
        if node.parent is not None and node.parent.type == "expression_statement":
            continue
        value, pattern = tokens[:place], tokens[place + 1 :]
        if pattern and pattern[-1].type == ",":
            pattern = pattern[:-1]
        if not pattern:
            continue
        margin = code.indentation(node)
        found.append(
            Rewriting(
                node.start_byte,
                node.end_byte,
                (
                    "match ", Slice(value[0].start_byte, value[-1].end_byte), f" {{\n{margin}    ",
                    Slice(pattern[0].start_byte, pattern[-1].end_byte),
                    f" => true,\n{margin}    _ => false,\n{margin}}}",
                ),
            )
        )  # fmt: skip
    return found


REWRITES = (if_let, let_else, while_let, matches_macro)

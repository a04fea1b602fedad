"""Operators that break what is promised between parts: traits, lifetimes, annotations, matching, safety."""

import tree_sitter

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Edits
from rust_expert.tasks.mutations.operator import cut, functions, operator, replaced


def _removed_from_list(node: tree_sitter.Node) -> Edits:
    """Take a member out of a list together with the comma that follows it, else the one before it."""
    following, preceding = node.next_sibling, node.prev_sibling
    if following is not None and following.type == ",":
        after = following.next_sibling
        return cut(node.start_byte, after.start_byte if after is not None else following.end_byte)
    if preceding is not None and preceding.type == ",":
        return cut(preceding.start_byte, node.end_byte)
    return cut(node.start_byte, node.end_byte)


@operator("trait bound dropped", 7, "E0277", "E0599", "E0369", "E0382", "E0507", "E0310", "E0282")
def bound_dropped(code: Code) -> list[Edits]:
    """`T: Clone` becomes `T`; one of several bounds goes alone; a `where` clause goes as a whole."""
    found: list[Edits] = []
    for bounds in code.nodes("trait_bounds"):
        parent = bounds.parent
        if parent is not None and parent.type == "type_parameter":
            found.append(cut(bounds.start_byte, bounds.end_byte))
            members = bounds.named_children
            if len(members) > 1:
                found += [
                    cut(left.end_byte, right.end_byte)
                    for left, right in zip(members, members[1:], strict=False)
                ]
    for clause in code.nodes("where_clause"):
        found.append(cut(clause.start_byte, clause.end_byte))
    return found


@operator("question mark dropped", 5, "E0308", "E0599", "E0277", "E0369")
def question_dropped(code: Code) -> list[Edits]:
    """`f()?` becomes `f()`."""
    return [cut(node.end_byte - 1, node.end_byte) for node in code.nodes("try_expression")]


@operator("question mark where nothing is returned", 5, "E0277")
def question_added(code: Code) -> list[Edits]:
    """`.unwrap()` becomes `?` in a function that returns neither Option nor Result."""
    found: list[Edits] = []
    for node in code.nodes("call_expression"):
        called = field(node, "function")
        name = field(called, "field") if called is not None else None
        receiver = field(called, "value") if called is not None else None
        if name is None or receiver is None or code.text(name) not in ("unwrap", "expect"):
            continue
        if not any(word in code.return_type(node) for word in ("Option", "Result")):
            found.append(replaced(node, f"{code.text(receiver)}?"))
    return found


@operator("lifetime dropped", 4, "E0106", "E0621", "E0261")
def lifetime_dropped(code: Code) -> list[Edits]:
    """`&'a str` becomes `&str`, in the return type or in a parameter; or the declaration `<'a>` goes."""
    found: list[Edits] = []
    for function in functions(code):
        declared, parameters = field(function, "return_type"), field(function, "parameters")
        for node in code.nodes("lifetime"):
            parent = node.parent
            if parent is None or parent.type != "reference_type":
                continue
            for part in (declared, parameters):
                if part is not None and part.start_byte <= node.start_byte < part.end_byte:
                    following = node.next_sibling
                    end = following.start_byte if following is not None else node.end_byte
                    found.append(cut(node.start_byte, end))
        generics = field(function, "type_parameters")
        if generics is not None and all(
            child.type == "lifetime_parameter" for child in generics.named_children
        ):
            found.append(cut(generics.start_byte, generics.end_byte))
    return found


@operator("type annotation dropped", 5, "E0282", "E0283", "E0284")
def annotation_dropped(code: Code) -> list[Edits]:
    """`let x: Vec<_> = ..` becomes `let x = ..`; `collect::<Vec<_>>()` becomes `collect()`."""
    found: list[Edits] = []
    for node in code.nodes("let_declaration"):
        name, declared = field(node, "pattern"), field(node, "type")
        if name is not None and declared is not None:
            found.append(cut(name.end_byte, declared.end_byte))
    for node in code.nodes("generic_function"):
        called = field(node, "function")
        if called is not None:
            found.append(cut(called.end_byte, node.end_byte))
    return found


@operator("match arm dropped", 6, "E0004")
def arm_dropped(code: Code) -> list[Edits]:
    """One arm of a `match` goes."""
    found: list[Edits] = []
    for block in code.nodes("match_block"):
        arms = [child for child in block.named_children if child.type == "match_arm"]
        for place, arm in enumerate(arms):
            if len(arms) > 1:
                start = arms[place - 1].end_byte if place else arm.start_byte
                end = arm.end_byte if place else arms[1].start_byte
                found.append(cut(start, end))
    return found


@operator("field of a new value dropped", 4, "E0063")
def initializer_dropped(code: Code) -> list[Edits]:
    """`Point { x, y }` becomes `Point { x }`."""
    found: list[Edits] = []
    for block in code.nodes("field_initializer_list"):
        fields = [child for child in block.named_children if child.type.endswith("field_initializer")]
        if len(fields) > 1 and not any(child.type == "base_field_initializer" for child in fields):
            found += [_removed_from_list(node) for node in fields]
    return found


@operator("pattern of another length", 3, "E0023", "E0308", "E0026")
def pattern_longer(code: Code) -> list[Edits]:
    """`Some(x)` becomes `Some(x, _)`, `(a, b)` becomes `(a, b, _)`."""
    found: list[Edits] = []
    for node in code.nodes("tuple_struct_pattern", "tuple_pattern"):
        members = node.named_children
        if members and members[-1].type != "remaining_field_pattern":
            found.append(replaced(node, code.text(node)[:-1].rstrip().removesuffix(",") + ", _)"))
    return found


@operator("unsafe dropped", 3, "E0133")
def unsafe_dropped(code: Code) -> list[Edits]:
    """`unsafe { f() }` becomes `{ f() }`."""
    found: list[Edits] = []
    for node in code.nodes("unsafe_block"):
        block = next((child for child in node.children if child.type == "block"), None)
        if block is not None:
            found.append(cut(node.start_byte, block.start_byte))
    return found


@operator("async dropped", 3, "E0728")
def async_dropped(code: Code) -> list[Edits]:
    """`async fn` becomes `fn` around an `.await`."""
    if not code.nodes("await_expression"):
        return []
    found: list[Edits] = []
    for node in code.nodes("async"):
        parent = node.parent
        if parent is None or parent.type != "function_modifiers" or len(parent.children) != 1:
            continue
        if parent.next_sibling is not None:
            found.append(cut(node.start_byte, parent.next_sibling.start_byte))
    return found


@operator("condition of another type", 3, "E0308")
def condition_changed(code: Code) -> list[Edits]:
    """`if x == 0` becomes `if x = 0`: an assignment is no condition."""
    found: list[Edits] = []
    for node in code.nodes("if_expression"):
        condition = field(node, "condition")
        sign = field(condition, "operator") if condition is not None else None
        if sign is not None and code.text(sign) == "==":
            found.append(replaced(sign, "="))
    return found


OPERATORS = (
    bound_dropped, question_dropped, question_added, lifetime_dropped, annotation_dropped, arm_dropped,
    initializer_dropped, pattern_longer, unsafe_dropped, async_dropped, condition_changed,
)  # fmt: skip

"""Operators that break names: variables, types, methods and fields that do not exist."""

from rust_expert.syntax.parser import field
from rust_expert.tasks.code import Code, Edits
from rust_expert.tasks.mutations.operator import method_call, operator, replaced


def misspelt(name: str) -> str:
    """`name` with two letters of its middle swapped, or with its last letter doubled where that changes nothing."""
    for place in range(max(1, len(name) // 2 - 1), len(name) - 1):
        left, right = name[place], name[place + 1]
        if left != right and left.isalpha() and right.isalpha():
            return name[:place] + right + left + name[place + 2 :]
    return name + name[-1]


@operator("variable misspelt", 4, "E0425")
def variable_misspelt(code: Code) -> list[Edits]:
    """`total` becomes `toatl` in one use."""
    found: list[Edits] = []
    for node in code.nodes("identifier"):
        parent, name = node.parent, code.text(node)
        if parent is None or len(name) < 3 or name[0].isupper():
            continue
        if parent.type in (
            "arguments",
            "binary_expression",
            "return_expression",
            "index_expression",
            "block",
        ):
            found.append(replaced(node, misspelt(name)))
    return found


@operator("type misspelt", 3, "E0425", "E0433", "E0412")
def type_misspelt(code: Code) -> list[Edits]:
    """`String` becomes `Stirng`."""
    found: list[Edits] = []
    for node in code.nodes("type_identifier", "identifier"):
        name, parent = code.text(node), node.parent
        if len(name) < 3 or name == "Self" or not name[0].isupper() or parent is None:
            continue
        if (
            node.type == "type_identifier"
            and parent.type
            not in (
                "type_parameter",
                "struct_item",
                "enum_item",
            )
            or parent.type == "scoped_identifier"
            and field(parent, "path") == node
        ):
            found.append(replaced(node, misspelt(name)))
    return found


_OTHER_METHODS = {
    "len": "length", "is_empty": "empty", "push": "append_item", "push_str": "append", "iter": "iterator",
    "to_string": "to_str", "contains": "includes", "into_iter": "iterate", "unwrap": "get", "collect": "to_vec_of",
    "to_lowercase": "lower", "to_uppercase": "upper", "starts_with": "startswith", "ends_with": "endswith",
    "trim": "strip", "insert": "put", "get": "at", "as_str": "str", "chars": "characters", "map": "select",
    "filter": "where_", "min": "minimum", "max": "maximum", "abs": "absolute", "pow": "power", "split": "split_by",
}  # fmt: skip


@operator("method that does not exist", 5, "E0599")
def method_unknown(code: Code) -> list[Edits]:
    """`items.len()` becomes `items.length()`, or a method's name is misspelt."""
    found: list[Edits] = []
    for call in code.nodes("call_expression"):
        called = method_call(call, code)
        name = field(field(call, "function") or call, "field")
        if called is not None and name is not None and len(called[1]) >= 3:
            found.append(replaced(name, _OTHER_METHODS.get(called[1], misspelt(called[1]))))
    return found


@operator("field that does not exist", 4, "E0609", "E0560", "E0610", "E0615")
def field_unknown(code: Code) -> list[Edits]:
    """`self.length` becomes `self.lenght`."""
    found: list[Edits] = []
    for node in code.nodes("field_identifier"):
        parent, name = node.parent, code.text(node)
        if parent is None or len(name) < 3:
            continue
        above = parent.parent
        called = above is not None and above.type == "call_expression" and field(above, "function") == parent
        if (parent.type == "field_expression" and not called) or parent.type == "field_initializer":
            found.append(replaced(node, misspelt(name)))
    return found


OPERATORS = (variable_misspelt, type_misspelt, method_unknown, field_unknown)

"""Style read off the syntax tree: how idiomatic code is, and how much of its public face is documented.

    idiomatic = (1 + G) / (1 + G + B)

G counts idioms, B counts what a reviewer would object to; each kind counts at most three times, so that no kind can
be farmed. Code that nobody objects to scores 1.0. Comments, strings and tests count for nothing: only nodes of the
tree do.

Idioms: iterator adapters; Option and Result combinators; `?`; `match`, `if let`, `let else`, `matches!`; parameters
`&str` and `&[T]`; a function that ends in its value; an impl of a standard trait.
Objections: `return` as a function's last statement; a loop over `0..x.len()`; a `while` loop that counts by hand;
`unwrap` and `expect`; `panic!`, `todo!`, `unimplemented!`; `clone`; parameters `&Vec<T>`, `&String`, `&Box<T>`;
comparison with `true` or `false`; `if c { true } else { false }`; `len() == 0`; `unsafe`; `static mut`.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import tree_sitter

from rust_expert.syntax.attributes import doc_text, is_test_attribute
from rust_expert.syntax.parser import COMMENTS, descend, field, parse, text_of

MOST = 3
"""How often one kind counts."""

_ADAPTERS = frozenset(
    {
        "all", "any", "chain", "chunks", "copied", "cloned", "collect", "enumerate", "filter", "filter_map", "find",
        "find_map", "flat_map", "flatten", "fold", "for_each", "inspect", "map", "map_while", "max_by", "max_by_key",
        "min_by", "min_by_key", "partition", "peekable", "position", "product", "retain", "rev", "scan", "skip",
        "skip_while", "step_by", "sum", "take", "take_while", "try_fold", "unzip", "windows", "zip",
    }
)  # fmt: skip
_COMBINATORS = frozenset(
    {
        "and_then", "is_none_or", "is_ok_and", "is_some_and", "map_err", "map_or", "map_or_else", "ok_or",
        "ok_or_else", "or_else", "then", "then_some", "unwrap_or", "unwrap_or_default", "unwrap_or_else",
    }
)  # fmt: skip
_TRAITS = frozenset(
    {
        "Add", "AsRef", "Deref", "Debug", "Default", "Display", "Drop", "Error", "Extend", "From", "FromIterator",
        "FromStr", "Hash", "Index", "IndexMut", "IntoIterator", "Iterator", "Mul", "Neg", "Ord", "PartialEq",
        "PartialOrd", "Sub", "TryFrom",
    }
)  # fmt: skip
_ITEMS = frozenset(
    {
        "function_item", "struct_item", "enum_item", "union_item", "trait_item", "const_item", "static_item",
        "type_item", "mod_item",
    }
)  # fmt: skip


def idiomatic(code: str) -> float:
    """The idiomatic score of some code, in [0, 1], four decimals."""
    source = code.encode()
    good: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for node in _counted(parse(source).root_node, source):
        for kind in _idioms(node, source):
            good[kind] += 1
        for kind in _objections(node, source):
            bad[kind] += 1
    plus = sum(min(count, MOST) for count in good.values())
    minus = sum(min(count, MOST) for count in bad.values())
    return round((1 + plus) / (1 + plus + minus), 4)


class Documentation(NamedTuple):
    """How many public items have a doc comment, and how many there are."""

    told: int
    public: int

    @property
    def share(self) -> float:
        """The documented share, four decimals; 1.0 where nothing is public."""
        return round(self.told / self.public, 4) if self.public else 1.0


def documentation(code: str) -> Documentation:
    """The public items of some code and how many of them are documented.

    Items are functions, methods of inherent impls, types, traits, constants, statics and modules marked `pub`.
    """
    source = code.encode()
    public, told = 0, 0
    pending = [parse(source).root_node]
    while pending:
        leading: list[tree_sitter.Node] = []
        for node in pending.pop().children:
            if node.type in COMMENTS or node.type == "attribute_item":
                leading.append(node)
                continue
            shown = any(
                child.type == "visibility_modifier" and text_of(child, source) == "pub"
                for child in node.children
            )
            if node.type in _ITEMS and shown and not _is_for_tests(leading, source):
                public += 1
                told += bool(doc_text(leading, source).strip())
            body = field(node, "body")
            inherent = node.type == "impl_item" and field(node, "trait") is None
            if (
                body is not None
                and (inherent or node.type == "mod_item")
                and not _is_for_tests(leading, source)
            ):
                pending.append(body)
            leading = []
    return Documentation(told, public)


def _is_for_tests(leading: list[tree_sitter.Node], source: bytes) -> bool:
    return any(node.type == "attribute_item" and is_test_attribute(node, source) for node in leading)


def _counted(root: tree_sitter.Node, source: bytes) -> Iterator[tree_sitter.Node]:
    """Every node, without comments and without items that are there for tests alone."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        leading: list[tree_sitter.Node] = []
        for child in node.children:
            if child.type == "attribute_item":
                leading.append(child)
            elif child.type not in COMMENTS:
                if not _is_for_tests(leading, source):
                    pending.append(child)
                leading = []


def _called(node: tree_sitter.Node, source: bytes) -> str:
    """The method that a call expression calls, "" for other nodes."""
    function = field(node, "function") if node.type == "call_expression" else None
    if function is not None and function.type == "generic_function":
        function = field(function, "function")
    if function is None or function.type != "field_expression":
        return ""
    name = field(function, "field")
    return text_of(name, source) if name is not None else ""


def _macro(node: tree_sitter.Node, source: bytes) -> str:
    name = field(node, "macro") if node.type == "macro_invocation" else None
    return text_of(name, source) if name is not None else ""


def _idioms(node: tree_sitter.Node, source: bytes) -> Iterator[str]:
    method = _called(node, source)
    if method in _ADAPTERS:
        yield "adapter"
    elif method in _COMBINATORS:
        yield "combinator"
    if node.type == "try_expression":
        yield "question mark"
    elif node.type in ("match_expression", "let_condition") or _macro(node, source) == "matches":
        yield "pattern"
    elif node.type == "let_declaration":
        if field(node, "alternative") is not None:
            yield "pattern"
    elif (
        node.type == "parameter"
        and (kind := field(node, "type")) is not None
        and kind.type == "reference_type"
    ):
        inner = field(kind, "type")
        if inner is not None and (text_of(inner, source) == "str" or _is_slice(inner)):
            yield "borrowed parameter"
    elif node.type == "function_item" and field(node, "return_type") is not None:
        last = _last(field(node, "body"))
        if last is not None and last.type not in (
            "expression_statement",
            "let_declaration",
            "return_expression",
        ):
            yield "tail expression"
    elif node.type == "impl_item" and (trait := field(node, "trait")) is not None:
        name = text_of(trait, source).split("<")[0].rpartition("::")[2]
        if name in _TRAITS:
            yield "standard trait"


def _is_slice(kind: tree_sitter.Node) -> bool:
    return kind.type == "array_type" and field(kind, "length") is None


def _last(body: tree_sitter.Node | None) -> tree_sitter.Node | None:
    """The last node of a block that is neither a brace nor a comment."""
    inside = (
        [child for child in body.children if child.is_named and child.type not in COMMENTS] if body else []
    )
    return inside[-1] if inside else None


def _objections(node: tree_sitter.Node, source: bytes) -> Iterator[str]:
    method = _called(node, source)
    if method in ("unwrap", "expect"):
        yield "unwrap"
    elif method == "clone":
        yield "clone"
    if _macro(node, source) in ("panic", "todo", "unimplemented"):
        yield "panic"
    elif node.type == "function_item":
        last = _last(field(node, "body"))
        if last is not None and last.type == "expression_statement":
            last = last.named_children[0] if last.named_children else last
        if last is not None and last.type == "return_expression":
            yield "last return"
    elif node.type == "for_expression" and (value := field(node, "value")) is not None:
        if value.type == "range_expression" and any(
            _called(part, source) == "len" for part in value.named_children
        ):
            yield "index loop"
    elif node.type == "while_expression" and _counts_by_hand(node, source):
        yield "counting loop"
    elif (
        node.type == "parameter"
        and (kind := field(node, "type")) is not None
        and kind.type == "reference_type"
    ):
        inner = field(kind, "type")
        name = text_of(inner, source).split("<")[0] if inner is not None else ""
        if name in ("Vec", "String", "Box"):
            yield "borrowed owner"
    elif node.type == "binary_expression":
        yield from _comparison(node, source)
    elif node.type == "if_expression" and _is_bool_choice(node, source):
        yield "bool choice"
    elif node.type == "unsafe_block":
        yield "unsafe"
    elif node.type == "static_item" and any(child.type == "mutable_specifier" for child in node.children):
        yield "static mut"


def _counts_by_hand(loop: tree_sitter.Node, source: bytes) -> bool:
    """`while i < n { .. i += 1; .. }`: a name of the condition is increased in the body."""
    condition, body = field(loop, "condition"), field(loop, "body")
    if condition is None or body is None or condition.type != "binary_expression":
        return False
    names = {text_of(node, source) for node in descend(condition) if node.type == "identifier"}
    steps = [node for node in descend(body) if node.type == "compound_assignment_expr"]
    left = [(field(step, "left"), field(step, "operator"), field(step, "right")) for step in steps]
    return any(
        name is not None
        and sign is not None
        and by is not None
        and text_of(name, source) in names
        and text_of(sign, source) in ("+=", "-=")
        and text_of(by, source) == "1"
        for name, sign, by in left
    )


def _comparison(node: tree_sitter.Node, source: bytes) -> Iterator[str]:
    left, right, sign = field(node, "left"), field(node, "right"), field(node, "operator")
    if left is None or right is None or sign is None or text_of(sign, source) not in ("==", "!=", ">"):
        return
    if "boolean_literal" in (left.type, right.type):
        yield "bool comparison"
    elif _called(left, source) == "len" and text_of(right, source) == "0":
        yield "len zero"


def _is_bool_choice(node: tree_sitter.Node, source: bytes) -> bool:
    then, other = field(node, "consequence"), field(node, "alternative")
    if then is None or other is None:
        return False
    values = ["".join(text_of(part, source).split()).removeprefix("else") for part in (then, other)]
    return sorted(values) == ["{false}", "{true}"]

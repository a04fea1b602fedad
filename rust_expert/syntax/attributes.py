"""What stands before an item: outer documentation and attributes."""

import textwrap
from collections.abc import Callable, Iterable

import tree_sitter

from rust_expert.syntax.parser import COMMENTS, field, text_of

TEST_ATTRIBUTES = frozenset(
    {"test", "bench", "rstest", "test_case", "quickcheck", "proptest", "wasm_bindgen_test"}
)


def is_outer_doc(node: tree_sitter.Node) -> bool:
    """Whether a node is an outer doc comment (`///` or `/** */`)."""
    return node.type in COMMENTS and field(node, "outer") is not None


def is_inner_doc(node: tree_sitter.Node) -> bool:
    """Whether a node is an inner doc comment (`//!` or `/*! */`), which belongs to what encloses it."""
    return node.type in COMMENTS and field(node, "inner") is not None


def attribute_name(node: tree_sitter.Node, source: bytes) -> str:
    """The path of an attribute, such as `cfg`, `doc` or `tokio::test`; empty where there is none."""
    for child in node.children:
        if child.type == "attribute" and child.children:
            return text_of(child.children[0], source)
    return ""


def attribute_arguments(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """The token tree of an attribute such as `cfg(test)`, or None."""
    for child in node.children:
        if child.type == "attribute":
            return field(child, "arguments")
    return None


def is_test_attribute(node: tree_sitter.Node, source: bytes) -> bool:
    """Whether an attribute leaves its item to tests alone: `#[test]`, `#[cfg(test)]`, `#[cfg(all(test, unix))]`.

    `cfg(any(test, feature = "std"))` and `cfg(not(test))` do not: what they mark is compiled elsewhere too.
    """
    name = attribute_name(node, source)
    if name.rpartition("::")[2] in TEST_ATTRIBUTES:
        return True
    arguments = attribute_arguments(node)
    return name == "cfg" and arguments is not None and _needs_test(arguments, source, all)


def _needs_test(
    tree: tree_sitter.Node, source: bytes, rule: Callable[[Iterable[bool]], bool], depth: int = 0
) -> bool:
    """Whether a cfg predicate can only hold where `test` does; `rule` says how its members join."""
    if depth > 20:  # no real predicate is so deep
        return False
    members: list[bool] = []
    for child in tree.children:
        name = text_of(child, source) if child.type == "identifier" else ""
        if child.type == "identifier":
            members.append(name in ("test", "doctest"))
        elif child.type == "token_tree" and members:
            before = child.prev_sibling
            joined = text_of(before, source) if before is not None else ""
            if joined == "all":
                members[-1] = _needs_test(child, source, any, depth + 1)
            elif joined == "any":
                members[-1] = _needs_test(child, source, all, depth + 1)
    return bool(members) and rule(members)


def doc_text(leading: list[tree_sitter.Node], source: bytes) -> str:
    """The Markdown of the outer docs among an item's leading nodes, unindented as rustdoc does; "" without any.

    Line and block comments and `#[doc = "..."]` are read; `#[doc = include_str!(..)]` is not.
    """
    lines: list[str] = []
    for node in leading:
        if is_outer_doc(node):
            body = field(node, "doc")
            lines += _comment_lines(text_of(body, source), node.type) if body is not None else [""]
        elif node.type == "attribute_item" and attribute_name(node, source) == "doc":
            lines += _doc_attribute_lines(node, source)
    return textwrap.dedent("\n".join(line.rstrip() for line in lines)).strip("\n")


def _comment_lines(body: str, kind: str) -> list[str]:
    if kind == "line_comment":
        return [body.rstrip("\r\n")]
    lines = body.replace("\r\n", "\n").split("\n")
    rest = [line.lstrip() for line in lines[1:] if line.strip()]
    if rest and all(line.startswith("*") for line in rest):  # the frame of stars is no text
        return [lines[0]] + [line.lstrip().removeprefix("*") for line in lines[1:]]
    return lines


def _doc_attribute_lines(node: tree_sitter.Node, source: bytes) -> list[str]:
    attribute = next((child for child in node.children if child.type == "attribute"), None)
    value = field(attribute, "value") if attribute is not None else None
    if value is None or value.type not in ("string_literal", "raw_string_literal"):
        return []
    text = "".join(text_of(child, source) for child in value.children if child.is_named)
    return (text if value.type.startswith("raw") else _unescaped(text)).replace("\r\n", "\n").split("\n")


def _unescaped(text: str) -> str:
    for escape, plain in (("\\n", "\n"), ('\\"', '"'), ("\\t", "\t"), ("\\\\", "\\")):
        text = text.replace(escape, plain)
    return text


def leading_start(leading: list[tree_sitter.Node], item: tree_sitter.Node) -> int:
    """Where an item begins, its outer docs and attributes included.

    A plain comment counts only between the first doc or attribute and the item: what stands above them belongs to
    the file, or to the item before.
    """
    for node in leading:
        if is_outer_doc(node) or node.type == "attribute_item":
            return node.start_byte
    return item.start_byte

"""What stands before an item: outer documentation and attributes."""

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import tree_sitter

from rust_expert.syntax.parser import COMMENTS, field, parse_once, text_of

TEST_ATTRIBUTES = frozenset(
    {"test", "bench", "rstest", "test_case", "quickcheck", "proptest", "wasm_bindgen_test"}
)


_INERT = frozenset(
    {
        "doc", "inline", "must_use", "allow", "warn", "deny", "expect", "cold", "derive", "repr", "non_exhaustive",
        "default", "track_caller", "cfg_attr", "deprecated", "automatically_derived", "forbid", "debugger_visualizer",
    }
)  # fmt: skip
_INERT_TOOLS = ("clippy::", "rustfmt::", "diagnostic::")
_INNER_LINES = re.compile(rb"\s*+((?://![^\n]*+(?:\n[ \t]*+|\Z))++)")
_INNER_DOC = re.compile(rb"//!|/\*!|#\s*!\s*\[\s*doc")
_ONE_BLANK = re.compile(r"\n [^ \t\n]")
_NO_BLANK = re.compile(r"\n[^ \n]")
_LONGEST_KNOWN, _MOST_KNOWN = 200, 5_000
"""Bytes of an attribute, and attributes, that are remembered: few spellings make up nearly all of them."""


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


class Facts(NamedTuple):
    """What an attribute means for its item: left to tests alone, part of its docs, or (not inert) deciding what is
    compiled.
    """

    tests: bool
    docs: bool
    decides: bool


_known: dict[bytes, Facts] = {}


def facts_of(node: tree_sitter.Node, source: bytes) -> Facts:
    """What an outer attribute means."""
    text = source[node.start_byte : node.end_byte]
    found = _known.get(text)
    if found is None:
        name = attribute_name(node, source)
        inert = name in _INERT or name.startswith(_INERT_TOOLS)
        found = Facts(is_test_attribute(node, source), name == "doc", not inert)
        if len(text) <= _LONGEST_KNOWN:
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            _known[text] = found
    return found


def doc_text(leading: Sequence[tree_sitter.Node], source: bytes) -> str:
    """The Markdown of the outer docs among an item's leading nodes, unindented as rustdoc does; "" without any.

    Line and block comments and `#[doc = "..."]` are read; `#[doc = include_str!(..)]` is not.
    """
    lines: list[str] = []
    for node in leading:
        if is_outer_doc(node):
            lines += _lines_of(node, source)
        elif node.type == "attribute_item" and attribute_name(node, source) == "doc":
            lines += _doc_attribute_lines(node, source)
    return _unindented("\n".join(lines))


def outer_docs(before: bytes) -> str:
    """`doc_text` of what stands before the first word of an item: comments and attributes."""
    source = before + b"fn f() {}"
    return doc_text(parse_once(source).root_node.children, source)


def inner_docs(head: bytes) -> str:
    """The Markdown of the inner docs (`//!`, `/*! */`, `#![doc = ".."]`) at the head of a file or a module."""
    if b"!" not in head:
        return ""
    found = _INNER_LINES.match(head)
    if found is not None and not _INNER_DOC.search(head, found.end()):
        docs = line_docs(head, found.start(1), found.end(1), b"//!")
        if docs is not None:
            return docs
    lines: list[str] = []
    for node in parse_once(head).root_node.children:
        if is_inner_doc(node):
            lines += _lines_of(node, head)
        elif node.type == "inner_attribute_item" and attribute_name(node, head) == "doc":
            lines += _doc_attribute_lines(node, head)
    return _unindented("\n".join(lines))


def line_docs(source: bytes, start: int, end: int, mark: bytes = b"///") -> str | None:
    """The Markdown of docs that are nothing but lines with `mark` below each other, as most are; None for others.

    They are cut out of the source as one piece, which is ten times faster than looking at each comment.
    """
    run = source[start:end].rstrip()
    margin = source[max(source.rfind(b"\n", max(start - 200, 0), start) + 1, start - 200, 0) : start]
    separator = b"\n" + margin + mark
    if margin.strip() or not run.startswith(mark) or run.count(separator) != run.count(b"\n"):
        return None
    text = run[len(mark) :].replace(separator, b"\n").decode()
    return None if text.startswith("/") or "\n/" in text else _unindented(text)


def _lines_of(node: tree_sitter.Node, source: bytes) -> list[str]:
    body = field(node, "doc")
    return _comment_lines(text_of(body, source), node.type) if body is not None else [""]


def _unindented(text: str) -> str:
    """Lines without blanks at their ends, and without the margin that they share."""
    text = "\n" + text
    if not text.isascii() or " \n" in text or "\t\n" in text or "\r" in text or text[-1].isspace():
        text = "\n".join([line.rstrip() for line in text.split("\n")])
    if _ONE_BLANK.search(text) and not _NO_BLANK.search(text):
        # What textwrap would do, in a tenth of the time.
        return text.replace("\n ", "\n").strip("\n")
    return textwrap.dedent(text).strip("\n")


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

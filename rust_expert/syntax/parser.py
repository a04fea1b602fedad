"""One tree-sitter parser for Rust, and the few ways the rooms look at its trees.

Offsets are bytes of the source as it was given, never characters: a file with non-ASCII text and one with
CRLF line ends keep their exact spans.
"""

import functools
from collections.abc import Iterator

import tree_sitter
import tree_sitter_rust

LANGUAGE = tree_sitter.Language(tree_sitter_rust.language())

COMMENTS = frozenset({"line_comment", "block_comment"})


_KEPT = 65_536
"""Bytes of a text whose tree is kept for the next look at it; a corpus of large files would fill the memory."""


def parse(source: bytes) -> tree_sitter.Tree:
    """The syntax tree of a file or a fragment; faults are ERROR and MISSING nodes in it, never an exception.

    The trees of the last few short texts are kept: extraction, policy, sharing and style look at the same text one
    after the other.
    """
    return _kept(source) if len(source) <= _KEPT else parse_once(source)


def parse_once(source: bytes) -> tree_sitter.Tree:
    """`parse` for a text that is not looked at again."""
    return tree_sitter.Parser(LANGUAGE).parse(source)


_kept = functools.lru_cache(maxsize=64)(parse_once)


def kind_id(name: str) -> int:
    """The number of a named kind of node: comparing `Node.kind_id` costs half of comparing `Node.type`."""
    found = LANGUAGE.id_for_node_kind(name, True)
    assert found is not None, name
    return found


def field_id(name: str) -> int:
    """The number of a field of the grammar, for `Node.child_by_field_id`."""
    found = LANGUAGE.field_id_for_name(name)
    assert found is not None, name
    return found


def is_whole(source: bytes) -> bool:
    """Whether `source` parses without an ERROR or MISSING node."""
    return not parse(source).root_node.has_error


def text_of(node: tree_sitter.Node, source: bytes) -> str:
    """The node's text."""
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def descend(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Every node of a subtree in source order, the node itself first; no recursion, so no depth is too deep."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if current.child_count:
            stack.extend(reversed(current.children))


def errors_in(root: tree_sitter.Node) -> list[int]:
    """The first byte of each ERROR and MISSING node; only faulty branches are walked."""
    places: list[int] = []
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            places.append(node.start_byte)
        elif node.has_error:
            pending += node.children
    return sorted(places)


def field(node: tree_sitter.Node, name: str) -> tree_sitter.Node | None:
    """The child in a field of the grammar, or None."""
    return node.child_by_field_name(name)


def has_comment(node: tree_sitter.Node) -> bool:
    """Whether a comment stands directly between the parts of `node` (not inside one of them)."""
    return any(child.type in COMMENTS for child in node.children)

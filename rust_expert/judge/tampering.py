"""What a sample could replace under its tests' feet: symbols of the program, and items that the problem gives.

Both work without `unsafe`. A sample that defines the symbol `memcmp` compares every slice and string of the program,
those of its tests included; one that defines the problem's own type again decides what equal means for it. Attributes
that define or place symbols are blanked, for no test needs them. Where a macro could still make one, rustc itself is
asked: its lint `unsafe_code` reports each, after expansion. Items of the problem that its tests use have to stay.
"""

import re
from collections.abc import Iterable, Iterator

import tree_sitter

from rust_expert.judge.diagnostics import Diagnostic
from rust_expert.judge.tokens import tokens_of
from rust_expert.syntax.attributes import attribute_name
from rust_expert.syntax.parser import COMMENTS, descend, field, parse, text_of
from rust_expert.syntax.pieces import Piece

WATCH = "--force-warn=unsafe_code"
"""The option that makes rustc report symbols, whatever the sample allows."""

_PLACING = re.compile(
    rb"#\s*\[\s*(unsafe\s*\(\s*)?(no_mangle|export_name|link_section|used|global_allocator)\b[^\[\]]*\]"
)
_WORDS = re.compile(r"\b(no_mangle|export_name|link_section|used|global_asm|naked\w*|global_allocator)\b")
_REPORT = re.compile(r"no_mangle|export_name|link_section|global_asm")
_ITEMS = frozenset(
    {
        "function_item", "struct_item", "enum_item", "union_item", "trait_item", "const_item", "static_item",
        "type_item", "mod_item",
    }
)  # fmt: skip


def without_symbols(code: str) -> str:
    """`code` with blanks for the attributes that define or place symbols; no line and no column moves."""
    if not _WORDS.search(code):
        return code
    source = bytearray(code.encode())
    for node in descend(parse(bytes(source)).root_node):
        if node.type == "attribute_item" and _PLACING.fullmatch(source, node.start_byte, node.end_byte):
            text = source[node.start_byte : node.end_byte]
            source[node.start_byte : node.end_byte] = bytes(10 if byte == 10 else 32 for byte in text)
    return source.decode()


def may_define_symbols(code: str) -> bool:
    """Whether a word is left, comments and strings included, without which nothing defines a symbol."""
    return _WORDS.search(code) is not None


def defines_symbols(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether rustc, told to WATCH, saw a symbol of the sample's own."""
    return any(each.code == "unsafe_code" and _REPORT.search(each.message) for each in diagnostics)


def changed_given(code: str, given: Iterable[Piece]) -> str:
    """The name of the first item that the problem gives and `code` has otherwise, "" where all are the same.

    Visibility, comments and attributes are free, but what is derived has to stay derived.
    """
    pieces = list(given)
    if not pieces:
        return ""
    source = code.encode()
    own = _named(parse(source).root_node, source)
    words = tokens_of(code)
    for piece in pieces:
        text = piece.text.encode()
        for name, wanted in _named(parse(text).root_node, text).items():
            found = own.get(name, [])
            if len(found) != 1 or found[0][0] != wanted[0][0] or not wanted[0][1] <= found[0][1]:
                return piece.name
            if any(_rebinds(derived, words, source) for derived in wanted[0][1]):
                return piece.name
    return ""


Shape = tuple[tuple[str, ...], frozenset[str]]
"""The tokens of an item that count, and what it derives."""


def _named(root: tree_sitter.Node, source: bytes) -> dict[str, list[Shape]]:
    """The items at the top by kind and name, and the members of implementations by their heads and names."""
    found: dict[str, list[Shape]] = {}
    derived: set[str] = set()
    for node in root.children:
        if node.type == "attribute_item":
            derived |= _derived(node, source)
        elif node.type in _ITEMS:
            name = field(node, "name")
            if name is not None:
                shape = (tuple(_words(node, source)), frozenset(derived))
                found.setdefault(f"{node.type} {text_of(name, source)}", []).append(shape)
            derived = set()
        elif node.type == "impl_item":
            body = field(node, "body")
            head = " ".join(word for part in node.children if part != body for word in _words(part, source))
            found.setdefault(head, [((), frozenset())])
            for member in body.children if body is not None else []:
                name = field(member, "name")
                if name is not None:
                    shape = (tuple(_words(member, source)), frozenset[str]())
                    found.setdefault(f"{head} {text_of(name, source)}", []).append(shape)
            derived = set()
        elif node.type not in COMMENTS:
            derived = set()
    return found


def _derived(node: tree_sitter.Node, source: bytes) -> set[str]:
    if attribute_name(node, source) != "derive":
        return set()
    return {text_of(each, source) for each in descend(node) if each.type == "identifier"} - {"derive"}


def _words(node: tree_sitter.Node, source: bytes) -> Iterator[str]:
    """The tokens, without attributes, visibility, comments and the comma before a closing bracket."""
    pending = ""
    for word in _all_words(node, source):
        if pending and not (pending == "," and word in ")]}"):
            yield pending
        pending = word
    if pending:
        yield pending


def _all_words(node: tree_sitter.Node, source: bytes) -> Iterator[str]:
    pending = [node]
    while pending:
        node = pending.pop()
        if node.type in COMMENTS or node.type in ("attribute_item", "visibility_modifier"):
            continue
        if not node.child_count:
            yield text_of(node, source)
        pending.extend(reversed(node.children))


def _rebinds(name: str, words: list[str], source: bytes) -> bool:
    """Whether the name of something derived could mean something else: after `as`, or anywhere in a macro."""
    if any(words[place : place + 2] == ["as", name] for place in range(len(words))):
        return True
    return any(
        node.type in ("token_tree", "macro_definition") and name in _all_words(node, source)
        for node in descend(parse(source).root_node)
        if node.parent is None or node.parent.type != "attribute"
    )

"""The items of a text that is only partly Rust: prose around them, faults inside them, an end that was cut off.

Where the text parses, the items are those of the tree. Where it does not, an item is followed token by token to its
balanced end: the parser's tokens know that the brace in '{' or "{" or a comment is none.
"""

import dataclasses
import functools
import re

import tree_sitter

from rust_expert.syntax.attributes import attribute_name, is_inner_doc, is_test_attribute
from rust_expert.syntax.names import imports_of
from rust_expert.syntax.parser import COMMENTS, descend, field, parse, text_of

# These bound the time that a hostile text can take: bytes parsed for one text, and functions begun anew.
_MOST_PARSED = 1_500_000
_MOST_BEGUN_ANEW = 8
_ITEMS = frozenset(
    {
        "function_item", "struct_item", "enum_item", "union_item", "impl_item", "trait_item", "const_item",
        "static_item", "type_item", "mod_item", "use_declaration", "macro_definition", "extern_crate_declaration",
        "foreign_mod_item",
    }
)  # fmt: skip
_WORDS = rb"pub|fn|struct|enum|union|impl|trait|const|static|type|mod|use|extern|unsafe|async"
_START = re.compile(
    rb"^[ \t]*(?:<[^<>\n]{1,60}>[ \t]*)*(?=(?:" + _WORDS + rb")\b|[a-z_0-9]+!|#!?\[|//|/\*)", re.MULTILINE
)
_HEAD = rb"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?(?:const[ \t]+)?"
_BEFORE_KEYWORD = frozenset(
    {"pub", "crate", "in", "super", "self", "async", "const", "unsafe", "extern", "default", "(", ")"}
)
_KEYWORDS = {
    "fn": "function_item", "struct": "struct_item", "enum": "enum_item", "union": "union_item", "trait": "trait_item",
    "impl": "impl_item", "mod": "mod_item",
}  # fmt: skip
_AFTER_NAME = {
    "fn": frozenset({"(", "<"}),
    "struct": frozenset({"{", "<", "(", ";", "where"}),
    "enum": frozenset({"{", "<", "where"}),
    "union": frozenset({"{", "<", "where"}),
    "trait": frozenset({"{", "<", ":", "where"}),
    "mod": frozenset({"{"}),
}
_OPEN, _CLOSE = frozenset("{(["), frozenset("})]")


@dataclasses.dataclass(frozen=True)
class Piece:
    """One item with its docs and attributes; `start` and `end` are bytes of the text.

    `whole`: it parses. `closed`: its braces balance. `name` is the type's name for an impl. `imports`: for a `use`,
    the names that it brings in with their paths. `conditional`: a `cfg` decides whether it is there.
    """

    kind: str
    name: str
    text: str
    start: int
    end: int
    whole: bool = True
    closed: bool = True
    imports: tuple[tuple[str, str], ...] = ()
    for_tests: bool = False
    conditional: bool = False


def pieces_of(text: str) -> list[Piece]:
    """The items of a text in order; inner attributes and docs have the kind `inner`."""
    return list(_pieces(text))


@functools.lru_cache(maxsize=64)  # a problem and its answer are looked at again and again
def _pieces(text: str) -> tuple[Piece, ...]:
    source = text.encode()
    found: list[Piece] = []
    position = parsed = anew = 0
    while parsed <= _MOST_PARSED and (match := _START.search(source, position)) is not None:
        run, position = _run_at(source, match.end(), may_be_prose=anew < _MOST_BEGUN_ANEW)
        parsed += len(source) - match.end()
        anew += bool(run) and run[-1].kind == "prose"
        found += [piece for piece in run if piece.kind != "prose"]
    return tuple(found)


def balanced_end(source: bytes) -> int | None:
    """The byte after the item that `source` begins with: its closing brace or semicolon; None where it has none."""
    depth = 0
    for token in descend(parse(source).root_node):
        if token.child_count or token.is_missing:
            continue
        if token.type in _OPEN:
            depth += 1
        elif token.type in _CLOSE:
            depth = max(depth - 1, 0)
        if depth == 0 and token.type in ("}", ";"):
            return token.end_byte
    return None


def is_outline(function: str) -> bool:
    """Whether a function has a body without code: nothing but comments, or `todo!()`."""
    source = function.encode()
    node = next((each for each in parse(source).root_node.children if each.type == "function_item"), None)
    body = field(node, "body") if node is not None else None
    if body is None:
        return False
    code = [each for each in body.children if each.is_named and each.type not in COMMENTS]
    return all(_macro_called(each, source) in ("todo", "unimplemented") for each in code)


def methods_of(trait: str) -> frozenset[str]:
    """The names of the functions that a trait declares."""
    source = trait.encode()
    functions = [
        field(node, "name")
        for node in descend(parse(source).root_node)
        if node.type in ("function_item", "function_signature_item")
    ]
    return frozenset(text_of(name, source) for name in functions if name is not None)


def identifiers_in(text: str) -> frozenset[str]:
    """Every name that a piece of code mentions, in macros too."""
    source = text.encode()
    kinds = ("identifier", "type_identifier", "field_identifier", "shorthand_field_identifier")
    return frozenset(text_of(node, source) for node in descend(parse(source).root_node) if node.type in kinds)


def import_line(name: str, path: str) -> str:
    """The `use` declaration that brings in `path` as `name` ("*" for all of it)."""
    if name == "*":
        return f"use {path}::*;"
    return f"use {path};" if path.rpartition("::")[2] == name else f"use {path} as {name};"


def _run_at(source: bytes, begin: int, *, may_be_prose: bool) -> tuple[list[Piece], int]:
    """The items that follow each other from `begin` on, and where to look for the next ones.

    With `may_be_prose`, a faulty function that begins again later becomes a last piece of the kind `prose`.
    """
    rest = source[begin:]
    found: list[Piece] = []
    leading: list[tree_sitter.Node] = []
    for node in parse(rest).root_node.children:
        inner = node.type == "inner_attribute_item" or is_inner_doc(node)
        if inner and not node.has_error:
            found.append(_piece("inner", "", rest, begin, node.start_byte, node.end_byte))
            continue
        if node.type == "attribute_item" or node.type in COMMENTS:
            leading.append(node)
            continue
        first = leading[0].start_byte if leading else node.start_byte
        if node.type in _ITEMS and not node.has_error:
            found.append(_item(node, leading, rest, begin, first))
        elif node.type == "empty_statement":
            continue
        elif (called := _macro_called(node, rest)) and not node.has_error:
            found.append(_piece("macro_invocation", called, rest, begin, first, node.end_byte))
        else:
            broken = _broken(rest[node.start_byte :])
            if broken is None:
                return found, max(_next_line(source, begin + node.start_byte), begin + 1)
            kind, name, length = broken
            end = len(rest) if length is None else node.start_byte + length
            if may_be_prose and _begins_again(kind, name, rest, node.start_byte, end):
                found.append(_piece("prose", "", rest, begin, first, node.start_byte))
                return found, _next_line(source, begin + node.start_byte)
            alone = parse(rest[:end]).root_node.children[-1] if length is not None else node
            if alone.type in _ITEMS and not alone.has_error:  # only what follows confused the parser
                found.append(_item(alone, leading, rest, begin, first))
            else:
                piece = _piece(kind, name, rest, begin, first, end)
                found.append(dataclasses.replace(piece, whole=False, closed=length is not None))
            return found, begin + end
        leading = []
    return found, len(source)


def _item(
    node: tree_sitter.Node, leading: list[tree_sitter.Node], rest: bytes, begin: int, first: int
) -> Piece:
    named = field(node, "name") or field(node, "type")
    if named is not None and named.type == "generic_type":
        named = field(named, "type")
    return dataclasses.replace(
        _piece(
            node.type, text_of(named, rest) if named is not None else "", rest, begin, first, node.end_byte
        ),
        imports=tuple(imports_of(node, rest)) if node.type == "use_declaration" else (),
        for_tests=any(each.type == "attribute_item" and is_test_attribute(each, rest) for each in leading),
        conditional=any(
            each.type == "attribute_item" and attribute_name(each, rest) in ("cfg", "cfg_attr")
            for each in leading
        ),
    )


def _piece(kind: str, name: str, rest: bytes, begin: int, first: int, end: int) -> Piece:
    return Piece(
        kind, name, rest[first:end].decode("utf-8", "replace").rstrip("\n"), begin + first, begin + end
    )


def _macro_called(node: tree_sitter.Node, rest: bytes) -> str:
    """The macro that a node at the top of a file calls, "" for other nodes."""
    if node.type == "expression_statement" and node.named_children:
        node = node.named_children[0]
    name = field(node, "macro") if node.type == "macro_invocation" else None
    return text_of(name, rest) if name is not None else ""


def _next_line(source: bytes, position: int) -> int:
    found = source.find(b"\n", position)
    return len(source) if found < 0 else found


def _broken(source: bytes) -> tuple[str, str, int | None] | None:
    """Kind, name and length of the faulty item that `source` begins with; None where no item begins here.

    The length is None where the item never closes.
    """
    tokens = [
        node for node in descend(parse(source).root_node) if not node.child_count and not node.is_missing
    ]
    words = [text_of(node, source) for node in tokens[:16]]
    place = next((index for index, word in enumerate(words) if not _may_precede(word, tokens[index])), None)
    if place is None or len(words) <= place + 2:
        return None
    keyword, name, after = words[place : place + 3]
    if keyword == "impl":
        header, brace, _ = source.partition(b"{")
        if not brace or b"\n" in header.strip():
            return None
    elif keyword not in _AFTER_NAME or after not in _AFTER_NAME[keyword] or not name.isidentifier():
        return None
    return _KEYWORDS[keyword], name, balanced_end(source)


def _begins_again(kind: str, name: str, rest: bytes, start: int, end: int) -> bool:
    """Whether a function of the same name begins on a later line of a faulty one, which so is prose, or given up."""
    if kind != "function_item":
        return False
    again = re.compile(_HEAD + rb"fn[ \t]+" + re.escape(name.encode()) + rb"\b", re.MULTILINE)
    return again.search(rest, _next_line(rest, start), end) is not None


def _may_precede(word: str, token: tree_sitter.Node) -> bool:
    return word in _BEFORE_KEYWORD or token.type in ('"', "string_content")

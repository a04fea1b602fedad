"""The items of a Rust file, each with the exact bytes that it takes, documentation and attributes included.

The walk goes into the bodies of modules, impls and traits alone, so it runs at the speed of the parser.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import tree_sitter

from rust_expert.common.crate_files import SourceFile
from rust_expert.common.rust_lexing import DOC
from rust_expert.common.rust_tests import emptied
from rust_expert.syntax.attributes import (
    attribute_name,
    facts_of,
    inner_docs,
    is_test_attribute,
    line_docs,
    outer_docs,
)
from rust_expert.syntax.parser import errors_in, field_id, kind_id, parse_once, text_of

KINDS = {
    "function_item": "function",
    "function_signature_item": "function",
    "impl_item": "impl",
    "trait_item": "trait",
    "struct_item": "struct",
    "enum_item": "enum",
    "union_item": "union",
    "mod_item": "module",
    "const_item": "const",
    "static_item": "static",
    "type_item": "type",
    "macro_definition": "macro",
}

SCALES = frozenset({"function", "method", "impl", "struct", "enum", "union", "trait", "module"})
"""Kinds of items that are chunks; constants, aliases and macros are none."""

LONGEST_SIGNATURE = 2_000
"""Bytes; a longer one is cut off there."""

_OUTER, _INNER, _USE = "outer attribute", "inner attribute", "use"
_ROLES = {kind_id(node): kind for node, kind in KINDS.items()} | {
    kind_id("attribute_item"): _OUTER,
    kind_id("inner_attribute_item"): _INNER,
    kind_id("use_declaration"): _USE,
}
_GENERIC, _FIELDS = kind_id("generic_type"), kind_id("ordered_field_declaration_list")
_BODY, _NAME, _TYPE, _TRAIT = field_id("body"), field_id("name"), field_id("type"), field_id("trait")
_ITEM_KINDS = frozenset(KINDS.values())
_HOLDERS = frozenset({"module", "impl", "trait"})

_PUBLIC = re.compile(rb"pub\b(?!\s*\()")
_CONDITION = re.compile(rb"cfg(?:!|\s*\()")
_ATTRIBUTE_HEAD = re.compile(rb"#\s*+!?\[\s*+\Z")
_WORD_END = re.compile(rb"\w\Z")
_LONGEST_HEAD = 100
"""Bytes before the word `cfg` in which its `#[` is looked for."""


class Item(NamedTuple):
    """One item of a file.

    `start` and `end` are bytes of the file; the item's text is `source[start:end]`, byte for byte. `path` is
    qualified from the crate's root as far as the file's place tells. `docs` of a module are those inside it too.
    `owner` is the type of the impl, or the trait, that a method stands in, and `header` that block's signature.
    `conditional`: a cfg or an attribute that is not inert decides what is compiled. `scale`: what kind of chunk it is
    (rust_expert.syntax.chunks), "" for none.
    """

    kind: str
    name: str
    path: str
    start: int
    end: int
    docs: str
    signature: str
    has_body: bool
    public: bool
    owner: str
    trait: str
    header: str
    conditional: bool
    scale: str


@dataclass
class FileItems:
    """What one file holds, in the order of their first bytes.

    `docs`: the file's inner ones. `imports`: its `use` declarations as they stand. `faults`: first byte of each place
    that does not parse; `lost`: how many items were left out for them. `tests`: where those stand that are there for
    tests alone. `test_modules`: modules in files of their own that are, as (name, `#[path]` or ""). `for_tests`: all of
    the file is. `conditions`: first byte of each `#[cfg(..)]` and `cfg!`, in tests too.
    """

    items: list[Item] = field(default_factory=list)
    docs: str = ""
    imports: list[str] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    lost: int = 0
    tests: list[tuple[int, int]] = field(default_factory=list)
    test_modules: list[tuple[str, str]] = field(default_factory=list)
    for_tests: bool = False
    conditions: list[int] = field(default_factory=list)


class _Frame(NamedTuple):
    """What encloses the items of one body. `place`: where the enclosing module stands among the items found."""

    path: str
    owner: str = ""
    trait: str = ""
    header: str = ""
    public: bool | None = None
    conditional: bool = False
    place: int | None = None


def items_of(file: SourceFile, module: str = "") -> FileItems:
    """Read the items of a file; `module` is the file's own path in its crate, such as `parse::float`.

    Where it does not parse, the items that a fault stands in, and those around a bracket that is missing, are left out.
    """
    # The parser need not read comments, whose places are known, nor tests, which nobody looks at.
    root = parse_once(emptied(file.lexed.bare, file.code, file.tests)).root_node
    found = FileItems()
    walk = _Walk(file, found, root.has_error)
    if root.has_error:
        found.faults = errors_in(root)
    pending = [(root, _Frame(path=module))]
    while pending:
        pending += walk.below(*pending.pop())
    found.items.sort(key=lambda item: (item.start, -item.end))
    found.tests.sort()
    return found


class _Walk:
    """Reads the bodies of one file, each with the items that stand side by side in it."""

    def __init__(self, file: SourceFile, found: FileItems, faulty: bool) -> None:
        self.source, self.marked = file.source, file.lexed.marked
        self.found, self.faulty = found, faulty
        found.conditions, self.condition_ends = _conditions(self.source)

    def below(self, body: tree_sitter.Node, frame: _Frame) -> list[tuple[tree_sitter.Node, _Frame]]:
        """Read the items of one body; returns the bodies below it."""
        below: list[tuple[tree_sitter.Node, _Frame]] = []
        attributes: list[tree_sitter.Node] = []
        begin = previous = 0 if body.parent is None else body.start_byte + 1
        head_end = None
        for child in self._beside_no_fault(body) if self.faulty else body.children:
            role = _ROLES.get(child.kind_id)
            if head_end is None and role is not _INNER and child.is_named:
                head_end = child.start_byte
            if role is _OUTER:
                attributes.append(child)
                continue
            if role is _INNER:
                if is_test_attribute(child, self.source):
                    self.found.tests.append((child.start_byte, body.end_byte))
                    self.found.for_tests = self.found.for_tests or body.parent is None
                    break
            elif role is _USE:
                if not any(facts_of(node, self.source).tests for node in attributes):
                    self.found.imports.append(text_of(child, self.source))
            elif role is not None:
                inside = self._item(role, child, attributes, previous, frame)
                if inside is not None:
                    below.append(inside)
            previous = child.end_byte
            attributes = []
        if body.parent is None or frame.place is not None:
            head = self.source[begin : body.end_byte if head_end is None else head_end]
            self._add_docs(inner_docs(head), frame.place)
        return below

    def _add_docs(self, docs: str, place: int | None) -> None:
        """Docs inside a module come after those before it."""
        if place is None:
            self.found.docs = docs
        elif docs:
            module = self.found.items[place]
            self.found.items[place] = module._replace(docs="\n".join(filter(None, (module.docs, docs))))

    def _item(
        self,
        kind: str,
        node: tree_sitter.Node,
        attributes: list[tree_sitter.Node],
        previous: int,
        frame: _Frame,
    ) -> tuple[tree_sitter.Node, _Frame] | None:
        """Read one item, before which attributes stand; `previous` is where what is before it ends.

        Returns its body and frame where items stand in it.
        """
        source, begin, end = self.source, node.start_byte, node.end_byte
        body, name = node.child_by_field_id(_BODY), self._name(node)
        start, docs, conditional = begin, "", frame.conditional
        first_doc = self.marked.find(DOC, previous, begin)
        if attributes or first_doc >= 0:
            start = attributes[0].start_byte if attributes else begin
            documented = first_doc >= 0
            if documented and first_doc < start:
                start = first_doc
            for each in attributes:
                facts = facts_of(each, source)
                if facts.tests:
                    self.found.tests.append((start, end))
                    if kind == "module" and body is None:
                        self.found.test_modules.append((name, self._path_attribute(attributes)))
                    return None
                conditional = conditional or facts.decides
                documented = documented or facts.docs
            if documented:
                docs = self._docs(start, begin, attributes)
        if kind == "impl":
            of = node.child_by_field_id(_TRAIT)
            owner, trait = name, text_of(of, source) if of is not None else ""
            path = _joined(frame.path, f"<{name} as {trait}>" if trait else name)
        else:
            owner, trait = frame.owner, frame.trait
            path = _joined(frame.path, name)
            if frame.header and kind == "function":
                kind, path = "method", _joined(_joined(frame.path, owner), name)
        public = _PUBLIC.match(source, begin) is not None if frame.public is None else frame.public
        signature = self._signature(begin, end, body)
        place: int | None = len(self.found.items)
        if self.faulty and node.has_error:
            self.found.lost += 1
            if body is None or not _is_closed(node, body):
                return None
            place = None
        else:
            self.found.items.append(
                Item(
                    kind, name, path, start, end, docs, signature, body is not None, public, owner, trait,
                    frame.header, conditional or self._decides(begin, end), kind if kind in SCALES else "",
                )
            )  # fmt: skip
        if body is None:
            return None
        if kind == "module":
            return body, _Frame(path, conditional=conditional, place=place)
        if kind == "impl":
            return body, _Frame(frame.path, name, trait, signature, True if trait else None, conditional)
        if kind == "trait":
            return body, _Frame(frame.path, name, name, signature, public, conditional)
        return None

    def _docs(self, start: int, begin: int, attributes: list[tree_sitter.Node]) -> str:
        """The docs between the start of an item and its first word."""
        first = attributes[0].start_byte if attributes else begin
        if self.marked.find(DOC, first, begin) < 0 and not any(
            facts_of(each, self.source).docs for each in attributes
        ):
            docs = line_docs(self.source, start, first)
            if docs is not None:
                return docs
        return outer_docs(self.source[start:begin])

    def _beside_no_fault(self, body: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
        """The nodes of a body in a file with faults, without an item that begins on the line on which a fault ends: a
        part of it may be in the fault.
        """
        fault_end: int | None = None
        beside = False
        for child in body.children:
            if body.is_error and not child.is_named:  # what follows may belong to something that is not known
                self.found.lost += 1
                return
            if child.is_error or child.is_missing:
                self.found.lost += 1
                fault_end = child.end_byte
                yield child
                continue
            if fault_end is not None:
                beside = beside or b"\n" not in self.source[fault_end : child.start_byte]
                if beside:
                    if _ROLES.get(child.kind_id) in _ITEM_KINDS:
                        self.found.lost += 1
                        fault_end, beside = None, False
                    continue
                fault_end = None
            yield child

    def _name(self, node: tree_sitter.Node) -> str:
        named = node.child_by_field_id(_NAME) or node.child_by_field_id(_TYPE)
        if named is not None and named.kind_id == _GENERIC:
            named = named.child_by_field_id(_TYPE)
        return text_of(named, self.source) if named is not None else ""

    def _signature(self, begin: int, end: int, body: tree_sitter.Node | None) -> str:
        """The item without its body: `pub fn f(x: u8) -> u8`, `impl<T> Stack<T>`, `pub struct Point`."""
        if body is not None and body.kind_id != _FIELDS:
            end = body.start_byte
        head = self.source[begin : min(end, begin + LONGEST_SIGNATURE)].decode("utf-8", "replace")
        return head.rstrip().removesuffix(";").rstrip()

    def _decides(self, begin: int, end: int) -> bool:
        """Whether a condition stands in an item."""
        place = bisect_left(self.found.conditions, begin)
        return place < len(self.condition_ends) and self.condition_ends[place] <= end

    def _path_attribute(self, attributes: list[tree_sitter.Node]) -> str:
        for node in attributes:
            if attribute_name(node, self.source) == "path":
                return text_of(node, self.source).partition('"')[2].rpartition('"')[0]
        return ""


def _conditions(source: bytes) -> tuple[list[int], list[int]]:
    """Where the `#[cfg(`, `#![cfg(` and `cfg!` of a file begin and end."""
    starts: list[int] = []
    ends: list[int] = []
    for found in _CONDITION.finditer(source):
        start = found.start()
        before = source[max(start - _LONGEST_HEAD, 0) : start]
        if found[0] == b"cfg!":
            if _WORD_END.search(before):
                continue
        else:
            head = _ATTRIBUTE_HEAD.search(before)
            if head is None:
                continue
            start -= len(before) - head.start()
        starts.append(start)
        ends.append(found.end())
    return starts, ends


def _is_closed(node: tree_sitter.Node, body: tree_sitter.Node) -> bool:
    """Whether the head and the brackets of a faulty block are good, so that what is in it is known to belong there."""
    brackets = body.children[:1] + body.children[-1:]
    head = [child for child in node.children if child.id != body.id]
    return (
        [bracket.type for bracket in brackets] == ["{", "}"]
        and not any(bracket.is_missing for bracket in brackets)
        and not any(child.has_error or child.is_missing for child in head)
    )


def _joined(path: str, name: str) -> str:
    return f"{path}::{name}" if path else name

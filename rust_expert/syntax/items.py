"""The items of a Rust file, each with the exact bytes that it takes, documentation and attributes included.

The walk goes into the bodies of modules, impls and traits alone, so it runs at the speed of the parser; what an
item takes from outside (`uses`) is read off in a second walk over the items that are small enough to matter.
"""

import re
from dataclasses import dataclass, field

import tree_sitter

from rust_expert.syntax import attributes, names
from rust_expert.syntax.parser import COMMENTS, errors_in, parse, text_of
from rust_expert.syntax.parser import field as part

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

LARGEST_READ = 16_000
"""Bytes: the names used by larger items are not read, they are too long for any sample."""

_INERT = frozenset(
    {
        "doc", "inline", "must_use", "allow", "warn", "deny", "expect", "cold", "derive", "repr", "non_exhaustive",
        "default", "track_caller", "cfg_attr", "deprecated", "automatically_derived", "forbid", "debugger_visualizer",
    }
)  # fmt: skip

_CONDITION = re.compile(rb"#\s*!?\[\s*cfg\s*\(|\bcfg!")


@dataclass(frozen=True)
class Item:
    """One item of a file.

    `start` and `end` are bytes of the file; the item's text is `source[start:end]`, byte for byte. `path` is
    qualified from the crate's root as far as the file's place tells. `owner` is the type of the impl, or the trait,
    that a method stands in, and `header` that block's signature. `conditional`: a cfg or an attribute that is not
    inert decides what is compiled. `uses`: what it takes from outside, see rust_expert.syntax.names.
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
    owner: str = ""
    trait: str = ""
    header: str = ""
    conditional: bool = False
    uses: tuple[str, ...] = ()


@dataclass
class FileItems:
    """What one file holds.

    `faults`: first byte of each place that does not parse; such a file has no items. `imports`: the names brought
    in by its `use` declarations. `tests`: how many items were cut out because they are there for tests alone.
    `test_modules`: modules in files of their own that are there for tests alone, as (name, `#[path]` or "").
    """

    items: list[Item] = field(default_factory=list)
    imports: list[tuple[str, str]] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    tests: int = 0
    test_modules: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Frame:
    """What encloses the items of one body."""

    path: str
    owner: str = ""
    trait: str = ""
    header: str = ""
    header_nodes: tuple[tree_sitter.Node, ...] = ()
    public: bool | None = None
    conditional: bool = False


def items_of(source: bytes, module: str = "") -> FileItems:
    """Read the items of a file's bytes; `module` is the file's own path in its crate, such as `parse::float`."""
    root = parse(source).root_node
    found = FileItems()
    if root.has_error:
        found.faults = errors_in(root)
        return found
    pending: list[tuple[tree_sitter.Node, _Frame]] = [(root, _Frame(path=module))]
    while pending:
        body, frame = pending.pop()
        inside = _Body(source, frame, found)
        inside.read(body)
        pending += inside.below
    found.items.sort(key=lambda item: (item.start, -item.end))
    return found


class _Body:
    """Reads the items that stand side by side in one body."""

    def __init__(self, source: bytes, frame: _Frame, found: FileItems) -> None:
        self.source, self.frame, self.found = source, frame, found
        self.below: list[tuple[tree_sitter.Node, _Frame]] = []

    def read(self, body: tree_sitter.Node) -> None:
        leading: list[tree_sitter.Node] = []
        for child in body.children:
            if child.type == "inner_attribute_item" and attributes.is_test_attribute(child, self.source):
                self.found.tests += 1
                return
            if child.type == "attribute_item" or (
                child.type in COMMENTS and not attributes.is_inner_doc(child)
            ):
                leading.append(child)
                continue
            if child.type in KINDS:
                self._item(child, leading)
            elif child.type == "use_declaration" and not self._is_test(leading):
                self.found.imports += names.imports_of(child, self.source)
            leading = []

    def _is_test(self, leading: list[tree_sitter.Node]) -> bool:
        return any(
            node.type == "attribute_item" and attributes.is_test_attribute(node, self.source)
            for node in leading
        )

    def _item(self, node: tree_sitter.Node, leading: list[tree_sitter.Node]) -> None:
        kind, body = KINDS[node.type], part(node, "body")
        if self._is_test(leading):
            self.found.tests += 1
            if kind == "module" and body is None:
                self.found.test_modules.append((self._name(node), self._path_attribute(leading)))
            return
        start = attributes.leading_start(leading, node)
        attached = [child for child in leading if child.start_byte >= start]
        conditional = self.frame.conditional or self._changes(attached)
        trait = part(node, "trait")
        name = self._name(node)
        owner, path = self.frame.owner, _joined(self.frame.path, name)
        if kind == "function" and self.frame.header:
            kind, path = "method", _joined(_joined(self.frame.path, owner), name)
        elif kind == "impl" and trait is not None:
            path = _joined(self.frame.path, f"<{name} as {text_of(trait, self.source)}>")
        signature = self._signature(node, body)
        self.found.items.append(
            Item(
                kind=kind,
                name=name,
                path=path,
                start=start,
                end=node.end_byte,
                docs=attributes.doc_text(attached, self.source),
                signature=signature,
                has_body=body is not None,
                public=self._public(node),
                owner=name if kind == "impl" else owner,
                trait=text_of(trait, self.source) if trait is not None else self.frame.trait,
                header=self.frame.header,
                conditional=conditional or self._decides(node),
                uses=self._uses(node, kind, body, trait is not None),
            )
        )
        if body is not None and kind in ("module", "impl", "trait"):
            self.below.append((body, self._frame_of(node, kind, path, name, signature, trait, conditional)))

    def _frame_of(
        self,
        node: tree_sitter.Node,
        kind: str,
        path: str,
        name: str,
        signature: str,
        trait: tree_sitter.Node | None,
        conditional: bool,
    ) -> _Frame:
        if kind == "module":
            return _Frame(path=path, conditional=conditional)
        parts = [child for child in node.children if child.is_named and child != part(node, "body")]
        if kind == "trait":
            parts = [child for child in parts if child != part(node, "name")]
        return _Frame(
            path=self.frame.path,
            owner=name,
            trait=text_of(trait, self.source) if trait is not None else (name if kind == "trait" else ""),
            header=signature,
            header_nodes=tuple(parts),
            public=self._public(node) if kind == "trait" else (True if trait is not None else None),
            conditional=conditional,
        )

    def _name(self, node: tree_sitter.Node) -> str:
        named = part(node, "name") or part(node, "type")
        if named is not None and named.type == "generic_type":
            named = part(named, "type")
        return text_of(named, self.source) if named is not None else ""

    def _signature(self, node: tree_sitter.Node, body: tree_sitter.Node | None) -> str:
        """The item without its body: `pub fn f(x: u8) -> u8`, `impl<T> Stack<T>`, `pub struct Point`."""
        cuts = body is not None and body.type != "ordered_field_declaration_list"
        end = body.start_byte if body is not None and cuts else node.end_byte
        if node.type in ("const_item", "static_item", "macro_definition") or end - node.start_byte > 2_000:
            end = min(end, node.start_byte + 2_000)
        return (
            self.source[node.start_byte : end].decode("utf-8", "replace").rstrip().removesuffix(";").rstrip()
        )

    def _public(self, node: tree_sitter.Node) -> bool:
        if self.frame.public is not None:
            return self.frame.public
        return any(
            child.type == "visibility_modifier" and text_of(child, self.source) == "pub"
            for child in node.children
        )

    def _changes(self, attached: list[tree_sitter.Node]) -> bool:
        """Whether an attribute before the item may change what is compiled."""
        for node in attached:
            if node.type == "attribute_item":
                name = attributes.attribute_name(node, self.source)
                if name not in _INERT and not name.startswith(("clippy::", "rustfmt::", "diagnostic::")):
                    return True
        return False

    def _decides(self, node: tree_sitter.Node) -> bool:
        return _CONDITION.search(self.source, node.start_byte, node.end_byte) is not None

    def _uses(
        self, node: tree_sitter.Node, kind: str, body: tree_sitter.Node | None, of_trait: bool
    ) -> tuple[str, ...]:
        if kind in ("module", "macro") or node.end_byte - node.start_byte > LARGEST_READ:
            return ()
        if kind == "impl" and not of_trait:  # its methods are read one by one
            parts = [child for child in node.children if child.is_named and child != body]
            return tuple(names.uses_of(parts, self.source))
        return tuple(names.uses_of([*self.frame.header_nodes, node], self.source))

    def _path_attribute(self, leading: list[tree_sitter.Node]) -> str:
        for node in leading:
            if node.type == "attribute_item" and attributes.attribute_name(node, self.source) == "path":
                return text_of(node, self.source).partition('"')[2].rpartition('"')[0]
        return ""


def _joined(path: str, name: str) -> str:
    return f"{path}::{name}" if path else name

"""The names that an item takes from outside itself, read off its syntax.

This is what decides cheaply whether an item can stand alone, and which definitions it would need beside it. It
knows no types: rustc has the last word on every item that is claimed to compile.

A use is one of
    `name`        the first segment of a path, a value or a type
    `Name::part`  beside `Name`, an associated item of a type
    `name!`       a macro
    `.name`       a method or associated item of the item's own type: `self.name(..)`, `Self::name`
    `~name`       a method called on something else, whose type only the compiler knows
    `crate`       a path that starts at `crate`, `self` or `super`: it cannot be followed by name
"""

from collections.abc import Callable

import tree_sitter

from rust_expert.syntax.parser import field, text_of

_SKIPPED = frozenset(
    {
        "attribute_item", "inner_attribute_item", "line_comment", "block_comment", "string_literal",
        "raw_string_literal", "char_literal", "lifetime", "label", "lifetime_parameter", "self_parameter",
        "field_identifier", "primitive_type", "macro_definition", "shebang", "foreign_mod_item",
    }
)  # fmt: skip

_PATTERN_OWNERS = frozenset({"let_declaration", "let_condition", "for_expression", "parameter"})

_NAMED = {
    "function_item": "name", "struct_item": "name", "enum_item": "name", "union_item": "name", "const_item": "name",
    "static_item": "name", "type_item": "name", "associated_type": "name", "trait_item": "name", "mod_item": "name",
}  # fmt: skip


class _Reader:
    """One walk over an item: what it uses, what it binds."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.used: set[str] = set()  # whatever is looked up among types and modules, macros, members
        self.values: set[str] = set()  # what is looked up among values
        self.bound: set[str] = set()  # variables, functions, constants of the item's own
        self.named: set[str] = set()  # types and modules of the item's own
        self.pending: list[tuple[tree_sitter.Node, bool]] = []
        self.visits: dict[str, Callable[[tree_sitter.Node, bool], None]] = {
            "identifier": self._identifier,
            "type_identifier": self._type_identifier,
            "shorthand_field_identifier": self._binding,
            "scoped_identifier": self._path,
            "scoped_type_identifier": self._path,
            "crate": self._relative,
            "super": self._relative,
            "use_declaration": self._use,
            "field_expression": self._field_expression,
            "field_initializer": self._value_alone,
            "field_declaration": self._type_alone,
            "field_pattern": self._field_pattern,
            "type_binding": self._type_alone,
            "type_parameter": self._parameter,
            "const_parameter": self._parameter,
            "match_pattern": self._match_pattern,
            "closure_parameters": self._all_patterns,
            "tuple_struct_pattern": self._typed_pattern,
            "struct_pattern": self._typed_pattern,
            "macro_invocation": self._macro,
            "visibility_modifier": self._visibility,
            "enum_variant": self._enum_variant,
            "function_signature_item": self._signature,
        }

    def read(self, node: tree_sitter.Node) -> None:
        self.pending.append((node, False))
        while self.pending:
            current, pattern = self.pending.pop()
            kind = current.type
            if kind in _SKIPPED:
                continue
            visit = self.visits.get(kind)
            if visit is not None:
                visit(current, pattern)
            elif kind in _PATTERN_OWNERS:
                bound = field(current, "pattern")
                for child in current.children:
                    self.pending.append((child, child == bound))
            elif kind in _NAMED:
                name = field(current, "name")
                if name is not None and not _is_member(current):
                    self.bound.add(self._text(name))
                    self.named.add(self._text(name))
                for child in current.children:
                    if child != name and child.is_named:
                        self.pending.append((child, False))
            else:
                for child in current.children:
                    if child.is_named:
                        self.pending.append((child, pattern))

    def _text(self, node: tree_sitter.Node) -> str:
        return text_of(node, self.source)

    def _identifier(self, node: tree_sitter.Node, pattern: bool) -> None:
        name = self._text(node)
        # a capital in a pattern is a constant or a variant, which the pattern reads and does not bind
        (self.bound if pattern and not name[0].isupper() else self.values).add(name)

    def _type_identifier(self, node: tree_sitter.Node, _: bool) -> None:
        self.used.add(self._text(node))

    def _binding(self, node: tree_sitter.Node, _: bool) -> None:
        self.bound.add(self._text(node))

    def _relative(self, *_: object) -> None:
        self.used.add("crate")

    def _path(self, node: tree_sitter.Node, _: bool) -> None:
        second, head = field(node, "name"), field(node, "path")
        while head is not None and head.type in ("scoped_identifier", "scoped_type_identifier"):
            second, head = field(head, "name"), field(head, "path")
        if head is None:  # a path from the root, such as `::std::mem`
            if second is not None:
                self.used.add(self._text(second))
            return
        if head.type == "generic_type":
            for child in head.children:
                self.pending.append((child, False))
            inner = field(head, "type")
            if inner is None or inner.type != "type_identifier":
                return
            head = inner
        if head.type in ("identifier", "type_identifier"):
            self._head(self._text(head), self._text(second) if second is not None else "")
        elif head.type in ("crate", "super", "self", "metavariable"):
            self.used.add("crate")
        else:
            self.pending.append((head, False))

    def _head(self, name: str, second: str) -> None:
        if name == "Self":
            self.used.add("." + second)
            return
        self.used.add(name)
        if name[0].isupper() and second:
            self.used.add(f"{name}::{second}")

    def _use(self, node: tree_sitter.Node, _: bool) -> None:
        for name, path in imports_of(node, self.source):
            self.bound.add(name)
            self.named.add(name)
            self._head(path.removeprefix("::").split("::")[0], "")

    def _field_expression(self, node: tree_sitter.Node, _: bool) -> None:
        value, name = field(node, "value"), field(node, "field")
        called = name is not None and node.parent is not None and node.parent.type == "call_expression"
        on_self = value is not None and value.type == "self"
        if called and name is not None and name.type == "field_identifier":
            self.used.add(("." if on_self else "~") + self._text(name))
        if value is not None and not on_self:
            self.pending.append((value, False))

    def _value_alone(self, node: tree_sitter.Node, _: bool) -> None:
        value = field(node, "value")
        if value is not None:
            self.pending.append((value, False))

    def _type_alone(self, node: tree_sitter.Node, _: bool) -> None:
        value = field(node, "type")
        if value is not None:
            self.pending.append((value, False))

    def _field_pattern(self, node: tree_sitter.Node, _: bool) -> None:
        inner, name = field(node, "pattern"), field(node, "name")
        if inner is not None:
            self.pending.append((inner, True))
        elif name is not None:
            self.bound.add(self._text(name))

    def _parameter(self, node: tree_sitter.Node, _: bool) -> None:
        name = field(node, "name")
        for child in node.children:
            if child == name:
                self.bound.add(self._text(child))
                self.named.add(self._text(child))
            elif child.is_named:
                self.pending.append((child, False))

    def _match_pattern(self, node: tree_sitter.Node, _: bool) -> None:
        condition = field(node, "condition")
        for child in node.children:
            self.pending.append((child, child != condition))

    def _all_patterns(self, node: tree_sitter.Node, _: bool) -> None:
        for child in node.children:
            self.pending.append((child, child.type != "parameter"))

    def _typed_pattern(self, node: tree_sitter.Node, _: bool) -> None:
        named = field(node, "type")
        for child in node.children:
            self.pending.append((child, child != named))

    def _visibility(self, node: tree_sitter.Node, _: bool) -> None:
        if any(child.type in ("super", "in") for child in node.children):
            self.used.add("crate")

    def _enum_variant(self, node: tree_sitter.Node, _: bool) -> None:
        for name in ("body", "value"):
            part = field(node, name)
            if part is not None:
                self.pending.append((part, False))

    def _signature(self, node: tree_sitter.Node, _: bool) -> None:
        name = field(node, "name")
        for child in node.children:
            if child != name:
                self.pending.append((child, False))

    def _macro(self, node: tree_sitter.Node, _: bool) -> None:
        name = field(node, "macro")
        if name is not None and name.type == "identifier":
            self.used.add(self._text(name) + "!")
        elif name is not None:
            self.pending.append((name, False))
        trees = [child for child in node.children if child.type == "token_tree"]
        while trees:
            tree = trees.pop()
            trees += [child for child in tree.children if child.type == "token_tree"]
            self._tokens(tree)

    def _tokens(self, tree: tree_sitter.Node) -> None:
        """Names in a macro's arguments: calls, paths and capitalised names; a lone small name is taken as a local."""
        tokens = tree.children
        for place, token in enumerate(tokens):
            if token.type in ("crate", "super"):
                self.used.add("crate")
            if token.type not in ("identifier", "self"):
                continue
            before = tokens[place - 1].type if place else ""
            after = tokens[place + 1] if place + 1 < len(tokens) else None
            name = self._text(token)
            on_self = place > 1 and tokens[place - 2].type == "self"
            if before == "." and not on_self and after is not None and after.type == "token_tree":
                self.used.add("~" + name)
            if before in (".", "::") or after is None:
                continue
            second = self._text(tokens[place + 2]) if place + 2 < len(tokens) else ""
            if token.type == "self":
                called = place + 3 < len(tokens) and tokens[place + 3].type == "token_tree"
                if after.type == "." and called:
                    self.used.add("." + second)
            elif after.type == "::":
                self._head(name, second)
            elif after.type == "!":
                self.used.add(name + "!")
            elif name[0].isupper() or (after.type == "token_tree" and self._text(after).startswith("(")):
                self.values.add(name)


def _is_member(node: tree_sitter.Node) -> bool:
    """Whether a function, constant or type belongs to an impl or a trait, so that its bare name means nothing."""
    body = node.parent
    owner = body.parent if body is not None and body.type == "declaration_list" else None
    return owner is not None and owner.type in ("impl_item", "trait_item")


def uses_of(nodes: list[tree_sitter.Node], source: bytes) -> list[str]:
    """What the given nodes together take from outside, sorted; see the module for the forms."""
    reader = _Reader(source)
    for node in nodes:
        reader.read(node)
    paths = {name for name in reader.used if name.split("::")[0] not in reader.named}
    return sorted((paths | (reader.values - reader.bound)) - {"_", "Self"})


def imports_of(declaration: tree_sitter.Node, source: bytes) -> list[tuple[str, str]]:
    """The names that a `use` declaration brings in, each with its full path: [("Map", "std::collections::HashMap")].

    A glob has the name `*`.
    """
    argument = field(declaration, "argument")
    found: list[tuple[str, str]] = []
    pending: list[tuple[tree_sitter.Node | None, str]] = [(argument, "")]
    while pending:
        node, prefix = pending.pop()
        if node is None:
            continue
        if node.type in ("scoped_use_list", "use_list"):
            path, inner = field(node, "path"), field(node, "list") or node
            inside = _joined(prefix, text_of(path, source)) if path is not None else prefix
            pending += [(child, inside) for child in reversed(inner.children) if child.is_named]
        elif node.type == "use_as_clause":
            path, alias = field(node, "path"), field(node, "alias")
            if path is not None and alias is not None:
                found.append((text_of(alias, source), _joined(prefix, text_of(path, source))))
        elif node.type == "use_wildcard":
            found.append(("*", _joined(prefix, text_of(node, source).removesuffix("*").removesuffix("::"))))
        elif node.type == "self":
            found.append((prefix.rpartition("::")[2], prefix))
        elif node.type in ("identifier", "scoped_identifier"):
            path_text = text_of(node, source)
            found.append((path_text.rpartition("::")[2], _joined(prefix, path_text)))
    return found


def _joined(prefix: str, path: str) -> str:
    return (f"{prefix}::{path}" if prefix else path).removesuffix("::self")

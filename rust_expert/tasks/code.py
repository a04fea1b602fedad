"""An item's text with its tree, and the two ways of writing another text from it: edits and nested rewritings."""

import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import tree_sitter

from rust_expert.syntax.parser import descend, field, parse, text_of

OWN_BODY = frozenset({"function_item", "closure_expression", "async_block"})
"""What a `return` or `?` inside leaves, instead of the function around it."""


@dataclass(frozen=True)
class Edit:
    """Replace the bytes from `start` to `end` with `text`."""

    start: int
    end: int
    text: str


Edits = tuple[Edit, ...]


@dataclass(frozen=True)
class Slice:
    """A stretch of the source taken over, with the rewritings inside it; its later lines move in by `indent`."""

    start: int
    end: int
    indent: int = 0


@dataclass(frozen=True)
class Rewriting:
    """The bytes from `start` to `end` become `parts`: new text and stretches of the source."""

    start: int
    end: int
    parts: tuple[str | Slice, ...]


class Code:
    """The text of one item, parsed once, its nodes by kind."""

    def __init__(self, text: str) -> None:
        self.source = text.encode("utf-8")
        self.root = parse(self.source).root_node

    @functools.cached_property
    def by_kind(self) -> dict[str, list[tree_sitter.Node]]:
        """Every node by its kind, in source order."""
        found: dict[str, list[tree_sitter.Node]] = defaultdict(list)
        for node in descend(self.root):
            found[node.type].append(node)
        return found

    def nodes(self, *kinds: str) -> list[tree_sitter.Node]:
        """The nodes of the given kinds, kind by kind, in source order."""
        return [node for kind in kinds for node in self.by_kind.get(kind, [])]

    def text(self, node: tree_sitter.Node) -> str:
        """The node's text."""
        return text_of(node, self.source)

    @functools.cached_property
    def words(self) -> frozenset[str]:
        """Every identifier in the item, also those inside macros' arguments and format strings."""
        named = self.nodes("identifier", "type_identifier", "field_identifier", "shorthand_field_identifier")
        strings = " ".join(self.text(node) for node in self.nodes("string_content"))
        letters = "".join(letter if letter.isalnum() or letter == "_" else " " for letter in strings)
        return frozenset({self.text(node) for node in named} | set(letters.split()))

    def fresh(self, *names: str) -> str:
        """The first of `names` that the item does not use; else the first one with a number behind."""
        for name in names:
            if name not in self.words:
                return name
        number = 2
        while f"{names[0]}{number}" in self.words:
            number += 1
        return f"{names[0]}{number}"

    def indentation(self, node: tree_sitter.Node) -> str:
        """The white space that the node's line begins with."""
        line_start = self.source.rfind(b"\n", 0, node.start_byte) + 1
        line = self.source[line_start : node.start_byte]
        return line[: len(line) - len(line.lstrip())].decode("utf-8")

    def starts_line(self, node: tree_sitter.Node) -> bool:
        """Whether only white space stands before the node on its line."""
        line_start = self.source.rfind(b"\n", 0, node.start_byte) + 1
        return not self.source[line_start : node.start_byte].strip()

    def function_of(self, node: tree_sitter.Node) -> tree_sitter.Node | None:
        """The function, closure or async block whose `return` a `return` at `node` would be."""
        above = node.parent
        while above is not None and above.type not in OWN_BODY:
            above = above.parent
        return above

    def return_type(self, node: tree_sitter.Node) -> str:
        """The return type's text of the function that `node` returns from; "" in closures and without one."""
        function = self.function_of(node)
        if function is None or function.type != "function_item":
            return ""
        declared = field(function, "return_type")
        return self.text(declared) if declared is not None else ""

    def tail(self, function: tree_sitter.Node) -> tree_sitter.Node | None:
        """The expression at the end of a function's body whose value the function returns, or None."""
        body = field(function, "body")
        if body is None or not body.named_children:
            return None
        last = [child for child in body.named_children if child.type not in ("line_comment", "block_comment")]
        if not last or last[-1].type.endswith(("_item", "declaration")):
            return None
        tail = last[-1]
        if (
            tail.type == "expression_statement"
        ):  # `if`, `match` and blocks at the end may be wrapped as statements
            inner = tail.named_children
            return inner[0] if len(inner) == 1 and not self.text(tail).endswith(";") else None
        return tail

    def edited(self, edits: Sequence[Edit]) -> str:
        """The text with `edits` made; they may not overlap."""
        pieces: list[bytes] = []
        place = 0
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
            pieces += [self.source[place : edit.start], edit.text.encode("utf-8")]
            place = edit.end
        return b"".join([*pieces, self.source[place:]]).decode("utf-8")

    def rewritten(self, rewritings: Sequence[Rewriting]) -> str:
        """The text with `rewritings` made; one may lie inside a slice of another, but they may not cross."""
        ordered = sorted(rewritings, key=lambda each: (each.start, -each.end))
        return self._rewritten(0, len(self.source), ordered)

    def _rewritten(self, start: int, end: int, rewritings: Sequence[Rewriting]) -> str:
        pieces: list[str] = []
        place = start
        for each in rewritings:
            if each.start < place or each.end > end or each.start >= end:
                continue  # lies inside one already made, or outside this stretch
            pieces.append(self.source[place : each.start].decode("utf-8"))
            inner = [
                other for other in rewritings if other is not each and each.start <= other.start < each.end
            ]
            for part in each.parts:
                if isinstance(part, str):
                    pieces.append(part)
                else:
                    text = self._rewritten(part.start, part.end, inner)
                    pieces.append(self._moved(text, part))
            place = each.end
        pieces.append(self.source[place:end].decode("utf-8"))
        return "".join(pieces)

    def _moved(self, text: str, part: Slice) -> str:
        if not part.indent or "\n" not in text or self._spans_lines(part):
            return text
        first, *rest = text.split("\n")
        margin = " " * part.indent
        return "\n".join([first, *(margin + line if line.strip() else line for line in rest)])

    def _spans_lines(self, part: Slice) -> bool:
        """Whether a string or a comment in the stretch runs over a line end: moving its lines would change it."""
        return any(
            part.start <= node.start_byte < part.end and node.start_point[0] != node.end_point[0]
            for node in self.nodes("string_literal", "raw_string_literal", "block_comment")
        )


def slice_of(node: tree_sitter.Node, indent: int = 0) -> Slice:
    """The stretch of a node."""
    return Slice(node.start_byte, node.end_byte, indent)

"""The tests of a problem as a module file of their own, callable one by one without libtest.

Read are a `mod tests { .. }` with `#[test]` functions, bare `#[test]` functions, and a `fn main` of assertions.
"""

import dataclasses

import tree_sitter

from rust_expert.syntax.attributes import attribute_name
from rust_expert.syntax.parser import descend, field, parse, text_of

_MARKS = frozenset({"test", "should_panic", "ignore", "cfg"})


@dataclasses.dataclass(frozen=True)
class TestCase:
    """One test function: its path inside the file, and what it expects.

    `expected` is a Rust literal of the text that the panic must contain, `""` for any.
    """

    path: str
    should_panic: bool = False
    expected: str = '""'
    returns: bool = False

    __test__ = False  # not a class of tests for pytest

    @property
    def entry(self) -> str:
        """A Rust tuple `(bool, &str, fn())`: whether it panics, with what, and how to run it.

        An Err that a test returns becomes a panic.
        """
        call = f"|| {{ ::std::result::Result::unwrap({self.path}()) }}" if self.returns else self.path
        return f"({str(self.should_panic).lower()}, {self.expected}, {call})"


@dataclasses.dataclass(frozen=True)
class TestFile:
    """The text of the module file without test attributes, its cases in order, and every name that it mentions."""

    text: str
    cases: tuple[TestCase, ...]
    names: frozenset[str]

    __test__ = False


def read_tests(test: str) -> TestFile:
    """The test text made callable; no cases where it holds none."""
    source = test.encode()
    root = parse(source).root_node
    edits: list[tuple[int, int, str]] = []
    cases = _cases(root, source, "", edits)
    if not cases:
        cases = [
            TestCase("main", returns=field(node, "return_type") is not None)
            for node in root.children
            if node.type == "function_item" and _name(node, source) == "main"
        ]
    text = test
    for start, end, new in sorted(edits, reverse=True):
        text = (source[:start] + new.encode() + source[end:]).decode()
        source = text.encode()
    names = frozenset(
        text_of(node, test.encode())
        for node in descend(root)
        if node.type in ("identifier", "type_identifier", "shorthand_field_identifier")
    )
    return TestFile(text, tuple(cases), names)


def _cases(
    parent: tree_sitter.Node, source: bytes, path: str, edits: list[tuple[int, int, str]]
) -> list[TestCase]:
    cases: list[TestCase] = []
    marks: list[tree_sitter.Node] = []
    for node in parent.children:
        if node.type == "attribute_item":
            marks.append(node)
            continue
        if node.type in ("line_comment", "block_comment"):
            continue
        names = {attribute_name(mark, source): mark for mark in marks}
        marks = []
        if node.type == "mod_item" and (body := field(node, "body")) is not None:
            inner = _cases(body, source, f"{path}{_name(node, source)}::", edits)
            if inner:
                _open_up(node, source, edits)
                _blank([mark for name, mark in names.items() if name == "cfg"], source, edits)
            cases += inner
        elif node.type == "function_item" and "test" in names:
            _open_up(node, source, edits)
            _blank([mark for name, mark in names.items() if name in _MARKS], source, edits)
            if "ignore" not in names:
                returns = field(node, "return_type") is not None
                panics = names.get("should_panic")
                expected = _expected(panics, source) if panics is not None else '""'
                cases.append(TestCase(path + _name(node, source), panics is not None, expected, returns))
    return cases


def _expected(mark: tree_sitter.Node, source: bytes) -> str:
    """The literal in `#[should_panic(expected = "..")]`, `""` without one."""
    literals = [node for node in descend(mark) if node.type in ("string_literal", "raw_string_literal")]
    return text_of(literals[0], source) if literals else '""'


def _name(node: tree_sitter.Node, source: bytes) -> str:
    name = field(node, "name")
    return text_of(name, source) if name is not None else ""


def _open_up(node: tree_sitter.Node, source: bytes, edits: list[tuple[int, int, str]]) -> None:
    """Let the harness, which stands above, see the item."""
    shown = next((child for child in node.children if child.type == "visibility_modifier"), None)
    if shown is not None:
        edits.append((shown.start_byte, shown.end_byte, "pub(crate)"))
    else:
        edits.append((node.start_byte, node.start_byte, "pub(crate) "))


def _blank(nodes: list[tree_sitter.Node], source: bytes, edits: list[tuple[int, int, str]]) -> None:
    """Remove attributes without moving a line."""
    for node in nodes:
        kept = "".join(letter if letter == "\n" else " " for letter in text_of(node, source))
        edits.append((node.start_byte, node.end_byte, kept))

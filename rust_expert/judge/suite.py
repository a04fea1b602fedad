"""A problem made ready for judging: its tests in a module that takes nothing from a sample but what the problem names.

The tests of a suite say `use super::*;`. Taken literally, a sample could put its own `assert_eq!`, `Vec` or trait
methods into them. So the module around them imports by name what the tests mention and the problem (or its own
solution) defines, and the standard library's names from the standard library; nothing else of a sample gets in.
"""

import dataclasses
import re
from collections.abc import Collection, Iterable

import tree_sitter

from rust_expert.common.contracts import Problem
from rust_expert.judge.linked import NO_CRATES, Crates
from rust_expert.judge.testfile import TestFile, read_tests
from rust_expert.judge.tokens import tokens_of
from rust_expert.syntax.extraction import extract, given_by
from rust_expert.syntax.parser import COMMENTS, descend, field, parse, text_of
from rust_expert.syntax.pieces import Piece, identifiers_in, import_line, pieces_of

_NAMED = frozenset(
    {
        "function_item", "struct_item", "enum_item", "union_item", "trait_item", "const_item", "static_item",
        "type_item", "mod_item",
    }
)  # fmt: skip
_STANDARD = frozenset({"std", "core", "alloc"})
_LIFETIME = re.compile(r"'(?!static\b|_)[A-Za-z]\w*")


@dataclasses.dataclass(frozen=True)
class Signature:
    """The types of a function. `parameters` is None where they cannot be written down outside the function."""

    parameters: tuple[str, ...] | None
    count: int
    returned: str


@dataclasses.dataclass(frozen=True)
class Suite:
    """One problem's test side.

    `imports` is one line of Rust for the module around the tests. `signature` is the entry point's, None where it
    cannot be stated (generic, or no function). `wrapper` is Rust too: a function of the declared signature through
    which tests call an entry point that is generic, in the problem or in a sample, so that it returns what was asked
    for whatever the tests pass. `solution` is the problem's own,
    `given` what the problem gives and its tests rely on. `crates` are those in reach of the tests and of a sample.
    """

    entry: str
    tests: TestFile
    imports: str
    signature: Signature | None
    wrapper: str
    solution: str
    given: tuple[Piece, ...]
    crates: Crates = NO_CRATES

    def head(self, *, generic: bool) -> str:
        """What stands before the tests, on one line; `generic` says that the sample's entry point is."""
        if not self.wrapper or not (generic or self.signature is None):
            return self.imports
        return f"{self.imports.replace(f'use super::{self.entry};', '')} {self.wrapper}"


def suite_of(problem: Problem, crates: Crates = NO_CRATES) -> Suite:
    """The test side of a problem; `tests.cases` is empty where the problem has no test. Of the `crates` at hand it
    takes those that the problem needs."""
    given = given_by(problem)
    solution = extract(problem.canonical_solution, problem).code
    own = pieces_of(solution)
    tests = read_tests(problem.test)
    declared = pieces_of(given.opening + "\n}") if given.opening else own
    signature = signature_of(declared, given.entry) or signature_of(own, given.entry)
    wrapper = wrapper_of(declared, given.entry) or wrapper_of(own, given.entry)
    stated = [*(signature.parameters or ()), signature.returned] if signature else []
    mentioned = tests.names | identifiers_in(
        " ".join(f"type It = {text};" for text in stated) + ("" if signature else wrapper)
    )
    mentioned |= {given.entry} if signature else frozenset()
    taken = _names_at_top(pieces_of(problem.test))
    defined = {piece.name for piece in (*given.pieces, *own) if piece.kind in _NAMED} | {given.entry} - {""}
    names = (defined & mentioned) - taken
    traits = {piece.name for piece in given.pieces if piece.kind == "trait_item"} - names
    lines = [f"use super::{name};" for name in sorted(names)]
    lines += [f"use super::{name} as _;" for name in sorted(traits)]
    needed = crates.only(crates_needed(problem, crates.names))
    lines += _library_imports(given.pieces, own, mentioned, names | taken, _STANDARD.union(needed.names))
    kept = tuple(
        piece
        for piece in given.pieces
        if piece.kind in ("trait_item", "impl_item") or (piece.kind in _NAMED and piece.name in names)
    )
    return Suite(given.entry, tests, " ".join(lines), signature, wrapper, solution, kept, needed)


def crates_needed(problem: Problem, names: Collection[str]) -> frozenset[str]:
    """Those of some crates that a problem's tests, own solution or declarations use, or that it declares itself.

    An import counts only where what it brings in is mentioned: HumanEval-X declares three crates in each problem.
    """
    given = given_by(problem)
    solution = extract(problem.canonical_solution, problem).code
    items = [piece.text for piece in given.pieces if piece.kind != "use_declaration"]
    code = "\n".join([*items, given.opening, problem.test])
    used = _path_roots(solution) | _path_roots(code) | crates_declared(problem).keys()
    mentioned = identifiers_in(code) | {"*"}
    for piece in given.pieces:
        used |= {path.split("::")[0] for name, path in piece.imports if name in mentioned}
    defined = {piece.name for piece in (*given.pieces, *pieces_of(solution)) if piece.kind in _NAMED}
    return frozenset(names) & (used - defined)


def crates_declared(problem: Problem) -> dict[str, str]:
    """The crates that the problem's row lists with their versions, named as code writes them."""
    return {name.replace("-", "_"): version for name, version in problem.dependencies.items()}


def _path_roots(code: str) -> set[str]:
    """What the paths in some code begin with; a single name counts in `use` and `extern crate` only."""
    words = ["", "", *tokens_of(code), ""]
    roots: set[str] = set()
    for place, word in enumerate(words[2:-1], start=2):
        before, after = words[place - 1], words[place + 1]
        inside = before == "::" and (words[place - 2].isidentifier() or words[place - 2] == ">")
        if before in ("use", "crate") or (after == "::" and not inside):
            roots.add(word)
    return roots


def _names_at_top(pieces: Iterable[Piece]) -> set[str]:
    """What the items define and import."""
    return {piece.name for piece in pieces} | {name for piece in pieces for name, _ in piece.imports}


def _library_imports(
    given: Iterable[Piece],
    own: Iterable[Piece],
    mentioned: frozenset[str],
    bound: set[str],
    libraries: frozenset[str],
) -> list[str]:
    """All that the problem imports from the libraries (a trait is used without being named), and what the tests
    mention of the solution's imports."""
    lines: dict[str, str] = {}
    for piece, needed in [(piece, False) for piece in given] + [(piece, True) for piece in own]:
        for name, path in piece.imports:
            if path.split("::")[0] in libraries and name not in bound and (name in mentioned or not needed):
                lines.setdefault(path if name == "*" else name, import_line(name, path))
    return list(lines.values())


def signature_of(pieces: Iterable[Piece], entry: str) -> Signature | None:
    """The signature of the function `entry` among some items; None where there is none or it is generic."""
    piece = next((each for each in pieces if each.kind == "function_item" and each.name == entry), None)
    if piece is None:
        return None
    source = piece.text.encode()
    function = next((node for node in descend(parse(source).root_node) if node.type == "function_item"), None)
    if (
        function is None
        or is_generic(function)
        or b"async" in source[: function.end_byte].split(b"fn", 1)[0].split()
    ):
        return None
    parameters = field(function, "parameters")
    if parameters is None or any(child.type == "self_parameter" for child in parameters.children):
        return None
    kinds = [field(child, "type") for child in parameters.children if child.type == "parameter"]
    texts = tuple(_plain(kind, source) for kind in kinds if kind is not None)
    returned = field(function, "return_type")
    result = _plain(returned, source) if returned is not None else "()"
    if _is_open(result) or len(texts) != len(kinds):
        return None
    return Signature(None if any(map(_is_open, texts)) else texts, len(texts), result)


def wrapper_of(pieces: Iterable[Piece], entry: str) -> str:
    """A function that has the declared signature of `entry` and calls it in the module above, on one line; "" where
    there is none, or it cannot be repeated elsewhere."""
    piece = next((each for each in pieces if each.kind == "function_item" and each.name == entry), None)
    if piece is None:
        return ""
    source = piece.text.encode()
    function = next((node for node in descend(parse(source).root_node) if node.type == "function_item"), None)
    parameters = field(function, "parameters") if function is not None else None
    if function is None or parameters is None:
        return ""
    known = [child for child in parameters.children if child.is_named]
    kinds = [field(child, "type") if child.type == "parameter" else None for child in known]
    words = source[: function.end_byte].split(b"fn", 1)[0].split()
    if None in kinds or {b"async", b"unsafe"} & set(words):
        return ""
    generics, returned = field(function, "type_parameters"), field(function, "return_type")
    where = next((child for child in function.children if child.type == "where_clause"), None)
    arguments = ", ".join(f"a{number}: {_one_line(kind, source)}" for number, kind in enumerate(kinds))
    result = f"-> {_one_line(returned, source)} " if returned is not None else ""
    head = f"fn {entry}{_one_line(generics, source)}({arguments}) {result}{_one_line(where, source)}"
    return f"{head} {{ super::{entry}({', '.join(f'a{number}' for number in range(len(kinds)))}) }}"


def _one_line(node: tree_sitter.Node | None, source: bytes) -> str:
    """A node's text on one line, without comments; "" for None."""
    if node is None:
        return ""
    text, place = "", node.start_byte
    for comment in (each for each in descend(node) if each.type in COMMENTS):
        text, place = text + source[place : comment.start_byte].decode() + " ", comment.end_byte
    return " ".join((text + source[place : node.end_byte].decode()).split())


def is_generic(function: tree_sitter.Node) -> bool:
    """Whether a function has type or const parameters, `impl Trait` among its parameters included."""
    parameters, generics = field(function, "parameters"), field(function, "type_parameters")
    if generics is not None and any(
        child.type in ("type_parameter", "const_parameter") for child in generics.children
    ):
        return True
    return parameters is not None and any(node.type == "abstract_type" for node in descend(parameters))


def _plain(kind: tree_sitter.Node, source: bytes) -> str:
    """A type's text on one line; named lifetimes become inferred ones."""
    return _LIFETIME.sub("'_", " ".join(text_of(kind, source).split()))


def _is_open(text: str) -> bool:
    """Whether a type cannot be written down outside its function."""
    return bool({"impl", "Self"} & set(re.findall(r"\w+", text)))

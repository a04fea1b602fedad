"""The Rust code in a model's raw answer, found with the parser.

An answer may be a whole function with helpers and types, the bare continuation of the prompt, either of them inside
fenced blocks, and any of it with prose around. The rule that took the code:

    body              continues the prompt's open function up to its balanced close
    whole             defines the entry point; `whole_in_prose` where something else stood beside the items
    body_closed       continues the prompt, only the function's closing brace is missing (a stop sequence ate it)
    cut               the answer ends in the middle
    other             has items, but not the entry point
    none              no code

A `fenced_` in front says that the text was a fenced block. What the prompt defines and the answer does not repeat
(imports, types, helpers) is put in front of the answer's items; an extra `main` and tests of its own are left out.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence

from rust_expert.common.contracts import Problem
from rust_expert.syntax.parser import descend, parse
from rust_expert.syntax.pieces import Piece, balanced_end, identifiers_in, import_line, pieces_of

LONGEST = 100_000
"""Characters of an answer that are read; what is longer is no answer."""

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*([^\n`]*)$", re.MULTILINE)
_CODE_LIKE = frozenset(
    {
        "let_declaration", "if_expression", "for_expression", "while_expression", "loop_expression",
        "match_expression", "return_expression", "macro_invocation", "call_expression", "assignment_expression",
        "binary_expression", "closure_expression", "field_expression", "compound_assignment_expr",
    }
)  # fmt: skip
_STANDARD = ("std", "core", "alloc")
_RANKS = ("whole", "body", "whole_in_prose", "body_closed", "cut", "other", "none")


@dataclasses.dataclass(frozen=True)
class Extraction:
    """The code taken from an answer ("" for `none`) and the rule that took it."""

    code: str
    rule: str


@dataclasses.dataclass(frozen=True)
class Given:
    """What a problem hands to the model.

    `pieces`: its complete items. `opening`: the open function that an answer may continue, "" if there is none.
    `entry`: the function that the tests call.
    """

    pieces: tuple[Piece, ...]
    opening: str
    entry: str


@dataclasses.dataclass(frozen=True)
class _Taken:
    """What one text yields: the rule, its items, and the completed function where it is a continuation."""

    rule: str
    pieces: tuple[Piece, ...] = ()
    function: str = ""
    whole: bool = True

    @property
    def rank(self) -> tuple[bool, int]:
        return (not self.whole, _RANKS.index(self.rule))


def given_by(problem: Problem) -> Given:
    """The problem's own code, read from `declaration` and `prompt`."""
    head = problem.prompt
    if problem.declaration is not None and problem.declaration.strip() not in head:
        head = head.rstrip() + "\n" + problem.declaration
    pieces = pieces_of(head)
    opening = next((piece for piece in pieces if not piece.closed and piece.kind == "function_item"), None)
    entry = problem.entry_point or (opening.name if opening else "")
    kept = [
        piece for piece in pieces if piece.whole and piece.name != entry and not _is_left_out(piece, entry)
    ]
    return Given(tuple(kept), opening.text if opening else "", entry)


def extract(raw: str, problem: Problem) -> Extraction:
    """The code of an answer to `problem`; never raises, whatever the answer is."""
    text = raw[:LONGEST].encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    given = given_by(problem)
    taken = [_take(block, given) for block in _fenced_blocks(text)]
    best = min(taken, key=lambda each: each.rank, default=_Taken("none"))
    if best.rule in ("other", "none"):  # the fences may stand inside a doc comment, or around something else
        plain = _take(_FENCE.sub("", text), given)
        if not taken or plain.rank < best.rank:
            return _assembled(plain, given, "")
    others = [piece for each in taken if each is not best for piece in each.pieces]
    return _assembled(_with_missing(best, others, given), given, "fenced_")


def _fenced_blocks(text: str) -> list[str]:
    """The insides of the fenced blocks; the last may be open, the first may lack its opening fence."""
    fences = list(_FENCE.finditer(text))
    blocks: list[str] = []
    if len(fences) % 2 and not fences[0][2].strip() and text[: fences[0].start()].strip():
        blocks.append(text[: fences[0].start()])
        fences = fences[1:]
    inside: re.Match[str] | None = None
    for fence in fences:
        if inside is None:
            inside = fence
        elif fence[1][0] == inside[1][0] and not fence[2].strip():
            blocks.append(text[inside.end() + 1 : fence.start()])
            inside = None
    if inside is not None:
        blocks.append(text[inside.end() + 1 :])
    return blocks


def _take(text: str, given: Given) -> _Taken:
    """Apply the rules of this module to one text."""
    everything = _without_statements(pieces_of(text))
    pieces = [piece for piece in everything if not _is_left_out(piece, given.entry)]
    entries = [piece for piece in pieces if _defines(piece, given.entry)]
    leads = bool(everything) and not text.encode()[: everything[0].start].strip()
    continued = None if leads and entries else _continued(text, given)
    if continued is not None and continued.rule == "body" and continued.whole:
        return continued
    if entries:
        entry = next((piece for piece in entries if piece.whole), entries[0])
        kept = [piece for piece in pieces if piece is entry or piece not in entries]
        rule = "cut" if not entry.closed else "whole" if _is_all(text, everything) else "whole_in_prose"
        return _Taken(rule, _distinct(kept), whole=entry.whole)
    if continued is not None and not (leads and pieces):
        return continued
    return _Taken("other", _distinct(pieces), whole=False) if pieces else _Taken("none", whole=False)


def _continued(text: str, given: Given) -> _Taken | None:
    """The text as the rest of the prompt's open function; None where it is not one."""
    if not given.opening or not text.strip():
        return None
    joined = given.opening + ("" if given.opening.endswith("\n") else "\n") + text
    source = joined.encode()
    end = balanced_end(source)
    if end is not None:
        function = source[:end].decode()
        whole = not parse(source[:end]).root_node.has_error
        if not whole and not _is_code_like(text):
            return None
        rest = _without_statements(pieces_of(source[end:].decode()))
        after = [piece for piece in rest if not _is_left_out(piece, given.entry)]
        helpers = [piece for piece in after if piece.whole and not _defines(piece, given.entry)]
        return _Taken("body", _distinct(helpers), function, whole)
    closed = joined.rstrip() + "\n}"
    if not parse(closed.encode()).root_node.has_error:
        return _Taken("body_closed", function=closed)
    return _Taken("cut", function=joined, whole=False) if _is_code_like(text) else None


def _is_code_like(text: str) -> bool:
    """Whether some statement of a language can be made out, so that this is broken code and not prose."""
    root = parse(f"fn it() {{\n{text}\n}}".encode()).root_node
    return any(node.type in _CODE_LIKE for node in descend(root))


def _is_all(text: str, pieces: Sequence[Piece]) -> bool:
    """Whether nothing but blank space stands beside the items."""
    source, position = text.encode(), 0
    for piece in pieces:
        if source[position : piece.start].strip():
            return False
        position = piece.end
    return not source[position:].strip()


def _without_statements(pieces: Sequence[Piece]) -> list[Piece]:
    """Without calls of macros beside the items, such as a `println!` of an example, unless they make items: those of
    macros that the text defines, and thread_local."""
    made = {piece.name for piece in pieces if piece.kind == "macro_definition"} | {"thread_local"}
    return [piece for piece in pieces if piece.kind != "macro_invocation" or piece.name in made]


def _is_left_out(piece: Piece, entry: str) -> bool:
    return piece.for_tests or (piece.kind == "function_item" and piece.name == "main" and entry != "main")


def _defines(piece: Piece, entry: str) -> bool:
    return bool(entry) and piece.name == entry and piece.kind not in ("use_declaration", "impl_item")


def _distinct(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Without what is defined or imported twice; the first stays."""
    kept: dict[tuple[str, str], Piece] = {}
    for piece in pieces:
        named = bool(piece.name) and piece.kind not in ("impl_item", "macro_invocation")
        kept.setdefault((piece.kind, piece.name if named else piece.text), piece)
    return tuple(kept.values())


def _with_missing(best: _Taken, others: Sequence[Piece], given: Given) -> _Taken:
    """Add, from the other blocks of an answer, the items that the chosen block mentions and does not define."""
    if best.rule == "cut":
        return best
    mentioned = identifiers_in(best.function + "\n".join(piece.text for piece in best.pieces))
    defined = _defined((*best.pieces, *given.pieces)) | {given.entry}
    bound = {name for piece in best.pieces for name, _ in piece.imports}
    missing = [
        piece
        for piece in others
        if piece.whole
        and (piece.name in mentioned - defined or any(name in mentioned - bound for name, _ in piece.imports))
    ]
    return dataclasses.replace(best, pieces=(*_distinct(missing), *best.pieces))


def _assembled(taken: _Taken, given: Given, prefix: str) -> Extraction:
    """The answer's items after those of the problem that they do not replace."""
    if taken.rule == "none":
        return Extraction("", "none")
    first = [piece.text for piece in taken.pieces if piece.kind == "inner"]
    imports = [piece.text for piece in taken.pieces if piece.kind == "use_declaration"]
    items = [piece.text for piece in taken.pieces if piece.kind not in ("inner", "use_declaration")]
    own = "\n".join([taken.function, *items])
    given_imports, given_items = _context(given, taken, identifiers_in(own))
    blocks = ["\n".join(first), "\n".join([*given_imports, *imports]), *given_items, taken.function, *items]
    return Extraction(
        "\n\n".join(block.strip("\n") for block in blocks if block.strip()) + "\n", prefix + taken.rule
    )


def _context(given: Given, taken: _Taken, mentioned: frozenset[str]) -> tuple[list[str], list[str]]:
    """The problem's imports and items that the answer relies on.

    An import of a crate other than the standard ones stays only where the code mentions it: suites declare crates
    that their solutions never use, and none is installed here.
    """
    defined = _defined(taken.pieces)
    bound = defined | {name for piece in taken.pieces for name, _ in piece.imports}
    imports, items = [], []
    for piece in given.pieces:
        if piece.kind == "use_declaration":
            for name, path in piece.imports:
                root = path.split("::")[0]
                if name not in bound and (root in _STANDARD or mentioned & {name, root}):
                    imports.append(import_line(name, path))
        elif piece.kind == "inner" or _defines_of(piece) not in defined:
            items.append(piece.text)
    return imports, items


def _defined(pieces: Iterable[Piece]) -> set[str]:
    """What items define: names, and for an impl its head, since it shares its name with the type that it is for."""
    return {_defines_of(piece) for piece in pieces}


def _defines_of(piece: Piece) -> str:
    if piece.kind != "impl_item":
        return piece.name
    return " ".join(piece.text[piece.text.find("impl") :].partition("{")[0].split())

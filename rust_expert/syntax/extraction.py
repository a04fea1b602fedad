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

The last word counts: of several complete definitions of the entry point, in one text or in several blocks, the last
is taken, and of helpers too. Not one without code in it (an outline, `todo!()`) where another has some, and not one
that was cut off. What is cut off after a complete definition is left out.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence

from rust_expert.common.contracts import Problem
from rust_expert.syntax.parser import descend, parse
from rust_expert.syntax.pieces import (
    Piece,
    balanced_end,
    identifiers_in,
    import_line,
    is_outline,
    methods_of,
    pieces_of,
)
from rust_expert.syntax.wrapping import (
    after_prose,
    fenced_blocks,
    final_parts,
    first_turn,
    plain_text,
    without_fences,
)

LONGEST = 100_000
"""Characters of an answer that are read; what is longer is no answer."""
MOST_ENDLESS = 64
"""Raw strings without an end that an answer may hold: the parser reads to the end of the text for each of them."""

_RAW_EDGE = re.compile(r'\b[bc]?r(#+)"|"(#+)')

_CODE_LIKE = frozenset(
    {
        "let_declaration", "if_expression", "for_expression", "while_expression", "loop_expression",
        "match_expression", "return_expression", "macro_invocation", "call_expression", "assignment_expression",
        "binary_expression", "closure_expression", "field_expression", "compound_assignment_expr",
    }
)  # fmt: skip
_MOST_ROUNDS = 20  # helpers that helpers need: bounds the time that a hostile text can take
_STANDARD = ("std", "core", "alloc")
_RANKS = {"whole": 0, "whole_in_prose": 0, "body": 1, "body_closed": 2, "cut": 3, "other": 4, "none": 5}
_TYPES = frozenset({"enum_item", "mod_item", "struct_item", "trait_item", "type_item", "union_item"})
_VALUES = frozenset({"const_item", "function_item", "static_item"})


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
    outline: bool = False

    @property
    def rank(self) -> tuple[bool, bool, int]:
        return (not self.whole, self.outline, _RANKS[self.rule])


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
    text = plain_text(raw[:LONGEST])
    if _endless(text) > MOST_ENDLESS:
        return Extraction("", "none")
    given = given_by(problem)
    found = [_extracted(part, given) for part in final_parts(text)]
    return next((each for each in found if each.code), found[-1])


def _endless(text: str) -> int:
    """How many openings of raw strings no later end with as many `#` follows."""
    count = longest = 0
    for edge in reversed(list(_RAW_EDGE.finditer(text))):
        if edge[2]:
            longest = max(longest, len(edge[2]))
        elif len(edge[1]) > longest:
            count += 1
    return count


def _extracted(text: str, given: Given) -> Extraction:
    taken = [_take(block, given) for block in fenced_blocks(text)]
    best = _best(taken)
    if best.rule in ("other", "none"):  # the fences may stand inside a doc comment, or around something else
        plain = _take(without_fences(text), given)
        if not taken or plain.rank < best.rank:
            return _assembled(plain, given, "")
    others = [piece for each in taken if each is not best for piece in each.pieces]
    return _assembled(_with_missing(best, others, given), given, "fenced_")


def _best(taken: Sequence[_Taken]) -> _Taken:
    """The best of several blocks: of those that define the entry point the last, of continuations the first."""
    rank = min((each.rank for each in taken), default=None)
    best = [each for each in taken if each.rank == rank]
    if not best:
        return _Taken("none", whole=False)
    return best[-1] if best[0].rule.startswith("whole") else best[0]


def _take(text: str, given: Given) -> _Taken:
    """Apply the rules of this module to one text; where it is no whole code, to its first turn of a chat."""
    taken = _take_all(text, given)
    turn = first_turn(text)
    if taken.whole or turn == text:
        return taken
    return min(taken, _take_all(turn, given), key=lambda each: each.rank)


def _take_all(text: str, given: Given) -> _Taken:
    everything = _without_statements(pieces_of(text))
    pieces = [piece for piece in everything if not _is_left_out(piece, given.entry)]
    entries = [piece for piece in pieces if _defines(piece, given.entry)]
    leads = bool(everything) and not text.encode()[: everything[0].start].strip()
    continued = None if leads and entries else _continued(text, given)
    if continued is not None and continued.rule == "body" and continued.whole:
        return continued
    if entries:
        chosen = _last_word(entries)
        entry = chosen[-1]
        dropped = {piece.start for piece in entries} - {piece.start for piece in chosen}
        dropped |= {piece.start for piece in pieces if not piece.closed and piece is not entry}
        kept = [piece for piece in pieces if piece.start not in dropped]
        rule = "cut" if not entry.closed else "whole" if _is_all(text, everything) else "whole_in_prose"
        return _Taken(rule, _distinct(kept), whole=entry.whole, outline=is_outline(entry.text))
    if continued is not None and not (leads and pieces):
        return continued
    return _Taken("other", _distinct(pieces), whole=False) if pieces else _Taken("none", whole=False)


def _last_word(entries: Sequence[Piece]) -> list[Piece]:
    """Of several definitions of the entry point the one that counts, or those between which a `cfg` decides."""
    whole = [piece for piece in entries if piece.whole]
    coded = [piece for piece in whole if not is_outline(piece.text)]
    last = (coded or whole or [piece for piece in entries if piece.closed] or entries)[-1]
    return [piece for piece in whole if piece.conditional] if last.conditional else [last]


def _continued(text: str, given: Given) -> _Taken | None:
    """The text, or what follows the prose that it begins with, as the rest of the prompt's open function; None where it
    is not one."""
    if not given.opening or not text.strip():
        return None
    taken, rest = _rest_of_function(text, given), after_prose(text)
    if (taken is None or not taken.whole) and rest != text and rest.strip():
        later = _rest_of_function(rest, given)
        if later is not None and later.whole:
            return later
    return taken


def _rest_of_function(text: str, given: Given) -> _Taken | None:
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
        return _Taken("body", _distinct(helpers), function, whole, is_outline(function))
    closed = joined.rstrip() + "\n}"
    if not parse(closed.encode()).root_node.has_error:
        return _Taken("body_closed", function=closed, outline=is_outline(closed))
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
    """Without what is defined or imported twice; of definitions the last stays. Macros may be defined anew."""
    kept: dict[tuple[str, str], Piece] = {}
    for piece in pieces:
        key = _key(piece)
        before = kept.get(key)
        if before is not None and (before.text == piece.text or (before.whole and not piece.whole)):
            continue
        kept.pop(key, None)
        kept[key] = piece
    return tuple(kept.values())


def _key(piece: Piece) -> tuple[str, str]:
    """What two items share of which only one can be there."""
    if piece.conditional or piece.name == "_":
        return piece.kind, piece.text
    if piece.kind in _TYPES | _VALUES:
        return "type" if piece.kind in _TYPES else "value", piece.name
    head = _defines_of(piece)
    return piece.kind, head if piece.kind == "impl_item" and " for " in head else piece.text


def _with_missing(best: _Taken, others: Sequence[Piece], given: Given) -> _Taken:
    """Add, from the other blocks of an answer, the items that the chosen block needs and does not define."""
    if best.rule in ("cut", "none"):
        return best
    waiting = [piece for piece in _distinct(others) if piece.whole and not _defines(piece, given.entry)]
    here, added = (*best.pieces, *given.pieces), set[Piece]()
    mentioned = identifiers_in(best.function + "\n".join(piece.text for piece in best.pieces))
    for _ in range(_MOST_ROUNDS):
        needed = [piece for piece in waiting if _is_needed(piece, mentioned, here)]
        if not needed:
            break
        here, added = (*here, *needed), added.union(needed)
        mentioned |= identifiers_in("\n".join(piece.text for piece in needed))
        waiting = [piece for piece in waiting if piece not in added]
    ordered = _distinct([piece for piece in others if piece in added])
    return dataclasses.replace(best, pieces=(*ordered, *best.pieces))


def _is_needed(piece: Piece, mentioned: frozenset[str], here: Sequence[Piece]) -> bool:
    """Whether an item of another block is mentioned and missing; an impl goes with its type or its trait."""
    defined = _defined(here)
    if piece.kind == "impl_item":
        types = {each.name for each in here if each.kind in _TYPES}
        return _defines_of(piece) not in defined and not types.isdisjoint(identifiers_in(_defines_of(piece)))
    if piece.kind == "use_declaration":
        bound = {name for each in here for name, _ in each.imports}
        return any(
            name in mentioned - bound
            or (name == "*" and path.split("::")[0] in _STANDARD and "*" not in bound)
            for name, path in piece.imports
        )
    if piece.kind == "trait_item" and piece.name not in defined:
        return not mentioned.isdisjoint({piece.name} | methods_of(piece.text))
    return piece.name in mentioned - defined


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

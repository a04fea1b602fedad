"""Normal forms: one text for two programs that differ only in layout, comments or names of their own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rust_expert.dataset.lexing import IDENT, LIFETIME, NUMBER, PUNCT, STRING, Token, code_in, code_tokens
from rust_expert.dataset.rust_words import LANGUAGE, STD_NAMES

DEFINE = frozenset(("struct", "enum", "trait", "mod", "union", "const", "static"))
"""Words before a name that they define."""
CAPTURE = re.compile(r"\{([^\W\d]\w*)(?=[:}])")
"""A variable named within a text, as in `{name}` and `{name:?}`."""
_EMPTY_MAIN = ("fn", "main", "(", ")", "{", "}")
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


def plain_text(text: str) -> str:
    """`text` with each run of white space as one space: what a reader of prose sees."""
    return " ".join(text.split())


def plain_code(text: str) -> str:
    """Code without comments and layout, all names as they are."""
    return " ".join(token for _, token in code_tokens(text))


def alpha_form(text: Sequence[Token]) -> str:
    """The `alpha_tokens` with a space between them."""
    return " ".join(alpha_tokens(text))


def alpha_tokens(text: Sequence[Token]) -> list[str]:
    """The normal form of a program under renaming of what its author named.

    Takes the tokens without comments. Variables, fields, types, lifetimes, and functions that the code
    itself defines become $0, $1, ... in the order of their first appearance; keywords, primitive types, names
    of the standard library, macros, literals and functions from elsewhere stay. Attributes, `use` lines,
    visibility, an empty `main` and trailing commas are left out. Two programs of equal form are the same
    program; the reverse does not hold.
    """
    kept = _stripped(text)
    own = _own_names(kept)
    names: dict[str, str] = {}
    out: list[str] = []
    before, last = "", len(kept) - 1
    for place, (kind, word) in enumerate(kept):
        if kind == LIFETIME:
            if word not in ("'static", "'_"):
                word = names.setdefault(word, f"'${len(names)}")
        elif kind == IDENT and word not in LANGUAGE:
            after = kept[place + 1][1] if place < last else ""
            if _is_authors(word, before, after, own):
                word = names.setdefault(word, f"${len(names)}")
        elif kind == NUMBER:
            word = word.replace("_", "")
        elif kind == STRING and "{" in word:
            word = CAPTURE.sub(lambda found: "{" + names.get(found.group(1), found.group(1)), word)
        out.append(word)
        before = kept[place][1]
    return out


@dataclass(frozen=True)
class _Own:
    """Names that the code introduces."""

    functions: set[str]
    types: set[str]
    variables: set[str]


def _own_names(kept: Sequence[Token]) -> _Own:
    own = _Own(set(), set(), set())
    before, last = "", len(kept) - 1
    for place, (kind, word) in enumerate(kept):
        if kind == IDENT and word not in LANGUAGE:
            if before == "fn":
                own.functions.add(word)
            elif before in DEFINE:
                own.types.add(word)
            elif before not in (".", "::") and (
                place == last or kept[place + 1][1] not in ("(", "::", "!", "<")
            ):
                # Patterns bind variables in many ways; whatever stands bare is one, or is as good as one.
                own.variables.add(word)
        before = word
    return own


def _is_authors(word: str, before: str, after: str, own: _Own) -> bool:
    """Whether the author of the code chose this word, judged by what stands before and after it."""
    if after == "!":
        return False  # a macro call; `a != b` is lexed as one token, so this is no comparison
    if word[:1].isupper():
        return word in own.types or word not in STD_NAMES
    if before == "." and after not in ("(", "::"):
        return True  # a field
    if before in (".", "::"):
        return word in own.functions and word not in STD_NAMES
    if after == "::":
        return word in own.types  # a module
    return after != "(" or word in own.functions or word in own.variables


def _stripped(text: Sequence[Token]) -> list[Token]:
    """The tokens without attributes, `use` lines, visibility, an empty `main` and trailing commas."""
    kept: list[Token] = []
    place, size = 0, len(text)
    while place < size:
        word = text[place][1]
        following = text[place + 1][1] if place + 1 < size else ""
        if word == "#" and following in ("[", "!"):
            start = place + (2 if following == "!" else 1)
            if start < size and text[start][1] == "[":
                place = _past(text, start)
            else:
                place += 1
        elif word == "use" and (not kept or kept[-1][1] in ("{", "}", ";")):
            while place < size and text[place][1] != ";":
                place += 1
            place += 1
        elif word == "pub":
            place = _past(text, place + 1) if following == "(" and _restricts(text, place) else place + 1
        elif word == "," and (following in _CLOSE or following == ">"):
            place += 1
        elif word == "fn" and tuple(token for _, token in text[place : place + 6]) == _EMPTY_MAIN:
            place += 6
        else:
            kept.append(text[place])
            place += 1
    return kept


def _restricts(text: Sequence[Token], place: int) -> bool:
    """Whether the parenthesis after `pub` is `pub(crate)` and the like, not a field's tuple type."""
    return place + 2 < len(text) and text[place + 2][1] in ("crate", "super", "self", "in")


def _past(text: Sequence[Token], place: int) -> int:
    """The place after the bracket that closes the one at `place`; the end of the text where none does."""
    depth = 0
    while place < len(text):
        kind, word = text[place]
        if kind == PUNCT:
            if word in _OPEN:
                depth += 1
            elif word in _CLOSE:
                depth -= 1
                if depth <= 0:
                    return place + 1
        place += 1
    return place


def functions(text: Sequence[Token]) -> list[Sequence[Token]]:
    """The functions with a body in `text`, nested ones too, each from `fn` to its closing brace."""
    found: list[Sequence[Token]] = []
    for place, (kind, word) in enumerate(text):
        if kind != IDENT or word != "fn" or place + 2 >= len(text):
            continue
        if text[place + 1][0] != IDENT or text[place + 2][1] not in ("(", "<"):
            continue
        body = place + 2
        while body < len(text) and text[body][1] not in ("{", ";"):
            body = _past(text, body) if text[body][1] in ("(", "[") else body + 1
        if body < len(text) and text[body][1] == "{":
            found.append(text[place : _past(text, body)])
    return found


def solution_forms(text: str) -> set[str]:
    """The alpha forms that `text` offers as a solution: each piece of code whole, and each function in it."""
    forms: set[str] = set()
    for piece in code_in(text):
        parts = code_tokens(piece)
        inner = functions(parts)
        if inner:
            forms.add(alpha_form(parts))
            forms.update(alpha_form(part) for part in inner)
    forms.discard("")
    return forms

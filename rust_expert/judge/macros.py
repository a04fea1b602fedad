"""The macros that code defines itself, and what they could put together out of the tokens that they are given.

No name can be made up: whatever a macro by example expands to consists of tokens that stand in its definition or
where it is called. So it is enough to know what stands there, and whether some macro could join it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rust_expert.judge.paths import Mention, is_name, text_at
from rust_expert.judge.tokens import Token

_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_REPEATED = (")", "*", "+", "?")


class Given(NamedTuple):
    """A token of a definition or a call, with its neighbours. `called`: of a call, so that it may be put anywhere."""

    text: str
    line: int
    before: str
    after: str
    called: bool

    @property
    def is_name(self) -> bool:
        """Whether it is a name, and no field or method."""
        return self.text.isidentifier() and self.before != "."

    @property
    def may_follow(self) -> bool:
        """Whether a macro could put it behind something else, as `process` in `$library::process`."""
        return self.called or self.before.startswith("$") or self.before in ("::", *_REPEATED)

    @property
    def may_lead(self) -> bool:
        """Whether a macro could put something else behind it, as behind `std` in `std $rest`."""
        return self.called or self.after.startswith("$") or self.after in ("::", ")")


class Macros(NamedTuple):
    """What the code's own macros can do.

    `given`: the tokens of their definitions and calls. `certain`: names with the place from which on each means an own
    macro for sure.
    `paths`, `calls`, `attributes`: some definition makes a path, a macro's name, an attribute out of a variable.
    """

    given: tuple[Given, ...]
    certain: dict[str, int]
    paths: bool
    calls: bool
    attributes: bool

    @property
    def names(self) -> frozenset[str]:
        """Every name that a macro may be given for a variable."""
        return frozenset(each.text for each in self.given if each.called and each.is_name)


def macros_of(tokens: Sequence[Token], mentions: Sequence[Mention]) -> Macros:
    """Read the definitions and calls of the code's own macros; calls inside others' arguments count."""
    ends = _ends(tokens)
    bodies: list[tuple[int, int]] = []
    own: set[str] = set()
    certain: dict[str, int] = {}
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.text in _OPEN) - (token.text in _CLOSE)
        if token.text != "macro_rules" or text_at(tokens, place + 1) != "!":
            continue
        name = text_at(tokens, place + 2)
        own.add(name)
        if not bodies or place >= bodies[-1][1]:
            bodies.append((place + 3, ends.get(place + 3, len(tokens))))
        if depth == 0 and text_at(tokens, place - 1) in ("", "}", ";"):  # no attribute can take it away
            certain.setdefault(name, place)
    if not bodies:
        return Macros((), {}, False, False, False)
    own |= _renamed(own, mentions)
    definitions = [tokens[start:end] for start, end in bodies]
    anything = any(_takes_tokens(body) for body in definitions)
    return Macros(
        tuple(_given(tokens, bodies, own, ends)),
        certain,
        anything or any(_joins_paths(body) for body in definitions),
        anything or any(_calls_variable(body) for body in definitions),
        anything or any(_attribute_of_variable(body) for body in definitions),
    )


def _ends(tokens: Sequence[Token]) -> dict[int, int]:
    """For the place of each opening bracket, the place after its closing one; what never closes is left out."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for place, token in enumerate(tokens):
        if token.text in _OPEN:
            opened.append(place)
        elif token.text in _CLOSE and opened:
            ends[opened.pop()] = place + 1
    return ends


def _renamed(own: set[str], mentions: Sequence[Mention]) -> set[str]:
    """Other names of own macros, each taken to be one wherever it stands."""
    renamed: dict[str, list[str]] = {}
    for each in mentions:
        if each.imported and each.alias:
            renamed.setdefault(each.path[-1], []).append(each.alias)
    found: set[str] = set()
    pending = [alias for name in own for alias in renamed.get(name, ())]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += renamed.get(name, ())
    return found


def _given(
    tokens: Sequence[Token], bodies: list[tuple[int, int]], own: set[str], ends: dict[int, int]
) -> list[Given]:
    """The tokens of definitions and calls, each once and in order."""
    any_name = any(name.startswith("$") for name in own)
    begins = dict(bodies)
    found: list[Given] = []
    defined = called = 0  # where the present definition and call end
    for place, (text, line) in enumerate(tokens):
        before = text_at(tokens, place - 1)
        if place in begins:
            defined = begins[place]
        if text in _OPEN and before == "!" and (any_name or text_at(tokens, place - 2) in own):
            called = max(called, ends.get(place, len(tokens)))
        if place < max(defined, called):
            after = text_at(tokens, place + 1)
            if (
                after == "::"
                and is_name(text_at(tokens, place + 2))
                and "$" not in text_at(tokens, place + 2)
            ):
                after = "a plain path"
            found.append(Given(text, line, before, after, place < called))
    return found


def _takes_tokens(body: Sequence[Token]) -> bool:
    """Whether a macro takes tokens as they come, and could put them together in any way."""
    return any(
        token.text.startswith("$") and text_at(body, place + 1) == ":" and text_at(body, place + 2) == "tt"
        for place, token in enumerate(body)
    )


def _joins_paths(body: Sequence[Token]) -> bool:
    for place, token in enumerate(body):
        before, after = text_at(body, place - 1), text_at(body, place + 1)
        if token.text == "::" and (before == ")" or before.startswith("$") or after.startswith(("$", "{"))):
            return True
        if token.text in ("use", "crate") and after.startswith(("$", "{")):
            return True
    return False


def _calls_variable(body: Sequence[Token]) -> bool:
    return any(
        token.text.startswith("$") and text_at(body, place + 1) == "!" for place, token in enumerate(body)
    )


def _attribute_of_variable(body: Sequence[Token]) -> bool:
    inside = 0  # brackets open since an attribute began
    for place, token in enumerate(body):
        if inside or (token.text == "[" and "#" in (text_at(body, place - 1), text_at(body, place - 2))):
            inside += (token.text in _OPEN) - (token.text in _CLOSE)
            if token.text.startswith("$"):
                return True
    return False

"""Paths of Rust code, read off its tokens: `use` trees taken apart, and which names stand for the standard library.

Names are followed without their scopes: a name that means the standard library somewhere is taken to mean it
everywhere. That can only find too much, and only in code that gives the library another name, which hardly any does.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rust_expert.judge.tokens import KEYWORDS, Token

LIBRARIES = frozenset({"std", "core", "alloc"})
_RELATIVE = frozenset({"self", "super", "crate", "$crate"})


class Mention(NamedTuple):
    """A path as it is written, `self`, `super` and `crate` in front left out.

    `alias`: the name that it is bound to by `use` or `extern crate`, "" elsewhere. `absolute`: begins with `::`.
    `relative`: began with `self`, `super` or `crate`, so its first name is the code's own. A glob ends in "*".
    """

    path: tuple[str, ...]
    alias: str
    line: int
    imported: bool = False
    absolute: bool = False
    relative: bool = False


def text_at(tokens: Sequence[Token], place: int) -> str:
    """The text of a token, "" outside."""
    return tokens[place].text if 0 <= place < len(tokens) else ""


def is_name(word: str) -> bool:
    """A name, or a macro's variable that may stand for one."""
    return word.removeprefix("$").removeprefix("r#").isidentifier() and word not in KEYWORDS


def read_paths(tokens: Sequence[Token]) -> list[Mention]:
    """Every path of the code, in macros too, single names included."""
    found: list[Mention] = []
    place = 0
    while place < len(tokens):
        word = tokens[place].text
        if word == "use" and text_at(tokens, place + 1) != "<":  # `use<'a, T>` is a bound and no declaration
            place = _use_tree(tokens, place + 1, (), found)
        elif word == "extern" and text_at(tokens, place + 1) == "crate":
            name = text_at(tokens, place + 2)
            renamed = text_at(tokens, place + 4) if text_at(tokens, place + 3) == "as" else name
            found.append(Mention((name,), renamed, tokens[place].line, imported=True, absolute=True))
            place += 3
        elif is_name(word):
            path, end = _path(tokens, place)
            before = text_at(tokens, place - 1)
            absolute = before == "::" and text_at(tokens, place - 2) != ">"
            found.append(_mention(path, "", tokens[place].line, absolute=absolute))
            place = end
        else:
            place += 1
    return found


def _mention(
    path: Sequence[str], alias: str, line: int, *, imported: bool = False, absolute: bool = False
) -> Mention:
    kept = list(path)
    while len(kept) > 1 and kept[0] in _RELATIVE:
        del kept[0]
    return Mention(tuple(kept), alias, line, imported, absolute, len(kept) < len(path))


def _path(tokens: Sequence[Token], place: int) -> tuple[list[str], int]:
    """The names from `place` on that `::` joins, and the place after them. `std::<>::fs` is `std::fs`."""
    path = [tokens[place].text]
    place += 1
    while True:
        after = place + 1 if text_at(tokens, place) == "::" else place
        if text_at(tokens, after) == "<" and text_at(tokens, after + 1) == ">":
            place = after + 2
        elif after > place and is_name(text_at(tokens, after)):
            path.append(tokens[after].text)
            place = after + 1
        else:
            return path, place


def _use_tree(tokens: Sequence[Token], place: int, prefix: tuple[str, ...], found: list[Mention]) -> int:
    """Read the trees of a `use`; returns the place after them. A stack instead of recursion: depth is hostile."""
    stack: list[tuple[str, ...]] = []
    path, absolute, line = prefix, False, tokens[place - 1].line
    while place < len(tokens):
        word, line = tokens[place].text, tokens[place].line
        if word == "::":
            absolute = absolute or not path
        elif word == "{":
            stack.append(path)
        elif word in ("}", ","):
            if not stack:
                return place
            path = stack.pop() if word == "}" else stack[-1]
            absolute = absolute and bool(path)
            if word == "}" and not stack:
                return place + 1
        elif word == "*":
            found.append(_mention((*path, "*"), "", line, imported=True, absolute=absolute))
        elif is_name(word):
            path = path if word == "self" and path else (*path, word)
            after = text_at(tokens, place + 1)
            if after == "as":
                alias = text_at(tokens, place + 2)
                found.append(_mention(path, alias, line, imported=True, absolute=absolute))
                place += 2
            elif after != "::":
                found.append(_mention(path, path[-1], line, imported=True, absolute=absolute))
        else:
            return place
        place += 1
    return place


class Library(NamedTuple):
    """The names under which code knows the standard library, and whether all of it was brought in by a glob.

    `names` gives for each name "std" or "core".
    """

    names: dict[str, str]
    globbed: bool

    def members(self, mention: Mention) -> Iterator[tuple[str, str, str]]:
        """What of the library a path may reach: "std" or "core", the name in it, and the one after that or ""."""
        path = (*mention.path, "", "")
        for place, name in enumerate(mention.path):
            if name in self.names and path[place + 1]:
                yield self.names[name], path[place + 1], path[place + 2]
            elif self.globbed and (mention.imported or path[place + 1]):
                yield "std", name, path[place + 1]


def library_of(mentions: Sequence[Mention], *, made: frozenset[str]) -> Library:
    """Follow renamings and globs of the library's root. `made`: names that macros may put for their variables."""
    bound: dict[str, list[str]] = {}
    for each in mentions:
        if len(each.path) > 1 and each.path[0] in LIBRARIES and each.path[-2:] != (each.path[0], "*"):
            continue  # within the library there is no name for all of it
        if each.imported and each.path[-1] == "*" and len(each.path) > 1:
            bound.setdefault(_one_for_all(each.path[-2]), []).append("*")
        elif each.imported and each.alias:
            bound.setdefault(_one_for_all(each.path[-1]), []).append(each.alias)
    names: dict[str, str] = {}
    globbed = False
    for root in ("std", "core"):
        pending = [root]
        while pending:
            name = pending.pop()
            if name in names:
                continue
            names[name] = root
            pending += bound.get(name, ())
            pending += bound.get("$", ()) if name in made else ()
        globbed = globbed or names.pop("*", "") == root
    return Library(names, globbed)


def _one_for_all(name: str) -> str:
    """Any variable of a macro may be given any name."""
    return "$" if name.startswith("$") else name

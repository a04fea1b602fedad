"""Licence expressions as crates state them: SPDX with OR, AND, WITH and parentheses, and the older slash form.

Grammar (SPDX specification, annex D): AND binds closer than OR; `MIT/Apache-2.0` is cargo's former way to say OR.
"""

import re
from collections.abc import Iterable

from rust_expert.common.errors import UserError

LONGEST = 500
"""Characters; reading what is nested goes as deep as it is."""

_WORD = re.compile(r"\s*(\(|\)|/|[A-Za-z0-9.+:-]+)")


def normal_form(expression: str) -> str:
    """The expression in one spelling: the slash form as OR, single blanks, parentheses where they matter.

    Raises UserError where it is no licence expression.
    """
    return _spell(_parse(expression), outer="OR")


def is_allowed(expression: str, allowed: Iterable[str]) -> bool:
    """Whether a licensee can keep to the licences in `allowed` alone: one side of each OR, both sides of each AND.

    `X WITH exception` counts as allowed where either `X WITH exception` or X itself is allowed, since an exception only
    adds permissions. Raises UserError where the expression cannot be read.
    """
    names = {name.lower() for name in allowed}
    return _holds(_parse(expression), names)


_Tree = str | tuple[str, "_Tree", "_Tree"]


def _holds(tree: _Tree, allowed: set[str]) -> bool:
    if isinstance(tree, str):
        name = tree.lower()
        return name in allowed or name.split(" with ")[0] in allowed
    kind, left, right = tree
    if kind == "OR":
        return _holds(left, allowed) or _holds(right, allowed)
    return _holds(left, allowed) and _holds(right, allowed)


def _spell(tree: _Tree, outer: str) -> str:
    if isinstance(tree, str):
        return tree
    kind, left, right = tree
    text = f"{_spell(left, kind)} {kind} {_spell(right, kind)}"
    return f"({text})" if kind == "OR" and outer == "AND" else text


def _parse(expression: str) -> _Tree:
    words: list[str] = []
    position = 0
    text = expression.strip()
    if len(text) > LONGEST:
        raise _fault(expression)
    while position < len(text):
        found = _WORD.match(text, position)
        if found is None:
            raise _fault(expression)
        words.append(found[1])
        position = found.end()
    tree, rest = _either(words, expression)
    if rest:
        raise _fault(expression)
    return tree


def _either(words: list[str], expression: str) -> tuple[_Tree, list[str]]:
    tree, words = _both(words, expression)
    while words and (words[0].upper() == "OR" or words[0] == "/"):
        right, words = _both(words[1:], expression)
        tree = ("OR", tree, right)
    return tree, words


def _both(words: list[str], expression: str) -> tuple[_Tree, list[str]]:
    tree, words = _one(words, expression)
    while words and words[0].upper() == "AND":
        right, words = _one(words[1:], expression)
        tree = ("AND", tree, right)
    return tree, words


def _one(words: list[str], expression: str) -> tuple[_Tree, list[str]]:
    if not words or words[0] in (")", "/") or words[0].upper() in ("OR", "AND", "WITH"):
        raise _fault(expression)
    if words[0] == "(":
        tree, rest = _either(words[1:], expression)
        if not rest or rest[0] != ")":
            raise _fault(expression)
        return tree, rest[1:]
    name, rest = words[0], words[1:]
    if rest and rest[0].upper() == "WITH":
        if len(rest) < 2 or not re.match(r"[A-Za-z0-9]", rest[1]):
            raise _fault(expression)
        return f"{name} WITH {rest[1]}", rest[2:]
    return name, rest


def _fault(expression: str) -> UserError:
    return UserError(f"{expression[:LONGEST]!r} is no licence expression; write it like `MIT OR Apache-2.0`")

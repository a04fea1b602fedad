"""The tokens of Rust code, by the language's own lexical rules; comments and the insides of literals are left out.

Not the leaves of the parser's tree: a parser that goes on after a fault may see a string where the compiler sees code,
and whatever decides what a sample may do has to see what the compiler sees. Where a literal or a comment does not end,
the compiler stops before it expands anything; here what follows is read as code.
"""

import functools
import re
import unicodedata
from typing import NamedTuple

_SPACE = "\t\n\v\f\r \u0085\u200e\u200f\u2028\u2029"
"""What Rust takes for white space between tokens: two marks of direction included, no-break spaces not."""
_START = rf"(?:[A-Za-z_]|[^\x00-\x7f{_SPACE}])"
_NAME = rf"(?:{_START}(?:[0-9]|{_START})*)"
KEYWORDS = frozenset(
    {
        "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "false", "fn",
        "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return",
        "static", "struct", "trait", "true", "type", "unsafe", "use", "where", "while",
    }
)  # fmt: skip
_PLAIN = rf"(?P<space>[{_SPACE}]+)|(?P<name>(?:r\#)?{_NAME})|(?P<number>[0-9]\w*)|(?P<sign>"
_PLAIN += r"::|->|=>|==|!=|<=|>=|&&|\|\||\.\.=|\.\.\.|\.\.|[-+*/%^&|]=|.)"
_LITERAL = (
    r"""(?P<comment>//[^\n]*|/\*)|(?P<raw>(?:b|(?P<c>c))?r(?P<marks>\#*)")|(?P<text>[bc]?"(?:[^"\\]|\\.)*")"""
)
_LITERAL += rf"""|(?P<char>b?'(?:[^\\]|\\[^\n][^'\n]*)')|(?P<lifetime>'{_NAME}'?)|"""
_TOKEN = re.compile(_LITERAL + _PLAIN, re.DOTALL)
_AFTER_A_FAULT = re.compile(_PLAIN, re.DOTALL)
_DOC = re.compile(r"//!|///(?!/)|/\*!|/\*\*(?![*/])")
_COMMENT_MARK = re.compile(r"/\*|\*/")
MARKS = frozenset("\u200e\u200f")
"""Marks of direction, which are white space to the compiler and may be anything to a reader; each is a token here."""
UNCLEAR = 'cr""'
"""A literal that ends at another place in another edition."""


class Token(NamedTuple):
    """One token and the line that it begins on, from 1."""

    text: str
    line: int


def read_tokens(code: str) -> list[Token]:
    """Every token in order, in macros too. Literals of text become `""`; a raw name loses its `r#` unless it is a
    keyword; names are in normal form, as the compiler compares them; a macro's variable is one token, `$name`."""
    return list(_read(code))


@functools.lru_cache(maxsize=64)  # policy and sharing read the same text one after the other
def _read(code: str) -> tuple[Token, ...]:
    found: list[Token] = []
    pattern, position, line, counted = _TOKEN, _beginning(code), 1, 0
    while (match := pattern.match(code, position)) is not None:
        kind, begin, text = match.lastgroup, position, match[0]
        position = match.end()
        if kind == "space" and not text.isascii():
            found += [Token(mark, line) for mark in text if mark in MARKS]
        if kind == "space" or (kind == "comment" and text != "/*"):
            continue
        line, counted = line + code.count("\n", counted, begin), begin
        if kind in ("comment", "raw"):
            end = _comment_end(code, position) if kind == "comment" else _raw_end(code, match)
            if end is None:
                pattern, position = _AFTER_A_FAULT, begin
            else:
                position = end
                if kind == "raw":
                    found.append(Token(_raw(code[begin:end], match), line))
        elif text == '"':
            pattern = _AFTER_A_FAULT
        elif kind in ("text", "char"):
            found.append(Token('""', line))
        elif kind != "name":
            found.append(Token(text, line))
        elif found and found[-1].text == "$":
            found[-1] = Token("$" + _normal(text), found[-1].line)
        else:
            found.append(Token(_normal(text), line))
    return tuple(found)


def tokens_of(code: str) -> list[str]:
    """The texts of `read_tokens`, without marks of direction."""
    return [token.text for token in read_tokens(code) if token.text not in MARKS]


def _beginning(code: str) -> int:
    """The place after a byte order mark and a first line for the shell; `#!` begins none where `[` follows."""
    start = int(code.startswith("\ufeff"))
    if not code.startswith("#!", start):
        return start
    position = start + 2
    while (match := _TOKEN.match(code, position)) and match.lastgroup in ("space", "comment"):
        if _DOC.match(code, position):
            break
        position = match.end()
        if match[0] == "/*":
            position = _comment_end(code, position) or len(code)
    end = code.find("\n", start)
    return start if code.startswith("[", position) else len(code) if end < 0 else end


def _normal(name: str) -> str:
    name = name if name.isascii() else unicodedata.normalize("NFC", name)
    bare = name.removeprefix("r#")
    return name if bare in KEYWORDS else bare


def _raw(literal: str, match: re.Match[str]) -> str:
    """A raw literal's token: `""`, or UNCLEAR where an old edition, which does not know `cr`, ends it elsewhere."""
    inside = literal[len(match[0]) : len(literal) - len(match["marks"]) - 1]
    return UNCLEAR if match["c"] and ("\\" in inside or '"' in inside) else '""'


def _raw_end(code: str, match: re.Match[str]) -> int | None:
    """The place after a raw literal that `match` opens; None where it never ends."""
    closing = '"' + match["marks"]
    end = code.find(closing, match.end())
    return None if end < 0 else end + len(closing)


def _comment_end(code: str, position: int) -> int | None:
    """The place after a block comment whose inside begins at `position`; None where it never ends."""
    depth = 1
    while depth and (mark := _COMMENT_MARK.search(code, position)) is not None:
        depth += 1 if mark[0] == "/*" else -1
        position = mark.end()
    return position if not depth else None

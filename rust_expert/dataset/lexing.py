"""Rust source as a stream of tokens, comments told apart; also plain words and fenced code.

A lexer by regular expression rather than the parser: cleaning compares tens of thousands of texts, half of
them fragments or prose that no parser accepts, and needs tokens only.
"""

import re

COMMENT, STRING, CHAR, LIFETIME, NUMBER, IDENT, PUNCT = (
    "comment",
    "string",
    "char",
    "lifetime",
    "number",
    "ident",
    "punct",
)
"""The kinds of tokens."""

Token = tuple[str, str]
"""Kind and text."""

# Block comments nest in Rust; three levels are written out, and one that never closes runs to the end. The
# possessive quantifiers keep a hostile text linear.
_PLAIN = r"[^*/]++|\*(?!/)|/(?!\*)"
_NEST = rf"/\*(?:{_PLAIN}|/\*(?:{_PLAIN}|/\*(?:{_PLAIN})*+\*/)*+\*/)*+\*/"

_TOKEN = re.compile(
    rf"""
      (?P<comment>//[^\n]*+|{_NEST}|/\*[\s\S]*+)
    | (?P<string>[bc]?"(?:[^"\\]|\\[\s\S])*+"|(?:br|cr|r)(?P<hashes>\#*+)"[\s\S]*?"(?P=hashes))
    | (?P<char>b?'(?:[^'\\\n]|\\u\{{[^}}\n]*\}}|\\x[0-9a-fA-F]{{2}}|\\.)')
    | (?P<lifetime>'[^\W\d]\w*+)
    | (?P<number>\d\w*+(?:\.\d\w*+)?(?:(?<=[eE])[+-]\d\w*+)?)
    | (?P<ident>(?:r\#)?[^\W\d]\w*+)
    | (?P<punct>::|->|=>|==|!=|<=|>=|&&|\|\||\.\.=|\.\.|\S)
    """,
    re.VERBOSE,
)
_CHARACTER = r"(?:[^\n\x80-\xff]|[\xc0-\xff][\x80-\xbf]*+)"
_STRING = r"\"(?:[^\"\\]|\\[\s\S])*+\""
_RAW = r"(?P<{0}>\#*+)\"[\s\S]*?\"(?P={0})"
_QUOTED = rf"'(?:(?![\\']){_CHARACTER}|\\u\{{[^}}\n]*\}}|\\x[0-9a-fA-F]{{2}}|\\{_CHARACTER})'"

REGION = re.compile(
    rf"""
      //[^\n]*+|{_NEST}|/\*[\s\S]*+
    | {_STRING}
    | {_QUOTED}
    | '[A-Za-z_]\w*+
    | b(?<!\wb)(?:{_STRING}|r{_RAW.format("b")}|{_QUOTED})
    | c(?<!\wc)(?:{_STRING}|r{_RAW.format("c")})
    | r(?<!\wr)(?:{_RAW.format("r")}|\#[A-Za-z_]\w*+)
    """.encode(),
    re.VERBOSE,
)
"""On bytes, what cannot be found letter by letter: comments, strings, characters, lifetimes, raw names.

As `tokens` finds them, where nothing but these holds characters of other scripts. Each branch begins with a
letter of its own, which makes the search ten times as fast.
"""

_WORD = re.compile(r"[A-Za-z0-9_]+")
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)


def tokens(text: str) -> list[Token]:
    """Every token of `text`, comments included, in order; any text can be read."""
    # `hashes` closes inside `string`, so lastgroup names the outer group.
    return [(match.lastgroup or PUNCT, match.group()) for match in _TOKEN.finditer(text)]


def code_tokens(text: str) -> list[Token]:
    """The tokens of `text` without its comments."""
    return [token for token in tokens(text) if token[0] != COMMENT]


def words(text: str) -> list[str]:
    """The words of `text`, code and comments alike: runs of ASCII letters, digits and underscores."""
    return _WORD.findall(text)


def fenced(text: str) -> list[str]:
    """The contents of the Markdown code fences in `text`, in order; one that never closes runs to the end."""
    return [match.group(2) for match in _FENCE.finditer(text)]


def code_in(text: str) -> list[str]:
    """The pieces of `text` that hold code: its fences, or the whole of it where it has none."""
    return fenced(text) or [text]

"""Colours for Rust code in the report: a lexer that never loses, adds or reorders a character of its input.

The code comes from a model and need not be Rust at all, so the lexer only ever steps forward and each step takes time
in proportion to what it consumes.
"""

import re
from collections.abc import Iterator

from rust_expert.report.html import Html, el, escape, join

KEYWORDS = frozenset({
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "fn", "for", "if",
    "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "Self", "static",
    "struct", "super", "trait", "type", "union", "unsafe", "use", "where", "while", "yield",
})  # fmt: skip
LITERALS = frozenset({"true", "false", "None", "Some", "Ok", "Err"})
PRIMITIVES = frozenset({
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    "f32", "f64",
})  # fmt: skip

_TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*)
  | (?P<raw>\bb?r(?P<hashes>\#{0,16})")
  | (?P<string>(?:\bb)?"(?:[^"\\]|\\.)*+"?)
  | (?P<char>(?:\bb)?'(?:[^'\\\n]|\\(?:u\{[0-9a-fA-F_]{1,8}\}|x[0-9a-fA-F]{2}|.))')
  | (?P<lifetime>'[^\W\d]\w*)
  | (?P<number>\b\d[\w]*+(?:\.\d[\w]*+)?)
  | (?P<attribute>\#!?\[[^\]\n]{0,200}\])
  | (?P<word>[^\W\d]\w*+)
  | (?P<space>\s++)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(code: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each piece of `code`, in order; the texts joined are `code` itself.

    Kinds: comment, string, number, lifetime, attribute, keyword, literal, type, macro, function, and the empty
    kind for all else.
    """
    position, before = 0, ""
    while position < len(code):
        if code.startswith("/*", position):
            kind, end = "comment", _end_of_block(code, position)
        else:
            kind, end = _next(code, position)
        text = code[position:end]
        if not kind and before == "fn" and not text.isspace():
            kind = "function"
        yield kind, text
        if not text.isspace():
            before = text
        position = end


def _next(code: str, position: int) -> tuple[str, int]:
    match = _TOKEN.match(code, position)
    if match is None:
        return "", position + 1
    kind = match.lastgroup or ""
    if kind == "raw":
        close = code.find('"' + match["hashes"], match.end())
        return "string", len(code) if close < 0 else close + 1 + len(match["hashes"])
    if kind == "word":
        return _kind_of_word(code, match), match.end()
    return {"char": "string", "space": ""}.get(kind, kind), match.end()


def _kind_of_word(code: str, match: re.Match[str]) -> str:
    word, after = match.group(), code[match.end() : match.end() + 2]
    if word in KEYWORDS:
        return "keyword"
    if word in LITERALS:
        return "literal"
    if after.startswith("!") and after != "!=":
        return "macro"
    if word in PRIMITIVES or (word[0].isupper() and not (word.isupper() and len(word) > 1)):
        return "type"
    return "function" if after.startswith("(") else ""


def _end_of_block(code: str, position: int) -> int:
    """Where a block comment ends; they nest, and an open one runs to the end."""
    depth, at = 0, position
    for mark in re.finditer(r"/\*|\*/", code[position:]):
        depth += 1 if mark.group() == "/*" else -1
        at = position + mark.end()
        if depth == 0:
            return at
    return len(code)


def coloured(code: str) -> Html:
    """The code as spans of classes `k-comment`, `k-string` and so on; every character of it escaped."""
    pieces: list[Html] = []
    plain: list[str] = []
    for kind, text in tokens(code):
        if not kind:
            plain.append(text)
            continue
        pieces += [escape("".join(plain)), el("span", text, cls=f"k-{kind}")]
        plain = []
    return join(*pieces, escape("".join(plain)))


def shortened(code: str, lines: int, width: int = 160) -> tuple[str, int]:
    """The first `lines` lines, none over `width` characters, and how many lines were left out."""
    every = code.strip("\n").split("\n")
    kept = [line if len(line) <= width else line[:width] + " …" for line in every[:lines]]
    return "\n".join(kept), max(len(every) - lines, 0)

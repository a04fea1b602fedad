"""Just enough of Rust's lexical rules to tell code from comments and texts, at a hundred times the parser's speed.

Every pattern is linear: each branch that begins also ends, at the file's end if need be, and nothing is tried twice.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

DOC = b"\x01"
"""Stands in blanked code where an outer doc comment begins."""

TEXT = b"\xff"
"""Stands in marked code where a text or character begins; no UTF-8 holds it."""

DEEPEST = 250
"""Brackets within brackets; rustc itself gives up at a few thousand, no person writes thirty."""


def _block(inner: bytes) -> bytes:
    """A block comment with `inner` ones inside; the innermost level takes a further `/*` for plain text."""
    plain = rb"[^*/]++|\*(?!/)" + (rb"|/(?!\*)|" + inner if inner else rb"|/")
    return rb"/\*(?:" + plain + rb")*+(?:\*/|\Z)"


# Line comments that follow each other are one match: there are more of them than of all the rest.
_COMMENT = rb"//[^\n]*+(?:\n[ \t]*+//[^\n]*+)*+|" + _block(_block(_block(b"")))
_RAW = rb"r(?P<hashes>\#*+)\"(?:[\s\S]*?\"(?P=hashes)|(?P<endless>[\s\S]*+))"
_QUOTED = (
    rb"\"(?:[^\"\\]++|\\[\s\S])*+(?:\"|\\?\Z)"
    rb"|'(?:[^'\\\n\x80-\xff]|[\xc0-\xff][\x80-\xbf]*+|\\(?:u\{[^}\n']*+\}|x[0-9a-fA-F]{2}|[^\n]))'"
)
_TOKEN = re.compile(rb"(" + _COMMENT + rb"|" + _RAW + rb"|" + _QUOTED + rb")")
_TOKEN_WITHOUT_RAW = re.compile(rb"(" + _COMMENT + rb"|" + _QUOTED + rb")")
"""For files without raw texts, in which each letter r need not be looked at."""
_SLASH = ord("/")
_DOC_LINES = re.compile(rb"(?:^|\n[ \t]*+)(///)(?:\n[ \t]*+///)*+([^/\n]?)")
"""Docs, up to the first sign in one of their lines. What has none, or is no docs (`////`), is matched too: no line is
looked at twice.
"""
_BLANK = bytes(byte if byte == 0x0A else 0x20 for byte in range(256))
_TEXT_BLANK = bytes.maketrans(TEXT, b" ")
_NO_BRACKETS = bytes(set(range(256)) - set(b"(){}[]"))
_DEPTHS = np.zeros(256, dtype=np.int32)
_DEPTHS[list(b"([{")], _DEPTHS[list(b")]}")] = 1, -1


class Lexed(NamedTuple):
    """Source in which blanks of equal length stand for comments and texts, line ends kept.

    In `bare` they stand for comments alone. In `marked` they stand for both, DOC where the first outer doc of some
    comments below each other begins, and TEXT where a text or character does; the prefix of a text (`b`, `c`) stays.
    `endless`: a raw text never ends.
    """

    bare: bytes
    marked: bytes
    endless: bool


def lexed(source: bytes) -> Lexed:
    """Read the comments and texts of `source`; an unfinished one reaches to the end."""
    if DOC in source:
        source = source.replace(DOC, b" ")
    endless = False
    if b'r"' in source or b"r#" in source:
        parts = _TOKEN.split(source)  # code, token, its hashes, its endless text; code, ..
        endless = any(part is not None for part in parts[3::4])
        del parts[3::4], parts[2::3]
    else:
        parts = _TOKEN_WITHOUT_RAW.split(source)
    bare = parts.copy()
    for place, token in enumerate(parts[1::2]):
        blank = token.translate(_BLANK)
        if token[0] == _SLASH:
            bare[2 * place + 1] = blank
            parts[2 * place + 1] = _marked(token, blank)
        else:
            parts[2 * place + 1] = TEXT + blank[1:]
    return Lexed(b"".join(bare), b"".join(parts), endless)


def _marked(comment: bytes, blank: bytes) -> bytes:
    """The blanks of a block comment or a run of line comments, with DOC where its first outer doc begins."""
    if comment.startswith(b"/*"):
        is_doc = (
            comment.startswith(b"/**") and not comment.startswith((b"/***", b"/**/")) and len(comment) > 3
        )
        return DOC + blank[1:] if is_doc else blank
    if b"///" not in comment:
        return blank
    start = next((found.start(1) for found in _DOC_LINES.finditer(comment) if found[2]), None)
    return blank if start is None else blank[:start] + DOC + blank[start + 1 :]


def comments_in(source: bytes) -> Iterator[tuple[int, int]]:
    """First byte and the byte after the last of each block comment and each run of line comments below each other."""
    pattern = _TOKEN if b'r"' in source or b"r#" in source else _TOKEN_WITHOUT_RAW
    for found in pattern.finditer(source):
        if source[found.start()] == _SLASH:
            yield found.span()


def without_texts(marked: bytes) -> bytes:
    """Marked code with blanks in the place of TEXT."""
    return marked.translate(_TEXT_BLANK)


def blanked(source: bytes) -> bytes:
    """`source` with comments and texts replaced by blanks of equal length, line ends kept; DOC marks outer docs.

    An unfinished comment or text reaches to the end.
    """
    return without_texts(lexed(source).marked)


def fault_in(read: Lexed) -> str:
    """Why a file is not fit for parsing, "" where it is.

    The parser's time grows with the square of a raw text that never ends, and what is read off its tree with the square
    of the depth.
    """
    if read.endless:
        return "a raw text in it never ends"
    if _depth(read.marked) > DEEPEST:
        return f"brackets nested more than {DEEPEST} deep"
    return ""


def _depth(marked: bytes) -> int:
    """How deep brackets of any kind nest; one that closes nothing counts for nothing."""
    brackets = np.frombuffer(marked.translate(None, _NO_BRACKETS), dtype=np.uint8)
    if len(brackets) <= DEEPEST:
        return 0
    height = np.cumsum(_DEPTHS[brackets], dtype=np.int32)
    return int(np.max(height - np.minimum(np.minimum.accumulate(height), 0)))

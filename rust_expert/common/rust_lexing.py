"""Just enough of Rust's lexical rules to tell code from comments and texts, at a hundred times the parser's speed.

Every pattern is linear: each branch that begins also ends, at the file's end if need be, and nothing is tried twice.
"""

import re

DOC = b"\x01"
"""Stands in blanked code where an outer doc comment begins."""

DEEPEST = 250
"""Brackets within brackets; rustc itself gives up at a few thousand, no person writes thirty."""


def _block(inner: bytes) -> bytes:
    """A block comment with `inner` ones inside; the innermost level takes a further `/*` for plain text."""
    plain = rb"[^*/]++|\*(?!/)" + (rb"|/(?!\*)|" + inner if inner else rb"|/")
    return rb"/\*(?:" + plain + rb")*+(?:\*/|\Z)"


_TOKEN = re.compile(
    rb"//[^\n]*+"
    rb"|" + _block(_block(_block(b""))) +
    rb"|r(?P<hashes>\#*+)\"(?:[\s\S]*?\"(?P=hashes)|(?P<endless>[\s\S]*+))"
    rb"|\"(?:[^\"\\]++|\\[\s\S])*+(?:\"|\\?\Z)"
    rb"|'(?:[^'\\\n\x80-\xff]|[\xc0-\xff][\x80-\xbf]*+|\\(?:u\{[^}\n']*+\}|x[0-9a-fA-F]{2}|[^\n]))'"
)  # fmt: skip
_RAW_TEXT = re.compile(rb"r#*+\"")
_BLANK = bytes(byte if byte == 0x0A else 0x20 for byte in range(256))

_ROUND = bytes.maketrans(b"{[]}", b"(())")
_NO_BRACKETS = bytes(set(range(256)) - set(b"(){}[]"))


def blanked(source: bytes) -> bytes:
    """`source` with comments and texts replaced by blanks of equal length, line ends kept; DOC marks outer docs.

    An unfinished comment or text reaches to the end.
    """
    return _TOKEN.sub(_blank_of, source.replace(DOC, b" "))


def _blank_of(found: re.Match[bytes]) -> bytes:
    text: bytes = found[0]
    blank = text.translate(_BLANK)
    is_doc = text.startswith((b"///", b"/**")) and not text.startswith((b"////", b"/***", b"/**/"))
    return DOC + blank[1:] if is_doc and len(text) > 3 else blank


def fault_in(source: bytes) -> str:
    """Why a file is not fit for parsing, "" where it is.

    The parser's time grows with the square of a raw text that never ends, and what is read off its tree with the square
    of the depth.
    """
    # Both are rare, so the file is looked at closer only where a glance at all its bytes says that it may be so.
    if _RAW_TEXT.search(source) and any(found["endless"] is not None for found in _TOKEN.finditer(source)):
        return "a raw text in it never ends"
    if _too_deep(source) and _too_deep(blanked(source)):
        return f"brackets nested more than {DEEPEST} deep"
    return ""


def _too_deep(source: bytes) -> bool:
    """Whether brackets nest deeper than DEEPEST; each round takes away the innermost ones."""
    rest = source.translate(_ROUND, _NO_BRACKETS)
    for _ in range(DEEPEST):
        shorter = rest.replace(b"()", b"")
        if len(shorter) == len(rest):
            return rest.count(b"(") > DEEPEST  # never closed
        rest = shorter
    return bool(rest)

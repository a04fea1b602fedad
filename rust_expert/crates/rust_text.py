"""Figures of Rust source, counted on its text: documentation, `unsafe`, lengths of lines, what one platform alone has.

Items that are compiled for tests alone are cut out first, as they are where items are made of the rest.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rust_expert.common.crate_files import SourceFile
from rust_expert.common.rust_lexing import DOC
from rust_expert.common.rust_tests import ATTRIBUTE

_DOC_ATTRIBUTE = re.compile(rb"#\[\s*doc\s*=[^\[\]]*+\]")
_HIDDEN_ATTRIBUTE = re.compile(rb"#\[\s*doc\s*\(\s*hidden\s*\)\s*\]")
_HIDDEN = b"\x02"
# Each of these begins with a word of its own, which the search jumps to; the lookbehind makes it a whole word.
_PUBLIC = (
    rb"pub(?<!\wpub)\s++(?:(?:(?:const|async|unsafe|safe|extern|default)\s++)*+"
    rb"(?:(?:fn|struct|enum|union|trait|type|static)\s++\w++|mod\s++\w++\s*+\{)|const\s++\w++\s*+:)"
)  # `pub mod name;` is documented inside its own file
_ANY_ITEM = re.compile(_PUBLIC)
_DOCUMENTED_ITEM = re.compile(DOC + rb"\s*+" + _PUBLIC)
_HIDDEN_ITEM = re.compile(_HIDDEN + rb"\s*+" + _PUBLIC)
_UNSAFE = re.compile(rb"unsafe(?<!\wunsafe)\b")
_CONDITION = re.compile(
    rb"cfg(?<!\wcfg)(?:_attr)?!?\((?:[^()]++|\((?:[^()]++|\((?:[^()]++|\([^()]*+\))*+\))*+\))*+\)"
)
_PLATFORM = re.compile(rb"\b(?:target_(?:os|arch|family|vendor|env|abi|feature)|windows|unix)\b")
_PLATFORM_PATHS = {
    path: re.compile(rb"\b" + path + rb"\b") for path in (b"std::os", b"std::arch", b"core::arch")
}

_INSIDE_CHARACTER = bytes(range(0x80, 0xC0))
_BLANKS_IN_LINES = b" \t\r\f\v" + DOC
_LINE_END = 10

_Bytes = npt.NDArray[np.uint8]


class Measures(NamedTuple):
    """Figures of Rust source. A line is full where it is not blank, a line of code where it is more than a comment."""

    code_lines: int = 0
    full_lines: int = 0
    characters: int = 0
    """Of the full lines, without blanks at their ends."""
    longest_line: int = 0
    signs: int = 0
    """Characters that are no blanks."""
    letters: int = 0
    """Those of them that are letters; every character beyond ASCII counts as one."""
    public_items: int = 0
    documented_items: int = 0
    unsafe_uses: int = 0
    platform_uses: int = 0
    """Conditions on the platform (`cfg(windows)`, `target_arch`) and paths that only one has (`std::os`)."""


def measures_of(files: Sequence[SourceFile]) -> Measures:
    """The figures of a crate's own library code.

    A public item counts as documented where a doc comment or #[doc] stands before it. What is marked `#[doc(hidden)]`
    is not public.
    """
    sources = [_without(file.source, file.tests) for file in files]
    codes = [_without(file.code, file.tests) for file in files]
    found = Counter[str]()
    for code in codes:
        found.update(_counts(code))
    text = b"\n".join(sources)
    if not text.isascii():
        text = text.translate(None, _INSIDE_CHARACTER)
    signs = np.frombuffer(text, dtype=np.uint8)
    lengths = _line_lengths(text, signs)
    blanks = np.count_nonzero(signs == ord(" ")) + np.count_nonzero(signs - 9 < 5)
    letters = np.count_nonzero((signs | 0x20) - ord("a") < 26) + np.count_nonzero(signs >= 0xC0)
    return Measures(
        code_lines=_code_lines(b"\n".join(codes)),
        full_lines=int(np.count_nonzero(lengths)),
        characters=int(lengths.sum()),
        longest_line=int(lengths.max()),
        signs=len(text) - int(blanks),
        letters=int(letters),
        **found,
    )


def _counts(code: bytes) -> dict[str, int]:
    """What is counted in one file's blanked code."""
    conditions = [found[0] for found in _CONDITION.finditer(code)]
    marked = _HIDDEN_ATTRIBUTE.sub(_HIDDEN, _DOC_ATTRIBUTE.sub(DOC, code)) if b"doc" in code else code
    bare = ATTRIBUTE.sub(b"", marked)
    return {
        "public_items": len(_ANY_ITEM.findall(bare))
        - (len(_HIDDEN_ITEM.findall(bare)) if _HIDDEN in bare else 0),
        "documented_items": len(_DOCUMENTED_ITEM.findall(bare)),
        "unsafe_uses": len(_UNSAFE.findall(code)) if b"unsafe" in code else 0,
        "platform_uses": sum(map(bool, map(_PLATFORM.search, conditions)))
        + sum(len(pattern.findall(bare)) for path, pattern in _PLATFORM_PATHS.items() if path in bare),
    }


def is_conditional(file: SourceFile) -> bool:
    """Whether all of a file is under a condition on the platform: `#![cfg(windows)]`."""
    heads = (found[0] for found in ATTRIBUTE.finditer(file.code) if found[0].startswith(b"#!"))
    return any(re.match(rb"#!\[\s*cfg\s*\(", head) and _PLATFORM.search(head) for head in heads)


def _line_lengths(text: bytes, signs: _Bytes) -> npt.NDArray[np.int64]:
    """The length of each line without the blanks at its end; `signs` are the bytes of `text`."""
    ends = np.append(np.flatnonzero(signs == _LINE_END), len(signs))
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths: npt.NDArray[np.int64] = ends - starts
    last = signs[ends - 1] if len(signs) else signs
    for line in np.flatnonzero((lengths > 0) & ((last == ord(" ")) | (last - 9 < 5))):
        lengths[line] = len(text[starts[line] : ends[line]].rstrip())
    return lengths


def _code_lines(code: bytes) -> int:
    """How many lines hold more than blanks."""
    line_ends = np.frombuffer(b"\n" + code.translate(None, _BLANKS_IN_LINES), dtype=np.uint8) == _LINE_END
    return int(np.count_nonzero(line_ends[:-1] > line_ends[1:]))


def _without(text: bytes, spans: list[tuple[int, int]]) -> bytes:
    if not spans:
        return text
    edges = [0, *(place for span in spans for place in span), len(text)]
    return b"".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))

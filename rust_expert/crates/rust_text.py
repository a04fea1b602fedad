"""Figures of Rust source, counted on its text: documentation, `unsafe`, lengths of lines, what one platform alone has.

Items that are compiled for tests alone are cut out first, as they are where items are made of the rest.
"""

import re
from dataclasses import dataclass, fields
from pathlib import Path

from rust_expert.common.crate_files import read_source, source_files
from rust_expert.common.rust_lexing import DOC, blanked

_TEST_FILE = re.compile(rb"#!\[\s*cfg\s*\(\s*test\s*\)")
_TEST_ITEM = re.compile(
    rb"#\[\s*(?:cfg\s*\(\s*(?:test\s*\)|all\s*\([^()]*\btest\b)|(?:\w+\s*::\s*)*+(?:test|bench)\s*[](])"
)
_EDGE = re.compile(rb"[()\[\]{};]")
_ATTRIBUTE = re.compile(rb"#!?\[(?:[^\[\]]++|\[(?:[^\[\]]++|\[[^\[\]]*+\])*+\])*+\]")
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
_PLATFORM_PATHS = tuple(map(re.compile, (rb"std::os\b", rb"std::arch\b", rb"core::arch\b")))

_INSIDE_CHARACTER = bytes(range(0x80, 0xC0))
_NO_LETTER = bytes(byte for byte in range(0xC0) if not chr(byte).isalpha() or byte >= 0x80)
_BLANKS = b" \t\r\n\f\v"


@dataclass(frozen=True)
class Measures:
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

    def __add__(self, other: "Measures") -> "Measures":
        sums = {each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        return Measures(**sums | {"longest_line": max(self.longest_line, other.longest_line)})


def measures_of(root: Path) -> Measures:
    """The figures of a crate's own library code; files that cannot be used are left out, as they are later."""
    total = Measures()
    for name in source_files(root)[0]:
        source, reason = read_source(root / name)
        if not reason:
            total += measure(source)
    return total


def is_conditional(source: bytes) -> bool:
    """Whether all of a file is under a condition on the platform: `#![cfg(windows)]`."""
    heads = (found[0] for found in _ATTRIBUTE.finditer(blanked(source)) if found[0].startswith(b"#!"))
    return any(re.match(rb"#!\[\s*cfg\s*\(", head) and _PLATFORM.search(head) for head in heads)


def measure(source: bytes) -> Measures:
    """The figures of one file. A public item counts as documented where a doc comment or #[doc] stands before it.

    What is marked `#[doc(hidden)]` is not public.
    """
    code = blanked(source)
    spans = spans_of_tests(code)
    if spans:
        source, code = _without(source, spans), _without(code, spans)
    conditions = [found[0] for found in _CONDITION.finditer(code)]
    marked = _HIDDEN_ATTRIBUTE.sub(_HIDDEN, _DOC_ATTRIBUTE.sub(DOC, code))
    bare = _ATTRIBUTE.sub(b"", marked)
    lines = source.translate(None, _INSIDE_CHARACTER).split(b"\n")
    lengths = list(filter(None, map(len, map(bytes.rstrip, lines))))
    return Measures(
        code_lines=sum(map(bool, map(bytes.strip, code.replace(DOC, b" ").split(b"\n")))),
        full_lines=len(lengths),
        characters=sum(lengths),
        longest_line=max(lengths, default=0),
        signs=len(source.translate(None, _INSIDE_CHARACTER + _BLANKS)),
        letters=len(source.translate(None, _NO_LETTER)),
        public_items=len(_ANY_ITEM.findall(bare)) - len(_HIDDEN_ITEM.findall(bare)),
        documented_items=len(_DOCUMENTED_ITEM.findall(bare)),
        unsafe_uses=len(_UNSAFE.findall(code)),
        platform_uses=sum(map(bool, map(_PLATFORM.search, conditions)))
        + sum(len(path.findall(bare)) for path in _PLATFORM_PATHS),
    )


def spans_of_tests(code: bytes) -> list[tuple[int, int]]:
    """The places, in blanked code, of the items that are compiled for tests alone, in order, attributes included."""
    if _TEST_FILE.search(code):
        return [(0, len(code))]
    spans: list[tuple[int, int]] = []
    position = 0
    while (found := _TEST_ITEM.search(code, position)) is not None:
        position = max(_end_of_item(code, found.start()), found.end())
        spans.append((found.start(), position))
    return spans


def _end_of_item(code: bytes, start: int) -> int:
    """Behind the `;` or the closing `}` of the item whose first attribute begins at `start`."""
    depth = 0
    for edge in _EDGE.finditer(code, start):
        sign = edge[0]
        if depth == 0 and sign == b"{":
            return _closing(code, edge.end())
        if depth == 0 and sign == b";":
            return edge.end()
        depth += (sign in b"([{") - (sign in b")]}")
        if depth < 0:
            return edge.start()  # the end of what encloses it: a field, or an arm of a match
    return len(code)


def _closing(code: bytes, start: int) -> int:
    """Behind the `}` that closes a brace opened just before `start`."""
    depth = 1
    while depth:
        end = code.find(b"}", start) + 1
        if not end:
            return len(code)
        depth += code.count(b"{", start, end) - 1
        start = end
    return start


def _without(text: bytes, spans: list[tuple[int, int]]) -> bytes:
    edges = [0, *(place for span in spans for place in span), len(text)]
    return b"".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))

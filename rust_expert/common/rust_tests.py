"""What is compiled for tests alone, found in a file's text."""

import re

_TEST_FILE = re.compile(rb"#!\[\s*cfg\s*\(\s*test\s*\)")
_TEST_ITEM = re.compile(
    rb"#\[\s*(?:cfg\s*\(\s*(?:test\s*\)|all\s*\([^()]*\btest\b)|(?:\w+\s*::\s*)*+(?:test|bench)\s*[](])"
)
_EDGE = re.compile(rb"[()\[\]{};]")
ATTRIBUTE = re.compile(rb"#!?\[(?:[^\[\]]++|\[(?:[^\[\]]++|\[[^\[\]]*+\])*+\])*+\]")
_MODULE = re.compile(
    rb"(?:" + ATTRIBUTE.pattern + rb"\s*+)++(?:pub(?:\s*+\([^()]*+\))?\s++)?mod\s++\w++\s*+\{"
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


def emptied(source: bytes, code: bytes, spans: list[tuple[int, int]]) -> bytes:
    """`source` with blanks between the brackets of the modules among `spans`, which are in blanked `code`.

    A fifth of what well-known crates hold are tests; the parser need not read what nobody looks at.
    """
    pieces: list[bytes] = []
    place = 0
    for start, end in spans:
        head = _MODULE.match(code, start, end)
        if head is not None and _closing(code, head.end()) == end:
            pieces += [source[place : head.end()], b" " * (end - 1 - head.end())]
            place = end - 1
    return b"".join([*pieces, source[place:]]) if pieces else source


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

"""Documentation as text: taken out of code, and cleaned for people who see it without rustdoc."""

import re
from collections.abc import Iterable, Iterator

from rust_expert.common.rust_lexing import comments_in
from rust_expert.syntax.attributes import attribute_name, is_inner_doc, is_outer_doc
from rust_expert.syntax.parser import descend, parse

_FENCE = re.compile(r"^\s{0,3}(```+|~~~+)(.*)$")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_DEFINITION = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*\S+.*$")
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|`[^`]*`)+)\](?:\([^()\s]*(?:\s+\"[^\"]*\")?\)|\[[^\[\]]*\])")
_SHORT_LINK = re.compile(r"(?<![\w`\])])\[(`[^`\[\]]+`|[A-Za-z_][\w:!()]*)\](?![(\[:])")
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_DOC_COMMENT = re.compile(rb"///(?!/)|//!|/\*\*(?![*/])|/\*!")
_DOC_ATTRIBUTE = re.compile(rb"\[\s*+doc\b")
_LINE_COMMENT = re.compile(rb"//[^\n]*+")
_RUST_FENCES = frozenset(
    {
        "",
        "rust",
        "should_panic",
        "no_run",
        "ignore",
        "compile_fail",
        "edition2015",
        "edition2018",
        "edition2021",
    }
)

EXAMPLES = frozenset({"example", "examples", "usage", "doctest", "see also", "references", "example usage"})
"""Sections of documentation that show or point, and explain nothing by themselves."""


def without_docs(source: bytes) -> bytes:
    """Code without its doc comments and `#[doc = ..]` attributes, those inside it too; other comments stay."""
    if _DOC_ATTRIBUTE.search(source) is not None:
        return _without(source, _docs_of_tree(source))
    if _DOC_COMMENT.search(source) is None:
        return source
    return _without(source, _doc_comments(source))


def _docs_of_tree(source: bytes) -> Iterator[tuple[int, int]]:
    """First byte and the byte after the last of each doc comment and attribute."""
    for node in descend(parse(source).root_node):
        is_doc = is_outer_doc(node) or is_inner_doc(node)
        if is_doc or (node.type == "attribute_item" and attribute_name(node, source) == "doc"):
            yield node.start_byte, node.end_byte


def _doc_comments(source: bytes) -> Iterator[tuple[int, int]]:
    """The same without the parser, where no attribute is to be found."""
    for start, end in comments_in(source):
        if source.startswith(b"/*", start):
            if _DOC_COMMENT.match(source, start, end) is not None and end - start > 4:
                yield start, end
            continue
        for line in _LINE_COMMENT.finditer(source, start, end):
            if _DOC_COMMENT.match(source, line.start()) is not None:
                yield line.start(), min(line.end() + 1, len(source))  # with the line's end, as in the tree


def _without(source: bytes, cuts: Iterable[tuple[int, int]]) -> bytes:
    """Code without some parts, and without the lines that nothing else stands on."""
    pieces: list[bytes] = []
    place = 0
    for first, end in cuts:
        start = source.rfind(b"\n", 0, first) + 1
        alone = not source[start:first].strip()
        if not alone:  # code stands before it on its line
            start = first
        if not source[start:end].endswith(b"\n"):
            line_end = source.find(b"\n", end)
            rest = source[end : line_end if line_end >= 0 else len(source)]
            if line_end >= 0 and not rest.strip() and alone:
                end = line_end + 1
        pieces.append(source[place:start])
        place = max(place, end)
    return b"".join([*pieces, source[place:]])


def clean(docs: str, examples: bool = False) -> str:
    """Documentation as plain Markdown: links become their text, hidden lines of examples go, and so do the sections
    of examples unless asked for.
    """
    lines: list[str] = []
    fence = ""
    skipped = 0
    hides = False
    for line in _COMMENT.sub("", docs).split("\n"):
        marker = _FENCE.match(line)
        if fence:
            closes = marker is not None and marker[1].startswith(fence) and not marker[2].strip()
            if closes:
                fence = ""
            if not skipped and (closes or not (hides and _is_hidden(line))):
                lines.append(line.replace("##", "#", 1) if hides and line.lstrip().startswith("##") else line)
            continue
        if marker is not None:
            fence, kind = marker[1], marker[2].strip()
            hides = all(word.strip() in _RUST_FENCES for word in kind.split(","))
            if not skipped:
                lines.append(f"{marker[1]}rust" if hides else line)
            continue
        heading = _HEADING.match(line)
        if heading is not None:
            level = len(heading[1])
            if skipped and level > skipped:
                continue
            skipped = level if not examples and heading[2].strip(":").lower() in EXAMPLES else 0
        if not skipped and not _DEFINITION.match(line):
            lines.append(_without_links(line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _is_hidden(line: str) -> bool:
    text = line.strip()
    return text == "#" or text.startswith("# ")


def _without_links(line: str) -> str:
    line = _IMAGE.sub("", line)
    return _SHORT_LINK.sub(r"\1", _LINK.sub(r"\1", line)).rstrip()


def first_paragraph(text: str) -> str:
    """The text up to its first empty line, on one line."""
    return " ".join(text.split("\n\n")[0].split())


def sections(text: str) -> dict[str, str]:
    """The text below each heading, to the next one of its level or above, by the heading's words in small letters."""
    found: dict[str, list[str]] = {}
    open_ones: list[tuple[int, str]] = []
    fence = ""
    for line in text.split("\n"):
        marker = _FENCE.match(line)
        if marker is not None:
            closes = fence and marker[1].startswith(fence) and not marker[2].strip()
            fence = "" if closes else fence or marker[1]
        heading = None if fence or marker is not None else _HEADING.match(line)
        if heading is not None:
            open_ones = [(level, name) for level, name in open_ones if level < len(heading[1])]
        for _, name in open_ones:
            found[name].append(line)
        if heading is not None:
            name = heading[2].strip(":").lower()
            found.setdefault(name, [])
            open_ones.append((len(heading[1]), name))
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def prose_of(text: str) -> str:
    """The text without its code blocks and headings."""
    kept: list[str] = []
    fence = ""
    for line in text.split("\n"):
        marker = _FENCE.match(line)
        if fence:
            if marker is not None and marker[1].startswith(fence):
                fence = ""
        elif marker is not None:
            fence = marker[1]
        elif not _HEADING.match(line):
            kept.append(line)
    return "\n".join(kept).strip()

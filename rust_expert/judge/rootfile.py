"""Putting a line of ours at the head of somebody's crate root."""

import re

from rust_expert.syntax.attributes import attribute_name, is_inner_doc
from rust_expert.syntax.parser import COMMENTS, parse

# Strict on purpose: what the parser takes for an attribute, a comment or a shebang and rustc does not, such as
# `#! /**/ [allow(x)] macro_rules! ..`, would stand before the tests. Cut short, it is an error of the sample's.
_BEFORE_ITEMS = re.compile(
    rb"""(?:\#!/[A-Za-z0-9][^\r\n]*\n)?
    (?: [ \t\r\n]+
      | //[^\r\n]*(?:\r?\n|\Z)
      | /\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/
      | \#[ \t\r\n]*![ \t\r\n]*\[(?:[^][\#"'/\\]|(?<![\w\#])"(?:[^"\\]|\\.)*"|(?<=[\w\#])"[^"\\]*")*\]
    )*""",
    re.VERBOSE | re.DOTALL,
)
_LINT_LEVELS = frozenset({"warn", "deny", "forbid", "expect"})


def with_head(code: str, head: str) -> str:
    """`code` with `head` before its first item, after its inner attributes and docs; no line moves.

    Inner attributes must stay first in the file, or rustc refuses them. Those that raise lint levels are blanked:
    `#![deny(warnings)]` would turn an unused item of ours into an error of the sample.
    """
    source = code.encode()
    place = 0
    levels: list[tuple[int, int]] = []
    for node in parse(source).root_node.children:
        if node.type == "inner_attribute_item":
            if attribute_name(node, source) in _LINT_LEVELS:
                levels.append((node.start_byte, node.end_byte))
            place = node.end_byte
        elif is_inner_doc(node) or node.type == "shebang":
            place = node.end_byte
        elif node.type not in COMMENTS:
            break
    sure = _BEFORE_ITEMS.match(source, 0, place)
    place = sure.end() if sure is not None else 0
    before = bytearray(source[:place])
    for start, end in levels:
        if end > place:
            break
        before[start:end] = bytes(10 if byte == 10 else 32 for byte in before[start:end])
    return before.decode() + head + " " + source[place:].decode()

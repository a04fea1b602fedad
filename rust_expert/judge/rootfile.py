"""Putting a line of ours at the head of somebody's crate root."""

from rust_expert.syntax.attributes import attribute_name, is_inner_doc
from rust_expert.syntax.parser import COMMENTS, parse

_LINT_LEVELS = frozenset({"allow", "warn", "deny", "forbid", "expect"})


def with_head(code: str, head: str) -> str:
    """`code` with `head` before its first item, after its inner attributes and docs; no line moves.

    Inner attributes must stay first in the file, or rustc refuses them. Those that only set lint levels are blanked:
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
    before = bytearray(source[:place])
    for start, end in levels:
        before[start:end] = bytes(10 if byte == 10 else 32 for byte in before[start:end])
    return before.decode() + head + " " + source[place:].decode()

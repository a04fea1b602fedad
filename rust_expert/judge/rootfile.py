"""Putting a line of ours at the head of somebody's crate root, so that textual macros below cannot reach it."""

from rust_expert.syntax.parser import COMMENTS, field, parse


def with_head(code: str, head: str) -> str:
    """`code` with `head` before its first item and after its inner attributes and docs; no line moves.

    The inner attributes must stay first in the file, or rustc refuses them.
    """
    source = code.encode()
    place = 0
    for node in parse(source).root_node.children:
        inner_doc = node.type in COMMENTS and field(node, "inner") is not None
        if node.type == "inner_attribute_item" or inner_doc or node.type == "shebang":
            place = node.end_byte
        elif node.type not in COMMENTS:
            break
    # An inner line comment ends with its line: what follows it must start on the next one.
    return source[:place].decode() + head + " " + source[place:].decode()

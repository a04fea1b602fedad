"""The tokens of Rust code, comments and the insides of strings left out."""

from rust_expert.syntax.parser import COMMENTS, parse, text_of

_OPAQUE = frozenset({"string_literal", "raw_string_literal", "char_literal"})


def tokens_of(code: str) -> list[str]:
    """Every token's text in order, in macros too. Literals of text become `""`, raw identifiers lose their `r#`."""
    source = code.encode()
    words: list[str] = []
    pending = [parse(source).root_node]
    while pending:
        node = pending.pop()
        if node.type in COMMENTS:
            continue
        if node.type in _OPAQUE:
            words.append('""')
        elif node.child_count:
            pending.extend(reversed(node.children))
        elif text := text_of(node, source).strip():
            words.append(text.removeprefix("r#"))
    return words

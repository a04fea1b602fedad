"""What the code of a row is, read off its syntax tree: tests, benchmarks, a program, documented, idiomatic."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import tree_sitter

from rust_expert.common.contracts import Sample
from rust_expert.syntax.attributes import attribute_name, is_inner_doc, is_outer_doc, is_test_attribute
from rust_expert.syntax.parser import descend, field, parse, text_of
from rust_expert.syntax.style import idiomatic

_FENCE = re.compile(r"[ \t]*(```+|~~~+)[ \t]*(\w*)[^\n`]*")
_RUST = frozenset({"", "rust", "rs"})
_ATTRIBUTES = ("attribute_item", "inner_attribute_item")
_TEST_MACROS = frozenset({"proptest", "quickcheck"})
_BENCH_MACROS = frozenset({"criterion_group", "criterion_main"})
_DOC_MARKS = ("///", "//!", "/**", "/*!", "doc")


def fenced(text: str) -> list[str]:
    """The blocks of Rust (or of no named language) in a Markdown text; one that never closes goes to the end."""
    blocks: list[list[str]] = []
    mark, wanted = "", False
    for line in text.splitlines():
        fence = _FENCE.fullmatch(line)
        if mark and fence is not None and fence[1].startswith(mark) and not fence[2]:
            mark = ""
        elif mark:
            if wanted:
                blocks[-1].append(line)
        elif fence is not None:
            mark, wanted = fence[1], fence[2].lower() in _RUST
            if wanted:
                blocks.append([])
    return ["\n".join(block) for block in blocks]


def code_of(sample: Sample) -> str:
    """The Rust code that a row teaches.

    Of an explanation that is the fenced code of question and answer; of other rows the answer, or its fenced
    blocks where it has any.
    """
    if sample.is_prose:
        return "\n".join(fenced(sample.prompt) + fenced(sample.gen))
    return "\n".join(fenced(sample.gen)) or sample.gen


def _items(code: str) -> Iterator[tuple[tree_sitter.Node, bytes]]:
    """What stands at the top of some code and in its modules, impls and traits, attributes and macros included."""
    source = code.encode()
    pending = [parse(source).root_node]
    while pending:
        for node in pending.pop().children:
            yield node, source
            if node.type in ("mod_item", "impl_item", "trait_item"):
                body = field(node, "body")
                if body is not None:
                    pending.append(body)


def _macro(node: tree_sitter.Node, source: bytes) -> str:
    if node.type == "expression_statement" and node.named_children:
        node = node.named_children[0]
    name = field(node, "macro") if node.type == "macro_invocation" else None
    return text_of(name, source).rpartition("::")[2] if name is not None else ""


def _is_bench(node: tree_sitter.Node, source: bytes) -> bool:
    if node.type in _ATTRIBUTES:
        return attribute_name(node, source).rpartition("::")[2] == "bench"
    return _macro(node, source) in _BENCH_MACROS


def _is_test(node: tree_sitter.Node, source: bytes) -> bool:
    if node.type in _ATTRIBUTES:
        return is_test_attribute(node, source) and not _is_bench(node, source)
    return _macro(node, source) in _TEST_MACROS


def _lies_in(sample: Sample, folder: str) -> bool:
    return folder in PurePosixPath(sample.source_file or "").parts[:-1]


def has_tests(sample: Sample) -> bool:
    """Whether the code has an item for tests alone, or is from a folder `tests`."""
    return _lies_in(sample, "tests") or any(_is_test(*found) for found in _items(code_of(sample)))


def has_benches(sample: Sample) -> bool:
    """Whether the code has a benchmark, or is from a folder `benches`."""
    return _lies_in(sample, "benches") or any(_is_bench(*found) for found in _items(code_of(sample)))


def is_example(sample: Sample) -> bool:
    """Whether the code is a program, with a `main` of its own at the top, or is from a folder `examples`."""
    if _lies_in(sample, "examples"):
        return True
    source = code_of(sample).encode()
    for node in parse(source).root_node.children:
        name = field(node, "name") if node.type == "function_item" else None
        if name is not None and text_of(name, source) == "main":
            return True
    return False


def is_documented(sample: Sample) -> bool:
    """What the row says of its item, else whether a doc comment stands in the code of its question or answer."""
    if sample.doc is not None:
        return sample.doc
    return any(_has_docs(text) for text in (sample.prompt, sample.gen))


def _has_docs(text: str) -> bool:
    if not any(mark in text for mark in _DOC_MARKS):
        return False
    source = ("\n".join(fenced(text)) or text).encode()
    return any(
        is_outer_doc(node)
        or is_inner_doc(node)
        or (node.type in _ATTRIBUTES and attribute_name(node, source) == "doc")
        for node in descend(parse(source).root_node)
    )


def idiomatic_score(sample: Sample) -> float:
    """The idiomatic score of the row's code; 1.0 where a row has none to object to."""
    return idiomatic(code_of(sample))

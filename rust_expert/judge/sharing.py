"""Which pieces of code may share a crate with others, each as a module, and mean there what they mean alone.

Everything here is careful: what is not known to be harmless goes alone, which costs time and nothing else. Three things
could make a difference. Code can reach beyond its module (`crate::`, `#[macro_export]`, symbols, constructors). Code
can see that it is in a module (`main`, `module_path!`, crate attributes). And code can change what the compiler infers
for its neighbours: an `impl` of the standard library's trait for the standard library's type does, one for a type or of
a trait that is defined beside it does not.
"""

import functools
import re

import tree_sitter

from rust_expert.judge.harness import MODULE_WORDS
from rust_expert.judge.suite import Suite
from rust_expert.judge.tokens import tokens_of
from rust_expert.syntax.parser import COMMENTS, descend, field, parse, text_of

LONGEST = 16_384
"""Bytes of code: what is longer gains little in company."""
DEEPEST = 64
"""Nested brackets: a compiler that dies of deep nesting names nobody."""

# Looked for in the raw text, comments and strings included: no disagreement between parser and compiler hides these.
_REACHING = re.compile(
    r"(?<!pub\()\bcrate\b|(?<!')\bstatic\b|#\s*!|\b(extern|unsafe|asm|global_asm|naked_asm|arch|include|include_str"
    r"|include_bytes|macro_export|macro_use|no_mangle|no_main|export_name|link_section|link_name|global_allocator"
    r"|panic_handler|proc_macro\w*)\b"
)
_SEEING = frozenset(
    {
        "Backtrace", "Location", "backtrace", "env", "fs", "module_path", "type_name", "type_name_of_val",
    }
)  # fmt: skip
"""Names through which code could see where it stands."""
_CALLED = frozenset({"column", "file"})
"""Macros of that kind, by names that also stand for harmless things."""
_ATTRIBUTES = frozenset(
    {
        "allow", "cfg", "cold", "default", "deprecated", "derive", "doc", "ignore", "inline", "must_use",
        "non_exhaustive", "repr", "rustfmt", "should_panic", "test", "track_caller", "warn",
    }
)  # fmt: skip
_LIBRARIES = frozenset({"std", "core", "alloc"})
_DEFINING = frozenset({"const", "enum", "fn", "mod", "struct", "trait", "type", "union"})
_TYPES = frozenset({"struct_item", "enum_item", "union_item"})


def may_share(code: str) -> bool:
    """Whether a sample may be compiled and run beside others."""
    words = tokens_of(code)
    return "main" not in words and not _imports_a_root(words) and _harmless(code, words, above=0)


def _imports_a_root(words: list[str]) -> bool:
    """Whether there is a `use` of a single name, such as `use std;`: clippy warns of it in a crate's root alone."""
    return any(
        word == "use" and (_at(words, place + 1) == "{" or _at(words, place + 2) in (";", "as"))
        for place, word in enumerate(words)
    )


@functools.lru_cache(maxsize=1024)
def suite_may_share(suite: Suite) -> bool:
    """Whether a problem's tests may."""
    text = suite.tests.text
    named = names_defined(text) | frozenset(tokens_of(suite.imports))
    return not named & MODULE_WORDS and _harmless(text, tokens_of(text), above=1)


@functools.lru_cache(maxsize=1024)
def names_defined(code: str) -> frozenset[str]:
    """Every name that could be an item's; with macros of its own, every name at all.

    The compiler prints a type by its last name where that is the only one in the crate, so a neighbour's names can
    change a message.
    """
    words = tokens_of(code)
    if any(word.startswith("macro_rules") for word in words):
        return frozenset(word for word in words if word.isidentifier())
    return frozenset(
        words[place + 1 + (words[place + 1 : place + 2] == ["mut"])]
        for place, word in enumerate(words[:-2])
        if word in _DEFINING
    )


def _harmless(code: str, words: list[str], *, above: int) -> bool:
    """`above` is how many modules stand between the code and the crate's root where it is compiled alone."""
    if len(code) > LONGEST or _REACHING.search(code) or not _SEEING.isdisjoint(words):
        return False
    depth = 0
    for place, word in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else ""
        depth += (word in "([{") - (word in ")]}")
        if depth > DEEPEST:
            return False
        if word == "#" and (after != "[" or _at(words, place + 2) not in _ATTRIBUTES):
            return False
        if "#" in word and word != "#":
            return False
        if word == "panic" and after != "!":
            return False
        if word in _CALLED and after == "!":
            return False
        if word in _DEFINING and after in _LIBRARIES:
            return False
        if not word.isascii() and word != '""':
            return False
    source = code.encode()
    root = parse(source).root_node
    return not root.has_error and _tree_is_harmless(root, source, above)


def _at(words: list[str], place: int) -> str:
    return words[place] if place < len(words) else ""


def _tree_is_harmless(root: tree_sitter.Node, source: bytes, above: int) -> bool:
    pending = [(root, above, False)]
    while pending:
        node, depth, in_macro = pending.pop()
        if node.type in COMMENTS:
            if field(node, "inner") is not None:
                return False
            continue
        if node.type == "shebang":
            return False
        if in_macro and node.type in ("impl", "mod", "super"):
            return False
        if in_macro and not node.child_count and text_of(node, source) in ("impl", "mod", "super"):
            return False
        if node.type == "mod_item":
            if field(node, "body") is None:
                return False
            depth += 1
        elif node.type == "super":
            before = node.parent
            if before is None or _leading(before, source) > depth:
                return False
        elif node.type == "impl_item" and not _stays_home(node, source):
            return False
        in_macro = in_macro or node.type in ("token_tree", "macro_definition")
        pending.extend((child, depth, in_macro) for child in node.children)
    return True


def _leading(node: tree_sitter.Node, source: bytes) -> int:
    """How many `super` the path around a `super` begins with; a use of many trees counts all that it holds."""
    while node.parent is not None and node.parent.type.startswith(("scoped_", "use_", "generic_")):
        node = node.parent
    return sum(each.type == "super" for each in descend(node))


def _stays_home(node: tree_sitter.Node, source: bytes) -> bool:
    """Whether an impl says nothing about foreign traits for foreign types."""
    trait = field(node, "trait")
    if trait is None:
        return True
    if any(child.type == "!" for child in node.children):
        return False
    return _is_local(trait, {"trait_item"}, node, source) or _is_local(
        field(node, "type"), _TYPES, node, source
    )


def _is_local(
    named: tree_sitter.Node | None, kinds: set[str] | frozenset[str], impl: tree_sitter.Node, source: bytes
) -> bool:
    """Whether a type or trait is a single name that is defined once, beside the impl, and is none of its parameters."""
    if named is not None and named.type == "generic_type":
        named = field(named, "type")
    if named is None or named.type != "type_identifier" or impl.parent is None:
        return False
    name = text_of(named, source)
    parameters = field(impl, "type_parameters")
    if parameters is not None and name in tokens_of(text_of(parameters, source)):
        return False
    beside = [
        each
        for each in impl.parent.children
        if each.type in kinds and (own := field(each, "name")) is not None and text_of(own, source) == name
    ]
    return len(beside) == 1

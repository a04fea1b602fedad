"""Token counts, computed for all spans of all files at once, are those of a plain lexer."""

import random
import re
from pathlib import Path

import pytest

from rust_expert.common.crate_files import SourceFile, read_crate
from rust_expert.syntax.items import items_of
from rust_expert.syntax.token_counts import token_counts

CRATES = Path(__file__).resolve().parents[1] / "fixtures" / "crates"

TOKEN = re.compile(
    r"""(?P<none>\s+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
    |[a-z]*r(?P<hashes>\#*)"(?:.|\n)*?"(?P=hashes)
    |[a-z]*"(?:[^"\\]|\\(?:.|\n))*"
    |[a-z]*'(?:[^'\\\n]|\\u\{[^}]*\}|\\x..|\\.)'
    |'?\w+
    |.""",
    re.VERBOSE,
)


def plain_count(code: str) -> int:
    return sum(found["none"] is None for found in TOKEN.finditer(code))


def count(code: str) -> int:
    source = code.encode()
    return token_counts([SourceFile.of(source).lexed.marked], [[(0, len(source))]])[0]


@pytest.mark.parametrize(
    ("code", "tokens"),
    [
        ("", 0), (" \n\t", 0), ("fn f() {}", 6), ("a::b", 4), ("1.5", 3), ("x >>= 2;", 6), ("r#type", 3),
        ("// nothing\n/* at /* all */ */", 0), ("/// docs\nfn", 1), ('"a b c"', 1), ('b"a" c"b" br#"c"#', 3),
        ("'a' b'\\'' '\\u{1F600}'", 3), ("fn f<'a>(x: &'a str)", 12), ("größe + 猫", 3), ("f\"x\"", 1),
        ('"open', 1), ("'static 'a: loop", 4), ("\"\"\"\"", 2), ("a/**/b", 2), ("a'b'c", 2),
    ],
)  # fmt: skip
def test_what_is_a_token(code: str, tokens: int) -> None:
    assert count(code) == tokens


@pytest.mark.parametrize("crate", sorted(path.name for path in CRATES.iterdir()))
def test_spans_of_many_files_are_counted_at_once(crate: str) -> None:
    files = read_crate(CRATES / crate).files
    spans = [[(item.start, item.end) for item in items_of(file).items] for file in files]
    counts = iter(token_counts([file.lexed.marked for file in files], spans))
    for file, inside in zip(files, spans, strict=True):
        for start, end in inside:
            assert next(counts) == plain_count(file.source[start:end].decode())
    assert next(counts, None) is None


def test_any_span_between_tokens() -> None:
    (file,) = read_crate(CRATES / "mini-matrix").files[:1]
    text = file.source.decode()
    begins = [len(text[: found.start()].encode()) for found in TOKEN.finditer(text) if found["none"] is None]
    chance = random.Random(4)
    places = [sorted(chance.sample(range(len(begins)), 2)) for _ in range(300)]
    spans = [(begins[first], begins[last]) for first, last in places]
    assert token_counts([file.lexed.marked], [spans]) == [last - first for first, last in places]


def test_no_files_no_counts() -> None:
    assert token_counts([], []) == [] and token_counts([b"", b"x"], [[], []]) == []

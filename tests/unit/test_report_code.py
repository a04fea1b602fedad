"""The lexer that colours code: it never loses a character, whatever a model wrote, and is fast on all of it."""

import random
import time

import pytest

from rust_expert.report.rust_code import coloured, shortened, tokens
from tests.markup import read

CODE = """
/// Adds.
#[inline]
fn add<'a, T: Copy>(left: &'a T, n: usize) -> Option<u64> {
    let text = "a \\" // no comment"; let raw = r#"say "hi" "#; let c = '\\''; /* a /* nested */ block */
    if n != 1_000u64 && !text.is_empty() { println!("{c}"); return None }
    Some(add_one(1.5e3))
}
"""


def test_all_text_comes_back_in_order() -> None:
    assert "".join(text for _, text in tokens(CODE)) == CODE
    assert read(coloured(CODE)).text == CODE


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("comment", "/// Adds."),
        ("attribute", "#[inline]"),
        ("keyword", "fn"),
        ("function", "add"),
        ("lifetime", "'a"),
        ("type", "Option"),
        ("type", "u64"),
        ("string", '"a \\" // no comment"'),
        ("string", 'r#"say "hi" "#'),
        ("string", "'\\''"),
        ("comment", "/* a /* nested */ block */"),
        ("number", "1_000u64"),
        ("macro", "println"),
        ("literal", "None"),
        ("number", "1.5e3"),
    ],
)
def test_kinds(kind: str, text: str) -> None:
    assert (kind, text) in list(tokens(CODE))


def test_a_comparison_is_no_macro() -> None:
    assert ("", "n") in list(tokens("if n != 1"))


def test_any_text_survives() -> None:
    random_ = random.Random(5)
    alphabet = "'\"\\/*#[]r b!x1_.\n é\u202e<>&{}"
    for _ in range(400):
        text = "".join(random_.choices(alphabet, k=random_.randrange(60)))
        assert "".join(part for _, part in tokens(text)) == text


@pytest.mark.parametrize(
    "piece", ["/*", "#[", '"\\', "'", 'r#"', "a", "1_", "\\", '"', "/*/", "r", "b'", "é", " ", "!", "//"]
)
def test_long_repetitions_take_no_time(piece: str) -> None:
    text = piece * (40_000 // len(piece))
    start = time.process_time()
    assert "".join(part for _, part in tokens(text)) == text
    assert time.process_time() - start < 3


def test_code_is_shortened_by_lines_and_width() -> None:
    assert shortened("\n\na\nb\nc\n", 2) == ("a\nb", 1)
    kept, left_out = shortened("x" * 1000, 5, width=10)
    assert (kept, left_out) == ("x" * 10 + " …", 0)

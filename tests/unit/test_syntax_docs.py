"""Documentation as text."""

from rust_expert.syntax import docs
from rust_expert.syntax.docs import clean, prose_of, without_docs

DOCS = """Adds [`Count`](crate::Count) to [the total][total], see [`Sum`].

Keeps `a[i]` and [1, 2] as they are. <!-- hidden -->

# Panics

If it overflows.

# Examples

```
# use x::y;
assert_eq!(add(1), 2);
```

## More

Shown too.

# Errors

None.

[total]: https://example.com
"""


def test_links_become_their_text_and_examples_go() -> None:
    assert clean(DOCS) == (
        "Adds `Count` to the total, see `Sum`.\n\nKeeps `a[i]` and [1, 2] as they are.\n\n# Panics\n\nIf it overflows."
        "\n\n# Errors\n\nNone."
    )


def test_examples_can_stay_without_their_hidden_lines() -> None:
    assert "```rust\nassert_eq!(add(1), 2);\n```" in clean(DOCS, examples=True)


def test_a_heading_inside_a_code_block_is_no_heading() -> None:
    text = "One.\n\n```sh\n# Examples\nls\n```\n\nTwo."
    assert clean(text) == text


def test_prose() -> None:
    assert prose_of("# Title\n\nOne.\n\n```rust\nlet x;\n```\nTwo.") == "One.\n\nTwo."


def test_code_without_docs_keeps_its_other_comments() -> None:
    source = (
        '/// Größe.\n#[derive(Debug)]\n#[doc = "x"]\npub struct P { // plain\n'
        "    /// The x.\n    x: u8, /** same line */\n"
        "    /* y */ y: u8,\n}\n"
    )
    assert without_docs(source.encode()).decode() == (
        "#[derive(Debug)]\npub struct P { // plain\n    x: u8, \n    /* y */ y: u8,\n}\n"
    )


def test_code_without_docs_where_there_are_none() -> None:
    assert without_docs(b"fn f() {}\n") == b"fn f() {}\n"


def test_docs_are_found_without_the_parser_where_it_finds_them() -> None:
    source = b"""//! Inner.
/*! Inner block. */
//// no docs
/*** no docs */
/**/
/// Docs.
// beside them
    /// More. /* not open
pub fn f(a: u8 /** first */, b: &'static str) -> char { /// in front of a statement
    let text = "/// a text \\" // same"; // plain /** not docs */
    let raw = r#"
    /// no docs "either"
"#;
    /* outer /* inner */ /// still inside
    */
    /** block
     * docs */
    let slash = '/'; let quote = '"'; /// after a quote
    slash
}
///"""
    found = list(docs._doc_comments(source))
    assert found == list(docs._docs_of_tree(source)) and len(found) == 9
    kept = without_docs(source).decode()
    assert "no docs" in kept and "a text" in kept and "still inside" in kept and "beside them" in kept
    assert "More" not in kept and "in front" not in kept and "block\n" not in kept

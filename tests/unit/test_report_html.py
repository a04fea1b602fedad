"""The element builder: hostile text stays text, and nothing that the page's policy forbids can be written."""

import html

import pytest

from rust_expert.report.html import Html, el, escape, join, visible
from tests.markup import read

HOSTILE = (
    "</code></pre><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus=alert(1) '",
    "<!-- --><svg/onload=alert(1)>",
    "&lt;b&gt; &amp;amp; &#x3c;",
    "<style>*{display:none}</style>",
    "]]>\x00\x1b[2J\r\n",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_and_attributes_come_back_as_they_were(text: str) -> None:
    made = read(el("p", text, title=text))
    assert [tag for tag, _ in made.tags] == ["p"]
    assert made.text == visible(text)
    assert made.tags[0][1] == {"title": visible(text)}


def test_markup_is_not_escaped_twice_and_children_nest() -> None:
    inner = el("b", "a & b")
    assert el("p", [inner, [None, " and ", 3]], cls="x") == '<p class="x"><b>a &amp; b</b> and 3</p>'
    assert isinstance(join(inner, "<"), Html)


def test_attributes_are_left_out_or_stand_bare() -> None:
    assert el("details", open=True, id=None, hidden=False) == "<details open></details>"
    assert el("path", stroke_width=2.5, x="1%") == '<path stroke-width="2.5" x="1%"/>'
    assert el("meta", charset="utf-8") == '<meta charset="utf-8">'


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("style", "color:red"),
        ("onclick", "x()"),
        ("onload", "x()"),
        ("href", "javascript:alert(1)"),
        ("href", "https://example.invalid/"),
        ("href", "//example.invalid/"),
        ("href", "/etc/passwd"),
        ("src", "data:text/html,x"),
    ],
)
def test_what_the_policy_forbids_cannot_be_written(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=key):
        el("a", "x", **{key: value})


@pytest.mark.parametrize("address", ["#top", "metrics.json", "plots/rates.csv", "../x.json", "data:,"])
def test_places_in_the_page_and_beside_it_can_be_named(address: str) -> None:
    assert html.escape(address) in el("a", "x", href=address)


def test_invisible_characters_are_spelled_out() -> None:
    # A bidirectional override, zero width joiners and controls would show code that is not there (Trojan Source).
    assert visible("a\u202eb") == "a\\u{202e}b"
    assert (
        visible("a\u200d\u2066\ufeff\x00\x85\u2028b")
        == "a" + "".join(f"\\u{{{code:x}}}" for code in (0x200D, 0x2066, 0xFEFF, 0x00, 0x85, 0x2028)) + "b"
    )
    assert visible("\ud800") == "\\u{d800}"
    assert visible("tab\tline\n ünïcode 漢字 → é") == "tab\tline\n ünïcode 漢字 → é"
    escape("".join(map(chr, range(0x2000)))).encode("utf-8")

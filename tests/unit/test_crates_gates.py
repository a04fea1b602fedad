"""Quality gates: the figures are counted on code, not on comments and texts, and each gate can keep a crate out."""

from pathlib import Path

import pytest

from rust_expert.common import cache
from rust_expert.common.config.corpus import GateOptions
from rust_expert.crates.folder import take
from rust_expert.crates.gates import audit, measures_of
from rust_expert.crates.manifest import CrateSource
from rust_expert.crates.rust_text import blank_out, measure

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "crates"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("a // unsafe", "a"),
        ("a /* x /* unsafe */ y */ b", "a b"),
        ('let s = "unsafe // \\" no"; b', 'let s = " "; b'),
        ('r#"unsafe " no"# ; b', "; b"),
        ('r##"a "# b"## ; c', "; c"),
        ("let c = '\"'; unsafe", "let c = ; unsafe"),
        (r"let c = '\''; b", "let c = ; b"),
        (r"let c = '\u{1F600}'; b", "let c = ; b"),
        ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ("b'x' b\"unsafe\" c", "c"),
        ("/* never closed unsafe", ""),
        ('let ü = "größe"; // ß', 'let ü = " ";'),
    ],
)
def test_comments_and_texts_are_blanked(source: str, code: str) -> None:
    blanked, _ = blank_out(source)
    assert len(blanked) == len(source)
    assert " ".join(blanked.split()) == code


def test_docs_on_public_items() -> None:
    figures = measure(
        """//! Inner.
/// Documented.
pub fn one() {}

pub fn two() {}

/** Documented, in a block
    of lines. */
#[derive(Debug)]
#[cfg(
    feature = "x"
)]
pub struct Three;

#[doc = "Documented."]
pub const FOUR: u8 = 4;
// not a doc comment
pub(crate) fn hidden() {}
pub mod elsewhere;
pub mod here {
    /// Documented.
    pub unsafe extern "C" fn five() {}
}
/// Belongs to nothing.

pub async fn six() {}
pub use std::fmt;
struct Fields { /// no item
    pub field: u8 }
"""
    )
    assert (figures.public_items, figures.documented_items) == (7, 4)
    assert figures.unsafe_uses == 1


def crate(folder: Path, text: str, **fields: str) -> CrateSource:
    """A crate in the cache with one file."""
    given = {
        "name": "c",
        "version": "1.0.0",
        "sha256": "f" * 64,
        "license": "MIT",
        "edition": "2021",
    } | fields
    made = CrateSource.model_validate(given)

    def fill(target: Path) -> None:
        (target / "src").mkdir()
        (target / "src" / "lib.rs").write_text(text, encoding="utf-8")
        (target / "tests").mkdir()
        (target / "tests" / "x.rs").write_text("unsafe " * 100, encoding="utf-8")
        (target / "build.rs").write_text("unsafe " * 100, encoding="utf-8")

    cache.keep(made.place, fill)
    return made


GOOD = "/// Adds.\npub fn add(a: u8, b: u8) -> u8 {\n    a + b\n}\n"


@pytest.mark.parametrize(
    ("text", "fields", "gate", "figure"),
    [
        (GOOD, {}, None, None),
        (GOOD, {"edition": "2015"}, "edition", 2015),
        (GOOD, {"license": "GPL-3.0-only"}, "licence", None),
        (GOOD, {"license": ""}, "licence", None),
        (GOOD, {"license": "MIT AND AGPL-3.0-only"}, "licence", None),
        (GOOD.replace("/// Adds.\n", ""), {}, "documented", 0),
        (GOOD.replace("a + b", "unsafe { a + b }"), {}, "unsafe", 1000 / 3),
        (GOOD + "// " + "x" * 1000, {}, "longest_line", 1003),
        (GOOD + "".join(f"// {number} {'x' * 90}\n" for number in range(9)), {}, "average_line", None),
        ("// nothing\n", {}, "source", None),
    ],
)
def test_each_gate(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    fields: dict[str, str],
    gate: str | None,
    figure: float | None,
) -> None:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path))
    rejection = audit(crate(tmp_path, text, **fields), GateOptions())
    assert (rejection.gate if rejection else None) == gate
    if rejection is not None and figure is not None:
        assert rejection.figure == pytest.approx(figure, abs=1e-3)
    off = GateOptions(
        minimum_edition=None, licences=None, minimum_documented=None, maximum_unsafe=None,
        maximum_average_line=None, maximum_longest_line=None,
    )  # fmt: skip
    without = audit(crate(tmp_path, text, **fields), off)
    assert without is None or without.gate == "source"


def test_a_failed_crate_is_out() -> None:
    failed = CrateSource(name="c", version="1.0.0", sha256="f" * 64, status="failed", reason="gone")
    rejection = audit(failed, GateOptions())
    assert rejection is not None
    assert (rejection.gate, rejection.reason) == ("fetch", "gone")


@pytest.mark.parametrize("name", ["mini-matrix", "mini-ring", "mini-temperature", "mini-wrap"])
def test_the_fixtures_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path))
    made = take(FIXTURES, name)
    assert audit(made, GateOptions()) is None
    figures = measures_of(made)
    assert figures.documented_items == figures.public_items >= 10
    assert figures.full_lines >= 150

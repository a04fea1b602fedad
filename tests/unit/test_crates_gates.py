"""Quality gates: the figures are counted on code, not on comments and texts, and each gate can keep a crate out."""

from pathlib import Path

import pytest

from rust_expert.common import cache
from rust_expert.common.config.corpus import GateOptions
from rust_expert.common.crate_files import SourceFile, read_crate
from rust_expert.crates.folder import take
from rust_expert.crates.gates import Rejection, audit_manifest, audit_sources
from rust_expert.crates.manifest import CrateSource
from rust_expert.crates.rust_text import Measures, measures_of


def audit(crate: CrateSource, options: GateOptions) -> Rejection | None:
    """Both parts of the audit."""
    return audit_manifest(crate, options) or audit_sources(crate, options, read_crate(crate.root))


def measure(*sources: bytes) -> Measures:
    return measures_of([SourceFile.of(source) for source in sources])


def measures(root: Path) -> Measures:
    return measures_of(read_crate(root).files)


FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "crates"


def test_docs_on_public_items() -> None:
    figures = measure(
        b"""//! Inner.
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
pub async fn six() {}
#[doc(hidden)]
#[inline]
pub fn hidden_from_docs() {}
/// Documented, with a line between.

pub trait Seven {}
////////////////////////////////
pub fn eight() {}
pub use std::fmt;
struct Fields { /// no item
    pub field: u8 }
"""
    )
    assert (figures.public_items, figures.documented_items) == (9, 5)
    assert figures.unsafe_uses == 1


MANIFEST = '[package]\nname = "c"\nversion = "1.0.0"\n'


def crate(folder: Path, text: str, more: str = "", **fields: str) -> CrateSource:
    """A crate in the cache with one file of library code; `more` goes into its manifest."""
    given = {
        "name": "c",
        "version": "1.0.0",
        "sha256": "f" * 64,
        "license": "MIT",
        "edition": "2021",
    } | fields
    made = CrateSource.model_validate(given)

    def fill(target: Path) -> None:
        (target / "Cargo.toml").write_text(MANIFEST + more, encoding="utf-8")
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
        (
            GOOD + "#[cfg(test)]\nmod tests {\n    // " + "x" * 2000 + "\n    unsafe fn f() {}\n}\n",
            {},
            None,
            None,
        ),
        (GOOD + "const A: [u8; 99] = [\n" + "    0x12, 0x34,\n" * 49 + "];\n", {}, "letters", None),
        (GOOD + "#[cfg(windows)]\nfn f() {}\n", {}, "platform", 200),
        ("#![cfg(unix)]\n" + GOOD, {}, "platform", None),
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
        maximum_average_line=None, maximum_longest_line=None, minimum_letters=None, maximum_platform=None,
    )  # fmt: skip
    without = audit(crate(tmp_path, text, **fields), off)
    assert without is None or without.gate == "source"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('categories = ["filesystem", "os::windows-apis"]\n', "category os::windows-apis"),
        ('categories = ["os", "no-std"]\n', ""),
        ('[package.metadata.docs.rs]\ndefault-target = "x86_64-pc-windows-msvc"\n', "made for x86_64-pc-windows"),
        ('[package.metadata.docs.rs]\ntargets = ["aarch64-apple-darwin"]\n', "made for aarch64-apple-darwin"),
        ('[package.metadata.docs.rs]\ntargets = ["aarch64-apple-darwin", "x86_64-unknown-linux-gnu"]\n', ""),
        ('[package.metadata]\ndocs = 1\n', ""),
    ],
)  # fmt: skip
def test_a_crate_that_says_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, told: str
) -> None:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path))
    made = crate(tmp_path, GOOD, more)
    rejection = audit(made, GateOptions())
    assert (rejection.gate if rejection else None) == ("platform" if told else None)
    assert rejection is None or told in rejection.reason
    assert audit(made, GateOptions(maximum_platform=None)) is None


def test_files_that_are_no_library_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path))
    made = crate(tmp_path, GOOD)
    bad = "unsafe fn f() {}\n" * 100
    for place in (
        "src/vendor/a.rs",
        "src/generated/b.rs",
        "src/parse_tests.rs",
        "benches/c.rs",
        "examples/d.rs",
    ):
        path = made.root / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(bad, encoding="utf-8")
    (made.root / "src" / "tables.rs").write_text("// @generated\n" + bad, encoding="utf-8")
    (made.root / "src" / "latin.rs").write_bytes(bad.encode() + b"\xe4")
    assert measures(made.root) == measure(GOOD.encode())
    (made.root / "src" / "own.rs").write_text(bad, encoding="utf-8")
    assert measures(made.root).unsafe_uses == 100


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
    figures = measures(made.root)
    assert figures.documented_items == figures.public_items >= 10
    assert figures.full_lines >= 150

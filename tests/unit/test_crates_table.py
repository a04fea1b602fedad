"""The crate table and licence expressions: what is read, and what a person is told about a fault."""

from pathlib import Path

import pytest

from rust_expert.common.errors import UserError
from rust_expert.crates.licences import is_allowed, normal_form
from rust_expert.crates.table import line_of, read_table

ROOT = Path(__file__).resolve().parents[2]
SHA = "0" * 63 + "f"


def table(folder: Path, *rows: str) -> Path:
    path = folder / "crates.tsv"
    path.write_text(
        "\n".join(["# a comment", "name\tversion\tsha256\tlicence", *rows]) + "\n", encoding="utf-8"
    )
    return path


def test_our_own_table_is_good() -> None:
    pins = read_table(ROOT / "config" / "crates.tsv")
    assert len(pins) >= 24
    assert [pin.name for pin in pins] == sorted(pin.name for pin in pins)
    assert all(normal_form(pin.licence) == pin.licence for pin in pins)


def test_rows_are_read_in_order(tmp_path: Path) -> None:
    path = table(tmp_path, f"b\t1.0.0\t{SHA}\tMIT", "", f"a\t0.1.0-rc.1+x\t{SHA}\tMIT/Apache-2.0")
    assert [(pin.name, pin.version) for pin in read_table(path)] == [("b", "1.0.0"), ("a", "0.1.0-rc.1+x")]
    assert line_of(path, "a") == 5


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (f"a\t1.0.0\t{SHA[:-1]}\tMIT", "line 3, column sha256"),
        (f"a\t1.0.0\t{SHA.upper()}\tMIT", "line 3, column sha256"),
        (f"a\t1.0\t{SHA}\tMIT", "line 3, column version"),
        (f"a\t^1.0.0\t{SHA}\tMIT", "line 3, column version"),
        (f"a b\t1.0.0\t{SHA}\tMIT", "line 3, column name"),
        (f"../a\t1.0.0\t{SHA}\tMIT", "line 3, column name"),
        (f"a\t1.0.0\t{SHA}\tMIT OR", "line 3, column licence"),
        (f"a\t1.0.0\t{SHA}", "line 3: 3 columns, not 4"),
        (
            f"x-y\t1.0.0\t{SHA}\tMIT\nx_y\t1.0.0\t{SHA}\tMIT",
            "line 4, column name: x_y stands on line 3 already",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        read_table(table(tmp_path, row))
    assert told in str(caught.value)
    assert "crates.tsv" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_table_without_header_or_file(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("serde\t1.0.0\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 1: the header must be name, version"):
        read_table(tmp_path / "t.tsv")
    with pytest.raises(UserError, match="no such crate table"):
        read_table(tmp_path / "none.tsv")


@pytest.mark.parametrize(
    ("expression", "spelled"),
    [
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("Apache-2.0 / MIT", "Apache-2.0 OR MIT"),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", "(MIT OR Apache-2.0) AND Unicode-3.0"),
        ("MIT AND (Apache-2.0)", "MIT AND Apache-2.0"),
        ("MIT or Apache-2.0 with LLVM-exception", "MIT OR Apache-2.0 WITH LLVM-exception"),
    ],
)
def test_licences_have_one_spelling(expression: str, spelled: str) -> None:
    assert normal_form(expression) == spelled
    assert normal_form(spelled) == spelled


@pytest.mark.parametrize(
    ("expression", "allowed", "verdict"),
    [
        ("MIT OR GPL-3.0-only", ["MIT"], True),
        ("MIT AND GPL-3.0-only", ["MIT"], False),
        ("GPL-3.0-only OR MIT AND Zlib", ["MIT"], False),  # AND binds closer
        ("GPL-3.0-only OR MIT AND Zlib", ["MIT", "Zlib"], True),
        ("Apache-2.0 WITH LLVM-exception", ["Apache-2.0"], True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only WITH Classpath-exception-2.0"], True),
        ("GPL-2.0-only", ["GPL-2.0-only WITH Classpath-exception-2.0"], False),
        ("LGPL-3.0-or-later OR MPL-2.0", ["MIT"], False),
        ("unlicense/mit", ["MIT"], True),
    ],
)
def test_licences_are_satisfied(expression: str, allowed: list[str], verdict: bool) -> None:
    assert is_allowed(expression, allowed) is verdict


@pytest.mark.parametrize(
    "expression", ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Apache-2.0", "MIT WITH", "MIT, BSD"]
)
def test_what_is_no_licence(expression: str) -> None:
    with pytest.raises(UserError, match="no licence expression"):
        normal_form(expression)

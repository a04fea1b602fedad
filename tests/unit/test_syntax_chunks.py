"""Chunks are spans of their file, byte for byte; what is too large is divided at the borders of its items."""

from pathlib import Path

import pytest

from rust_expert.common.config.corpus import ChunkOptions
from rust_expert.common.crate_files import CrateFiles, SourceFile, read_crate
from rust_expert.syntax.chunks import CHUNK_KINDS
from rust_expert.syntax.corpus import ItemRow, Origin, columns_of

CRATES = Path(__file__).resolve().parents[1] / "fixtures" / "crates"
ORIGIN = Origin("mini", "1.2.3", "MIT", "2021")


def rows_of(source: bytes, lines: int = 200, chars: int = 8000, name: str = "src/shapes.rs") -> list[ItemRow]:
    files = CrateFiles(files=[SourceFile.of(source, name)])
    columns, losses = columns_of(files, ORIGIN, ChunkOptions(max_lines=lines, max_chars=chars))
    assert not [loss for loss in losses if loss.gate == "syntax"]
    rows = list(map(ItemRow, *columns))
    for row in rows:
        assert source[row.start : row.end] == row.text.encode() or (row.text == "" and not row.scale)
    return rows


def of_kind(rows: list[ItemRow], kind: str) -> list[ItemRow]:
    return [row for row in rows if row.kind == kind]


SHAPES = """//! Shapes, größer.
//!
//! And more.
use std::fmt;

/// A circle.
#[derive(Debug)]
pub struct Circle<T> { radius: T }

// What circles do — 猫.
impl<T> Circle<T> {
    /// New.
    pub fn new(radius: T) -> Self { Self { radius } }
}

impl<T> fmt::Display for Circle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("○") }
}
/// For squares.
impl From<Square> for u8 { fn from(_: Square) -> u8 { 4 } }
struct Square;
const SIDES: u8 = 4;
impl Square {}
/// What has an area.
pub trait Area { fn area(&self) -> f64; }
impl<T> Area for Circle<T> { fn area(&self) -> f64 { 3.0 } }
impl super::Area<u8> for Square { fn area(&self) -> f64 { 4.0 } }
impl Clone for Square { fn clone(&self) -> Self { Square } }

/// Inner.
mod inner {
    //! Things.
    pub mod deep {
        enum Kind { A }
        /* and */ impl Kind {}
    }
}
mod elsewhere;
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_scale_has_its_span(line_end: str) -> None:
    source = SHAPES.replace("\n", line_end).encode()
    rows = rows_of(source)
    assert [(row.kind, row.scale, row.path) for row in rows if row.kind != "method"] == [
        ("file", "file", "shapes"),
        ("type_with_impls", "type", "shapes::Circle"),
        ("struct", "struct", "shapes::Circle"),
        ("impl", "impl", "shapes::Circle"),
        ("impl", "impl", "shapes::<Circle as fmt::Display>"),
        ("impl", "impl", "shapes::<u8 as From<Square>>"),
        ("struct", "struct", "shapes::Square"),
        ("const", "", "shapes::SIDES"),
        ("impl", "impl", "shapes::Square"),
        ("trait_with_impls", "trait", "shapes::Area"),
        ("trait", "trait", "shapes::Area"),
        ("impl", "impl", "shapes::<Circle as Area>"),
        ("impl", "impl", "shapes::<Square as super::Area<u8>>"),
        ("impl", "impl", "shapes::<Square as Clone>"),
        ("module", "module", "shapes::inner"),
        ("module", "module", "shapes::inner::deep"),
        ("type_with_impls", "type", "shapes::inner::deep::Kind"),
        ("enum", "enum", "shapes::inner::deep::Kind"),
        ("impl", "impl", "shapes::inner::deep::Kind"),
        ("module", "", "shapes::elsewhere"),
    ]
    file, circle = rows[0], rows[1]
    assert file.text.encode() == source.removesuffix(line_end.encode())
    assert (file.name, file.docs, file.imports) == (
        "shapes", "Shapes, größer.\n\nAnd more.", ("use std::fmt;",),
    )  # fmt: skip
    assert circle.text.startswith("/// A circle.") and circle.text.endswith(
        'f.write_str("○") }' + line_end + "}"
    )
    assert (circle.docs, circle.signature, circle.public) == ("A circle.", "pub struct Circle<T>", True)
    trait = of_kind(rows, "trait_with_impls")[0]
    assert trait.text.startswith("/// What has") and trait.text.endswith("{ 4.0 } }")
    (kind,) = [row for row in of_kind(rows, "type_with_impls") if row.name == "Kind"]
    assert " ".join(kind.text.split()) == "enum Kind { A } /* and */ impl Kind {}"
    assert {row.name: row.docs for row in of_kind(rows, "module")} == {
        "inner": "Inner.\nThings.", "deep": "", "elsewhere": "",
    }  # fmt: skip
    assert len({row.key for row in rows}) == len(rows)


def impl_of(*members: str) -> bytes:
    return ("impl<T> Stack<T> {\n" + "\n".join(members) + "\n}\n").encode()


MEMBERS = [f"    /// Member {n}, ä.\n    fn m{n}(&self) {{\n        // {n}\n    }}\n" for n in range(7)]


def test_an_oversized_impl_is_divided_at_the_borders_of_its_members() -> None:
    source = impl_of(*MEMBERS)
    rows = rows_of(source, lines=12)
    (impl,) = of_kind(rows, "impl")
    assert impl.scale == "" and impl.text.encode() == source.rstrip(b"\n")
    parts = of_kind(rows, "impl_part")
    assert [part.text.count("\n") + 1 + 2 <= 12 for part in parts] == [True] * 4
    assert {(part.header, part.signature, part.owner, part.scale) for part in parts} == {
        ("impl<T> Stack<T>", "impl<T> Stack<T>", "Stack", "impl_part"),
    }  # fmt: skip
    methods = of_kind(rows, "method")
    assert [part.start for part in parts] == [methods[place].start for place in (0, 2, 4, 6)]
    # Put together, with what stands between them, they are the members of the impl.
    body = b"".join(
        source[last : part.start] + part.text.encode()
        for last, part in zip([methods[0].start, *(part.end for part in parts)], parts, strict=False)
    )
    assert body == source[methods[0].start : methods[-1].end]
    order = [row.kind for row in rows if row.kind in ("impl_part", "method")]
    assert order == [*["impl_part", "method", "method"] * 3, "impl_part", "method"]


def test_characters_are_counted_not_bytes() -> None:
    source = impl_of('    fn a() -> &str { "' + "ä" * 300 + '" }', "    fn b() {}")
    assert of_kind(rows_of(source, chars=400), "impl")[0].scale == "impl"
    divided = rows_of(source, chars=300)
    assert of_kind(divided, "impl")[0].scale == ""
    assert [part.text for part in of_kind(divided, "impl_part")] == ["fn b() {}"], "a is too large alone"


def test_parts_leave_out_tests_and_stop_at_macros() -> None:
    source = impl_of(
        "    fn a() {}", "    #[cfg(test)]\n    fn t() {}", "    fn b() {}", "    // then", "    const C: u8 = 1;",
        "    made!();", "    type D = u8;",
    )  # fmt: skip
    rows = rows_of(source)
    assert of_kind(rows, "impl")[0].scale == ""
    assert [part.text for part in of_kind(rows, "impl_part")] == [
        "fn a() {}", "fn b() {}\n    // then\n    const C: u8 = 1;", "type D = u8;",
    ]  # fmt: skip


def test_a_run_of_impls_ends_where_the_limit_is() -> None:
    source = b"struct A;\nimpl A {\n}\nimpl Clone for A {\n}\nimpl Drop for A {\n}\n"
    assert [row.text for row in of_kind(rows_of(source, lines=5), "type_with_impls")] == [
        "struct A;\nimpl A {\n}\nimpl Clone for A {\n}"
    ]
    assert of_kind(rows_of(source, lines=2), "type_with_impls") == []


@pytest.mark.parametrize(
    ("between", "ends"),
    [
        ("", False),
        ("\n\n// plain\n/* more */\n", False),
        ("use a::b;", True),
        ("made!();", True),
        ("#![x]", True),
    ],
)
def test_what_may_stand_in_a_run(between: str, ends: bool) -> None:
    rows = rows_of(f"struct A;{between}impl A {{}}\n".encode())
    assert (of_kind(rows, "type_with_impls") == []) == ends


def test_tests_at_the_end_of_a_file_are_no_part_of_it() -> None:
    code = "//! Docs.\nfn f() {}"
    tests = "\n\n/// About tests.\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {}\n}\n"
    tests += "// end\n#[test]\nfn u() {}\n"
    (file,) = of_kind(rows_of(f"{code}{tests}".encode()), "file")
    assert (file.text, file.scale, file.conditional) == (code, "file", False)
    (between,) = of_kind(rows_of(f"{code}{tests}fn g() {{}}\n".encode()), "file")
    assert (between.text, between.scale) == ("", "")
    (conditional,) = of_kind(rows_of(f"{code}\n#[cfg(unix)]\nuse a::b;{tests}".encode()), "file")
    assert conditional.conditional


def test_oversized_modules_and_files_are_no_chunks() -> None:
    source = b"mod a {\n    fn f() {}\n\n    fn g() {}\n}\nfn h() {}\n"
    rows = rows_of(source, lines=4)
    assert {(row.kind, row.scale, row.text) for row in rows if row.kind in ("file", "module")} == {
        ("file", "", ""), ("module", "", ""),
    }  # fmt: skip
    assert [row.scale for row in of_kind(rows, "function")] == ["function"] * 3


def test_modules_with_tests_inside_are_no_chunks() -> None:
    rows = rows_of(b"mod a { fn f() {} #[cfg(test)] mod tests { fn t() {} } }\nmod b { fn g() {} }\n")
    assert {row.name: row.scale for row in of_kind(rows, "module")} == {"a": "", "b": "module"}


def test_names_of_files_as_modules() -> None:
    names = {
        file: rows_of(b"fn f() {}\n", name=file)[0] for file in ("src/lib.rs", "src/a/mod.rs", "src/a/b.rs")
    }
    assert {file: (row.name, row.path) for file, row in names.items()} == {
        "src/lib.rs": ("mini", ""), "src/a/mod.rs": ("a", "a"), "src/a/b.rs": ("b", "a::b"),
    }  # fmt: skip


@pytest.mark.parametrize("crate", sorted(path.name for path in CRATES.iterdir()))
def test_chunks_of_a_crate(crate: str) -> None:
    sources = read_crate(CRATES / crate)
    bytes_of = {file.name: file.source for file in sources.files}
    rows = list(map(ItemRow, *columns_of(sources, ORIGIN, ChunkOptions(max_lines=30))[0]))
    assert {"file", "impl_part", "type_with_impls"} & {row.kind for row in rows}
    assert len({row.key for row in rows}) == len(rows)
    places = [(row.file, row.start, -row.end, row.kind not in CHUNK_KINDS) for row in rows]
    assert places == sorted(places)
    for row in rows:
        if row.text:
            assert bytes_of[row.file][row.start : row.end] == row.text.encode()
        if row.scale in ("impl_part", "type", "module", "file"):
            assert row.text and row.text.count("\n") < 30

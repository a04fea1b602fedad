"""Reading Rust without a parser: what is code, what is there for tests, what no parser should be given."""

import time

import pytest

from rust_expert.common.crate_files import SourceFile
from rust_expert.common.rust_lexing import DEEPEST, DOC, blanked, fault_in, lexed
from rust_expert.common.rust_tests import spans_of_tests
from rust_expert.crates.rust_text import Measures, is_conditional, measures_of


def measure(source: bytes) -> Measures:
    return measures_of([SourceFile.of(source)])


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("a // unsafe", "a"),
        ("a /* x /* unsafe */ y */ b", "a b"),
        ('let s = "unsafe // \\" no"; b', "let s = ; b"),
        ('r#"unsafe " no"# ; b', "; b"),
        ('br##"a "# b"## ; c', "b ; c"),
        ('r#match "text" r', "r#match r"),
        ("let c = '\"'; unsafe", "let c = ; unsafe"),
        (r"let c = '\''; b", "let c = ; b"),
        (r"let c = '\u{1F600}'; b", "let c = ; b"),
        ("let c = 'ß'; b", "let c = ; b"),
        ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ("/* never closed unsafe", ""),
        ('"never closed unsafe', ""),
        ('let ü = "größe"; // ß', "let ü = ;"),
        ("/// Doc.\n//// none\n//! inner\nx", "\x01 x"),
        ("/** Doc. */ /*** none */ /**/ x", "\x01 x"),
    ],
)
def test_comments_and_texts_are_blanked(source: str, code: str) -> None:
    found = blanked(source.encode())
    assert len(found) == len(source.encode())
    assert " ".join(found.decode().split()) == code


def test_a_mark_in_the_source_is_no_documentation() -> None:
    assert measure(DOC + b" pub fn f() {}").documented_items == 0


@pytest.mark.parametrize(
    "gone",
    [
        "#[cfg(test)]\nmod tests {\n    fn f() { g({ [1; 2] }); }\n}",
        "#[cfg(test)] #[rustfmt::skip] mod tests;",
        "#[cfg(all(test, not(miri)))] use a::{b, c};",
        '#[cfg(all(feature = "x", test))]\nconst A: [u8; 2] = [1; 2];',
        '#[test]\n#[should_panic(expected = "}")]\nfn f() -> [u8; 2] { "}"; }',
        "#[tokio::test(start_paused = true)]\nasync fn f() {}",
        "#[bench]\nfn f(b: &mut Bencher) {}",
    ],
)
def test_items_for_tests_are_found(gone: str) -> None:
    source = f"fn before() {{}}\n{gone}\nfn after() {{}}\n".encode()
    ((start, end),) = spans_of_tests(blanked(source))
    left = source[:start] + source[end:]
    assert left.replace(b";", b"").split() == b"fn before() {} fn after() {}".split()


@pytest.mark.parametrize(
    "kept",
    [
        '#[cfg(any(test, feature = "x"))] fn f() {}',
        "#[cfg(not(test))] fn f() {}",
        "#[cfg(all(unix, not(test)))] fn f() {}",
        "// #[cfg(test)]\nfn f() {}",
        'const A: &str = "#[cfg(test)] mod x {}";',
        "#[testing] fn f() {}",
    ],
)
def test_what_is_compiled_otherwise_stays(kept: str) -> None:
    assert spans_of_tests(blanked(kept.encode())) == []


def test_a_file_for_tests_alone() -> None:
    assert measure(b"#![cfg(test)]\nunsafe fn f() {}\n").code_lines == 0


def test_figures_are_those_without_tests() -> None:
    source = (
        b"/// A.\npub fn f() {}\n#[cfg(test)]\nmod tests {\n    // "
        + b"x" * 90
        + b"\n    pub fn g() { unsafe {} }\n}\n"
    )
    figures = measure(source)
    assert (figures.public_items, figures.documented_items, figures.unsafe_uses) == (1, 1, 0)
    assert (figures.longest_line, figures.full_lines, figures.characters) == (13, 2, 19)


def test_letters_and_lengths_are_of_characters() -> None:
    figures = measure("// größe 12\n".encode())
    assert (figures.characters, figures.signs, figures.letters) == (11, 9, 5)


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("#[cfg(windows)] fn f() {}", 1),
        ('#[cfg(all(feature = "x", not(any(target_os = "linux", unix))))] fn f() {}', 1),
        ('#[cfg_attr(target_arch = "x86", inline)] fn f() { if cfg!(unix) {} }', 2),
        ("use std::os::fd::AsFd; use core::arch::asm; use std::osx::x;", 2),
        ('#[cfg(feature = "windows")] fn windows() { unix(); }', 0),
        ("#[cfg(target_pointer_width = \"64\")] fn f() {} // cfg(unix)", 0),
    ],
)  # fmt: skip
def test_uses_of_one_platform(source: str, uses: int) -> None:
    assert measure(source.encode()).platform_uses == uses


def test_a_library_of_one_platform() -> None:
    source = b'//! Docs.\n#![allow(x)]\n#![cfg(all(target_os = "macos", feature = "x"))]\nfn f() {}'
    assert is_conditional(SourceFile.of(source))
    assert not is_conditional(SourceFile.of(b"#![cfg_attr(windows, allow(x))]\n#[cfg(windows)]\nmod a;"))


DEEP = 100_000


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"fn f() {" + b"(" * DEEP + b")" * DEEP + b"}", "nested"),
        (b"fn f() {" + b"{[(" * DEEP + b")]}" * DEEP + b"}", "nested"),
        (b"[" * DEEP, "nested"),
        (b"fn f() {}" + b"mod m {" * (DEEPEST + 1) + b"}" * (DEEPEST + 1), "nested"),
        (b"mod m {" * (DEEPEST - 1) + b"}" * (DEEPEST - 1), ""),
        (b'const A: &str = "' + b"(" * DEEP + b'";', ""),
        (b"// " + b"{" * DEEP, ""),
        (b"fn f() {}\n" * 1000, ""),
        (b'fn f() { r#"' + b'r#"' * DEEP, "never ends"),
        (b'// r#"\nfn f() { r#"a"#; "r#"; }', ""),
    ],
)
def test_what_no_parser_is_given(source: bytes, told: str) -> None:
    reason = fault_in(lexed(source))
    assert told in reason if told else reason == ""


@pytest.mark.parametrize(
    "piece",
    [b'r#"', b'r###"#', b"/*", b"/**/", b"'", b'"\\', b'"', b"((", b"))", b"#[", b"#[cfg(test)]", b"cfg(all(", b"pub ",
     b"\x01", b"cfg(", b"#[doc=", b"#[test]#[", b"///\n"],
)  # fmt: skip
def test_hostile_files_are_read_in_linear_time(piece: bytes) -> None:
    source = piece * (1_000_000 // len(piece))
    before = time.process_time()
    fault_in(lexed(source))
    measure(source)
    assert time.process_time() - before < 10, "quadratic, it would take hours"

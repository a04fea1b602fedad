"""Many forms in one compilation: what is said of each is what rustc says of it alone."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rust_expert.common.config.corpus import BuildOptions
from rust_expert.judge.diagnostics import Diagnostic
from rust_expert.judge.in_place import InPlace, in_place
from rust_expert.judge.third_party import ThirdParty, build, limits_of
from rust_expert.syntax.corpus import ItemRow, Origin, rows_of_crate
from rust_expert.tasks.building import CrateResult
from rust_expert.tasks.composed import Composed, Form, OtherChange, blamed, composed, public_paths, relined
from rust_expert.tasks.trying import ABORTING, Failed, Trials, _apart
from tests.built_crates import CRATES, NAMES, OPTIONS, examined, items, replaced, with_options


@pytest.fixture(scope="module")
def results() -> dict[str, CrateResult]:
    return {result.name: result for result in examined()}


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, InPlace]]:
    """Each mini-crate, ready for changes."""
    options, made, open_ones = BuildOptions(), {}, []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for name in NAMES:
            left = Path(folder) / name
            left.mkdir()
            done = build(ThirdParty(name, CRATES / name, {}), options, left)
            assert done.outcome == "passes", done.reason
            context = in_place(done, CRATES / name, limits_of(options))
            open_ones.append(context)
            made[name] = context.__enter__()
        yield made
        for context in open_ones:
            context.__exit__(None, None, None)


def by_key(name: str) -> dict[str, ItemRow]:
    return {row.key: row for row in items(name)}


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_form_alone_says_just_what_was_noted(
    name: str, results: dict[str, CrateResult], places: dict[str, InPlace]
) -> None:
    pairs = [pair for pair in results[name].pairs if pair.kind == "broken"]
    assert len(pairs) >= 8
    for pair in pairs:
        row = by_key(name)[pair.key]
        alone = places[name].compile({row.file: replaced(row, pair.text)})
        errors = [each for each in alone.diagnostics if each.is_error]
        assert not alone.ok and list(dict.fromkeys(each.code for each in errors)) == pair.codes
        assert pair.message == public_paths("\n\n".join(each.rendered.strip("\n") for each in errors))
        end = row.start + len(pair.text.encode())
        for span in (span for each in errors for span in each.spans if span.primary):
            assert span.file == row.file and row.start <= span.byte_start and span.byte_end <= end


@pytest.mark.parametrize("name", NAMES)
def test_plainer_and_suggested_forms_compile_alone(
    name: str, results: dict[str, CrateResult], places: dict[str, InPlace]
) -> None:
    pairs = [pair for pair in results[name].pairs if pair.kind in ("plain", "suggested")]
    assert pairs
    for pair in pairs:
        row = by_key(name)[pair.key]
        assert pair.text != row.text
        alone = places[name].compile({row.file: replaced(row, pair.text)}, lints=True)
        assert alone.ok
        if pair.kind == "suggested":
            before = places[name].compile({}, lints=True)
            counts = [sum(each.code == pair.way for each in told.diagnostics) for told in (before, alone)]
            assert counts[1] < counts[0]


def test_neither_workers_nor_time_change_anything(results: dict[str, CrateResult]) -> None:
    assert {result.name: result for result in examined(workers=1)} == results


def test_fewer_forms_are_some_of_more(results: dict[str, CrateResult]) -> None:
    fewer = examined(with_options(broken_forms=4, plain_forms=2, suggested_forms=1, standing_items=5))
    for result in fewer:
        tried = {kind: sum(tally["tried"].values()) for kind, tally in result.forms.items()}
        assert (
            tried["broken"] <= 4 and tried["plain"] <= 2 and tried["suggested"] <= 1 and tried["stands"] <= 5
        )
        known = {(pair.key, pair.kind, pair.text) for pair in results[result.name].pairs}
        assert {(pair.key, pair.kind, pair.text) for pair in result.pairs if pair.kind == "stands"} <= known


def test_the_counts_add_up(results: dict[str, CrateResult]) -> None:
    for result in results.values():
        for kind, tally in result.forms.items():
            kept = sum(tally["kept"].values())
            assert kept == sum(pair.kind == kind for pair in result.pairs)
            if kind != "stands":  # there what is not even tried is counted as lost too
                assert sum(tally["tried"].values()) == kept + sum(tally["lost"].values())


EARLY = {
    "E0404": "struct A; struct B; impl A for B {}",
    "E0405": "struct A; impl Missing for A {}",
}
LATE = {
    "E0425": "fn f() { missing }",
    "E0433": "fn f() { missing::g() }",
    "E0412": "fn f(x: Missing) {}",
    "E0432": "use missing::g;",
    "E0220": "fn f<T: Iterator>(x: T::Missing) {}",
    "E0261": "fn f(x: &'a str) {}",
    "E0106": "fn f(x: &str, y: &str) -> &str { x }",
    "E0107": "fn f(x: Option<u8, u8>) {}",
    "E0053": "trait T { fn a(&self, x: u8); } impl T for u8 { fn a(&self, x: u16) {} }",
    "E0046": "trait T { fn a(); } struct S; impl T for S {}",
    "E0407": "trait T {} struct S; impl T for S { fn a() {} }",
    "E0276": "trait T { fn a<X>(); } struct S; impl T for S { fn a<X: Copy>() {} }",
    "E0282": "fn f() { let x = None; }",
    "E0004": "fn f(x: bool) { match x { true => {} } }",
    "E0133": "unsafe fn u() {} fn f() { u() }",
    "E0408": "fn f(x: Option<u8>) { match x { Some(y) | None => {} } }",
    "E0015": 'const fn f() -> String { String::from("x") }',
    "E0599": "fn f() { 1u8.missing() }",
}


@pytest.mark.parametrize(("code", "text"), [*EARLY.items(), *LATE.items()])
def test_which_errors_stop_the_compiler_early(code: str, text: str, tmp_path: Path) -> None:
    """`ABORTING` is true of this rustc: after these errors types and borrows of other functions are not looked at."""
    types, borrows = 'fn g() -> u32 { "x" }', "fn h() { let s = String::new(); drop(s); drop(s); }"
    (tmp_path / "a.rs").write_text(f"{types}\n{borrows}\n{text}\n")
    words = [
        "rustc",
        "--edition=2021",
        "--crate-type=lib",
        "--emit=metadata",
        "-Awarnings",
        "-o",
        str(tmp_path / "o"),
        "a.rs",
    ]
    told = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True).stderr
    assert "a.rs:3:" in told, told
    seen = "a.rs:1:" in told and "a.rs:2:" in told
    assert seen == (code not in ABORTING)


LIB = """\
//! A crate for changes.

macro_rules! twice {
    ($x:expr) => { $x + $x };
}

/// First.
pub fn first(x: u32) -> u32 {
    twice!(x)
}

/// Second.
pub fn second(x: u32) -> u32 {
    let y = helper(x);
    y + 1
}

fn helper(x: u32) -> u32 {
    x
}

/// Third.
pub fn third(text: &str) -> usize {
    let kept = text.to_string();
    kept.len()
}

/// What it gives is known by its body alone.
pub fn opaque() -> impl Clone {
    1u8
}

pub fn sender() {
    fn needs_send<T: Send>(_: T) {}
    needs_send(opaque());
}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, ItemRow], Trials, InPlace]]:
    root = tmp_path_factory.mktemp("small")
    (root / "src").mkdir()
    (root / "src/lib.rs").write_text(LIB)
    (root / "Cargo.toml").write_text('[package]\nname = "small"\nversion = "0.1.0"\nedition = "2021"\n')
    root.chmod(0o755)
    left = tmp_path_factory.mktemp("left")
    left.chmod(0o755)
    done = build(ThirdParty("small", root, {}), BuildOptions(), left)
    assert done.outcome == "passes", done.reason
    rows = rows_of_crate(root, Origin("small", "0.1.0", "MIT", "2021"))[0]
    with in_place(done, root, limits_of(BuildOptions())) as crate:
        trials = Trials(crate, {"src/lib.rs": LIB.encode()})
        yield {row.name: row for row in rows}, trials, crate


def form(rows: dict[str, ItemRow], name: str, before: str, after: str, inside: bool = True) -> Form:
    text = rows[name].text
    assert before in text
    return Form(rows[name], f"{before} to {after}", text.replace(before, after), inside)


def test_an_error_that_stops_the_compiler_hides_no_other(
    small: tuple[dict[str, ItemRow], Trials, InPlace],
) -> None:
    rows, trials, _ = small
    early = form(rows, "opaque", "impl Clone", "impl Missing", inside=False)
    others = [
        form(rows, "second", "helper(x)", 'helper("x")'),
        form(rows, "third", "kept.len()", "drop(kept); kept.len()"),
    ]
    # together they would hide each other, and `inside` being false keeps them apart anyway; so pretend otherwise
    together = [Form(early.row, early.way, early.text), *others]
    tried = trials.failing(together, 4)
    assert {each.form.row.name: each.codes for each in tried.failed} == {
        "opaque": ("E0405",), "second": ("E0308",), "third": ("E0382",)
    }  # fmt: skip


def test_an_error_elsewhere_is_no_fair_task(small: tuple[dict[str, ItemRow], Trials, InPlace]) -> None:
    rows, trials, _ = small
    forms = [
        form(rows, "opaque", "1u8", "std::rc::Rc::new(1u8)"),  # sender() fails for it
        form(rows, "second", "y + 1", "y + z"),
        form(rows, "first", "twice!(x)", 'twice!("x")'),  # the error is in what the macro gave
    ]
    tried = trials.failing(forms, 4)
    assert [each.form.row.name for each in tried.failed] == ["second"]
    assert tried.failed[0].codes == ("E0425",)
    assert sum(tried.lost.values()) == 2 and "an error outside the item" in tried.lost


def test_a_form_that_compiles_or_has_too_many_errors_is_lost(
    small: tuple[dict[str, ItemRow], Trials, InPlace],
) -> None:
    rows, trials, _ = small
    many = " + ".join(f"z{number}" for number in range(6))
    forms = [form(rows, "second", "y + 1", "y + 2"), form(rows, "helper", "    x\n", f"    {many}\n")]
    tried = trials.failing(forms, 4)
    assert not tried.failed and tried.lost == {"it compiles": 1, "too many errors": 1}


def test_two_forms_of_one_item_are_tried_apart(small: tuple[dict[str, ItemRow], Trials, InPlace]) -> None:
    rows, trials, _ = small
    forms = [form(rows, "second", "y + 1", "y + z"), form(rows, "second", "helper(x)", "helper()")]
    assert [each.codes for each in trials.failing(forms, 4).failed] == [("E0425",), ("E0061",)]


def test_signatures_in_impls_of_one_trait_are_tried_apart(
    small: tuple[dict[str, ItemRow], Trials, InPlace],
) -> None:
    rows, _, _ = small
    forms = [
        Form(rows[name]._replace(trait=trait), "way", "fn x() {}", inside)
        for name, trait, inside in (
            ("first", "From<u8>", False),
            ("second", "core::convert::From<i8>", False),
            ("third", "Drop", False),
            ("helper", "From<u8>", True),
            ("opaque", "From<i8>", True),
        )
    ]
    groups = [{form.row.name for form in group} for group in _apart(forms)]
    assert groups == [{"first", "third"}, {"second"}, {"helper", "opaque"}]


def test_a_conflict_of_impls_hides_what_is_wrong_with_others_of_the_trait(tmp_path: Path) -> None:
    """Why: this rustc compares no method with its trait's where two impls of the trait conflict."""
    wrong = "trait T { fn a(&self, x: u8); } impl T for u8 { fn a(&self, x: u16) {} }"
    conflict = " impl T for u16 { fn a(&self, x: u8) {} } impl T for u16 { fn a(&self, x: u8) {} }"
    for more, seen in (("", True), (conflict, False)):
        (tmp_path / "a.rs").write_text(wrong + more)
        words = [
            "rustc",
            "--edition=2021",
            "--crate-type=lib",
            "--emit=metadata",
            "-o",
            str(tmp_path / "o"),
            "a.rs",
        ]
        told = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True).stderr
        assert ("E0053" in told) == seen and ("E0119" in told) != seen


def test_forms_that_do_not_compile_leave_the_others(
    small: tuple[dict[str, ItemRow], Trials, InPlace],
) -> None:
    rows, trials, _ = small
    good = form(rows, "second", "let y = helper(x);\n    y + 1", "helper(x) + 1")
    tried = trials.compiling([form(rows, "third", "kept.len()", "kept"), good], lints=True)
    assert tried.compiling == [good] and tried.lost == {"it does not compile": 1}


def the_error(crate: InPlace, *forms: Form) -> tuple[Composed, Diagnostic]:
    """The forms in their file, and the one error that they make there."""
    made = composed(forms, {"src/lib.rs": LIB.encode()})
    [error] = [each for each in crate.compile(made.files).diagnostics if each.is_error]
    return made, error


def test_lines_are_those_of_the_form_alone(small: tuple[dict[str, ItemRow], Trials, InPlace]) -> None:
    rows, _, crate = small
    longer = form(rows, "first", "    twice!(x)", "\n" * 95 + "    let a = 1;\n    twice!(x + a)")
    faulty = form(rows, "third", "kept.len()", "kept.len() + missing")
    made, error = the_error(crate, longer, faulty)
    _, alone = the_error(crate, faulty)
    assert error.rendered != alone.rendered, "the control: together the lines are others"
    assert relined(error.rendered, faulty, made) == alone.rendered


def test_lines_in_the_name_of_a_closure_are_those_of_the_form_alone(
    small: tuple[dict[str, ItemRow], Trials, InPlace],
) -> None:
    rows, _, crate = small
    longer = form(rows, "first", "    twice!(x)", "\n\n    twice!(x)")
    faulty = form(rows, "third", "kept.len()", "(|| kept.len())")
    made, error = the_error(crate, longer, faulty)
    _, alone = the_error(crate, faulty)
    assert "{closure@src/lib.rs:" in error.rendered and error.rendered != alone.rendered
    assert relined(error.rendered, faulty, made) == alone.rendered
    far = form(rows, "first", "    twice!(x)", "\n" * 95 + "    twice!(x)")
    made, error = the_error(crate, far, faulty)
    with pytest.raises(OtherChange):
        relined(error.rendered, faulty, made)


def test_other_packages_have_no_place_on_a_machine() -> None:
    told = (
        "  --> /needed/serde_core-1.0.229-67dca2c9/src/ser/mod.rs:1526:8\n  ::: /needed/helper/src/lib.rs:1:1"
    )
    assert public_paths(told) == "  --> serde_core-1.0.229/src/ser/mod.rs:1526:8\n  ::: helper/src/lib.rs:1:1"


def test_a_message_that_shows_another_change_is_not_used(
    small: tuple[dict[str, ItemRow], Trials, InPlace],
) -> None:
    rows, _, crate = small
    other = form(rows, "helper", "fn helper(x: u32)", "fn helper(\n    x: u32,\n)", inside=False)
    faulty = form(rows, "second", "helper(x)", "helper()")
    made = composed([other, faulty], {"src/lib.rs": LIB.encode()})
    found = blamed([each for each in crate.compile(made.files).diagnostics if each.is_error], made)
    [error] = found.inside[faulty]
    with pytest.raises(OtherChange):
        relined(error.rendered, faulty, made)


def test_lines_behind_an_ellipsis_are_of_the_file_above(
    small: tuple[dict[str, ItemRow], Trials, InPlace],
) -> None:
    rows, _, _ = small
    longer = form(rows, "first", "    twice!(x)", "\n\n\n    twice!(x)")
    faulty = form(rows, "third", "kept.len()", "kept.missing()")
    made = composed([longer, faulty], {"src/lib.rs": LIB.encode()})
    told = """\
error[E0599]: what rustc says
  --> src/lib.rs:27:5
   |
27 |     kept.missing()
   |
note: of another file
  --> src/other.rs:31:1
   |
29 | where
...
31 |     T: Clone
   |
help: of this one
   |
27 |     kept.len()
   |"""
    alone = told.replace("lib.rs:27", "lib.rs:24").replace("27 |", "24 |")
    assert relined(told, faulty, made) == alone


def test_notes_quote_the_form(small: tuple[dict[str, ItemRow], Trials, InPlace]) -> None:
    rows, trials, _ = small
    [failed] = trials.failing([form(rows, "third", "kept.len()", "drop(kept); kept.len()")], 4).failed
    assert isinstance(failed, Failed)
    assert "`kept`: value borrowed here after move" in failed.notes
    assert OPTIONS.max_errors >= 1

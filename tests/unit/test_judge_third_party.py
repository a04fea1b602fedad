"""Crates of other people: real builds, without network, in the sandbox."""

from collections import Counter
from pathlib import Path

import pytest

from rust_expert.common.config.corpus import BuildOptions
from rust_expert.judge.in_place import MOST_TIMEOUTS, InPlace, in_place
from rust_expert.judge.sandbox import Limits
from rust_expert.judge.third_party import Build, limits_of
from tests.tiny_crates import LIB, OPTIONS, built, need, script


def test_a_crate_that_passes(tmp_path: Path) -> None:
    done = built(
        tmp_path,
        {
            "src/lib.rs": LIB + '\nmod inner;\n#[cfg(feature = "more")]\nmod off;\n#[cfg(test)]\nmod tests;\n'
            '#[path = "../odd place/out.rs"]\nmod out;\npub use inner::NOTES;\npub use out::OUT;\n',
            "src/inner.rs": '/// Notes.\npub const NOTES: &str = include_str!("../notes.txt");\n',
            "odd place/out.rs": "/// Out.\npub const OUT: u8 = 1;\n",
            "src/off.rs": "this is no code",
            "src/tests.rs": "nor is this",
            "notes.txt": "notes",
            "examples/broken.rs": "neither",
        },
        "[features]\nmore = []\n[dev-dependencies]\nnobody-has-it = '1'\n",
    )
    assert (done.outcome, done.reason, done.lints, done.timed_out) == ("passes", "", {}, False)
    assert done.files - {"Cargo.toml"} == {"src/lib.rs", "src/inner.rs", "odd place/out.rs", "notes.txt"}


SAME = "/// Compares.\n#[must_use]\npub fn equal(x: u8) -> bool {\n    x == x\n}\n"
EMPTY = "/// Waits.\npub fn wait() -> ! {\n    loop {}\n}\n"
STYLE = "/// Not.\npub fn not(x: bool) -> bool {\n    return !x;\n}\n"


def test_lints_that_block(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    done = built(tmp_path / "a", {"src/lib.rs": LIB + SAME + EMPTY + STYLE})
    assert done.outcome == "blocked"
    assert done.reason == (
        "clippy warns: 1 of correctness, 1 of suspicious (clippy::empty_loop, clippy::eq_op)"
    )
    assert done.lints == {"correctness": 1, "suspicious": 1, "style": 1, "pedantic": 1}
    (tmp_path / "b").mkdir()
    options = OPTIONS.model_copy(update={"blocking": ["style"]})
    other = built(tmp_path / "b", {"src/lib.rs": LIB + SAME + STYLE}, options=options)
    assert (other.outcome, other.reason) == ("blocked", "clippy warns: 1 of style (clippy::needless_return)")


def test_lints_that_are_counted(tmp_path: Path) -> None:
    done = built(
        tmp_path, {"src/lib.rs": LIB + STYLE + "fn unused() {}\n", "build.rs": script("let x = 1 == 1;")}
    )
    assert (done.outcome, done.reason, done.lints) == ("passes", "", {"style": 1, "pedantic": 1})
    told = Counter(each.code for each in done.warnings if each.file == "src/lib.rs")
    assert told == {"clippy::needless_return": 1, "clippy::must_use_candidate": 1, "dead_code": 1}
    lint = next(each for each in done.warnings if each.code == "clippy::needless_return")
    assert done.groups[lint.code] == "style"
    assert {(span.file, span.replacement) for span in lint.children[-1].spans} == {
        ("src/lib.rs", ""), ("src/lib.rs", "!x"),
    }  # fmt: skip
    assert "--> src/lib.rs:" in lint.rendered


CANNOT: dict[str, tuple[dict[str, str], str, str]] = {
    "an error": ({"src/lib.rs": "pub fn f() -> u8 { true }\n"}, "", "error: mismatched types"),
    "a dependency that is not there": ({}, "[dependencies]\nnowhere = '1'\n", "no matching package named `nowhere`"),
    "no library": ({"src/none.rs": ""}, "[lib]\npath = 'src/gone.rs'\n", "couldn't read `/crate/src/gone.rs`"),
    "a Rust that is not there": ({}, "rust-version = '1.999'\n",
                                "not supported by the following package: tiny@1.0.0 requires rustc 1.999"),
    "a manifest that cargo refuses": ({}, "[lib]\nname = 'a b'\n", "invalid character ' ' in crate name"),
    "a build script that gives up": (
        {"build.rs": script('eprintln!("note: wait"); eprintln!("there is no libtiny"); std::process::exit(3);')}, "",
        "error: failed to run custom build command for `tiny v1.0.0 (/crate)`: exit status: 3: there is no libtiny",
    ),
    "a build script that panics": ({"build.rs": script('panic!("too late");')}, "", "exit status: 101: too late"),
    "a build script that does not compile": ({"build.rs": "fn main() { no }"}, "", "cannot find value `no`"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CANNOT)
def test_a_crate_that_cannot_be_built(tmp_path: Path, kind: str) -> None:
    files, manifest, told = CANNOT[kind]
    done = built(tmp_path, files, manifest)
    assert (done.outcome, done.timed_out, done.left) == ("cannot_build", False, None)
    assert told in done.reason and "\n" not in done.reason


def test_a_program_alone(tmp_path: Path) -> None:
    done = built(tmp_path, {"src/main.rs": "fn main() {}\n"})
    assert (done.outcome, done.reason) == ("cannot_build", "it has no library that cargo builds")


GENERATING = script(
    """
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::create_dir(format!("{out}/deep")).unwrap();
    std::fs::write(format!("{out}/deep/made.rs"), "/// Made.\\npub const MADE: u8 = 1;\\n").unwrap();
    std::fs::write(format!("{out}/.more.rs"), "/// More.\\npub const MORE: u8 = 2;\\n").unwrap();
    println!("cargo:rustc-check-cfg=cfg(tiny_on)");
    println!("cargo:rustc-cfg=tiny_on");
    println!("cargo:rustc-env=RUSTC_TINY=it is on");
    println!("cargo:rustc-env=TINY_MORE={out}/.more.rs");
    """
)
GENERATED = """//! Generated.
include!(concat!(env!("OUT_DIR"), "/deep/made.rs"));
include!(env!("TINY_MORE"));
/// Told by the build script.
#[cfg(tiny_on)]
pub const ON: &str = env!("RUSTC_TINY");
/// Needs all of it.
#[must_use]
pub fn all() -> (u8, &'static str) {
    (MADE + MORE, ON)
}
"""


def test_what_a_build_script_makes(tmp_path: Path) -> None:
    """A build script of another name, and one that is not there when the crate is compiled again."""
    files = {"src/lib.rs": GENERATED, "make/it.rs": GENERATING}
    done = built(tmp_path, files, "build = 'make/it.rs'\n")
    assert (done.outcome, done.reason) == ("passes", "")
    assert done.files - {"Cargo.toml"} == {"src/lib.rs"}
    with in_place(done, tmp_path / "crate", limits_of(OPTIONS)) as compiler:
        assert compiler.compile({}) == compiler.compile({}, lints=True)
        assert compiler.compile({}).ok
        changed = GENERATED.replace("MADE + MORE", "MADE + ON").encode()
        told = compiler.compile({"src/lib.rs": changed})
        assert [(each.code, each.file) for each in told.diagnostics] == [("E0277", "src/lib.rs")]


def test_what_it_needs(tmp_path: Path) -> None:
    """A dependency of a dependency, a procedural macro, one of another platform, and itself in an older version."""
    needs = {
        "any-name": need(
            tmp_path / "helper", "helper",
            {"src/lib.rs": "pub use deeper::TWO;\npub fn plus(x: u8) -> u8 {\n    x + 1\n}\n"},
            "[dependencies]\ndeeper = '1'\n"
        ),
        "deeper-1": need(tmp_path / "deeper", "deeper", {"src/lib.rs": "pub const TWO: u8 = 2;\n"}),
        "maker-1": need(
            tmp_path / "maker", "maker",
            {"src/lib.rs": "use proc_macro::TokenStream;\n#[proc_macro]\npub fn three(_: TokenStream) -> TokenStream "
             '{ "3u8".parse().unwrap() }\n'}, "[lib]\nproc-macro = true\n",
        ),
        "winner-1": need(tmp_path / "winner", "winner", {"src/lib.rs": "this is no code"}),
        "tiny-0.1.0": need(tmp_path / "older", "tiny", {"src/lib.rs": "mod old;\npub const OLD: u8 = 1;\n",
                                                        "src/old.rs": ""}, version="0.1.0"),
    }  # fmt: skip
    source = LIB + "/// Five.\npub const FIVE: u8 = helper::TWO + maker::three!() + tiny_before::OLD;\n"
    done = built(
        tmp_path,
        {"src/lib.rs": source},
        "[dependencies]\nhelper = '1'\nmaker = '1'\ntiny_before = { package = 'tiny', version = '0.1' }\n"
        "[target.'cfg(windows)'.dependencies]\nwinner = '1'\n",
        needs,
    )
    assert (done.outcome, done.reason, done.lints) == ("passes", "", {})
    assert done.files - {"Cargo.toml"} == {"src/lib.rs"}
    with in_place(done, tmp_path / "crate", limits_of(OPTIONS)) as compiler:
        assert compiler.compile({}).ok
        wrong = compiler.compile({"src/lib.rs": source.replace("maker::three!()", "maker::four!()").encode()})
        assert not wrong.ok and "four" in wrong.diagnostics[0].message
        called = source.replace("maker::three!()", "helper::plus(1u16)").encode()
        [told] = compiler.compile({"src/lib.rs": called}).diagnostics[:1]
        assert "/needed/any-name/src/lib.rs" in told.rendered
        assert "pub fn plus" not in told.rendered, "code under another licence is not quoted"


def test_a_need_that_does_not_compile(tmp_path: Path) -> None:
    needs = {"helper": need(tmp_path / "helper", "helper", {"src/lib.rs": "pub fn f() -> u8 { true }"})}
    done = built(tmp_path, {}, "[dependencies]\nhelper = '1'\n", needs)
    assert (done.outcome, done.reason) == ("cannot_build", "error: mismatched types")


LIMITED: dict[str, tuple[str, dict[str, int], str, bool]] = {
    "cpu": ("loop {}", {"cpu_seconds": 2}, "cpu", True),
    "wall": ("std::thread::sleep(std::time::Duration::MAX);", {"wall_seconds": 4}, "wall", True),
    "memory": (
        "let mut all = Vec::new(); loop { all.push(vec![1u8; 1 << 20]); }", {"memory_mb": 512}, "memory", False,
    ),
    "work_mb": (
        'for n in 0.. { std::fs::write(format!("{}/{n}", std::env::var("OUT_DIR").unwrap()), [1; 1 << 20]).unwrap(); }',
        {"work_mb": 64}, "space for files", False,
    ),
    "words without end": (
        'loop { println!("{}", "x".repeat(1 << 20)); }', {"memory_mb": 512}, "memory", False,
    ),
    "programs without end": (
        'loop { let it = || std::process::Stdio::null(); std::process::Command::new("sleep").arg("600").stdin(it())'
        ".stdout(it()).stderr(it()).spawn().unwrap(); }", {}, "processes", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LIMITED)
def test_a_limit_ends_a_build(tmp_path: Path, kind: str) -> None:
    body, changes, limit, timed_out = LIMITED[kind]
    done = built(tmp_path, {"build.rs": script(body)}, options=OPTIONS.model_copy(update=changes))
    assert (done.outcome, done.reason) == ("cannot_build", f"building it met the limit: {limit}")
    assert done.timed_out == timed_out, "another time it may end otherwise"


def test_the_compiler_at_its_limits(tmp_path: Path) -> None:
    options = OPTIONS.model_copy(update={"cpu_seconds": 2})
    (tmp_path / "a").mkdir()
    endless = built(tmp_path / "a", {"src/lib.rs": ENDLESS}, options=options)
    assert (endless.reason, endless.timed_out) == ("building it met the limit: cpu", True)
    (tmp_path / "b").mkdir()
    deep = built(tmp_path / "b", {"src/lib.rs": f"pub fn f() {{ {'(' * 100_000}{')' * 100_000} }}"})
    assert "could not compile `tiny`" in deep.reason and "overflowed its stack" in deep.reason
    assert not deep.timed_out


ENDLESS = """#![allow(long_running_const_eval)]
/// Never known.
pub const NEVER: u8 = {
    let mut n = 0u64;
    while n < u64::MAX {
        n += 1;
    }
    1
};
"""


@pytest.fixture
def whole(tmp_path: Path) -> Build:
    """A built crate of two files."""
    done = built(
        tmp_path, {"src/lib.rs": LIB + "mod inner;\n", "src/inner.rs": STYLE.replace("pub ", "pub(crate) ")}
    )
    assert done.outcome == "passes", done.reason
    return done


def test_changes_are_put_back(tmp_path: Path, whole: Build) -> None:
    root = tmp_path / "crate"
    with in_place(whole, root, limits_of(OPTIONS)) as compiler:
        sources = compiler._sources
        before = {name: (sources / name).read_bytes() for name in ("src/lib.rs", "src/inner.rs")}
        told = compiler.compile(
            {"src/lib.rs": b"mod inner;\nfn f() -> u8 { true }", "src/inner.rs": b"fn f() { g() }"}
        )
        assert not told.ok and not told.gave_up
        assert {(each.code, each.file) for each in told.diagnostics if each.is_error} == {
            ("E0308", "src/lib.rs"), ("E0425", "src/inner.rs"),
        }  # fmt: skip
        assert {name: (sources / name).read_bytes() for name in before} == before
        with pytest.raises(FileNotFoundError):
            compiler.compile({"src/lib.rs": b"", "src/none.rs": b""})
        assert {name: (sources / name).read_bytes() for name in before} == before
        assert compiler.compile({}).ok
    assert not sources.exists()
    assert (root / "src" / "lib.rs").read_bytes() == before["src/lib.rs"]


def test_warnings_where_they_are_asked(tmp_path: Path, whole: Build) -> None:
    with in_place(whole, tmp_path / "crate", limits_of(OPTIONS)) as compiler:
        assert compiler.compile({}).diagnostics == ()
        told = compiler.compile({}, lints=True)
        assert told.ok
        assert {each.code for each in told.diagnostics if each.code.startswith("clippy::")} == {
            "clippy::needless_return"
        }
        pedantic = compiler.compile({"src/lib.rs": LIB.replace("#[must_use]\n", "").encode()}, lints=True)
        assert "clippy::must_use_candidate" in {each.code for each in pedantic.diagnostics}


def test_a_bomb_in_place(tmp_path: Path, whole: Build) -> None:
    limits = Limits(cpu_seconds=1, wall_seconds=60, memory_mb=1024)
    with in_place(whole, tmp_path / "crate", limits) as compiler:
        for number in range(MOST_TIMEOUTS):
            assert compiler.compile({}).ok
            told = compiler.compile({"src/lib.rs": ENDLESS.encode()})
            assert (told.ok, told.gave_up, compiler.timeouts) == (False, True, number + 1)
        assert compiler.compile({}).gave_up, "a crate that runs out of time again and again is given up"


def test_a_deep_text_in_place(tmp_path: Path, whole: Build) -> None:
    with in_place(whole, tmp_path / "crate", limits_of(OPTIONS)) as compiler:
        told = compiler.compile({"src/lib.rs": b"fn f() {" + b"(" * 100_000 + b")" * 100_000 + b"}"})
        assert (told.ok, told.gave_up, compiler.timeouts) == (False, True, 0)


def test_without_a_build_nothing_is_compiled() -> None:
    with pytest.raises(ValueError, match="not built"):
        InPlace(Build("cannot_build", "why"), Path(), limits_of(BuildOptions()))

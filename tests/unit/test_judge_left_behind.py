"""What a build leaves is forged in every way: nothing but the crate itself comes to harm."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rust_expert.judge import left_behind
from rust_expert.judge.diagnostics import read_diagnostics
from rust_expert.judge.in_place import in_place
from rust_expert.judge.left_behind import LeftFault, call_of, files_in, unpack
from rust_expert.judge.third_party import Build, limits_of
from tests.tiny_crates import LIB, OPTIONS, built, crate, need, script

ROOT = Path(__file__).resolve().parents[2]


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.USTAR_FORMAT)


def file(name: str, content: bytes = b"x") -> bytes:
    return header(name, len(content)) + content + bytes(-len(content) % 512)


def with_size(field: bytes) -> bytes:
    block = bytearray(header("generated/x"))
    block[124:136] = field
    return bytes(block)


def by_tarfile(form: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as pack:
        info = tarfile.TarInfo("generated/" + "n" * 300)
        info.size = 1
        pack.addfile(info, io.BytesIO(b"x"))
        return packed.getvalue()[: pack.offset]


PACKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a compressed pack": (lambda: b"\x1f\x8b" + bytes(range(255)) * 4, "no archive"),
    "no pack": (lambda: b"generated " * 100, "no archive"),
    "a size below zero": (lambda: with_size(b"\xff" * 12), "no archive"),
    "a size that is no number": (lambda: with_size(b"0x000000100\0"), "no archive"),
    "a size beyond the end": (lambda: with_size(b"77777777777\0"), "ends in the middle"),
    "files without number": (lambda: b"".join(file(f"generated/{n}") for n in range(101)), "more than 100 files"),
    "folders in folders": (lambda: file("generated/" + "d/" * 60 + "x"), "more than 40 folders"),
    "a file that is a folder": (lambda: file("generated/x") + file("generated/x/y"), "exists|Not a directory"),
    "a folder that is a file": (lambda: file("generated/x/y") + file("generated/x"), "Is a directory"),
    "a text without end": (lambda: file("told", b"x" * 2_000), "larger than 1000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("kind", PACKS)
def test_a_pack_that_no_build_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(left_behind, "MOST_FILES", 100)
    monkeypatch.setattr(left_behind, "LONGEST_TEXT", 1_000)
    make, told = PACKS[kind]
    (tmp_path / "left").mkdir()
    with pytest.raises(LeftFault, match=told):
        unpack(io.BytesIO(make()), tmp_path / "left")
    assert [path.name for path in tmp_path.iterdir()] == ["left"]


PASSED_OVER = {
    "a link": header("generated/x", kind=tarfile.SYMTYPE),
    "another name of a file": header("generated/x", kind=tarfile.LNKTYPE),
    "a device": header("generated/x", kind=tarfile.CHRTYPE),
    "a pipe": header("generated/x", kind=tarfile.FIFOTYPE),
    "a file with holes": header("generated/x", kind=tarfile.GNUTYPE_SPARSE),
    "a kind that nobody knows": header("generated/x", kind=b"Z"),
    "a name from the root": file("/tmp/x"),
    "a name that climbs": file("generated/../../x"),
    "a name that climbs at once": file("../x"),
    "another folder": file("elsewhere/libx-1.rmeta"),
    "no library": file("dependencies/x.sh"),
    "a library below": file("dependencies/a/libx-1.rmeta"),
    "a library beside": file("dependencies/../../libx-1.rmeta"),
    "a header of PAX": by_tarfile(tarfile.PAX_FORMAT),
    "a header of GNU": by_tarfile(tarfile.GNU_FORMAT),
}


@pytest.mark.parametrize("kind", PASSED_OVER)
def test_what_is_passed_over(tmp_path: Path, kind: str) -> None:
    (tmp_path / "left").mkdir()
    packed = io.BytesIO(
        PASSED_OVER[kind] + file("generated/a/b.rs", b"good") + file("dependencies/libx-0f.so")
    )
    before = os.umask(0o077)
    try:
        assert unpack(packed, tmp_path / "left") == {}
    finally:
        os.umask(before)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.is_dir()}
    cut = {
        f"left/generated/{'n' * 89}",
        f"left/generated/{'n' * 90}",
    }  # what tarfile calls it for old readers
    assert found - cut == {"left/generated/a/b.rs", "left/dependencies/libx-0f.so"}
    assert (tmp_path / "left/generated/a/b.rs").read_bytes() == b"good"
    for path in (tmp_path / "left").rglob("*"):
        assert not path.is_symlink()
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), "another user reads it"


def test_texts_and_names_of_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "left").mkdir()
    name = os.fsdecode(b"generated/\xff\n.rs")
    packed = file("told", b"a\xffb") + file("told", b"later") + file("x" * 100, b"") + file(name)
    assert unpack(io.BytesIO(packed), tmp_path / "left") == {"told": "later", "x" * 100: ""}
    assert os.listdir(os.fsencode(tmp_path / "left" / "generated")) == [b"\xff\n.rs"]


def test_the_call_of_the_compiler() -> None:
    out = "/work/target/debug/build/tiny-0/out"
    arguments = ["--crate-name", "tiny", "/crate/src/lib.rs", "--error-format=json", "--json=x", "--out-dir", "/x",
                 "-L", "dependency=/work/target/debug/deps", "-L", f"native={out}", "--emit=metadata", "-C",
                 "metadata=1", "--cap-lints=warn", "-o", "/y", "-Copt-level=1"]  # fmt: skip
    variables = ["PATH=/bin", "CARGO_PKG_NAME=tiny", "RUSTC=/x", "RUSTC_TINY=1", f"OUT_DIR={out}", f"MORE={out}/a=b",
                 "LD_LIBRARY_PATH=/x", "--help=1", "A B=1", "=1", "NONE", "EMPTY="]  # fmt: skip
    words, environment = call_of("\0".join([*arguments, ""]), "\0".join([*variables, ""]))
    assert words == ("--crate-name", "tiny", "src/lib.rs", "-L", "dependency=/dependencies", "-L", "native=/generated",
                     "-C", "metadata=1", "-Copt-level=1")  # fmt: skip
    assert environment == (
        "CARGO_PKG_NAME=tiny", "EMPTY=", "MORE=/generated/a=b", "OUT_DIR=/generated", "RUSTC_TINY=1",
    )  # fmt: skip
    assert call_of("-C\0", "OUT_DIR=/\0X=/a/b\0") == (("-C", ""), ("OUT_DIR=/", "X=/a/b"))
    with pytest.raises(LeftFault, match="longer than the kernel takes"):
        call_of("a" * 100_001 + "\0", "")
    with pytest.raises(LeftFault, match="longer than the kernel takes"):
        call_of("", "".join(f"A{number}={'a' * 1_000}\0" for number in range(1_100)))


def test_files_are_those_of_the_crate(tmp_path: Path) -> None:
    root = crate(tmp_path / "crate", {"src/a b.rs": "", "notes.txt": ""})
    (tmp_path / "beside.rs").touch()
    told = (
        "out.d: /crate/src/lib.rs /crate/src/a\\ b.rs src/../notes.txt \\\n /crate/../beside.rs ../beside.rs "
    )
    told += f"{tmp_path}/beside.rs /etc/passwd {'n' * 300}.rs src/none.rs src \0.rs\nother: Cargo.toml\n"
    assert files_in(told, root) == {"src/lib.rs", "src/a b.rs", "notes.txt"}
    assert files_in("", root) == frozenset()


GOOD = {
    "message": "good",
    "level": "warning",
    "code": {"code": "dead_code"},
    "spans": [],
    "children": [],
    "rendered": "x",
}
SPAN = {"file_name": "src/lib.rs", "byte_start": 0, "byte_end": 1, "line_start": 1, "column_start": 1}


ODD_MESSAGES = {
    "a code that is a number": {**GOOD, "code": {"code": 1}},
    "a code that is a list": {**GOOD, "code": {"code": ["dead_code"]}},
    "a code without its object": {**GOOD, "code": "dead_code"},
    "no level": {name: value for name, value in GOOD.items() if name != "level"},
    "a message that is a list": {**GOOD, "message": ["x"]},
    "a text that is a number": {**GOOD, "rendered": 7},
    "half of a surrogate pair": {**GOOD, "rendered": "\ud800"},
    "half of one in a label": {**GOOD, "spans": [{**SPAN, "label": "\udfff"}]},
    "spans that are none": {**GOOD, "spans": 1},
    "a span that is a text": {**GOOD, "spans": ["x"]},
    "a span without a file": {**GOOD, "spans": [{"byte_start": 0}]},
    "a place that is a text": {**GOOD, "spans": [{**SPAN, "byte_start": "0"}]},
    "a place that is true": {**GOOD, "spans": [{**SPAN, "byte_end": True}]},
    "a place below zero": {**GOOD, "spans": [{**SPAN, "byte_end": -1}]},
    "a place beyond all files": {**GOOD, "spans": [{**SPAN, "line_start": 10**30}]},
    "a place without end": {**GOOD, "spans": [{**SPAN, "expansion": {"span": {"expansion": {"span": 1}}}}]},
    "an odd replacement": {
        **GOOD, "spans": [{**SPAN, "suggested_replacement": 1, "suggestion_applicability": "MachineApplicable"}],
    },
    "a child that is none": {**GOOD, "children": [1]},
}  # fmt: skip
ODD_LINES = [
    *(json.dumps(row) for row in ODD_MESSAGES.values()),
    '{"message":' + "[" * 100_000,
    '{"message":"m","level":"error","code":null,"spans":[],"children":[' * 2_000 + "]}" * 2_000,
    '{"message":"m","level":"error","code":' + "9" * 5_000 + "}",
    '{"message":"m","level":"error","rendered":NaN}',
    "{",
    "[]",
]
OTHER_LINE_ENDS = {**GOOD, "message": "a\u2028b\u0085c", "level": "error"}


def test_messages_that_rustc_does_not_print() -> None:
    for line in ODD_LINES:
        assert read_diagnostics(line) == []
    told = "\n".join([*ODD_LINES, json.dumps(OTHER_LINE_ENDS, ensure_ascii=False), json.dumps(GOOD)])
    assert [each.message for each in read_diagnostics(told)] == ["a\u2028b\u0085c", "good"]
    nested = '{"message":"m","level":"error","code":null,"spans":[],"children":[' * 300 + "]}" * 300
    (told_once,) = read_diagnostics(nested)
    assert len(told_once.children) == 1 and not told_once.children[0].children


def forged(folder: Path, commands: str, **files: str) -> Build:
    """A build whose build script puts a program of its own in the place of ours, for the crate's own compilation."""
    wrapper = (
        f'#!/bin/sh\ncase "$*" in *"--crate-name tiny "*) ;; *) exec "$@" ;; esac\n{commands}\nexec "$@"\n'
    )
    replacing = script('std::fs::write("/work/wrapper", include_str!("wrapper.sh")).unwrap();')
    return built(folder, {"build.rs": replacing, "wrapper.sh": wrapper, **files})


ARGUMENTS, VARIABLES = "> /work/left/arguments\n", "> /work/left/environment\n"
CALL = (
    f"printf -- '--crate-name\\0tiny\\0--edition=2021\\0/crate/src/lib.rs\\0--crate-type=lib\\0' {ARGUMENTS}"
)


def test_forged_messages(tmp_path: Path) -> None:
    target = {"src_path": "/crate/src/lib.rs"}
    rows = [
        {"target": target, "message": row}
        for row in [*ODD_MESSAGES.values(), {**OTHER_LINE_ENDS, "level": "note"}]
    ]
    rows += [{"target": target, "message": GOOD}, {"target": {"src_path": "/needed/x.rs"}, "message": GOOD}]
    rows += [
        {"target": 1, "message": GOOD},
        {"target": target, "message": 1},
        {"message": GOOD},
        {"target": target},
    ]
    rows += [{"target": target, "message": {**GOOD, "code": {"code": "clippy::eq_op"}}}]
    lines = [*map(json.dumps, rows), *ODD_LINES]
    done = forged(tmp_path, CALL + "cat /crate/lines", lines="\n".join(lines) + "\n")
    assert done.outcome == "blocked", "it may lie about itself"
    assert {each.message for each in done.warnings} == {"good", OTHER_LINE_ENDS["message"]}


ODD_CALLS = {
    "nothing": "",
    "no zero byte": "printf x > /work/left/arguments",
    "a folder": "mkdir /work/left/arguments",
    "a link": "ln -s /rust/bin/rustc /work/left/arguments",
    "a word that is too long": f"{{ head -c 200000 /dev/zero | tr '\\0' x; printf '\\0'; }} {ARGUMENTS}",
    "too many words": "yes | head -c 3000000 | tr '\\n' '\\0' > /work/left/arguments",
    "words that are no arguments": "printf -- '--nonsense\\0-\\0@/etc/passwd\\0' > /work/left/arguments",
    "variables that are none": CALL
    + "printf -- '--help=1\\0=\\0A B=1\\0LD_PRELOAD=/x\\0OUT_DIR=/\\0' > /work/left/environment",
    "bytes that are no text": f"printf '\\377\\0\\n\\0' {ARGUMENTS} printf 'A=\\377\\0' {VARIABLES}",
}


@pytest.mark.parametrize("kind", ODD_CALLS)
def test_forged_calls(tmp_path: Path, kind: str) -> None:
    done = forged(tmp_path, ODD_CALLS[kind])
    if done.outcome == "cannot_build":
        assert "it has no library" in done.reason or "cannot be used" in done.reason
        return
    with in_place(done, tmp_path / "crate", limits_of(OPTIONS)) as compiler:
        told = compiler.compile({})
        assert not told.ok or kind == "variables that are none"


OS = "use std::os::unix::{ffi::OsStrExt, fs as unix}; use std::{fs, process::{Command, Stdio}};"
LEAVING = {
    "a link to the host": ('unix::symlink("/etc", format!("{out}/etc")).unwrap();', "passes"),
    "a link to a device": ('unix::symlink("/dev/zero", format!("{out}/zero.rs")).unwrap();', "passes"),
    "its folder is a link": (
        'fs::remove_dir_all(&out).unwrap(); unix::symlink("/usr/lib", &out).unwrap();', "passes",
    ),
    "a pipe": ('Command::new("mkfifo").arg(format!("{out}/p")).status().unwrap();', "passes"),
    "a device": ('Command::new("mknod").args([&format!("{out}/z"), "c", "1", "5"]).status().unwrap();', "passes"),
    "another name of a file": (
        'fs::write(format!("{out}/a"), "").unwrap(); fs::hard_link(format!("{out}/a"), format!("{out}/b")).unwrap();',
        "passes",
    ),
    "a name that is no text": (
        "fs::write(std::path::Path::new(&out).join(std::ffi::OsStr::from_bytes("
        'b"\\xff\\n--x")), "").unwrap();', "passes",
    ),
    "folders in folders": ('fs::create_dir_all(out.clone() + &"/d".repeat(300)).unwrap();', "tar: "),
    "a file in folders in folders": (
        'let deep = out.clone() + &"/d".repeat(300); fs::create_dir_all(&deep).unwrap(); '
        'fs::write(deep + "/x", "").unwrap();', "tar: ",
    ),
    "a file in less deep ones": (
        'let deep = out.clone() + &"/d".repeat(60); fs::create_dir_all(&deep).unwrap(); '
        'fs::write(deep + "/x", "").unwrap();', "more than 40 folders",
    ),
    "30,000 files": ('for n in 0..30_000 { fs::write(format!("{out}/{n}"), "").unwrap(); }', "more than 20000 files"),
    "no folder at all": ("fs::remove_dir_all(&out).unwrap();", "passes"),
    "things beside it": (
        'for it in ["files", "generated"] { fs::create_dir_all(format!("/work/left/{it}/x")).unwrap(); }',
        "passes",
    ),
    "texts of its own": (
        'for it in ["told", "arguments", "environment", "files", "x"] { fs::write(format!("/work/left/{it}"), '
        '"{}").unwrap(); }', "passes",
    ),
    "a pack of its own": (
        'fs::write("/work/all.tar", "x").unwrap(); assert!(Command::new("chmod").args(["400", '
        '"/work/all.tar"]).status().unwrap().success());', "tar: ",
    ),
    "a program that goes on": (
        'Command::new("sleep").arg("600").stdin(Stdio::null()).stdout(Stdio::'
        "null()).stderr(Stdio::null()).spawn().unwrap();", "left a program running",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LEAVING)
def test_what_a_build_script_leaves(tmp_path: Path, kind: str) -> None:
    body, told = LEAVING[kind]
    done = built(tmp_path, {"build.rs": script(f'{OS} let out = std::env::var("OUT_DIR").unwrap(); {body}')})
    assert told == "passes" == done.outcome or told in done.reason
    assert not any(path.is_symlink() for path in (tmp_path / "left").rglob("*"))
    assert all(path.is_dir() or path.is_file() for path in (tmp_path / "left").rglob("*"))
    assert {path.name for path in tmp_path.iterdir()} == {"crate", "left"}
    if done.outcome == "passes":
        with in_place(done, tmp_path / "crate", limits_of(OPTIONS)) as compiler:
            assert compiler.compile({}).ok


def test_what_it_is_shown_stays(tmp_path: Path) -> None:
    """The crate itself and what it needs: read by it, and not to be written."""
    writing = """
        for place in ["/crate/src/lib.rs", "/needed/helper/src/lib.rs", "/rust/bin/rustc", "/usr/bin/true"] {
            assert!(std::fs::metadata(place).is_ok(), "{place} is not there");
            let told = std::fs::OpenOptions::new().append(true).open(place);
            assert!(told.is_err(), "{place} can be written");
            assert!(std::fs::remove_file(place).is_err(), "{place} can be removed");
        }
    """
    helper = need(tmp_path / "helper", "helper")
    done = built(
        tmp_path, {"build.rs": script(writing)}, "[dependencies]\nhelper = '1'\n", {"helper": helper}
    )
    assert (done.outcome, done.reason) == ("passes", "")
    assert (helper / "src/lib.rs").read_text() == (tmp_path / "crate/src/lib.rs").read_text() == LIB


def test_a_macro_that_forges_what_rustc_says(tmp_path: Path) -> None:
    """It runs inside rustc, in every later compilation too."""
    lines = "".join(f"{line}\n" for line in ODD_LINES)
    macro = (
        'use proc_macro::TokenStream;\nconst TOLD: &str = include_str!("lines");\n#[proc_macro]\n'
        "pub fn forge(_: TokenStream) -> TokenStream {\n"
        '    eprint!("{TOLD}"); print!("{TOLD}"); eprint!("\\u{2028}\\u{85} {TOLD}"); TokenStream::new()\n}\n'
    )
    needs = {"forger": need(tmp_path / "forger", "forger", {"src/lib.rs": macro, "src/lines": lines},
                            "[lib]\nproc-macro = true\n")}  # fmt: skip
    source = LIB + "forger::forge!();\n"
    done = built(tmp_path, {"src/lib.rs": source}, "[dependencies]\nforger = '1'\n", needs)
    assert (done.outcome, done.reason, done.warnings) == ("passes", "", ())
    with in_place(done, tmp_path / "crate", limits_of(OPTIONS)) as compiler:
        assert compiler.compile({}).ok and not compiler.compile({}).diagnostics
        wrong = compiler.compile({"src/lib.rs": source.replace("    x\n", "    y\n").encode()}, lints=True)
        assert [each.code for each in wrong.diagnostics] == ["E0425"]


FULL = """
import sys
from pathlib import Path
from rust_expert.common.errors import UserError
from tests.tiny_crates import built, script
body = 'std::fs::write(format!("{}/x", std::env::var("OUT_DIR").unwrap()), vec![1u8; 5 << 20]).unwrap();'
try:
    print(built(Path(sys.argv[1]), {"build.rs": script(body)}))
except UserError as error:
    print("told:", error)
"""


@pytest.mark.parametrize("size", ["2m", "8m"], ids=["no room for the pack", "no room for its files"])
def test_a_full_disk_is_no_fault_of_the_crate(tmp_path: Path, size: str) -> None:
    small = tmp_path / "small"
    small.mkdir()
    enter = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    inner = f'mount -t tmpfs -o size={size} none "$0" && TMPDIR="$0" exec "$@"'
    command = [*enter, "/bin/sh", "-c", inner, str(small), sys.executable, "-c", FULL, str(small)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    if "Operation not permitted" in done.stderr or "unshare failed" in done.stderr:
        pytest.skip("this machine lets nobody mount a small disk")
    assert "told: what building a crate leaves cannot be written" in done.stdout, done.stderr
    assert "make room" in done.stdout

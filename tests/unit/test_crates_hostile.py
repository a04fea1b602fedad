"""Crates that mean harm, one of each kind, made here: each is refused with its reason, and the others go on."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from test_crates_fetch import Registry, fetch, registry  # noqa: F401

from rust_expert.crates import archive
from rust_expert.crates.archive import ArchiveFault, unpack
from rust_expert.crates.manifest import read_manifest
from rust_expert.syntax.item_table import read_items

ROOT = Path(__file__).resolve().parents[2]
DEEP = 100_000


def header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def sparse() -> bytes:
    """A file of 8 GB that takes one block."""
    block = bytearray(header("a-1.0.0/holes", tarfile.GNUTYPE_SPARSE))
    block[483:495] = b"%011o\0" % 2**33
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def negative() -> bytes:
    block = bytearray(header("a-1.0.0/x"))
    block[124:136] = b"\xff" * 12
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % tarfile.BLOCKSIZE)


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "files without number": (
        lambda: b"".join(header(f"a-1.0.0/{number}") for number in range(1_001)), "1000 files",
    ),
    "folders without number": (
        lambda: b"".join(header(f"a-1.0.0/{number}", tarfile.DIRTYPE) for number in range(1_001)), "1000 files",
    ),
    "a file that unpacks to 300 MB": (
        lambda: header("a-1.0.0/x", size=300 * 2**20) + bytes(300 * 2**20), "256 MB",
    ),
    "a header of 300 MB": (
        lambda: header("a-1.0.0/x", tarfile.XHDTYPE, 300 * 2**20) + bytes(300 * 2**20), "256 MB",
    ),
    "many files that are large together": (
        lambda: b"".join(header(f"a-1.0.0/{n}", size=70 * 2**20) + bytes(70 * 2**20) for n in range(4)), "256 MB",
    ),
    "headers about headers": (
        lambda: (header("l", tarfile.GNUTYPE_LONGNAME, 4) + padded(b"a\0")) * 5_000, "cannot be unpacked",
    ),
    "a file with holes": (sparse, "holes|256 MB"),
    "a size below zero": (negative, "below zero"),
    "folders in folders": (lambda: header("a-1.0.0/" + "d/" * 40 + "x"), "more than 40 folders"),
    "a path without end": (
        lambda: header("l", tarfile.GNUTYPE_LONGNAME, 2_001) + padded(b"a-1.0.0/" + b"x" * 1_992 + b"\0")
        + header("x"), "1000 characters",
    ),
    "a name that is no text": (lambda: header("a-1.0.0/\udcff.rs"), "no plain text"),
    "a name with a line end": (lambda: header("a-1.0.0/a\nb.rs"), "no plain text"),
    "a file that is a folder": (
        lambda: header("a-1.0.0/x") + header("a-1.0.0/x/y"), "cannot be unpacked",
    ),
    "a terminal": (lambda: header("a-1.0.0/tty", tarfile.CHRTYPE), "a link or a device"),
    "a kind that nobody knows": (lambda: header("a-1.0.0/x", b"Z"), "a link or a device"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_that_means_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(archive, "MOST_FILES", 1_000)
    make, told = ARCHIVES[kind]
    path = tmp_path / "a.crate"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(make())
    (tmp_path / "out").mkdir()
    with pytest.raises(ArchiveFault, match=told):
        unpack(path, "a-1.0.0", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.crate", "out"]
    assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))


def test_an_archive_within_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_FILES", 3)
    path = tmp_path / "a.crate"
    with gzip.open(path, "wb") as stream:
        stream.write(b"".join(header(f"a-1.0.0/{number}") for number in range(3)))
    (tmp_path / "out").mkdir()
    unpack(path, "a-1.0.0", tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 3


def publish(registry: Registry, name: str, *entries: bytes) -> str:  # noqa: F811
    """Replace what the registry serves as a crate; returns the checksum."""
    registry.add(name)
    data = gzip.compress(b"".join(entries) + bytes(1024))
    (registry.folder / "dl" / name / "1.0.0" / "download").write_bytes(data)
    index = registry.folder / "index" / name[:2] / name[2:4] / name
    row = json.loads(index.read_text()) | {"cksum": hashlib.sha256(data).hexdigest()}
    index.write_text(json.dumps(row) + "\n")
    return str(row["cksum"])


def test_hostile_archives_of_a_registry(tmp_path: Path, registry: Registry) -> None:  # noqa: F811
    manifest = b'[package]\nname = "climber"\nversion = "1.0.0"\n'
    rows = [
        ("bomber", "1.0.0", publish(
            registry, "bomber", header("bomber-1.0.0/x", size=300 * 2**20), bytes(300 * 2**20),
        )),
        ("climber", "1.0.0", publish(
            registry, "climber", header("climber-1.0.0/Cargo.toml", size=len(manifest)), padded(manifest),
            header("climber-1.0.0/../../../climbed"),
        )),
        ("device", "1.0.0", publish(registry, "device", header("device-1.0.0/src/lib.rs", tarfile.CHRTYPE))),
        ("good-crate", "1.0.0", registry.add("good-crate")),
        ("linker", "1.0.0", publish(registry, "linker", header("linker-1.0.0/passwd", tarfile.SYMTYPE))),
        ("nested", "1.0.0", registry.add("nested", manifest="a = " + "[" * DEEP)),
        ("rooted", "1.0.0", publish(registry, "rooted", header(f"{tmp_path}/climbed"))),
        ("unlicensed", "1.0.0", registry.add(
            "unlicensed", manifest='[package]\nname = "unlicensed"\nversion = "1.0.0"\nlicense = "' + "(" * 9999 + '"\n'
        )),
    ]  # fmt: skip
    code, told = fetch(tmp_path, *rows)
    assert code == 0, told
    crates = {crate.name: crate for crate in read_manifest(tmp_path / "m.json")}
    assert {name for name, crate in crates.items() if crate.status == "ok"} == {"good-crate"}
    assert "more than 256 MB" in crates["bomber"].reason
    assert (
        "outside its folder" in crates["climber"].reason and "outside its folder" in crates["rooted"].reason
    )
    assert "a link or a device" in crates["device"].reason
    assert "a link or a device" in crates["linker"].reason
    assert "Cargo.toml is broken" in crates["nested"].reason
    assert "no licence expression" in crates["unlicensed"].reason and len(crates["unlicensed"].reason) < 700
    assert not [path for path in tmp_path.rglob("*climbed*") if "registry" not in path.parts]


GOOD = "/// Adds one, \u00e4.\npub fn one(x: u8) -> u8 {\n    x + 1\n}\n"


def crate(folder: Path, manifest: str | None = None, **files: bytes) -> Path:
    (folder / "src").mkdir(parents=True)
    stated = f'[package]\nname = "{folder.name}"\nversion = "1.0.0"\nedition = "2021"\nlicense = "MIT"\n'
    (folder / "Cargo.toml").write_text(stated if manifest is None else manifest, encoding="utf-8")
    (folder / "src" / "lib.rs").write_text(GOOD, encoding="utf-8")
    for name, content in files.items():
        (folder / "src" / f"{name}.rs").write_bytes(content)
    return folder


def make_hostile_folder(root: Path) -> None:
    crate(root / "good")
    crate(root / "latin", bad=b'pub fn f() { "\xe4"; }\n')
    crate(
        root / "nested",
        bad=b"fn f() {" + b"(" * DEEP + b")" * DEEP + b"}\n",
        worse=b"mod m {" * DEEP + b"}" * DEEP,
    )
    crate(root / "endless", bad=b"fn f() {" + b'r#"' * DEEP)
    with open(crate(root / "long") / "src" / "bad.rs", "wb") as stream:
        stream.truncate(100 * 2**20)
    crate(root / "huge-manifest", "#" * 2**20 + "\n[package]\n")
    crate(root / "nested-manifest", "a = " + "[" * DEEP + "]" * DEEP)
    crate(root / "many-digits", "a = " + "9" * 100_000)
    crate(root / "climbing-name", '[package]\nname = "../../climbed"\nversion = "1.0.0"\nlicense = "MIT"\n')
    crate(
        root / "climbing-version",
        '[package]\nname = "a"\nversion = "1.0.0-/../../climbed"\nlicense = "MIT"\n',
    )
    crate(root / "odd-licence", '[package]\nname = "a"\nversion = "1.0.0"\nlicense = "MIT OR (("\n')
    crate(root / "list-licence", '[package]\nname = "a"\nversion = "1.0.0"\nlicense = ["MIT"]\n')
    crate(root / "binary-manifest").joinpath("Cargo.toml").write_bytes(b"\xff\xfe\0")
    (crate(root / "pipe") / "Cargo.toml").unlink()
    os.mkfifo(root / "pipe" / "Cargo.toml")
    (crate(root / "link") / "Cargo.toml").unlink()
    (root / "link" / "Cargo.toml").symlink_to(root / "good" / "Cargo.toml")
    (crate(root / "deep") / "/".join("d" * 60)).mkdir(parents=True)
    (crate(root / "odd-name") / "src" / os.fsdecode(b"\xff.rs")).touch()
    crate(root / "guest").joinpath("src", "passwd.rs").symlink_to("/etc/passwd")


REFUSED = {
    "huge-manifest": "larger than",
    "nested-manifest": "Cargo.toml is broken",
    "many-digits": "Cargo.toml is broken",
    "climbing-name": "no crate can be called",
    "climbing-version": "no crate can be called",
    "odd-licence": "no licence expression",
    "list-licence": "no `license` that is text",
    "binary-manifest": "Cargo.toml is broken",
    "pipe": "no plain file",
    "link": "no plain file",
    "deep": "more than 40 folders",
    "odd-name": "no plain text",
}
SKIPPED = {
    ("latin", "src/bad.rs"): "not UTF-8 at byte 14",
    ("nested", "src/bad.rs"): "brackets nested more than 250 deep",
    ("nested", "src/worse.rs"): "brackets nested more than 250 deep",
    ("endless", "src/bad.rs"): "a raw text in it never ends",
    ("long", "src/bad.rs"): "larger than 2000000 bytes",
}


def test_hostile_crates_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path / "cache"))
    make_hostile_folder(tmp_path / "crates")
    run("fetch", "--source", "path", "--path", tmp_path / "crates", "--out", tmp_path / "m.json")
    crates = {made.name: made for made in read_manifest(tmp_path / "m.json")}
    refused = {name: made.reason for name, made in crates.items() if made.status == "failed"}
    assert refused.keys() == REFUSED.keys()
    for name, told in REFUSED.items():
        assert told in refused[name]
    assert not list(tmp_path.rglob("*climbed*"))
    assert str(tmp_path) not in (tmp_path / "m.json").read_text(encoding="utf-8")

    rows, losses = tmp_path / "items.parquet", tmp_path / "losses.jsonl"
    run("items", "--manifest", tmp_path / "m.json", "--out", rows, "--rejections", losses)
    told = [json.loads(line) for line in losses.read_text(encoding="utf-8").splitlines()]
    assert {(each["crate"], each["file"]): each["reason"] for each in told if each["file"]} == SKIPPED
    assert {each["crate"] for each in told if each["gate"] == "fetch"} == REFUSED.keys()
    items = read_items(rows)
    assert {row.crate for row in items} == crates.keys() - REFUSED.keys()
    assert {(row.file, row.kind, row.text) for row in items} == {
        ("src/lib.rs", kind, GOOD.rstrip("\n")) for kind in ("file", "function")
    }


def run(script: str, *words: object) -> None:
    command = [sys.executable, "-m", f"scripts.{script}", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


NESTED = {
    "parentheses": b"fn f() {" + b"(" * DEEP + b")" * DEEP + b"}",
    "brackets": b"const A: u8 = " + b"[" * DEEP + b"]" * DEEP + b";",
    "braces": b"fn f() " + b"{" * DEEP + b"}" * DEEP,
    "never closed": b"fn f() " + b"{" * DEEP,
    "never opened": b"}" * DEEP,
    "tokens of a macro": b"m! {" + b"(" * DEEP + b")" * DEEP + b"}",
    "types": b"fn f(x: " + b"A<" * DEEP + b"u8" + b">" * DEEP + b") {}",
    "signs": b"fn f() {" + b"!" * DEEP + b"x}",
    "calls": b"fn f() { x" + b".a()" * DEEP + b"}",
    "sums": b"fn f() { x" + b" + x" * DEEP + b"}",
    "branches": b"fn f() { if a {} " + b"else if a {}" * DEEP + b"}",
}


@pytest.mark.parametrize("kind", NESTED)
def test_the_parser_itself_takes_any_depth(tmp_path: Path, kind: str) -> None:
    """In a process of its own, since a stack that overflows ends it."""
    (tmp_path / "deep.rs").write_bytes(NESTED[kind])
    read = (
        "import sys; from pathlib import Path; from rust_expert.common.crate_files import SourceFile\n"
        "from rust_expert.syntax import parser, items\n"
        "source = Path(sys.argv[1]).read_bytes(); tree = parser.parse(source)\n"
        "print(sum(1 for _ in parser.descend(tree.root_node)), len(parser.errors_in(tree.root_node)))\n"
        "print(len(items.items_of(SourceFile.of(source)).items))\n"
    )
    command = [sys.executable, "-c", read, str(tmp_path / "deep.rs")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-500:]}"
    nodes, faults, items = map(int, done.stdout.split())
    assert (faults > 0, items) == (
        kind.startswith("never"),
        kind not in ("never closed", "never opened", "tokens of a macro"),
    )
    assert nodes > (1 if kind.startswith("never") else DEEP)


def test_a_pack_made_by_tarfile_is_read(tmp_path: Path) -> None:
    """The writer of the standard library, with PAX headers for long and foreign names."""
    long = "a-1.0.0/" + "/".join(["f" * 90] * 3) + "/größe.rs"
    with tarfile.open(tmp_path / "a.crate", "w:gz", format=tarfile.PAX_FORMAT) as pack:
        info = tarfile.TarInfo(long)
        info.size = 3
        pack.addfile(info, io.BytesIO(b"abc"))
    (tmp_path / "out").mkdir()
    unpack(tmp_path / "a.crate", "a-1.0.0", tmp_path / "out")
    assert (tmp_path / "out" / long.removeprefix("a-1.0.0/")).read_bytes() == b"abc"

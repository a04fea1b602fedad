"""Crates that attack whoever builds them, one of each kind: the whole chain takes them with good ones among them.

The crates lie in tests/fixtures/hostile. Each is refused with its reason, the good ones give rows, nothing outside the
sandbox is touched; what can be shown without harm is run outside too, to show that the attack works at all.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_crates_fetch import PROXIES, Registry, serving

from rust_expert.common.contracts import Sample
from rust_expert.common.tables import read_parquet
from rust_expert.crates.cargo import PUBLIC_REGISTRY

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
GOOD = ("mini-ring", "mini-temperature")
SECRET = "what-nobody-may-know"
DEEP = 100_000
LIMITS = ("--wall-seconds", 20, "--cpu-seconds", 3, "--memory-mb", 1024, "--work-mb", 256)

HURRIED = {
    "never-ends": "building it met the limit: cpu",
    "sleeps": "building it met the limit: wall",
    "computes-without-end": "building it met the limit: cpu",
    "macro-never-ends": "building it met the limit: cpu",
    "kills-its-parent": "a program that built it was killed (SIGKILL)",
}
"""What another machine may end otherwise is not kept."""
SETTLED = {
    "writes-outside": 'writing outside: Os { code: 2, kind: NotFound, message: "No such file or directory" }',
    "writes-own-sources": "changing its sources: Os { code: 30, kind: ReadOnlyFilesystem, message: ",
    "writes-home": 'writing into a home: Os { code: 2, kind: NotFound, message: "No such file or directory" }',
    "writes-neighbour": 'changing another crate: Os { code: 2, kind: NotFound, message: "No such file or directory" }',
    "reads-environment": "looking for a secret: NotPresent",
    "connects": 'connecting: Os { code: 1, kind: PermissionDenied, message: "Operation not permitted" }',
    "forks": "building it met the limit: processes",
    "leaves-a-daemon": "error: building it left a program running",
    "fills-the-disk": "building it met the limit: space for files",
    "fills-the-memory": "building it met the limit: memory",
    "prints-endlessly": "building it met the limit: memory",
    "includes-a-file-of-the-host": "error: couldn't read `/etc/passwd`: No such file or directory (os error 2)",
    "names-a-file-to-the-linker": "error: linking with `cc` failed: exit status: 1",
    "is-not-utf8": "error: couldn't read `/crate/src/bad.rs`: stream did not contain valid UTF-8",
    "macro-reads-a-file": "reading a file of the host: Os { code: 2, kind: NotFound",
    "macro-writes-outside": "writing outside: Os { code: 2, kind: NotFound",
    "links-nothing": "package specifies that it links to `crypto` but does not have a custom build script",
    "build-script-outside": "error: couldn't read `/crate/../../outside/build.rs`: No such file or directory",
    "library-outside": "error: couldn't read `/crate/../../outside/src/lib.rs`: No such file or directory",
    "library-of-the-host": "error: couldn't read `/etc/passwd`: No such file or directory (os error 2)",
    "lints-of-a-workspace": "failed to find a workspace root",
    "nested": "error: could not compile `nested` (lib): signal: 6, SIGABRT: process abort signal: it overflowed",
    "long": "building it met the limit: ",
    "needs-a-folder-outside": "it needs outside 1.0.0, which is not from the public registry",
}
CANNOT_BUILD = SETTLED | HURRIED
FAILED = {
    "version-of-a-workspace": "its Cargo.toml takes `version` from a workspace, which is not part of it",
    "mini-broken": "its Cargo.toml is broken: ",
    "guest": "it is a link, which is not followed",
    "pretender": "another folder holds mini-ring 0.1.4 too",
    "\ufffd": "it has no Cargo.toml",
}
SKIPPED = {
    ("is-not-utf8", "src/bad.rs"): "not UTF-8 at byte 37",
    ("nested", "src/bad.rs"): "brackets nested more than 250 deep",
    ("long", "src/bad.rs"): "larger than 2000000 bytes",
}


@dataclasses.dataclass
class Listener:
    """Counts who connects."""

    address: str
    met: int = 0


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Listener("{}:{}".format(*server.getsockname()))

        def accept() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return
                made.met += 1

        threading.Thread(target=accept, daemon=True).start()
        yield made
        server.shutdown(socket.SHUT_RDWR)


@dataclasses.dataclass
class World:
    """A folder with the crates, things beside it that they would touch, and what the scripts made."""

    folder: Path
    environment: dict[str, str]

    def run(self, script: str, *words: object) -> str:
        command = [sys.executable, "-m", f"scripts.{script}", *map(str, words)]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def build(self, manifest: str, out: str) -> tuple[dict[str, Any], int]:
        """Run scripts.builds; what it tells of the crates, and how many rooms it made."""
        count = self.folder / "rooms"
        count.write_text("")
        self.run(
            "builds", "--manifest", self.folder / manifest, "--items", self.folder / "items.parquet", "--out",
            self.folder / f"{out}.json", "--pairs", self.folder / f"{out}.parquet", "--workers", 2, *LIMITS,
            "--broken-forms", 4, "--plain-forms", 4, "--suggested-forms", 4, "--standing-items", 4,
        )  # fmt: skip
        told = json.loads((self.folder / f"{out}.json").read_text(encoding="utf-8"))
        return {crate["name"]: crate for crate in told["crates"]}, len(count.read_text().splitlines())


def digest(folder: Path) -> str:
    """A hash over all names and contents below a folder."""
    told = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        told.update(os.fsencode(path) + b"\0" + content)
    return told.hexdigest()


def publish(root: Path, registry: Registry, place: Path) -> None:
    """Put the macro of a crate into the registry, and a lock that names it beside the crate."""
    source = root / "macro"
    name = f"{root.name.removeprefix('macro-')}-macro"
    files = {
        path.relative_to(source).as_posix(): path.read_bytes() for path in source.rglob("*") if path.is_file()
    }
    if "where.txt" in files:
        files["where.txt"] = os.fsencode(place)
    checksum = registry.add(name, manifest=files.pop("Cargo.toml").decode(), files=files)
    (root / "Cargo.lock").write_text(
        f'version = 4\n\n[[package]]\nname = "{root.name}"\nversion = "1.0.0"\ndependencies = ["{name}"]\n\n'
        f'[[package]]\nname = "{name}"\nversion = "1.0.0"\nsource = "{PUBLIC_REGISTRY}"\nchecksum = "{checksum}"\n'
    )
    shutil.rmtree(source)


def targets(folder: Path, address: str) -> dict[str, str]:
    """What the crates aim at, by name."""
    outside = folder / "outside"
    return {
        "writes-outside": str(outside / "touched"),
        "writes-home": str(outside),
        "writes-neighbour": str(folder / "crates" / "mini-ring"),
        "connects": address,
    }


def make_crates(folder: Path, registry: Registry, address: str) -> None:
    """All crates, and what lies beside them."""
    crates, outside = folder / "crates", folder / "outside"
    shutil.copytree(FIXTURES / "hostile", crates)
    for name in (*GOOD, "mini-broken"):
        shutil.copytree(FIXTURES / "crates" / name, crates / name)
    (outside / "src").mkdir(parents=True)
    (outside / "secret").write_text(SECRET)
    (outside / "Cargo.toml").write_text('[package]\nname = "outside"\nversion = "1.0.0"\nedition = "2021"\n')
    (outside / "src" / "lib.rs").write_text("/// Outside.\npub const OUTSIDE: u8 = 1;\n")
    (outside / "build.rs").write_text(f'fn main() {{ std::fs::write("{outside}/touched", "").unwrap(); }}\n')
    for name, place in targets(folder, address).items():
        (crates / name / "where.txt").write_text(place)
    publish(crates / "macro-reads-a-file", registry, outside / "secret")
    publish(crates / "macro-writes-outside", registry, outside / "touched")
    publish(crates / "macro-never-ends", registry, outside)
    # What cannot lie in git, or would be in the way there.
    for name, bad in {
        "nested": b"fn f() {" + b"(" * DEEP + b")" * DEEP + b"}\n",
        "long": b"/// Long.\npub static LONG: &[u8] = &[" + b"0," * (50 * 2**20) + b"];\n",
    }.items():
        shutil.copytree(FIXTURES / "hostile" / "links-nothing", crates / name)
        manifest = (crates / name / "Cargo.toml").read_text().replace('links = "crypto"\n', "")
        (crates / name / "Cargo.toml").write_text(manifest.replace("links-nothing", name))
        (crates / name / "src" / "bad.rs").write_bytes(bad)
        with open(crates / name / "src" / "lib.rs", "a") as stream:
            stream.write("\nmod bad;\n")
    (crates / "guest").symlink_to(outside)
    shutil.copytree(crates / "writes-outside", crates / "pretender")
    pretended = (crates / "mini-ring" / "Cargo.toml").read_text()
    (crates / "pretender" / "Cargo.toml").write_text(pretended)
    (crates / os.fsdecode(b"\xff")).mkdir()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[World]:
    """The chain has run over all crates."""
    folder = tmp_path_factory.mktemp("world")
    real = shutil.which("bwrap")
    (folder / "bin").mkdir()
    (folder / "scratch").mkdir()
    counting = folder / "bin" / "bwrap"
    counting.write_text(f'#!/bin/sh\necho one >> "{folder}/rooms"\nexec "{real}" "$@"\n')
    counting.chmod(0o755)
    with serving(folder) as (registry, known):
        make_crates(folder, registry, listener.address)
        environment = {name: value for name, value in os.environ.items() if name not in PROXIES} | known
        environment["PATH"] = f"{folder / 'bin'}:{environment['PATH']}"
        made = World(folder, environment | {"RUST_EXPERT_SECRET": SECRET, "TMPDIR": str(folder / "scratch")})
        yield made


@dataclasses.dataclass
class Ran:
    """What the chain made of the crates."""

    crates: dict[str, Any]
    failed: dict[str, str]
    rejections: list[dict[str, Any]]
    before: tuple[str, str]
    told: str


@pytest.fixture(scope="module")
def ran(world: World) -> Ran:
    folder = world.folder
    before = digest(folder / "crates"), digest(folder / "outside")
    told = world.run("fetch", "--source", "path", "--path", folder / "crates", "--out", folder / "m.json")
    told += world.run(
        "items", "--manifest", folder / "m.json", "--out", folder / "items.parquet", "--rejections",
        folder / "lost.jsonl", "--maximum-platform", "null",
    )  # fmt: skip
    crates, _ = world.build("m.json", "builds")
    told += world.run(
        "tasks", "--items", folder / "items.parquet", "--builds", folder / "builds.json", "--pairs",
        folder / "builds.parquet", "--out", folder / "samples.parquet", "--counts", folder / "counts.json",
    )  # fmt: skip
    manifest = json.loads((folder / "m.json").read_text(encoding="utf-8"))
    failed = {crate["name"]: crate["reason"] for crate in manifest["crates"] if crate["status"] == "failed"}
    lost = [json.loads(line) for line in (folder / "lost.jsonl").read_text(encoding="utf-8").splitlines()]
    return Ran(crates, failed, lost, before, told)


def test_each_kind_is_there(ran: Ran) -> None:
    """Whatever is put into the fixtures has its line above."""
    kinds = {path.name for path in (FIXTURES / "hostile").iterdir()}
    assert kinds <= CANNOT_BUILD.keys() | FAILED.keys()
    assert ran.failed.keys() == FAILED.keys()
    assert ran.crates.keys() == CANNOT_BUILD.keys() | set(GOOD)


@pytest.mark.parametrize("name", CANNOT_BUILD)
def test_a_hostile_crate_cannot_be_built(ran: Ran, name: str) -> None:
    crate = ran.crates[name]
    assert crate["outcome"] == "cannot_build"
    assert CANNOT_BUILD[name] in crate["reason"]
    assert crate["pairs"] == {} and len(crate["reason"]) <= 300


@pytest.mark.parametrize("name", FAILED)
def test_a_hostile_folder_is_no_crate(ran: Ran, name: str) -> None:
    assert FAILED[name] in ran.failed[name]


def test_files_are_left_out(ran: Ran) -> None:
    lost = {
        (each["crate"], each["file"]): each["reason"] for each in ran.rejections if each["gate"] == "file"
    }
    lost |= {
        (each["crate"], each["file"]): each["reason"] for each in ran.rejections if each["gate"] == "syntax"
    }
    assert lost == SKIPPED


def test_the_good_ones_give_rows(world: World, ran: Ran) -> None:
    assert all(ran.crates[name]["outcome"] == "passes" for name in GOOD)
    samples = list(read_parquet(world.folder / "samples.parquet", Sample))
    assert {sample.source_crate for sample in samples} == set(GOOD)
    assert len(samples) > 10


def test_nothing_outside_is_touched(world: World, ran: Ran, listener: Listener) -> None:
    folder = world.folder
    assert (digest(folder / "crates"), digest(folder / "outside")) == ran.before
    assert not list((folder / "scratch").iterdir())
    assert listener.met == 0
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [words for words in running if b"42420" in words]
    for path in (
        *folder.glob("*.json*"),
        *folder.glob("*.parquet"),
        *(folder / "cache").rglob("result.json"),
    ):
        assert SECRET.encode() not in path.read_bytes(), path
        assert str(folder).encode() not in path.read_bytes(), path
    assert SECRET not in ran.told


def test_a_second_run_builds_what_may_end_otherwise(world: World, ran: Ran) -> None:
    whole = json.loads((world.folder / "m.json").read_text(encoding="utf-8"))
    only = {"crates": [crate for crate in whole["crates"] if crate["name"] in GOOD]}
    (world.folder / "good.json").write_text(json.dumps(only))
    good, idle = world.build("good.json", "good")
    assert good == {name: ran.crates[name] for name in GOOD}
    again, rooms = world.build("m.json", "again")
    assert again == ran.crates
    assert rooms - idle == len(HURRIED)
    first, second = ((world.folder / f"{name}.json").read_bytes() for name in ("builds", "again"))
    assert first == second

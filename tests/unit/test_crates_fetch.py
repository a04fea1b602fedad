"""Fetching with the real cargo, from a registry on this machine: pins, yanked and missing versions, no network."""

import contextlib
import functools
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rust_expert.common.config.corpus import FetchOptions
from rust_expert.common.errors import NetworkError, UserError
from rust_expert.common.seeds import shard_of
from rust_expert.crates.cargo import PUBLIC_REGISTRY
from rust_expert.crates.fetch import rows_by_shard
from rust_expert.crates.manifest import read_manifest
from rust_expert.crates.vendor import vendored

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "crates"


class Registry:
    """A sparse registry in a folder, served on the loopback interface."""

    def __init__(self, folder: Path, server: http.server.ThreadingHTTPServer) -> None:
        self.folder, self.address = folder, f"http://127.0.0.1:{server.server_address[1]}"
        self.server = server
        (folder / "index").mkdir()
        (folder / "index" / "config.json").write_text(json.dumps({"dl": f"{self.address}/dl"}))

    def stop(self) -> None:
        """Serve no more."""
        self.server.shutdown()
        self.server.server_close()

    def add(
        self,
        name: str,
        version: str = "1.0.0",
        yanked: bool = False,
        manifest: str | None = None,
        needs: Mapping[str, str] | None = None,
        target: str | None = None,
        files: Mapping[str, str | bytes] | None = None,
    ) -> str:
        """Publish a crate, or one more version of it; returns the checksum of its .crate file.

        `needs`: requirements by the names of other crates, on the platform `target`. `manifest` is the whole Cargo.toml
        in place of the usual one.
        """
        package = f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\nlicense = "MIT/Apache-2.0"\n'
        package += f"[target.'{target}'.dependencies]\n" if target else "[dependencies]\n"
        package += "".join(f'{other} = "{wanted}"\n' for other, wanted in (needs or {}).items())
        content = {"Cargo.toml": package if manifest is None else manifest, "src/lib.rs": "//! Nothing.\n"}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as made:
            for path, text in {**content, **(files or {})}.items():
                info = tarfile.TarInfo(f"{name}-{version}/{path}")
                data = text if isinstance(text, bytes) else text.encode()
                info.size = len(data)
                made.addfile(info, io.BytesIO(data))
        place = self.folder / "dl" / name / version
        place.mkdir(parents=True)
        (place / "download").write_bytes(buffer.getvalue())
        row = {
            "name": name,
            "vers": version,
            "cksum": hashlib.sha256(buffer.getvalue()).hexdigest(),
            "features": {},
        }
        rows = [
            {"name": other, "req": wanted, "features": [], "optional": False, "default_features": True,
             "target": target, "kind": "normal"}
            for other, wanted in (needs or {}).items()
        ]  # fmt: skip
        index = self.folder / "index" / name[:2] / name[2:4] / name
        index.parent.mkdir(parents=True, exist_ok=True)
        before = index.stat().st_mtime if index.is_file() else time.time()
        with open(index, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(row | {"deps": rows, "yanked": yanked}) + "\n")
        # cargo asks for what changed since it last looked, in whole seconds
        os.utime(index, (before + 2, before + 2))
        return str(row["cksum"])


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *words: object) -> None:
        pass


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[Registry, dict[str, str]]]:
    """A registry in a folder, and the variables with which cargo and our cache know of nothing else."""
    (folder / "registry").mkdir()
    handler = functools.partial(Quiet, directory=str(folder / "registry"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = Registry(folder / "registry", server)
    home = folder / "cargo"
    home.mkdir()
    (home / "config.toml").write_text(
        '[source.crates-io]\nreplace-with = "mirror"\n'
        f'[source.mirror]\nregistry = "sparse+{made.address}/index/"\n[net]\nretry = 0\n'
    )
    try:
        cache = str(folder / "cache")
        yield made, {"CARGO_HOME": str(home), "RUST_EXPERT_CACHE": cache, "CARGO_NET_RETRY": "0"}
    finally:
        made.stop()


PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    with serving(tmp_path) as (made, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for name in PROXIES:
            monkeypatch.delenv(name, raising=False)
        yield made


def fetch(tmp_path: Path, *rows: tuple[str, str, str], licence: str = "MIT OR Apache-2.0") -> tuple[int, str]:
    """Run the script over a table of (name, version, checksum); returns its exit code and what it said."""
    table = tmp_path / "crates.tsv"
    lines = ["name\tversion\tsha256\tlicence", *("\t".join((*row, licence)) for row in rows)]
    table.write_text("\n".join(lines) + "\n")
    command = [
        sys.executable,
        "-m",
        "scripts.fetch",
        "--table",
        str(table),
        "--out",
        str(tmp_path / "m.json"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_good_yanked_and_missing(tmp_path: Path, registry: Registry) -> None:
    good, gone = registry.add("good-crate"), registry.add("gone-crate", yanked=True)
    broken = registry.add("rotten-crate", manifest="[package\n")
    code, told = fetch(
        tmp_path,
        ("gone-crate", "1.0.0", gone),
        ("good-crate", "1.0.0", good),
        ("never-was", "2.0.0", good),
        ("rotten-crate", "1.0.0", broken),
    )
    assert code == 0, told
    crates = {crate.name: crate for crate in read_manifest(tmp_path / "m.json")}
    assert crates["good-crate"].status == crates["gone-crate"].status == "ok"
    assert crates["good-crate"].license == "MIT OR Apache-2.0"
    assert (crates["good-crate"].root / "src" / "lib.rs").is_file()
    assert crates["never-was"].reason == "the registry has no version 2.0.0 of it"
    assert "Cargo.toml is broken" in crates["rotten-crate"].reason
    assert str(tmp_path) not in (tmp_path / "m.json").read_text(), "a manifest holds no path of this machine"


def test_a_wrong_checksum_stops_the_run(tmp_path: Path, registry: Registry) -> None:
    checksum = registry.add("good-crate")
    code, told = fetch(tmp_path, ("good-crate", "1.0.0", "0" * 64))
    assert code == 2
    assert "crates.tsv, line 2, column sha256: good-crate 1.0.0 is not what this row pins" in told
    assert checksum in told
    assert not (tmp_path / "m.json").exists()
    assert not list((tmp_path / "cache").rglob("lib.rs"))


def test_a_wrong_licence_stops_the_run(tmp_path: Path, registry: Registry) -> None:
    code, told = fetch(tmp_path, ("good-crate", "1.0.0", registry.add("good-crate")), licence="MIT")
    assert code == 2
    assert "line 2, column licence" in told
    assert "write 'MIT OR Apache-2.0'" in told


def test_without_network_what_is_cached_is_enough(tmp_path: Path, registry: Registry) -> None:
    one, two = registry.add("one-crate"), registry.add("two-crate")
    assert fetch(tmp_path, ("one-crate", "1.0.0", one))[0] == 0
    first = (tmp_path / "m.json").read_bytes()
    config = tmp_path / "cargo" / "config.toml"
    config.write_text(config.read_text().replace(registry.address, "http://127.0.0.1:1"))
    code, told = fetch(tmp_path, ("one-crate", "1.0.0", one), ("two-crate", "1.0.0", two))
    assert code == 1
    assert "the crate registry cannot be reached" in told
    assert "(1 of 2 here)" in told
    assert (tmp_path / "m.json").read_bytes() == first, "what was made stays"
    assert fetch(tmp_path, ("one-crate", "1.0.0", one))[0] == 0


def test_a_cleared_cache_is_said(tmp_path: Path, registry: Registry) -> None:
    assert fetch(tmp_path, ("one-crate", "1.0.0", registry.add("one-crate")))[0] == 0
    crate = read_manifest(tmp_path / "m.json")[0]
    (crate.root / "src" / "lib.rs").write_text("// changed\n")
    with pytest.raises(UserError, match="no longer whole in the crate cache"):
        read_manifest(tmp_path / "m.json")
    assert fetch(tmp_path, ("one-crate", "1.0.0", crate.sha256))[0] == 0
    assert read_manifest(tmp_path / "m.json")


def test_one_more_row_changes_one_shard(tmp_path: Path) -> None:
    names = [f"crate-{number}" for number in range(20)]
    options = FetchOptions(table=str(tmp_path / "t.tsv"), shards=4)

    def rows(names: list[str]) -> list[str]:
        lines = ["name\tversion\tsha256\tlicence", *(f"{name}\t1.0.0\t{'0' * 64}\tMIT" for name in names)]
        Path(options.table).write_text("\n".join(lines) + "\n")
        return rows_by_shard(options)

    before, after = rows(names), rows(["added", *names])
    changed = [shard for shard in range(4) if before[shard] != after[shard]]
    assert changed == [shard_of("added", 4)]
    assert rows(names[::-1]) == before, "the order of the table does not matter"


def test_a_part_of_the_table(tmp_path: Path) -> None:
    def chosen(names: list[str], most: int | None) -> set[str]:
        lines = ["name\tversion\tsha256\tlicence", *(f"{name}\t1.0.0\t{'0' * 64}\tMIT" for name in names)]
        (tmp_path / "t.tsv").write_text("\n".join(lines) + "\n")
        options = FetchOptions(table=str(tmp_path / "t.tsv"), shards=3, most_crates=most)
        return {row[0] for shard in rows_by_shard(options) for row in json.loads(shard)}

    names = [f"crate-{number}" for number in range(40)]
    few = chosen(names, 10)
    assert len(few) == 10 and chosen(names[::-1], 10) == few and chosen(names, 100) == set(names)
    assert chosen(names, None) == set(names)
    assert len(few - chosen(["added", *names], 10)) <= 1, "one more crate takes the place of one at most"
    assert few < chosen(names, 11)


def test_a_folder_of_crates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))  # no cargo is needed for it
    command = [sys.executable, "-m", "scripts.fetch", "--source", "path", "--path", str(FIXTURES)]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "m.json")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    crates = {crate.name: crate for crate in read_manifest(tmp_path / "m.json")}
    assert {name for name, crate in crates.items() if crate.status == "ok"} == {
        "mini-matrix", "mini-ring", "mini-temperature", "mini-wrap",
    }  # fmt: skip
    assert "Cargo.toml is broken" in crates["mini-broken"].reason
    assert crates["mini-matrix"].license == "MIT OR Apache-2.0"
    for name in ("mini-matrix", "mini-wrap"):
        copied, original = crates[name].root / "src/lib.rs", FIXTURES / name / "src" / "lib.rs"
        assert copied.read_bytes() == original.read_bytes()


def test_an_edit_in_a_folder_is_seen(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "crates" / name).mkdir(parents=True)
        (tmp_path / "crates" / name / "Cargo.toml").write_text(f'[package]\nname = "{name}"\n')
    options = FetchOptions(source="path", path=str(tmp_path / "crates"), shards=1)
    before = json.loads(rows_by_shard(options)[0])
    (tmp_path / "crates" / "two" / "target").mkdir()
    (tmp_path / "crates" / "two" / "target" / "built").write_text("x")
    assert json.loads(rows_by_shard(options)[0]) == before
    (tmp_path / "crates" / "two" / "lib.rs").write_text("// new\n")
    after = json.loads(rows_by_shard(options)[0])
    assert after[0] == before[0]
    assert after[1] != before[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--source", "path"], "source: path needs a path"),
        (["--source", "path", "--path", "nowhere"], "nowhere: no such folder of crates"),
        (["--rows", "[1"], "--rows: not valid JSON"),
        (["--rows", '[["a"]]'], "--rows, a: 1 values, not 4"),
        (["--table", "nowhere.tsv"], "nowhere.tsv: no such crate table"),
        (["--shards", "zero"], "--shards"),
    ],
)
def test_bad_words(tmp_path: Path, words: list[str], told: str) -> None:
    command = [sys.executable, "-m", "scripts.fetch", "--out", str(tmp_path / "m.json"), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def locked(folder: Path, checksum: str, needs: str = 'good-crate = "=1.0.0"') -> Path:
    """A package with a lock that fits to the dependency on good-crate."""
    folder.mkdir()
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "table"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n'
        f"[dependencies]\n{needs}\n"
    )
    (folder / "Cargo.lock").write_text(
        'version = 4\n\n[[package]]\nname = "good-crate"\nversion = "1.0.0"\n'
        f'source = "{PUBLIC_REGISTRY}"\nchecksum = "{checksum}"\n\n'
        '[[package]]\nname = "table"\nversion = "0.0.0"\ndependencies = ["good-crate"]\n'
    )
    return folder


def test_the_sources_of_a_lock(tmp_path: Path, registry: Registry) -> None:
    package = locked(tmp_path / "table", registry.add("good-crate"))
    before = sorted(package.iterdir())
    with vendored(package) as folder:
        assert (folder / "good-crate-1.0.0" / "src" / "lib.rs").read_text() == "//! Nothing.\n"
        assert (folder / "good-crate-1.0.0" / ".cargo-checksum.json").stat().st_mode & 0o777 == 0o644
    assert not folder.exists() and sorted(package.iterdir()) == before
    registry.stop()
    with vendored(package) as folder:  # cargo has it already
        assert (folder / "good-crate-1.0.0" / "src" / "lib.rs").is_file()


def test_faults_of_a_lock_name_it(tmp_path: Path, registry: Registry) -> None:
    checksum = registry.add("good-crate")
    registry.add("other-crate")
    with (
        pytest.raises(
            UserError, match=r"none/Cargo\.toml: cargo could not fetch the crates \(failed to select"
        ),
        vendored(locked(tmp_path / "none", checksum, needs='good-crate = "=2.0.0"')),
    ):
        pass
    with (
        pytest.raises(
            UserError, match=r"other/Cargo\.lock: it does not fit Cargo\.toml beside it; run `cargo gen"
        ),
        vendored(locked(tmp_path / "other", checksum, needs='other-crate = "1"')),
    ):
        pass
    with (
        pytest.raises(UserError, match=r"wrong/Cargo\.lock: what the registry has is not what a checksum"),
        vendored(locked(tmp_path / "wrong", "0" * 64)),
    ):
        pass
    registry.stop()
    shutil.rmtree(tmp_path / "cargo" / "registry")
    with (
        pytest.raises(NetworkError, match="the crate registry cannot be reached") as caught,
        vendored(locked(tmp_path / "table", checksum)),
    ):
        pass
    assert caught.value.exit_code == 1

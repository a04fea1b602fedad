"""What crates need: closures of locks, what they name in the cache, and the lock of a table, by the real cargo."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from test_crates_fetch import Registry, fetch, registry  # noqa: F401

from rust_expert.common import cache
from rust_expert.common.config.corpus import FetchOptions
from rust_expert.common.errors import NetworkError, UserError
from rust_expert.common.seeds import shard_of
from rust_expert.crates.cargo import PUBLIC_REGISTRY
from rust_expert.crates.fetch import fetch_folder, needs_by_shard
from rust_expert.crates.folder import LARGEST_LOCK
from rust_expert.crates.lockfile import MOST_NEEDS, LockFault, parse_lock, read_lock
from rust_expert.crates.manifest import CrateSource, read_manifest
from tools.crate_lock import write_lock

ROOT = Path(__file__).resolve().parents[2]


def locked(
    name: str,
    version: str = "1.0.0",
    *needs: str,
    source: str | None = PUBLIC_REGISTRY,
    checksum: str | None = "a" * 64,
) -> str:
    """One package of a Cargo.lock."""
    lines = ["[[package]]", f"name = {json.dumps(name)}", f"version = {json.dumps(version)}"]
    lines += [f"source = {json.dumps(source)}"] if source else []
    lines += [f"checksum = {json.dumps(checksum)}"] if checksum else []
    return "\n".join([*lines, f"dependencies = {json.dumps(needs)}", "", ""])


def names(text: str, name: str = "root", version: str = "1.0.0") -> list[tuple[str, str]]:
    return [(pin.name, pin.version) for pin in parse_lock("version = 4\n\n" + text).closure(name, version)]


def test_a_closure() -> None:
    """Needs of needs, two versions of one name, a circle, and what nobody needs."""
    text = locked("root", "1.0.0", "alpha", "beta 2.0.0", source=None, checksum=None)
    text += (
        locked("alpha", "0.1.0", "beta 1.0.0", "gamma")
        + locked("beta", "1.0.0")
        + locked("beta", "2.0.0", "gamma")
    )
    text += locked("gamma", "1.0.0-rc.1+build.5", f"alpha 0.1.0 ({PUBLIC_REGISTRY})") + locked("other")
    assert names(text) == [
        ("alpha", "0.1.0"), ("beta", "1.0.0"), ("beta", "2.0.0"), ("gamma", "1.0.0-rc.1+build.5"),
    ]  # fmt: skip
    assert names(text, "beta") == []
    assert parse_lock(text).closure("gamma", "1.0.0-rc.1+build.5")[0].sha256 == "a" * 64


GIT = "git+https://example.com/alpha#0123"
FAULTY = {
    "it is not there": (locked("other"), "does not hold root 1.0.0"),
    "another version of it": (locked("root", "2.0.0"), "does not hold root 1.0.0"),
    "a need that is not there": (locked("root", "1.0.0", "alpha"), "names 'alpha' and does not hold it"),
    "a version that is not there": (
        locked("root", "1.0.0", "alpha 2.0.0") + locked("alpha"), "names 'alpha 2.0.0' and does not hold it",
    ),
    "one of several, unnamed": (
        locked("root", "1.0.0", "alpha") + locked("alpha") + locked("alpha", "2.0.0"), "names 'alpha' and does not",
    ),
    "a need without a name": (locked("root", "1.0.0", ""), "names '' and does not hold it"),
    "a package of a folder": (
        locked("root", "1.0.0", "alpha") + locked("alpha", source=None, checksum=None), "not from the public registry",
    ),
    "a package of git": (locked("root", "1.0.0", "alpha") + locked("alpha", source=GIT), "public registry"),
    "another registry": (
        locked("root", "1.0.0", "alpha") + locked("alpha", source="registry+https://example.com/x"), "public registry",
    ),
    "a package of git beside the one of the registry": (
        locked("root", "1.0.0", f"alpha 1.0.0 ({GIT})") + locked("alpha", source=GIT) + locked("alpha"),
        "public registry",
    ),
    "no checksum": (locked("root", "1.0.0", "alpha") + locked("alpha", checksum=None), "public registry"),
    "a checksum that climbs": (
        locked("root", "1.0.0", "alpha") + locked("alpha", checksum="../" * 20 + "etc"), "public registry",
    ),
    "a name that climbs": (locked("root", "1.0.0", "../alpha") + locked("../alpha"), "public registry"),
    "a version that climbs": (
        locked("root", "1.0.0", "alpha") + locked("alpha", "1.0.0-/../../x"), "public registry",
    ),
    "needs without number": (
        locked("root", "1.0.0", *(f"n{number}" for number in range(MOST_NEEDS + 1)))
        + "".join(locked(f"n{number}") for number in range(MOST_NEEDS + 1)), f"more than {MOST_NEEDS} packages",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTY)
def test_a_closure_that_cannot_be_told(kind: str) -> None:
    text, told = FAULTY[kind]
    with pytest.raises(LockFault, match=told):
        names(text)


NO_LOCKS = {
    "no TOML": "[[package]\n",
    "no packages": "package = 1\n",
    "a package that is a text": 'package = ["a"]\n',
    "a package without a name": '[[package]]\nversion = "1.0.0"\n',
    "needs that are a number": '[[package]]\nname = "a"\nversion = "1.0.0"\ndependencies = 3\n',
    "brackets without end": "a = " + "[" * 100_000,
    "a number without end": "a = " + "9" * 10_000,
}


@pytest.mark.parametrize("kind", NO_LOCKS)
def test_what_is_no_lock(tmp_path: Path, kind: str) -> None:
    with pytest.raises(LockFault, match="cannot be read"):
        parse_lock(NO_LOCKS[kind])
    (tmp_path / "crates.lock").write_text(NO_LOCKS[kind])
    with pytest.raises(UserError, match=r"crates\.lock: no Cargo\.lock .*make it again"):
        read_lock(tmp_path / "crates.lock")


def test_a_lock_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file.*`python -m tools\.crate_lock .*crates\.tsv`"):
        read_lock(tmp_path / "crates.lock")
    (tmp_path / "crates.lock").write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"no Cargo\.lock"):
        read_lock(tmp_path / "crates.lock")


def shop(registry: Registry) -> dict[str, str]:  # noqa: F811
    """Crates that need each other; checksums by name."""
    return {
        "deep": registry.add("deep", "1.0.0"),
        "deep2": registry.add("deep", "2.0.0"),
        "middle": registry.add("middle", "1.3.0", needs={"deep": "1"}),
        "winner": registry.add("winner", "1.0.0"),
        "lonely": registry.add("lonely"),
        "top-one": registry.add("top-one", needs={"middle": "1", "deep": "2"}),
        "top-two": registry.add("top-two", needs={"winner": "1"}, target="cfg(windows)"),
    }


def table(folder: Path, sums: Mapping[str, str]) -> Path:
    """A table of the three crates that others may learn from."""
    rows = [f"{name}\t1.0.0\t{sums[name]}\tMIT OR Apache-2.0" for name in ("lonely", "top-one", "top-two")]
    (folder / "crates.tsv").write_text("\n".join(["name\tversion\tsha256\tlicence", *rows]) + "\n")
    return folder / "crates.tsv"


def fetched(folder: Path, sums: Mapping[str, str]) -> dict[str, CrateSource]:
    """The three crates, as scripts.fetch gets them."""
    code, told = fetch(folder, *((name, "1.0.0", sums[name]) for name in ("lonely", "top-one", "top-two")))
    assert code == 0, told
    return {crate.name: crate for crate in read_manifest(folder / "m.json")}


def close(folder: Path, registry: Registry) -> None:  # noqa: F811
    """Let cargo find no registry any more."""
    config = folder / "cargo" / "config.toml"
    config.write_text(config.read_text().replace(registry.address, "http://127.0.0.1:1"))


def test_what_crates_need_is_fetched(tmp_path: Path, registry: Registry) -> None:  # noqa: F811
    sums = shop(registry)
    assert write_lock(table(tmp_path, sums), upgrade=False) == "crates.lock: 6 packages for 3 crates"
    crates = fetched(tmp_path, sums)
    assert {(name, crate.status, crate.needs_fault) for name, crate in crates.items()} == {
        (name, "ok", "") for name in crates
    }
    assert crates["top-one"].needs == [
        ("deep", "1.0.0", sums["deep"]), ("deep", "2.0.0", sums["deep2"]), ("middle", "1.3.0", sums["middle"]),
    ]  # fmt: skip
    assert crates["top-two"].needs == [("winner", "1.0.0", sums["winner"])]
    assert crates["lonely"].needs == []
    for crate in crates.values():
        for name, version, checksum in crate.needs:
            place = cache.cache_folder() / cache.entry(name, version, checksum)
            assert (place / "src" / "lib.rs").read_text() == "//! Nothing.\n"
            assert json.loads((place / ".cargo-checksum.json").read_text()) == {
                "files": {},
                "package": checksum,
            }
    first = (tmp_path / "m.json").read_bytes()
    assert str(tmp_path).encode() not in first
    registry.stop()
    close(tmp_path, registry)
    assert fetched(tmp_path, sums) == crates, "what is cached needs no network"
    assert (tmp_path / "m.json").read_bytes() == first


def test_a_need_that_cannot_be_had(tmp_path: Path, registry: Registry) -> None:  # noqa: F811
    """A wrong checksum and a missing archive: a matter of the crates that need them."""
    sums = shop(registry)
    registry.add(
        "folded",
        manifest='[package]\nname = "folded"\nversion = "1.0.0"\n',
        files={".cargo-checksum.json/x": ""},
    )
    sums["top-three"] = registry.add("top-three", needs={"folded": "1"})
    pins = table(tmp_path, sums)
    pins.write_text(pins.read_text() + f"top-three\t1.0.0\t{sums['top-three']}\tMIT OR Apache-2.0\n")
    write_lock(pins, upgrade=False)
    lock = tmp_path / "crates.lock"
    lock.write_text(lock.read_text().replace(sums["middle"], "0" * 64))
    (registry.folder / "dl" / "winner" / "1.0.0" / "download").unlink()
    rows = [(name, "1.0.0", sums[name]) for name in ("lonely", "top-one", "top-three", "top-two")]
    code, told = fetch(tmp_path, *rows)
    assert code == 0, told
    crates = {crate.name: crate for crate in read_manifest(tmp_path / "m.json")}
    assert all(crate.status == "ok" for crate in crates.values())
    assert (crates["lonely"].needs, crates["lonely"].needs_fault) == ([], "")
    one, two, three = (crates[f"top-{name}"] for name in ("one", "two", "three"))
    assert one.needs == two.needs == three.needs == []
    assert one.needs_fault.startswith("it needs middle 1.3.0: what cargo fetched has")
    assert two.needs_fault == "it needs winner 1.0.0: the registry has no version 1.0.0 of it"
    assert three.needs_fault == "it needs folded 1.0.0: its archive holds a folder .cargo-checksum.json"


def test_a_lock_that_says_nothing_of_a_crate(tmp_path: Path, registry: Registry) -> None:  # noqa: F811
    sums = shop(registry)
    crates = fetched(tmp_path, sums)
    assert crates["top-one"].needs_fault == "there is no crates.lock that says what it needs"
    assert crates["lonely"].needs_fault == ""
    (tmp_path / "crates.lock").write_text(
        "version = 4\n\n" + locked("lonely") + locked("top-two", "1.0.0", "gone")
    )
    crates = fetched(tmp_path, sums)
    assert crates["top-one"].needs_fault == "the lock does not hold top-one 1.0.0"
    assert crates["top-two"].needs_fault == "the lock names 'gone' and does not hold it"


def test_without_network_nothing_is_lost(tmp_path: Path, registry: Registry) -> None:  # noqa: F811
    sums = shop(registry)
    write_lock(table(tmp_path, sums), upgrade=False)
    assert fetch(tmp_path, ("top-two", "1.0.0", sums["top-two"]))[0] == 0
    first = (tmp_path / "m.json").read_bytes()
    assert (
        fetch(tmp_path, ("top-one", "1.0.0", sums["top-one"]), ("top-two", "1.0.0", sums["top-two"]))[0] == 0
    )
    place = cache.cache_folder() / cache.entry("middle", "1.3.0", sums["middle"])
    (place / "src" / "lib.rs").write_text("// changed\n")
    for found in (tmp_path / "cargo" / "registry" / "cache").rglob("middle-*.crate"):
        found.unlink()
    (tmp_path / "m.json").write_bytes(first)
    close(tmp_path, registry)
    code, told = fetch(tmp_path, ("top-one", "1.0.0", sums["top-one"]), ("top-two", "1.0.0", sums["top-two"]))
    assert code == 1
    assert "the crate registry cannot be reached" in told and "(1 packages are missing)" in told
    assert (tmp_path / "m.json").read_bytes() == first
    assert fetch(tmp_path, ("top-two", "1.0.0", sums["top-two"]))[0] == 0, "that one is whole"


def test_a_changed_lock_changes_its_shards(tmp_path: Path) -> None:
    pins = [f"crate-{number}" for number in range(20)]
    rows = [f"{name}\t1.0.0\t{'0' * 64}\tMIT" for name in pins]
    (tmp_path / "t.tsv").write_text("\n".join(["name\tversion\tsha256\tlicence", *rows]) + "\n")
    options = FetchOptions(table=str(tmp_path / "t.tsv"), shards=5)

    def needs(deep: str = "b" * 64, **more: str) -> list[str]:
        parts = [locked(name, "1.0.0", "deep", *([more[name]] if name in more else [])) for name in pins]
        (tmp_path / "t.lock").write_text("\n".join([*parts, locked("deep", checksum=deep), locked("more")]))
        return needs_by_shard(options)

    before, after = needs(), needs(**{"crate-3": "more", "crate-4": "gone"})
    changed = {shard for shard in range(5) if before[shard] != after[shard]}
    assert changed == {shard_of("crate-3", 5), shard_of("crate-4", 5)}
    assert before == needs(), "it hangs on the lock alone"
    used = {shard_of(name, 5) for name in pins}
    assert {shard for shard, needed in enumerate(needs(deep="c" * 64)) if needed != before[shard]} == used
    (tmp_path / "t.lock").unlink()
    with pytest.raises(UserError, match=r"tools\.crate_lock"):
        needs_by_shard(options)


def newest(folder: Path) -> dict[str, str]:
    lines = (folder / "crates.newest.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# The newest version") and lines[1] == "name\tnewest"
    return dict(line.split("\t") for line in lines[2:])


def versions(folder: Path, name: str) -> list[str]:
    packages = (folder / "crates.lock").read_text(encoding="utf-8").split("[[package]]")
    return [part.split('version = "')[1].split('"')[0] for part in packages if f'name = "{name}"\n' in part]


def test_the_lock_of_a_table(tmp_path: Path, registry: Registry) -> None:  # noqa: F811
    """What it holds stays; the newest versions are told; all are taken where that is asked."""
    sums = shop(registry)
    pins = table(tmp_path, sums)
    words = [sys.executable, "-m", "tools.crate_lock", str(pins)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "crates.lock: 6 packages for 3 crates\n"), done.stderr
    assert versions(tmp_path, "middle") == ["1.3.0"] and sorted(versions(tmp_path, "deep")) == [
        "1.0.0",
        "2.0.0",
    ]
    told = dict.fromkeys(("lonely", "top-one", "top-two", "winner"), "1.0.0") | {
        "deep": "2.0.0",
        "middle": "1.3.0",
    }
    assert newest(tmp_path) == told
    registry.add("middle", "1.4.0", needs={"deep": "1"})
    registry.add("middle", "2.0.0")
    registry.add("middle", "2.1.0-rc.1")
    registry.add("winner", "1.10.0")
    registry.add("winner", "1.11.0", yanked=True)
    registry.add("top-one", "1.1.0")
    first = (tmp_path / "crates.lock").read_bytes()
    write_lock(pins, upgrade=False)
    assert (tmp_path / "crates.lock").read_bytes() == first
    assert newest(tmp_path) == told | {"middle": "2.0.0", "top-one": "1.1.0", "winner": "1.10.0"}
    done = subprocess.run([*words, "--upgrade"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (versions(tmp_path, "middle"), versions(tmp_path, "winner")) == (["1.4.0"], ["1.10.0"])
    assert versions(tmp_path, "top-one") == ["1.0.0"], "the table pins it"
    assert newest(tmp_path)["middle"] == "2.0.0"


def test_a_table_that_cannot_be_locked(tmp_path: Path, registry: Registry) -> None:  # noqa: F811
    sums = shop(registry)
    pins = table(tmp_path, sums)
    write_lock(pins, upgrade=False)
    first = (tmp_path / "crates.lock").read_bytes()
    pins.write_text(pins.read_text() + f"never-was\t1.0.0\t{'0' * 64}\tMIT\n")
    done = subprocess.run(
        [sys.executable, "-m", "tools.crate_lock", str(pins)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert (
        "crates.tsv: cargo finds no versions that fit together" in done.stderr and "never-was" in done.stderr
    )
    close(tmp_path, registry)
    with pytest.raises(NetworkError, match="cannot be reached"):
        write_lock(table(tmp_path, sums), upgrade=True)
    assert (tmp_path / "crates.lock").read_bytes() == first


def folder_of(root: Path, name: str, lock: str | bytes | None, needs: str = 'deep = "1"') -> Path:
    """A crate in a folder of the user's own."""
    (root / name / "src").mkdir(parents=True)
    (root / name / "src" / "lib.rs").write_text("//! Nothing.\n")
    (root / name / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "1.0.0"\nlicense = "MIT"\n[dependencies]\n{needs}\n'
    )
    if lock is not None:
        (root / name / "Cargo.lock").write_bytes(lock if isinstance(lock, bytes) else lock.encode())
    return root / name


def test_crates_of_a_folder_have_locks_of_their_own(tmp_path: Path, registry: Registry) -> None:  # noqa: F811
    sums = shop(registry)
    root = tmp_path / "crates"

    def lock(name: str, *others: str) -> str:
        return "version = 4\n\n" + locked(name, "1.0.0", *others, source=None, checksum=None)

    deep = locked("deep", checksum=sums["deep"])
    folder_of(root, "good", lock("good", "deep") + deep)
    folder_of(root, "needless", None, "")
    folder_of(root, "unlocked", None)
    folder_of(root, "other", lock("another", "deep") + deep)
    folder_of(root, "wrong-sum", lock("wrong-sum", "deep") + locked("deep"))
    folder_of(root, "odd-version", lock("odd-version", "deep") + locked("deep", "1.0.0-.."))
    folder_of(root, "neighbour", lock("neighbour", "good") + locked("good", source=None, checksum=None))
    folder_of(root, "broken", "[[package]\n")
    folder_of(root, "binary", b"\xff")
    (folder_of(root, "linked", None) / "Cargo.lock").symlink_to(root / "good" / "Cargo.lock")
    os.mkfifo(folder_of(root, "piped", None) / "Cargo.lock")
    with open(folder_of(root, "large", "") / "Cargo.lock", "wb") as stream:
        stream.truncate(LARGEST_LOCK + 1)
    within = folder_of(root, "largest", lock("largest", "deep") + deep) / "Cargo.lock"
    within.write_text(within.read_text() + "#" + "x" * (LARGEST_LOCK - within.stat().st_size - 1))
    options = FetchOptions(source="path", path=str(root), shards=1)
    before = needs_by_shard(options)
    found = {
        crate.name: crate for crate in fetch_folder(str(root), sorted(path.name for path in root.iterdir()))
    }
    assert all(crate.status == "ok" for crate in found.values())
    for name in ("good", "largest"):
        assert (found[name].needs, found[name].needs_fault) == ([("deep", "1.0.0", sums["deep"])], "")
    told = {name: crate.needs_fault for name, crate in found.items() if crate.needs_fault}
    assert told == {
        "unlocked": "it needs other packages and has no Cargo.lock; run `cargo generate-lockfile` in its folder",
        "other": "the lock does not hold other 1.0.0",
        "wrong-sum": told["wrong-sum"],
        "odd-version": "it needs deep 1.0.0-..: the registry has no version 1.0.0-.. of it",
        "neighbour": "it needs good 1.0.0, which is not from the public registry",
        "broken": told["broken"],
        "binary": "its Cargo.lock is not UTF-8",
        "linked": "its Cargo.lock is no plain file",
        "piped": "its Cargo.lock is no plain file",
        "large": f"its Cargo.lock is larger than {LARGEST_LOCK} bytes",
    }
    assert told["wrong-sum"].startswith("it needs deep 1.0.0: what cargo fetched has")
    assert told["broken"].startswith("it cannot be read: ")
    assert needs_by_shard(options) == before
    (root / "good" / "Cargo.lock").write_text(lock("good"))
    assert needs_by_shard(options) != before

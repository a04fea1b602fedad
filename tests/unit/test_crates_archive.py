"""Hostile and broken .crate files: nothing leaves the folder, nothing half unpacked stays in the cache."""

import errno
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rust_expert.common import cache
from rust_expert.common.errors import UserError
from rust_expert.crates import archive
from rust_expert.crates.archive import ArchiveFault, unpack

Entry = tuple[str, bytes] | tarfile.TarInfo


def pack(path: Path, *entries: Entry) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                made.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size, info.mode = len(entry[1]), 0o777
                made.addfile(info, io.BytesIO(entry[1]))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_a_good_archive(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    unpack(
        pack(tmp_path / "a.crate", ("a-1.0.0/src/lib.rs", "// ü".encode()), ("a-1.0.0/Cargo.toml", b"x")),
        "a-1.0.0",
        target,
    )
    assert sorted(path.name for path in target.rglob("*") if path.is_file()) == ["Cargo.toml", "lib.rs"]
    assert not (target / "Cargo.toml").stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (("a-1.0.0/../../evil", b"x"), "outside its folder"),
        (("/etc/evil", b"x"), "outside its folder"),
        (("b-1.0.0/lib.rs", b"x"), "not below a-1.0.0/"),
        (("a-1.0.0\\..\\evil", b"x"), "outside its folder"),
        (special("a-1.0.0/link", tarfile.SYMTYPE, "/etc/passwd"), "a link or a device"),
        (special("a-1.0.0/hard", tarfile.LNKTYPE, "a-1.0.0/Cargo.toml"), "a link or a device"),
        (special("a-1.0.0/pipe", tarfile.FIFOTYPE), "a link or a device"),
        (special("a-1.0.0/disk", tarfile.BLKTYPE), "a link or a device"),
        (("a-1.0.0/Cargo.toml", b"again"), "twice"),
        (("a-1.0.0", b"x"), "a file named"),
    ],
)
def test_a_hostile_archive(tmp_path: Path, entry: Entry, told: str) -> None:
    target = tmp_path / "deep" / "out"
    target.mkdir(parents=True)
    with pytest.raises(ArchiveFault, match=told):
        unpack(pack(tmp_path / "a.crate", ("a-1.0.0/Cargo.toml", b"x"), entry), "a-1.0.0", target)
    outside = [path for path in tmp_path.rglob("*") if "evil" in path.name or path.is_symlink()]
    assert outside == []


def test_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST", 1000)
    (tmp_path / "out").mkdir()
    with pytest.raises(ArchiveFault, match="unpacks to more than"):
        unpack(pack(tmp_path / "a.crate", ("a-1.0.0/x", b"0" * 2000)), "a-1.0.0", tmp_path / "out")
    assert not (tmp_path / "out" / "x").exists()


def test_a_full_disk_is_not_the_crates_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "a.crate", ("a-1.0.0/x", b"x"))

    def full(path: Path, mode: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "open", full, raising=False)
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match="No space left on device"):
        unpack(path, "a-1.0.0", tmp_path / "out")


@pytest.mark.parametrize(
    "spoil", [lambda data: data[: len(data) // 2], lambda data: b"no archive", lambda data: b""]
)
def test_a_broken_archive(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = pack(tmp_path / "a.crate", ("a-1.0.0/x", bytes(range(256)) * 400))
    path.write_bytes(spoil(path.read_bytes()))
    (tmp_path / "out").mkdir()
    with pytest.raises(ArchiveFault):
        unpack(path, "a-1.0.0", tmp_path / "out")


def test_the_cache_keeps_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path / "cache"))
    place = cache.entry("a", "1.0.0", "f" * 64)

    def half(target: Path) -> None:
        (target / "one").write_text("1")
        raise ArchiveFault("in the middle")

    with pytest.raises(ArchiveFault):
        cache.keep(place, half)
    assert not cache.is_whole(place)
    assert [path.name for path in (tmp_path / "cache" / "sources").iterdir() if path.name != ".lock"] == []

    folder = cache.keep(place, lambda target: (target / "one").write_text("1") and None)
    assert cache.is_whole(place)
    (folder / "one").write_text("2")
    assert not cache.is_whole(place), "a damaged copy must be noticed"
    cache.keep(place, lambda target: (target / "one").write_text("1") and None)
    assert cache.is_whole(place)
    assert (folder / "one").read_text() == "1"

"""The gates on what a crate needs: how much of it is out of date, and what is known of its vulnerabilities."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.config.corpus import FetchOptions, GateOptions
from rust_expert.common.errors import UserError
from rust_expert.crates import advisories
from rust_expert.crates.advisories import advisories_in, database_mark, told_of
from rust_expert.crates.fetch import fetch_folder, needs_by_shard, with_freshness
from rust_expert.crates.freshness import is_outdated, newest_beside, outdated_share, read_newest
from rust_expert.crates.gates import audit_manifest
from rust_expert.crates.manifest import CrateSource

ROOT = Path(__file__).resolve().parents[2]
SUM = "ab" * 32
LOCK = "version = 4\n" + "".join(
    f'\n[[package]]\nname = "{name}"\nversion = "{version}"\n'
    f'source = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "{SUM}"\n'
    f"dependencies = [{needs}]\n"
    for name, version, needs in (
        ("kept", "1.4.0", '"new", "old"'), ("new", "0.3.9", ""), ("old", "0.2.7", '"deep"'), ("deep", "1.0.0", ""),
        ("alone", "2.0.0", ""),
    )
)  # fmt: skip
NEWEST = "# Made by hand.\nname\tnewest\nnew\t0.3.12\nold\t0.4.0\ndeep\t9.0.0\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "crates.tsv"
    path.write_text(
        "name\tversion\tsha256\tlicence\n"
        + "".join(
            f"{name}\t{version}\t{SUM}\tMIT\n" for name, version in (("alone", "2.0.0"), ("kept", "1.4.0"))
        )
    )
    path.with_suffix(".lock").write_text(LOCK)
    newest_beside(path).write_text(NEWEST)
    return path


def crate(name: str, version: str, needs: tuple[str, ...] = ()) -> CrateSource:
    return CrateSource(
        name=name, version=version, sha256=SUM, license="MIT", edition="2021",
        needs=[(*need.split(), SUM) for need in needs],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("version", "newest", "outdated"),
    [
        ("1.0.0", "1.9.3", False), ("1.0.0", "2.0.0", True), ("0.2.7", "0.2.9", False), ("0.2.7", "0.3.0", True),
        ("0.0.3", "0.0.4", True), ("0.0.3", "0.0.3", False), ("2.0.0", "1.9.0", False), ("0.9.0", "1.0.0", True),
        ("1.0.0-rc.1", "1.0.0", False), ("1.2.0+spec-1.1.0", "1.3.0", False), ("10.0.0", "9.0.0", False),
    ],
)  # fmt: skip
def test_cargo_takes_what_shares_the_first_number_that_is_not_zero(
    version: str, newest: str, outdated: bool
) -> None:
    assert is_outdated(version, newest) is outdated


def test_the_share_is_of_direct_dependencies(table: Path) -> None:
    crates = with_freshness([crate("alone", "2.0.0"), crate("kept", "1.4.0")], FetchOptions(table=str(table)))
    assert [each.outdated for each in crates] == [None, 0.5]
    rejection = audit_manifest(crates[1], GateOptions(maximum_outdated=0.4, maximum_platform=None))
    assert rejection is not None and (rejection.gate, rejection.figure) == ("outdated", 0.5)
    assert "0.4 of its direct dependencies" in rejection.reason
    assert audit_manifest(crates[1], GateOptions(maximum_outdated=0.5, maximum_platform=None)) is None
    assert audit_manifest(crates[1], GateOptions(maximum_platform=None)) is None, "off by default"
    assert audit_manifest(crates[0], GateOptions(maximum_outdated=0.0, maximum_platform=None)) is None, (
        "nothing is known of it"
    )


def test_a_newer_version_rebuilds_the_shard_that_it_concerns(table: Path) -> None:
    options = FetchOptions(table=str(table), shards=8)
    before = needs_by_shard(options)
    newest_beside(table).write_text(NEWEST.replace("0.3.12", "0.3.13").replace("9.0.0", "10.0.0"))
    assert needs_by_shard(options) == before, "no figure changed"
    newest_beside(table).write_text(NEWEST.replace("0.3.12", "0.5.0"))
    after = needs_by_shard(options)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_a_table_of_newest_versions_with_a_fault(table: Path) -> None:
    path = newest_beside(table)
    path.write_text(NEWEST + "broken line\n")
    with pytest.raises(UserError, match=r"newest\.tsv, line 6: not a name and a version"):
        read_newest(path)
    path.unlink()
    assert read_newest(path) == {} and outdated_share([("new", "0.3.9")], {}) is None


# Advisories


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of our own: `deep` has a hole below 1.0.1, `new` is no longer looked after."""
    root = tmp_path / "advisory-db"
    for name, head, told in (
        ("deep", 'id = "RUSTSEC-2020-0001"\npackage = "deep"\n', 'patched = [">= 1.0.1"]'),
        (
            "new",
            'id = "RUSTSEC-2020-0002"\npackage = "new"\ninformational = "unmaintained"\n',
            "patched = []",
        ),
    ):
        folder = root / "crates" / name
        folder.mkdir(parents=True)
        ident = head.split('"')[1]
        (folder / f"{ident}.md").write_text(
            f'```toml\n[advisory]\n{head}date = "2020-01-01"\n\n[versions]\n{told}\n```\n\n# A hole\n\nMade up.\n'
        )
    return root


needs_tool = pytest.mark.skipif(
    shutil.which(advisories.TOOL) is None, reason="cargo-audit is not installed; `make advisories` does that"
)


@needs_tool
def test_a_vulnerability_of_what_a_crate_needs_keeps_it_out(table: Path, database: Path) -> None:
    options = FetchOptions(table=str(table), advisories=str(database))
    alone, kept = with_freshness(
        [crate("alone", "2.0.0"), crate("kept", "1.4.0", ("new 0.3.9", "old 0.2.7", "deep 1.0.0"))], options
    )
    assert alone.advisories == [] and kept.advisories == ["RUSTSEC-2020-0001 (deep 1.0.0)"]
    rejection = audit_manifest(kept, GateOptions(maximum_platform=None))
    assert rejection is not None and rejection.gate == "advisories"
    assert rejection.reason == "known vulnerability RUSTSEC-2020-0001 (deep 1.0.0)"
    assert audit_manifest(alone, GateOptions(maximum_platform=None)) is None


@needs_tool
def test_a_database_that_is_none(table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken" / "crates" / "deep"
    folder.mkdir(parents=True)
    (folder / "RUSTSEC-2020-0001.md").write_text("no advisory\n")
    with pytest.raises(UserError, match="cargo-audit could not look at .*make advisories"):
        advisories_in(table.with_suffix(".lock"), str(tmp_path / "broken"))


def test_without_tool_or_database_it_says_how_to_get_them(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        UserError, match="cargo-audit is not installed: get tool and database with `make advisories`"
    ):
        advisories_in(table.with_suffix(".lock"), str(tmp_path))
    stand_in = tmp_path / "cargo-audit"
    stand_in.write_text("#!/bin/sh\n")
    stand_in.chmod(0o755)
    with pytest.raises(UserError, match="nowhere: no such folder"):
        advisories_in(table.with_suffix(".lock"), "nowhere")


def test_the_command_says_it_in_one_sentence(table: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "scripts.fetch", "--rows", "[]", "--table", str(table), "--out",
        str(tmp_path / "out.json"), "--advisories", str(tmp_path / "nowhere"),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "make advisories" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out.json").exists()


def test_a_changed_database_is_another_one(database: Path, tmp_path: Path) -> None:
    before = database_mark(str(database))
    assert before and before == database_mark(str(database))
    next(database.rglob("*.md")).write_text("changed")
    assert database_mark(str(database)) != before
    assert database_mark(None) == database_mark(str(tmp_path / "nowhere")) == ""


def test_nothing_is_let_through_unseen(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder, whose crates have locks of their own, and of a table without one."""
    place = tmp_path / "crates" / "kept"
    (place / "src").mkdir(parents=True)
    (place / "src/lib.rs").write_text("")
    (place / "Cargo.toml").write_text(
        '[package]\nname = "kept"\nversion = "1.4.0"\nedition = "2021"\n[dependencies]\nnew = "0.3"\nold = "0.2"\n'
    )
    (place / "Cargo.lock").write_text(LOCK)
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="cargo-audit is not installed"):
        fetch_folder(str(place.parent), ["kept"], str(tmp_path))
    table.with_suffix(".lock").unlink()
    with pytest.raises(UserError, match=r"crates\.lock: no such file"):
        with_freshness([crate("alone", "2.0.0")], FetchOptions(table=str(table), advisories=str(tmp_path)))


def test_each_advisory_is_told_with_its_package() -> None:
    found = {("a", "1.0.0"): ("X-2", "X-1"), ("b", "1.0.0"): ("X-3",)}
    assert told_of([("a", "1.0.0"), ("c", "1.0.0")], found) == ["X-1 (a 1.0.0)", "X-2 (a 1.0.0)"]

"""Making a table of pinned crates: one resolution with the real cargo, from a registry on this machine."""

from pathlib import Path

import pytest
from test_crates_fetch import Registry, registry  # noqa: F401

from rust_expert.common.config.corpus import GateOptions
from rust_expert.common.errors import NetworkError, UserError
from rust_expert.crates.licences import is_allowed, normal_form
from rust_expert.crates.resolve import kept, resolved
from rust_expert.crates.table import read_table
from tools.crate_list import choose, corpus_of, names_in, table_text

ROOT = Path(__file__).resolve().parents[2]
LARGE = "/// Adds.\npub fn add(a: u8) -> u8 {\n    a + 1\n}\n" * 120


def add(
    registry: Registry,  # noqa: F811
    name: str,
    versions: tuple[str, ...] = ("1.0.0",),
    needs: dict[str, str] | None = None,
    target: str | None = None,
    source: str = LARGE,
    more: str = 'license = "MIT/Apache-2.0"\nedition = "2021"\n',
) -> dict[str, str]:
    """Publish a crate in some versions; returns the checksums by version."""
    return {
        version: registry.add(
            name,
            version,
            yanked=version.endswith(".9"),
            manifest=f'[package]\nname = "{name}"\nversion = "{version}"\n{more}',
            needs=needs,
            target=target,
            files={"src/lib.rs": source},
        )
        for version in versions
    }


def test_one_resolution(registry: Registry) -> None:  # noqa: F811
    sums = add(registry, "alpha", ("1.0.0", "1.10.0", "1.2.0", "2.0.0-rc.1", "1.11.9"), {"beta": "^1"})
    add(registry, "beta", ("1.0.0", "2.0.0"), {"winner": "1"}, target="cfg(windows)")
    add(registry, "winner")
    add(registry, "gamma-sys")
    pins = resolved(["alpha", "beta", "gamma-sys"], "names.txt")
    assert [(pin.name, pin.version) for pin in pins] == [
        ("alpha", "1.10.0"), ("beta", "2.0.0"), ("gamma-sys", "1.0.0"),
    ]  # fmt: skip
    assert pins[0].sha256 == sums["1.10.0"]
    assert [pin.name for pin in kept(pins, ["*-sys", "be??"])] == ["alpha"]


def test_no_resolution(registry: Registry) -> None:  # noqa: F811
    add(registry, "alpha", needs={"beta": "^3"})
    add(registry, "beta")
    with pytest.raises(UserError, match=r"names\.txt: cargo finds no versions.*never-was.*mend the list"):
        resolved(["never-was"], "names.txt")
    with pytest.raises(UserError, match="cargo finds no versions"):
        resolved(["alpha"], "names.txt")


def test_no_network(registry: Registry, tmp_path: Path) -> None:  # noqa: F811
    config = tmp_path / "cargo" / "config.toml"
    config.write_text(config.read_text().replace(registry.address, "http://127.0.0.1:1"))
    with pytest.raises(NetworkError, match="cannot be reached"):
        resolved(["alpha"], "names.txt")


def test_what_goes_into_the_table(registry: Registry, tmp_path: Path) -> None:  # noqa: F811
    old = 'license = "MIT"\nedition = "2015"\n'
    add(
        registry,
        "named",
        needs={"good": "1", "aged": "1", "small": "1", "macros": "1", "copyleft": "1", "named-old": "1"},
    )
    add(registry, "named-old", more=old)
    add(registry, "good", ("1.0.0", "1.1.0"))
    add(registry, "aged", more=old)
    add(registry, "small", source="/// One.\npub fn one() {}\n")
    add(registry, "macros", more='license = "MIT"\nedition = "2021"\n[lib]\nproc-macro = true\n')
    add(registry, "copyleft", more='license = "GPL-3.0-only"\nedition = "2021"\n')
    named = ["named", "named-old"]
    outcome = choose(resolved(named, "names.txt"), set(named), GateOptions())
    assert outcome.left_out == {"gate edition": 1, "small": 1, "procedural macro": 1, "licence": 1}
    assert outcome.gates == {"passed": 1, "edition": 1}
    table = tmp_path / "t.tsv"
    table.write_text(table_text(outcome.pins[::-1], "names.txt"), encoding="utf-8")
    assert [(pin.name, pin.version, pin.licence) for pin in read_table(table)] == [
        ("good", "1.1.0", "MIT OR Apache-2.0"), ("named", "1.0.0", "MIT OR Apache-2.0"), ("named-old", "1.0.0", "MIT"),
    ]  # fmt: skip


def test_names_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("# all\nb a # two\n!*-sys !c\n", encoding="utf-8")
    assert names_in(tmp_path / "n.txt") == (["b", "a"], ["*-sys", "c"])
    (tmp_path / "n.txt").write_text("!c\n", encoding="utf-8")
    with pytest.raises(UserError, match="names no crate"):
        names_in(tmp_path / "n.txt")
    with pytest.raises(UserError, match="cannot be read"):
        names_in(tmp_path / "none.txt")


def test_the_table_of_the_large_profile() -> None:
    corpus = corpus_of(ROOT / "config" / "h100.yaml")
    pins = read_table(ROOT / corpus.table)
    assert len(pins) >= 300
    assert [pin.name for pin in pins] == sorted(pin.name for pin in pins)
    assert corpus.gates.licences is not None
    assert all(is_allowed(pin.licence, corpus.gates.licences) for pin in pins)
    assert all(normal_form(pin.licence) == pin.licence for pin in pins)
    names, left_out = names_in(ROOT / "config" / "crates-h100.txt")
    assert len(names) == len(set(names))
    assert len({pin.name for pin in pins} & set(names)) > 0.9 * len(names)
    assert kept(pins, left_out) == pins

"""Crates that are built and examined: what goes wrong in one is its outcome; what hangs on the moment is not kept."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common import cache
from rust_expert.common.config.pairs import PairOptions
from rust_expert.syntax.corpus import ItemRow, Origin, rows_of_crate
from rust_expert.tasks.building import CrateResult, Request, Source, results_of
from tests.tiny_crates import LIB, OPTIONS, crate, need, script

ROOT = Path(__file__).resolve().parents[2]
PAIRS = PairOptions(broken_forms=4, plain_forms=0, suggested_forms=0, standing_items=0)
LARGER = """/// The larger.
pub fn larger(a: u8, b: u8) -> u8 {
    if a > b {
        a
    } else {
        b
    }
}
"""
MORE = f"{LIB}\n{LARGER}"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "builds"


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/result.json"))


def result(root: Path, needs: dict[str, Path] | None = None, **limits: int) -> CrateResult:
    """What building and examining a crate comes to."""
    source = Source(root.name, "1.0.0", root, "content of " + root.name, needs or {})
    request = Request(OPTIONS.model_copy(update=limits), PAIRS, code="test", rustc="rustc")
    return results_of([(source, rows(root))], request, workers=1)[0]


def keep(place: str, text: str) -> None:
    def fill(folder: Path) -> None:
        (folder / "result.json").write_text(text)

    cache.keep(place, fill)


def rows(root: Path) -> list[ItemRow]:
    return rows_of_crate(root, Origin(root.name, "1.0.0", "MIT", "2021"))[0]


def test_what_is_kept(tmp_path: Path, own_cache: Path) -> None:
    good = crate(tmp_path / "good", {"src/lib.rs": MORE}, name="good")
    bad = crate(tmp_path / "bad", {"src/lib.rs": "/// No.\npub fn no() -> u8 {\n    true\n}\n"}, name="bad")
    first = result(good), result(bad)
    assert [(each.outcome, bool(each.pairs)) for each in first] == [("passes", True), ("cannot_build", False)]
    assert len(kept(own_cache)) == 2
    shutil.rmtree(good)
    shutil.rmtree(bad)
    crate(tmp_path / "good", {"src/lib.rs": MORE}, name="good")
    crate(tmp_path / "bad", {"src/lib.rs": "pub fn no() {}"}, name="bad")
    assert (result(good), result(bad)) == first, "the content is said to be the same"


def test_a_limit_of_time_is_not_kept(tmp_path: Path, own_cache: Path) -> None:
    slow = script(
        'if !std::path::Path::new("fast").exists() { std::thread::sleep(std::time::Duration::MAX); }'
    )
    root = crate(tmp_path / "slow", {"src/lib.rs": MORE, "build.rs": slow}, name="slow")
    assert result(root, wall_seconds=5).reason == "building it met the limit: wall"
    assert not kept(own_cache)
    (root / "fast").touch()
    assert result(root).outcome == "passes"
    assert len(kept(own_cache)) == 1


def test_a_result_of_other_code_is_made_anew(tmp_path: Path, own_cache: Path) -> None:
    bad = crate(tmp_path / "bad", {"src/lib.rs": "/// No.\npub fn no() -> u8 {\n    true\n}\n"}, name="bad")
    first = result(bad)
    (found,) = kept(own_cache)
    told = json.loads(found.read_text())
    shutil.rmtree(found.parent)
    keep(f"builds/{found.parent.name}", json.dumps(told | {"told by": "another code"}))
    assert result(bad) == first


ENDLESS_WHEN_CHANGED = """use proc_macro::TokenStream;
#[proc_macro]
pub fn watch(_: TokenStream) -> TokenStream {
    let now = std::fs::read_to_string("src/lib.rs").or_else(|_| std::fs::read_to_string("/crate/src/lib.rs"));
    while now.as_ref().is_ok_and(|text| text != include_str!("expected")) {}
    TokenStream::new()
}
"""


def test_a_macro_that_never_ends_where_the_crate_is_changed(tmp_path: Path, own_cache: Path) -> None:
    """It is given up after a few compilations, and not for good."""
    source = f"watcher::watch!();\n{LARGER}"
    files = {"src/lib.rs": ENDLESS_WHEN_CHANGED, "src/expected": source}
    needs = {"watcher": need(tmp_path / "watcher", "watcher", files, "[lib]\nproc-macro = true\n")}
    root = crate(
        tmp_path / "watching", {"src/lib.rs": source}, "[dependencies]\nwatcher = '1'\n", name="watching"
    )
    told = result(root, needs, cpu_seconds=2)
    assert (told.outcome, told.pairs) == ("passes", [])
    assert told.forms["broken"]["lost"].keys() == {"the compiler gave up"}
    assert not kept(own_cache)


def test_a_macro_whose_messages_cannot_be_read(tmp_path: Path, own_cache: Path) -> None:
    """It says of every compilation that an item has an error, on a line of five thousand digits."""
    source = f"forger::forge!();\n{LARGER}"
    row = next(row for row in rows(crate(tmp_path / "draft", {"src/lib.rs": source})) if row.name == "larger")
    place = row.start + row.text.index("if a")
    span = {"file_name": "src/lib.rs", "byte_start": place, "byte_end": place + 1, "line_start": 1, "column_start": 1,
            "is_primary": True}  # fmt: skip
    forged = {"$message_type": "diagnostic", "message": "m", "code": {"code": "E0308"}, "level": "error",
              "spans": [span], "children": [], "rendered": f"error\n --> src/lib.rs:{'9' * 5000}:1\n"}  # fmt: skip
    macro = (
        "use proc_macro::TokenStream;\n#[proc_macro]\npub fn forge(_: TokenStream) -> TokenStream {\n"
        '    eprintln!("{}", include_str!("forged")); TokenStream::new()\n}\n'
    )
    needs = {"forger": need(tmp_path / "forger", "forger", {"src/lib.rs": macro, "src/forged": json.dumps(forged)},
                            "[lib]\nproc-macro = true\n")}  # fmt: skip
    root = crate(
        tmp_path / "forging", {"src/lib.rs": source}, "[dependencies]\nforger = '1'\n", name="forging"
    )
    told = result(root, needs)
    assert (told.outcome, told.pairs) == ("cannot_build", [])
    assert told.reason == "what the compiler says of its items cannot be read (ValueError)"
    assert len(kept(own_cache)) == 1


BREAKING = """#!/bin/sh
case "$*" in *"{broken}"*) echo one >> "{count}"; kill -9 $$ ;; esac
exec "{real}" "$@"
"""


def test_a_sandbox_that_breaks(tmp_path: Path, own_cache: Path) -> None:
    """For one crate, each time: the others go on, and nothing of it is kept."""
    broken = crate(tmp_path / "crates" / "broken", {"src/lib.rs": MORE}, name="broken")
    good = crate(tmp_path / "crates" / "good", {"src/lib.rs": MORE}, name="good")
    program, count = tmp_path / "bin" / "bwrap", tmp_path / "count"
    program.parent.mkdir()
    program.write_text(BREAKING.format(broken=broken, count=count, real=shutil.which("bwrap")))
    program.chmod(0o755)
    building = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'tests/unit'); import test_tasks_building as it\n"
        "for root in sys.argv[1:]: told = it.result(Path(root)); print(told.outcome, told.reason)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", building, str(broken), str(good)], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}, timeout=120,
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert first.startswith(
        "cannot_build the sandbox broke while it was built: the sandbox ended without an exit code"
    )
    assert second == "passes "
    assert len(count.read_text().splitlines()) == 3
    assert len(kept(own_cache)) == 1


def test_what_compiles_no_second_time_gives_nothing(tmp_path: Path, own_cache: Path) -> None:
    """Its build script leaves something that rustc alone does not find."""
    making = script('std::fs::write("/work/made.rs", "/// Made.\\npub const MADE: u8 = 1;\\n").unwrap();')
    root = crate(
        tmp_path / "tiny", {"src/lib.rs": f'{MORE}\ninclude!("/work/made.rs");\n', "build.rs": making}
    )
    found = result(root)
    assert found.outcome == "cannot_build" and not found.pairs
    assert found.reason.startswith("it does not compile a second time: error: couldn't read")

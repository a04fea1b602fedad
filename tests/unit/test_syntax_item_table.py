"""The file of a shard's items: written crate by crate, read back row by row, the same for any number of processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rust_expert.common.config.corpus import ChunkOptions
from rust_expert.common.crate_files import read_crate
from rust_expert.common.errors import UserError
from rust_expert.common.processes import in_processes
from rust_expert.syntax import item_table
from rust_expert.syntax.corpus import ItemRow, Origin, columns_of, rows_of_crate
from rust_expert.syntax.item_table import SCHEMA, read_crates, read_items, table_of, write_items

ROOT = Path(__file__).resolve().parents[2]
CRATES = ROOT / "tests/fixtures/crates"
GOOD = sorted(path for path in CRATES.iterdir() if path.name != "mini-broken")


def origin(name: str) -> Origin:
    return Origin(name, "1.0.0", "MIT", "2021")


def table(path: Path) -> pa.Table:
    return table_of(columns_of(read_crate(path), origin(path.name), ChunkOptions())[0])


def test_rows_come_back_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_table, "_GROUP", 60)
    rows = [row for path in GOOD for row in rows_of_crate(path, origin(path.name))[0]]
    wrote = write_items(tmp_path / "a.parquet", map(table, GOOD))
    assert wrote == len(rows) > 100
    assert read_items(tmp_path / "a.parquet") == rows
    assert all(isinstance(row, ItemRow) for row in read_items(tmp_path / "a.parquet"))
    groups = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert groups.num_row_groups > 1
    by_crate = [[row for row in rows if row.crate == path.name] for path in GOOD]
    assert list(read_crates([tmp_path / "a.parquet"])) == by_crate
    assert read_items([tmp_path / "a.parquet", tmp_path / "a.parquet"]) == [*rows, *rows]
    write_items(tmp_path / "b.parquet", map(table, GOOD))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_shard_without_items(tmp_path: Path) -> None:
    nothing = table_of(columns_of(read_crate(tmp_path), origin("empty"), ChunkOptions())[0])
    assert write_items(tmp_path / "a.parquet", []) == write_items(tmp_path / "b.parquet", [nothing]) == 0
    assert read_items([tmp_path / "a.parquet", tmp_path / "b.parquet"]) == []


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def fails() -> pa.Table:
        yield table(GOOD[0])
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write_items(tmp_path / "a.parquet", fails())
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.parquet: no such file"):
        read_items(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no Parquet", encoding="utf-8")
    with pytest.raises(UserError, match=r"text\.parquet: not a Parquet file"):
        read_items(tmp_path / "text.parquet")
    pq.write_table(pa.table({"text": ["fn f() {}"]}), tmp_path / "other.parquet")
    with pytest.raises(UserError, match=r"other\.parquet: its columns are not those"):
        read_items(tmp_path / "other.parquet")
    assert SCHEMA.names == list(ItemRow._fields)


def double(number: int) -> int:
    if number < 0:
        os._exit(9)
    return 2 * number


def test_results_come_in_the_order_of_the_work() -> None:
    assert list(in_processes(double, range(20), 3)) == list(in_processes(double, range(20), 1))


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(UserError, match="ended from outside"):
        list(in_processes(double, [1, -1, 2], 2))


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "RUST_EXPERT_CACHE": str(tmp_path / "cache")}

    def run(script: str, *words: object) -> None:
        command = [sys.executable, "-m", f"scripts.{script}", *map(str, words)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    run("fetch", "--source", "path", "--path", CRATES, "--out", tmp_path / "m.json")
    made = []
    for workers in (1, 3):
        out, losses = tmp_path / f"{workers}.parquet", tmp_path / f"{workers}.jsonl"
        run(
            "items", "--manifest", tmp_path / "m.json", "--out", out, "--rejections", losses,
            "--workers", workers, "--max-lines", "40",
        )  # fmt: skip
        made.append((out.read_bytes(), losses.read_text(encoding="utf-8")))
    assert made[0] == made[1]
    assert {row.crate for row in read_items(tmp_path / "1.parquet")} == {path.name for path in GOOD}
    assert all(json.loads(line)["gate"] for line in made[0][1].splitlines())
    parts = [row for row in read_items(tmp_path / "1.parquet") if row.kind == "impl_part"]
    assert parts and all(row.text.count("\n") < 40 for row in parts)

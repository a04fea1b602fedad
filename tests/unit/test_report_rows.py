"""Rows are counted as they stream by, whichever columns their files have; the draw hangs on seed and id alone."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.tables import write_parquet
from rust_expert.report import rows as module
from rust_expert.report.rows import BOUNDS, OTHERS, claim_kind, read_rows
from tests.synthetic_data import made_up_rows


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(records), path)
    return path


def test_counts_of_several_files_add_up(tmp_path: Path) -> None:
    rows = made_up_rows(40)
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    write_parquet(paths[0], rows[:70], Sample)
    write_parquet(paths[1], rows[70:], Sample)
    counts = read_rows(paths)
    assert counts.rows == len(rows) == sum(counts.kinds.values()) == sum(counts.sources.values()) == 200
    assert counts.of_split("train") + counts.of_split("val") == 200
    assert counts.of_kind("curriculum") == counts.of_kind("error_fixing") == 40
    assert sum(counts.licences.values()) == 200 and sum(counts.crates.values()) == 160
    assert counts.unclaimed == {"explanations": 40} and counts.compilers == {"rustc 1.95.0": 120}
    assert sum(counts.codes.values()) == 40 and not counts.drawn
    for measure, by_kind in counts.sizes.items():
        # The curriculum's rows do not say their tokens.
        told = 160 if measure.startswith("tokens") else 200
        assert sum(column.total() for column in by_kind.values()) == told, measure


def test_sizes_are_of_characters_and_lines(tmp_path: Path) -> None:
    texts = ["", "x", "x\n", "x\ny", "x\ny\n", "é" * 100, "x\n" * 200]
    path = written(tmp_path / "a.parquet", [{"prompt": "p", "gen": text} for text in texts])
    sizes = read_rows([path]).sizes

    def columns(measure: str) -> dict[int, int]:
        return {
            BOUNDS[measure.split()[0]][place]: number
            for place, number in sizes[measure]["not stated"].items()
        }

    assert columns("lines of the answer") == {0: 6, 200: 1}
    assert columns("characters of the answer") == {0: 5, 100: 1, 400: 1}
    assert "tokens of the answer" not in sizes


def test_columns_that_come_later_are_read_where_they_are(tmp_path: Path) -> None:
    base = {"prompt": "p", "gen": "g", "_task_type": "error_fixing"}
    first = {"_id": "1", "_error_codes": ["E0382", "E0382"], "_tokens": 70, "_verified": ["x fails: E0001"]}
    claims = ["x fails: E0308, E0277 (rustc 1.95.0)"]
    second = {"_id": "2", "_error_codes": None, "_tokens": None, "_verified": claims}
    path = written(tmp_path / "a.parquet", [{**base, **first}, {**base, **second}])
    counts = read_rows([path], 5, 1)
    assert counts.codes == {("error_fixing", "E0382"): 1}
    assert counts.sizes["tokens of the answer"] == {"error_fixing": {BOUNDS["tokens"].index(64): 1}}
    assert counts.compilers == {"rustc 1.95.0": 1}
    assert [row.told["_id"] for row in counts.drawn["error_fixing"]] in (["1", "2"], ["2", "1"])


def test_rows_of_prompt_and_gen_alone_are_counted(tmp_path: Path) -> None:
    counts = read_rows([written(tmp_path / "a.parquet", [{"prompt": "p", "gen": "g"}] * 3)], 2, 1)
    assert counts.rows == 3 and counts.kinds == {("not stated", "not stated"): 3}
    assert len(counts.drawn["not stated"]) == 1


def test_the_draw_hangs_on_seed_and_id_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = made_up_rows(60)
    write_parquet(tmp_path / "a.parquet", rows, Sample)
    write_parquet(tmp_path / "b.parquet", rows[::-1] + rows[:50], Sample)

    def drawn(name: str, seed: int) -> dict[str, list[str]]:
        found = read_rows([tmp_path / name], 10, seed).drawn
        return {kind: [row.told["_id"] for row in shown] for kind, shown in found.items()}

    first = drawn("a.parquet", 1)
    assert {len(ids) for ids in first.values()} == {10} and len(first) == 5
    monkeypatch.setattr(module, "_BATCH", 7)
    assert first == drawn("a.parquet", 1) == drawn("b.parquet", 1) != drawn("a.parquet", 2)
    for kind, ids in first.items():
        assert len(set(ids)) == 10, kind


def test_names_without_end_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_NAMES", 4)
    records = [{"prompt": "p", "gen": "g", "_license": f"L{number}", "_source": "x"} for number in range(50)]
    licences = read_rows([written(tmp_path / "a.parquet", records)]).licences
    assert len(licences) == 5 and licences[OTHERS, OTHERS] == 46


def test_claims_without_what_differs_from_row_to_row() -> None:
    assert claim_kind("broken form fails: E0308, E0382 (rustc 1.95.0, edition 2021)") == "broken form fails"
    assert claim_kind("original compiles (rustc 1.95.0, edition 2021)") == "original compiles"
    assert claim_kind("clippy::needless_borrow no longer warns (rustc 1.95.0)") == "the lint no longer warns"
    assert claim_kind("tests pass") == "tests pass" and len(claim_kind("x" * 10_000)) == 100


@pytest.mark.parametrize(("content", "told"), [(None, "no such file"), (b"no", "not a Parquet file")])
def test_a_broken_file_is_one_sentence(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "a.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=told):
        read_rows([path])


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no column gen"):
        read_rows([written(tmp_path / "a.parquet", [{"prompt": "p"}])])

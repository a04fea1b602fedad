"""The tools for files of rows stream: four times the rows cost no more memory."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
TYPES = ["code_generation", "transformations", "error_fixing", "explanations"]

STREAMED = """
import re, sys
from importlib import import_module
from pathlib import Path

def peak():  # of this process alone; getrusage would tell the parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

name = sys.argv[1]
if name == "whole":
    from rust_expert.dataset.streams import jsonl_rows
    work = lambda: list(jsonl_rows(Path(sys.argv[1])))
else:
    work = import_module("scripts.tools." + name).main
sys.argv = sys.argv[1:]
before = peak()
work()
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="tells its peak of memory on Linux alone")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"{place}" + "x" * 2000, "gen": "y" * 2000, "_task_type": TYPES[place % 4],
         "_source_crate": f"c{place % 9}"}
        for place in range(1000)
    ]  # fmt: skip
    for times in (8, 32):
        with open(tmp_path / f"{times}.jsonl", "w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in rows * times)
        pq.write_table(pa.Table.from_pylist(rows * times), tmp_path / f"{times}.parquet", row_group_size=1000)

    def growth(name: str, kind: str, *words: object) -> float:
        """Megabytes that four times the rows cost."""
        peaks = []
        for times in (8, 32):
            given = [name, tmp_path / f"{times}.{kind}", *words]
            done = subprocess.run(
                [sys.executable, "-c", STREAMED, *map(str, given)],
                cwd=ROOT, capture_output=True, text=True, check=True,
            )  # fmt: skip
            peaks.append(int(done.stdout.splitlines()[-1]))
        return (peaks[1] - peaks[0]) / 1024

    assert growth("whole", "jsonl") > 60, "the measure sees rows that are held"
    even = json.dumps(dict.fromkeys(TYPES, 0.25))
    for found in (
        growth("split_jsonl", "jsonl", "--out", tmp_path / "parts", "--parts", 3),
        growth("rebalance_task_mix", "jsonl", "--out", tmp_path / "m.jsonl", "--mix", even),
        growth("split_train_val", "jsonl", "--train", tmp_path / "t.jsonl", "--val", tmp_path / "v.jsonl"),
        growth("parquet_to_jsonl", "parquet", "--out", tmp_path / "p.jsonl"),
        growth("verify_format", "parquet"),
    ):
        assert found < 20, found

"""benchmarks.plan: made-up crates that the workflow takes, and the longest chain of jobs."""

import json
from collections import defaultdict
from pathlib import Path

from benchmarks.plan import (
    edges_of,
    jobs_in,
    longest,
    measured_minutes,
    plan,
    write_profile,
    write_suite,
    write_table,
)
from rust_expert.crates.fetch import lock_beside
from rust_expert.crates.lockfile import read_lock
from rust_expert.crates.table import read_table

DOT = """
digraph snakemake_dag {
	0[label = "publish", color = "0.36 0.6 0.85", style="rounded"];
	1[label = "score\\nstage: base", color = "0.53 0.6 0.85", style="rounded"];
	2[label = "items\\nshard: 0", color = "0.53 0.6 0.85", style="rounded"];
	3[label = "items\\nshard: 1", color = "0.53 0.6 0.85", style="rounded"];
	1 -> 0
	2 -> 1
	3 -> 1
}
"""


def test_the_longest_chain_of_jobs() -> None:
    edges = list(edges_of(DOT))
    assert edges[0] == ("score stage: base #1", "publish #0")
    assert longest(edges, {"publish": 1, "score": 2, "items": 3})[1:] == [
        "score stage: base #1",
        "publish #0",
    ]
    apart = [("a #1", "end #3"), ("b #2", "end #3")]
    minutes = defaultdict(float, {"a": 5.0, "b": 6.0})
    assert longest(apart, minutes) == ["b #2", "end #3"]


def test_measured_minutes_of_crates_grow_with_them(tmp_path: Path) -> None:
    for name, seconds in (("items/0", 60), ("items/1", 30), ("clean", 120), ("train/phase1", 600)):
        path = tmp_path / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\n{seconds}\t0:00:00\n")
    (tmp_path / "corpus/fetch").mkdir(parents=True)
    for shard in (0, 1):
        (tmp_path / f"corpus/fetch/{shard}.json").write_text(json.dumps({"crates": [{}] * 10}))
    assert measured_minutes(tmp_path, 40) == {
        "items": 4.0,
        "clean": 2.0,
        "train_sft": 10.0,
        "train_rsft": 10.0,
    }


def test_the_workflow_plans_crates_that_are_made_up(tmp_path: Path) -> None:
    write_table(tmp_path, 600)
    write_suite(tmp_path)
    pins = read_table(tmp_path / "crates.tsv")
    assert len(pins) == 600
    lock = read_lock(lock_beside(tmp_path / "crates.tsv"))
    assert {pin.name.rpartition("-")[2] for pin in pins} == {"000", "001"}
    assert max(len(lock.closure(pin.name, pin.version)) for pin in pins if pin.name.endswith("-001")) > 10
    planned = plan(tmp_path, write_profile(tmp_path, 3))
    jobs = jobs_in(planned.said)
    assert jobs["items"] == jobs["builds"] == 3 and jobs["judge"] == 5 and jobs["total"] > 40
    assert planned.processor > 0
    assert not (tmp_path / "results").exists()

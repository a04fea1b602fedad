"""The mini-crates of tests/fixtures/crates, built and examined: what the tests of the tasks room start from."""

import functools
import os
import tempfile
from pathlib import Path

from rust_expert.common.config.corpus import BuildOptions
from rust_expert.common.config.pairs import PairOptions
from rust_expert.judge.rustc import explained
from rust_expert.syntax.corpus import ItemRow, Origin, rows_of_crate
from rust_expert.tasks.building import CrateResult, Request, ShardResult, Source, results_of
from rust_expert.tasks.pairs import PairRow

ROOT = Path(__file__).resolve().parents[1]
CRATES = ROOT / "tests/fixtures/crates"
NAMES = ("mini-matrix", "mini-ring", "mini-temperature", "mini-wrap")
OPTIONS = PairOptions(broken_forms=16, plain_forms=12, suggested_forms=8, standing_items=30)
RUSTC = "rustc 1.95.0"


@functools.cache
def items(name: str) -> list[ItemRow]:
    """The items of a mini-crate."""
    return rows_of_crate(CRATES / name, Origin(name, "0.1.0", "MIT OR Apache-2.0", "2021"))[0]


def examined(
    options: PairOptions = OPTIONS, workers: int = 2, names: tuple[str, ...] = NAMES
) -> list[CrateResult]:
    """The mini-crates, built anew in a cache of their own."""
    request = Request(BuildOptions(), options, code="test", rustc=RUSTC)
    before = os.environ.get("RUST_EXPERT_CACHE")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["RUST_EXPERT_CACHE"] = cache
        try:
            sources = [(Source(name, "0.1.0", CRATES / name, name, {}), items(name)) for name in names]
            return results_of(sources, request, workers)
        finally:
            if before is None:
                del os.environ["RUST_EXPERT_CACHE"]
            else:
                os.environ["RUST_EXPERT_CACHE"] = before


@functools.cache
def shard() -> tuple[list[ItemRow], ShardResult, list[PairRow]]:
    """Items, results and confirmed forms of all mini-crates, as scripts.builds hands them on."""
    results = examined()
    pairs = [pair for result in results for pair in result.pairs]
    told = ShardResult(
        rustc=RUSTC,
        crates=[result.counted() for result in results],
        explained=explained(code for pair in pairs for code in pair.codes),
    )
    return [row for name in NAMES for row in items(name)], told, pairs


def replaced(row: ItemRow, text: str) -> bytes:
    """The file of an item with another text in its place."""
    source = (CRATES / row.crate / row.file).read_bytes()
    return source[: row.start] + text.encode() + source[row.end :]


def with_options(**changes: int) -> PairOptions:
    """The options of these tests with some others."""
    return OPTIONS.model_copy(update=changes)

"""What the dataset room costs per row, step by step, against a bare parse of the crates that the rows come from.

The rows are functions, types and impls of a fifth of the large table's crates, asked for in the words of no template, and rows
of the curriculum; the suites are our own problems and those that the curriculum holds out. All in one process;
importing and the first compilation of the detector's rules do not count, loading the compiled ones is told apart.
"""

import gc
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import tree_sitter
import tree_sitter_rust

from rust_expert.common.cache import cache_folder
from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.dataset import CleanOptions, DatasetSpec
from rust_expert.common.contracts import Sample
from rust_expert.common.crate_files import read_source, source_files
from rust_expert.common.files import write_json
from rust_expert.common.tables import write_parquet
from rust_expert.crates.fetch import fetch_pins, pins_of
from rust_expert.curriculum.export import problem_of, sample_of
from rust_expert.curriculum.generation import generate, problems
from rust_expert.dataset.clean import Cleaned, clean, decontaminate, read_samples
from rust_expert.dataset.decontamination import Suite, read_suites
from rust_expert.dataset.duplicates import answers_of, without_exact, without_near
from rust_expert.dataset.mixing import Mixed, mix
from rust_expert.dataset.personal import personal_in
from rust_expert.dataset.secrets import secrets_in
from rust_expert.dataset.shards import write_manifest, write_shards
from rust_expert.syntax import row_code
from rust_expert.syntax.items import items_of

TABLE, EVERY = "config/crates-h100.tsv", 5
ROWS_PER_CRATE = 100
LARGEST_ITEM = 6_000
CURRICULUM = CurriculumOptions(tasks=4_000, problems=400)
ROUNDS = 3

Made = TypeVar("Made")


def sources() -> list[tuple[str, dict[str, bytes]]]:
    """The crates with the files that items are taken from."""
    found = []
    for crate in fetch_pins(pins_of(TABLE, 0, 1)[::EVERY], TABLE):
        if crate.status == "ok":
            folder = cache_folder() / str(crate.place)
            files = {name: read_source(folder / name)[0] for name in source_files(folder)[0]}
            found.append((crate.name, files))
    return found


def crate_rows(crates: list[tuple[str, dict[str, bytes]]]) -> Iterator[Sample]:
    """Rows of all task types, 14 of 20 to write, 3 to rewrite, 2 to repair and 1 to explain."""
    for crate, files in crates:
        items = [
            (name, item, source[item.start : item.end].decode())
            for name, source in files.items()
            for item in items_of(source).items
            if item.end - item.start < LARGEST_ITEM and source.count(b"\n", item.start, item.end) >= 3
        ]
        random.Random(crate).shuffle(items)
        for number, (name, item, text) in enumerate(items[:ROWS_PER_CRATE]):
            meta = {
                "source": "crates", "source_crate": crate, "source_version": "1.0.0", "source_file": name,
                "span": [item.start, item.end], "license": "MIT OR Apache-2.0", "scale": item.kind, "doc": bool(item.docs),
                "verified": ["original compiles (rustc 1.95.0, edition 2021)"],
            }  # fmt: skip
            beside = items[(number + 1) % len(items)][2][:600]
            yield _row(number % 20, item.docs or item.name, item.signature, text, beside, meta)


def _row(kind: int, docs: str, signature: str, text: str, beside: str, meta: dict[str, object]) -> Sample:
    if kind == 0:
        prompt = f"Say in prose what this is good for.\n\n```rust\n{text}\n```\n"
        return Sample.make(
            prompt=prompt, gen=docs, task_type="explanations", template="explanations/0", **meta
        )
    if kind < 3:
        broken, line = text.replace(";", "", 1), text.splitlines()[1]
        message = f"error[E0308]: mismatched types\n --> src/lib.rs:2:5\n  |\n2 | {line}\n  | ^^^^ expected `usize`, found `()`\n"
        prompt = f"Repair this.\n\n```rust\n{broken}\n```\n\nThe compiler's word:\n\n```text\n{message}```\n"
        template = "error_fixing/0/semicolon dropped"
        return Sample.make(prompt=prompt, gen=text, task_type="error_fixing", template=template, **meta)
    if kind < 6:
        prompt = f"Say it with the question mark.\n\n```rust\n{text.replace('?', '.unwrap()', 1)}\n```\n"
        template = "transformations/0/question mark"
        return Sample.make(prompt=prompt, gen=text, task_type="transformations", template=template, **meta)
    prompt = (
        f"{docs}\n\nThese definitions are there:\n\n```rust\n{beside}\n```\n\nIt begins with `{signature}`."
    )
    return Sample.make(
        prompt=prompt, gen=text, task_type="code_generation", template="code_generation/0", **meta
    )


class Clock:
    """The least processor time of each step over all rounds, this process alone."""

    def __init__(self) -> None:
        self.best: dict[str, float] = {}

    def __call__(self, step: str, work: Callable[[], Made]) -> Made:
        """Do the work; what it gave."""
        used = time.process_time()
        made = work()
        used = time.process_time() - used
        self.best[step] = min(used, self.best.get(step, used))
        return made


def parse_all(crates: list[tuple[str, dict[str, bytes]]]) -> None:
    """The baseline: a tree of every file, and nothing done with it."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))
    for _, files in crates:
        for source in files.values():
            parser.parse(source)


def main() -> None:
    """Measure and print; ends with an error where two rounds differ."""
    gc.disable()  # as the commands do
    crates = sources()
    size = sum(len(source) for _, files in crates for source in files.values())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        from_crates = list(crate_rows(crates))
        built = [sample_of(row) for row in generate(CURRICULUM)]
        write_parquet(folder / "tasks.parquet", from_crates, Sample)
        write_parquet(folder / "curriculum.parquet", built, Sample)
        suites = [
            *read_suites(["suites/core.jsonl"]),
            Suite("held", [problem_of(task) for task in problems(CURRICULUM)]),
        ]
        secrets_in([""])
        for title, files in (("crates", ["tasks"]), ("curriculum", ["curriculum"])):
            rows = len(from_crates) if title == "crates" else len(built)
            clock = Clock()
            seen = {
                _round(clock, [str(folder / f"{file}.parquet") for file in files], suites, folder, crates)
                for _ in range(ROUNDS)
            }
            if len(seen) != 1:
                raise SystemExit("two rounds gave different shards")
            _print(title, rows, clock.best, size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"peak memory {peak:.0f} MiB, all crates' sources and rows held; {os.cpu_count()} cores, {sys.version.split()[0]}"
    )


def _round(
    clock: Clock,
    files: list[str],
    suites: list[Suite],
    folder: Path,
    crates: list[tuple[str, dict[str, bytes]]],
) -> str:
    """One pass through the room; a mark of all that was written."""
    clock("bare parse of the crates", lambda: parse_all(crates))
    rows = clock("read rows", lambda: read_samples(files))
    texts = [f"{row.prompt}\n{row.gen}" for row in rows]
    clock("  secrets", lambda: secrets_in(texts))
    clock("  personal data", lambda: personal_in(texts))
    answers = clock("  answers: order, tokens, keys", lambda: answers_of(rows))
    answers, _ = clock("  exact duplicates", lambda: without_exact(answers))
    clock("  near duplicates", lambda: without_near(answers, CleanOptions()))
    clock("  decontamination", lambda: decontaminate(rows, suites, 10))
    cleaned: Cleaned = clock("clean, all of it", lambda: clean(rows, suites, CleanOptions()))
    clock("write the clean rows", lambda: write_parquet(folder / "clean.parquet", cleaned.samples, Sample))
    write = {"decontamination": cleaned.decontamination, "funnel": cleaned.funnel, "privacy": cleaned.privacy}
    clock(
        "write the reports",
        lambda: [write_json(folder / f"{name}.json", told) for name, told in write.items()],
    )
    marks = []
    built = sum(row.source == "curriculum" for row in cleaned.samples)
    for name in ("broad", "sharpened"):
        kept = clock(f"{name}: read", lambda: read_samples([str(folder / "clean.parquet")]))
        spec = DatasetSpec(
            curriculum_rows=built // 2, crate_rows=(len(kept) - built) // 2, max_chars=8_000, val_rows=200
        )
        mixed: Mixed = clock(
            f"{name}: mix", lambda kept=kept, name=name, spec=spec: mix(kept, name, spec, row_code)
        )  # type: ignore[misc]
        marks.append(
            clock(f"{name}: shards and report", lambda name=name, mixed=mixed: _shards(folder / name, mixed))
        )  # type: ignore[misc]
    return str(marks)


def _shards(folder: Path, mixed: Mixed) -> str:
    files = [*write_shards(folder, "train", mixed.train, 2), *write_shards(folder, "val", mixed.val, 2)]
    write_manifest(folder, folder.name, files)
    write_json(folder / "mix.json", {**mixed.report, "files": files})
    return str(files)


def _print(title: str, rows: int, best: dict[str, float], size: int) -> None:
    base = best.pop("bare parse of the crates")
    print(
        f"\n{title}: {rows:,} rows; a bare parse of {size / 1e6:.1f} MB of crates takes {base:.2f} CPU seconds"
    )
    print(f"{'':34}{'CPU s':>8}{'us/row':>9}{'of parse':>10}")
    for step, used in best.items():
        print(f"{step:34}{used:8.3f}{1e6 * used / rows:9.1f}{used / base:10.3f}")
    total = sum(used for step, used in best.items() if not step.startswith(" "))
    print(
        f"{'all (lines at the margin)':34}{total:8.3f}{1e6 * total / rows:9.1f}{total / base:10.3f}",
        flush=True,
    )

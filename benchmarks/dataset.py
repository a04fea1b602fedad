"""What the dataset room costs per row, step by step, against a bare parse of the crates that the rows come from.

The rows are functions, types and impls of every sixth crate of the large table, and rows of the curriculum; the suites
are our own problems and those that the curriculum holds out. All in one process. Importing does not count, nor loading
the rules by which secrets are found, which is told apart.
"""

import gc
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import tree_sitter
import tree_sitter_rust

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.dataset import CleanOptions, DatasetSpec
from rust_expert.common.contracts import Sample
from rust_expert.common.crate_files import SourceFile, read_crate
from rust_expert.common.files import write_json
from rust_expert.common.tables import write_parquet
from rust_expert.crates.fetch import fetch_pins
from rust_expert.crates.table import read_table
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

TABLE, EVERY = "config/crates-h100.tsv", 6
ROWS_PER_CRATE = 110
LARGEST_ITEM = 6_000
CURRICULUM = CurriculumOptions(tasks=4_000, problems=400)
ROUNDS = 3

BASE = "bare parse of the crates"

Crates = list[tuple[str, list[SourceFile]]]
"""Crates by name, each with its files."""
Made = TypeVar("Made")


def crates_of_the_table() -> Crates:
    """The crates with the files that items are taken from."""
    found: Crates = []
    for crate in fetch_pins(read_table(TABLE)[::EVERY], TABLE):
        if crate.status == "ok":
            found.append((crate.name, read_crate(crate.root).files))
    return found


def rows_of(crates: Crates) -> Iterator[Sample]:
    """Rows of all task types: of 20, 14 to write, 3 to rewrite, 2 to repair and 1 to explain."""
    for crate, files in crates:
        items = [
            (file.name, item, file.source[item.start : item.end].decode())
            for file in files
            for item in items_of(file).items
            if item.end - item.start < LARGEST_ITEM and file.source.count(b"\n", item.start, item.end) >= 3
        ]
        random.Random(crate).shuffle(items)
        for number, (name, item, text) in enumerate(items[:ROWS_PER_CRATE]):
            metadata: dict[str, object] = {
                "source": "crates", "source_crate": crate, "source_version": "1.0.0", "source_file": name,
                "span": [item.start, item.end], "license": "MIT OR Apache-2.0", "scale": item.kind,
                "doc": bool(item.docs), "verified": ["original compiles (rustc 1.95.0, edition 2021)"],
            }  # fmt: skip
            beside = items[(number + 1) % len(items)][2][:600]
            docs = item.docs or f"Write {item.name}."
            kind, prompt, answer = _lesson(number % 20, docs, item.signature, text, beside)
            yield Sample.make(prompt=prompt, gen=answer, task_type=kind, template=f"{kind}/0/x", **metadata)


def _lesson(number: int, docs: str, signature: str, text: str, beside: str) -> tuple[str, str, str]:
    """Task type, prompt and answer, in wording like that of real rows."""
    if number == 0:
        return "explanations", f"Say in prose what this is good for.\n\n```rust\n{text}\n```\n", docs
    if number < 3:
        broken, line = text.replace(";", "", 1), text.splitlines()[1]
        message = (
            f"error[E0308]: mismatched types\n --> src/lib.rs:2:5\n  |\n2 | {line}\n  | ^^^^ expected `u8`\n"
        )
        prompt = f"Repair this.\n\n```rust\n{broken}\n```\n\nThe compiler's word:\n\n```text\n{message}```\n"
        return "error_fixing", prompt, text
    if number < 6:
        plain = text.replace("?", ".unwrap()", 1)
        return "transformations", f"Say it with the question mark.\n\n```rust\n{plain}\n```\n", text
    prompt = (
        f"{docs}\n\nThese definitions are there:\n\n```rust\n{beside}\n```\n\nIt begins with `{signature}`."
    )
    return "code_generation", prompt, text


class Clock:
    """The least processor time of each step over all rounds, in seconds, this process alone."""

    def __init__(self) -> None:
        self.best: dict[str, float] = {}

    def __call__(self, step: str, work: Callable[[], Made]) -> Made:
        """Do the work; what it gave."""
        used = time.process_time()
        made = work()
        used = time.process_time() - used
        self.best[step] = min(used, self.best.get(step, used))
        return made


def parse_all(crates: Crates) -> None:
    """The baseline: a tree of every file, and nothing done with it."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))
    for _, files in crates:
        for source in (file.source for file in files):
            parser.parse(source)


def main() -> None:
    """Measure and print; ends with an error where two rounds give different shards."""
    gc.disable()  # as the commands do
    crates = crates_of_the_table()
    held_out = Suite("held_out", [problem_of(task) for task in problems(CURRICULUM)])
    suites = [*read_suites(["suites/core.jsonl"]), held_out]
    used = time.process_time()
    secrets_in([""])
    print(f"loading the rules by which secrets are found: {time.process_time() - used:.2f} CPU seconds")
    kinds = {"crates": rows_of(crates), "curriculum": (sample_of(row) for row in generate(CURRICULUM))}
    for kind, rows in kinds.items():
        with tempfile.TemporaryDirectory() as name:
            count = write_parquet(Path(name) / "rows.parquet", rows, Sample)
            clock = Clock()
            if len({one_round(clock, Path(name), suites, crates) for _ in range(ROUNDS)}) != 1:
                raise SystemExit("two rounds gave different shards")
        show(kind, count, clock.best, sum(len(file.source) for _, files in crates for file in files))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MiB, the crates' sources included; {os.cpu_count()} cores")


def one_round(clock: Clock, folder: Path, suites: list[Suite], crates: Crates) -> str:
    """One pass through the room; a mark of the shards. Steps that begin with a blank are parts of another one."""
    clock(BASE, lambda: parse_all(crates))
    rows = clock("read", lambda: read_samples([str(folder / "rows.parquet")]))
    texts = [f"{row.prompt}\n{row.gen}" for row in rows]
    clock("  secrets", lambda: secrets_in(texts))
    clock("  personal data", lambda: personal_in(texts))
    answers = clock("  answers: order, tokens, keys", lambda: answers_of(rows))
    kept, _ = clock("  exact duplicates", lambda: without_exact(answers))
    clock("  near duplicates", lambda: without_near(kept, CleanOptions()))
    clock("  decontamination", lambda: decontaminate(kept.samples, suites, CleanOptions().gram_words))
    cleaned = clock("clean", lambda: clean(rows, suites, CleanOptions()))
    clock("write rows and reports", lambda: _write(folder, cleaned))
    return "".join(_data_set(clock, folder, name) for name in ("broad", "sharpened"))


def _write(folder: Path, cleaned: Cleaned) -> None:
    write_parquet(folder / "clean.parquet", cleaned.samples, Sample)
    for name in ("privacy", "decontamination", "funnel"):
        write_json(folder / f"{name}.json", getattr(cleaned, name))


def _data_set(clock: Clock, folder: Path, name: str) -> str:
    """One data set of half the rows, made as `scripts.mix` makes it."""
    rows = clock(f"{name}: read", lambda: read_samples([str(folder / "clean.parquet")]))
    built = sum(row.source == "curriculum" for row in rows)
    spec = DatasetSpec(
        curriculum_rows=built // 2, crate_rows=(len(rows) - built) // 2, max_chars=8_000, val_rows=200
    )
    mixed = clock(f"{name}: mix", lambda: mix(rows, name, spec, row_code))
    return clock(f"{name}: shards and report", lambda: _shards(folder / name, mixed))


def _shards(folder: Path, mixed: Mixed) -> str:
    files = [*write_shards(folder, "train", mixed.train, 2), *write_shards(folder, "val", mixed.val, 2)]
    write_manifest(folder, folder.name, files)
    write_json(folder / "mix.json", {**mixed.report, "files": files})
    return str(files)


def show(kind: str, rows: int, best: dict[str, float], size: int) -> None:
    """Print what each step cost."""
    base = best[BASE]
    print(
        f"\n{rows:,} rows of the {kind}; bare parse of {size / 1e6:.1f} MB of crates: {base:.2f} CPU seconds"
    )
    print(f"{'':34}{'CPU s':>8}{'us a row':>10}{'of parse':>10}")
    steps = {step: used for step, used in best.items() if step != BASE}
    steps["all together"] = sum(used for step, used in steps.items() if not step.startswith(" "))
    for step, used in steps.items():
        print(f"{step:34}{used:8.3f}{1e6 * used / rows:10.1f}{used / base:10.3f}", flush=True)

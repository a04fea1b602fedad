"""What the steps from crates to shards cost, against a bare tree-sitter parse of the same files in the same run.

The hundred crates of benchmarks/hundred.yaml. The files parsed for comparison are all those that reach the parser: of
crates that pass the gates, whole. Each crate is cut and then parsed, so that both see the same machine. Figures are the
least of several rounds; what a process imports is not counted, nor are builds and clippy, whose results are taken from
the cache, and made where they are not there (a quarter of an hour).

What a verified pair costs is measured apart: of a dozen of the crates, built anew, everything after the build.
"""

import gc
import os
import shlex
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any

import pyarrow as pa
import tree_sitter
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from benchmarks.judge import count_orphans
from benchmarks.judge import processor_seconds as all_processor_seconds
from rust_expert.common.cli import flags
from rust_expert.common.config.profile import Profile, check
from rust_expert.common.contracts import Sample
from rust_expert.common.crate_files import read_crate
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.common.seeds import stable_hash
from rust_expert.common.tables import write_parquet, write_parquet_pieces
from rust_expert.crates.fetch import fetch_pins, pins_by_shard
from rust_expert.crates.gates import audit_manifest, audit_sources
from rust_expert.crates.manifest import CrateSource, read_manifest, write_manifest
from rust_expert.dataset.clean import clean, read_samples
from rust_expert.dataset.decontamination import read_suites
from rust_expert.dataset.mixing import mix
from rust_expert.dataset.shards import write_manifest as write_shard_manifest
from rust_expert.dataset.shards import write_shards
from rust_expert.judge.in_place import in_place
from rust_expert.judge.third_party import ThirdParty, build, limits_of
from rust_expert.syntax import row_code
from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.item_table import read_crates, write_items
from rust_expert.syntax.parser import LANGUAGE
from rust_expert.tasks.building import ShardResult, results_of, sources_of
from rust_expert.tasks.examination import examined
from rust_expert.tasks.pairs import PairRow, read_pairs
from rust_expert.tasks.production import Production
from scripts.builds import request_of, source_of, told_of
from scripts.items import cut

ROOT = Path(__file__).resolve().parents[1]
PROFILES = ("config/config.yaml", "config/h100.yaml", "benchmarks/hundred.yaml")
DATASETS = ("broad", "sharpened")
FEW, DOZEN = 10, 12
ROUNDS = 3

PARSE, APART = "bare parse", "not counted"
Items = Mapping[str, Sequence[ItemRow]]
"""The items of each crate that passes the gates."""
COMPARING = "scripts.clean"
"""The step that holds all rows, since it compares each with all others: it may grow with their number."""
FLAT = 1.25
"""What memory may grow by, from the few crates to all."""


def processor_seconds() -> float:
    """What this process and its ended children have used so far."""
    return sum(used.ru_utime + used.ru_stime for used in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


class Clock:
    """Processor seconds by name; what is measured inside something else is not part of it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = processor_seconds()

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Count what the block uses."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = processor_seconds()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


@dataclass(frozen=True)
class Work:
    """What is measured: the profile, its crates, and what building them came to."""

    profile: Profile
    crates: Sequence[CrateSource]
    built: ShardResult
    pairs: Sequence[PairRow]

    def of(self, crates: Sequence[CrateSource]) -> "Work":
        """The same of some of the crates, in the same order."""
        names = {crate.name for crate in crates}
        built = [crate for crate in self.built.crates if crate.name in names]
        return Work(
            self.profile,
            [crate for crate in self.crates if crate.name in names],
            self.built.model_copy(update={"crates": built}),
            [pair for pair in self.pairs if pair.crate in names],
        )


@dataclass
class Round:
    """One measurement of all steps: a folder for what the steps write, and what they have cost so far."""

    work: Work
    folder: Path
    clock: Clock = field(default_factory=Clock)
    told: dict[str, int] = field(default_factory=dict)

    @property
    def manifest(self) -> Path:
        """As scripts.fetch writes it."""
        return self.folder / "fetch.json"

    @property
    def items(self) -> Path:
        """As scripts.items writes them."""
        return self.folder / "items.parquet"

    @property
    def samples(self) -> Path:
        """As scripts.tasks writes them."""
        return self.folder / "samples.parquet"

    @property
    def clean(self) -> Path:
        """As scripts.clean writes them."""
        return self.folder / "clean.parquet"


def check_sources(now: Round) -> None:
    """What each step after the fetching does first: whether the cached sources are whole."""
    with now.clock("cached sources checked"):
        read_manifest(now.manifest)


def cut_crates(now: Round) -> None:
    """Gates, items and chunks, written as Parquet; and the parse that all is compared with."""
    corpus = now.work.profile.corpus
    parser = tree_sitter.Parser(LANGUAGE)
    told = Counter[str]()

    def tables() -> Iterator[pa.Table]:
        for crate in now.work.crates:
            with now.clock("gates, items and chunks"):
                table, _ = cut(crate, corpus.gates, corpus.chunks)
            if table is None:
                continue
            with now.clock(APART):
                sources = [file.source for file in read_crate(crate.root).files]
                told.update(passed=1, files=len(sources), bytes=sum(map(len, sources)))
            with now.clock(PARSE):
                for source in sources:
                    parser.parse(source)
            yield table

    with now.clock("items written"):
        told["items"] = write_items(now.items, tables())
    now.told |= told


def make_samples(now: Round) -> None:
    """Samples of the items and of the confirmed forms."""
    with now.clock(APART):
        write_parquet(now.folder / "pairs.parquet", now.work.pairs, PairRow)
    with now.clock("samples"):
        production = Production(now.work.built, now.work.profile.tasks)
        crates = production.samples(read_crates(now.items), read_pairs(now.folder / "pairs.parquet"))
        now.told["rows"] = write_parquet_pieces(now.samples, crates, Sample)


def clean_rows(now: Round) -> None:
    """Secrets, duplicates, decontamination against our own suite, split."""
    with now.clock("cleaning"):
        rows = read_samples([str(now.samples)])
        cleaned = clean(rows, read_suites([str(ROOT / "suites/core.jsonl")]), now.work.profile.clean)
        write_parquet(now.clean, cleaned.samples, Sample)
    now.told["cleaned"] = len(cleaned.samples)


def draw(now: Round) -> None:
    """The data sets with their shards."""
    for name in DATASETS:
        spec = now.work.profile.datasets[name].model_copy(update={"curriculum_rows": 0})
        with now.clock(f"data set {name}"):
            mixed = mix(read_samples([str(now.clean)]), name, spec, row_code)
            folder, count = now.folder / name, now.work.profile.dataset_shards
            files = [
                *write_shards(folder, "train", mixed.train, count),
                *write_shards(folder, "val", mixed.val, count),
            ]
            write_shard_manifest(folder, name, files)
        now.told[name] = len(mixed.train) + len(mixed.val)


STEPS: tuple[Callable[[Round], None], ...] = (check_sources, cut_crates, make_samples, clean_rows, draw)
"""In the order of the chain; each leaves what the next one reads in the round's folder."""


def gates_alone(work: Work, clock: Clock) -> None:
    """The first part of cutting once more, for its share: files read and lexed, and the gates."""
    gates = work.profile.corpus.gates
    for crate in work.crates:
        with clock("  of cutting: gates"):
            rejection = audit_manifest(crate, gates)
        if rejection is None:
            with clock("  of cutting: files read and lexed"):
                sources = read_crate(crate.root)
            with clock("  of cutting: gates"):
                audit_sources(crate, gates, sources)


def profile() -> Profile:
    """The profile of the measurement."""
    merged: dict[str, Any] = {}
    for name in PROFILES:
        update_config(merged, load_configfile(str(ROOT / name)))
    return check(merged)


def prepared() -> tuple[Work, Items]:
    """The crates and their items, and what building them came to.

    Raises UserError where a crate cannot be fetched.
    """
    chosen = profile()
    options = chosen.corpus.fetch.model_copy(update={"shards": 1})
    fetched = fetch_pins(pins_by_shard(options)[0], options.table)
    crates = [crate for crate in fetched if crate.status == "ok"]
    with tempfile.TemporaryDirectory() as name:
        cuts = (cut(crate, chosen.corpus.gates, chosen.corpus.chunks)[0] for crate in crates)
        write_items(Path(name) / "items", (table for table in cuts if table is not None))
        items = {rows[0].crate: rows for rows in read_crates(Path(name) / "items")}
    request = request_of(chosen.corpus.builds, chosen.pairs)
    tried = [(source_of(crate), items[crate.name]) for crate in crates if crate.name in items]
    results = results_of(tried, request, len(os.sched_getaffinity(0)))
    pairs = [pair for result in results for pair in result.pairs]
    return Work(chosen, crates, told_of(results, request), pairs), items


def pair_costs(work: Work, items: Items) -> None:
    """Build a dozen crates anew and print what each confirmed form costs, all that was tried in vain included."""
    passing = {crate.name for crate in work.built.crates if crate.outcome == "passes"}
    drawn = sorted(passing, key=lambda name: stable_hash("pairs", name))[:DOZEN]
    options, corpus = work.profile.pairs.model_copy(update={"standing_items": 0}), work.profile.corpus
    seconds, kinds = 0.0, Counter[str]()
    for crate in sorted(
        (crate for crate in work.crates if crate.name in drawn), key=lambda crate: crate.name
    ):
        source = source_of(crate)
        with tempfile.TemporaryDirectory(prefix="rust-expert-bench-") as name:
            left = Path(name)
            left.chmod(0o755)
            done = build(ThirdParty(source.name, source.root, source.needs), corpus.builds, left)
            before = all_processor_seconds()
            with in_place(done, source.root, limits_of(corpus.builds)) as compiler:
                found = examined(
                    items[crate.name], sources_of(done, source.root), compiler, done, options
                )  # fmt: skip
            used = all_processor_seconds() - before
        seconds += used
        kinds.update(pair.kind for pair in found.pairs)
        told = f"{len(found.pairs)} pairs, {used:.2f} s" + (
            f", {used / len(found.pairs):.4f} s each" if found.pairs else ""
        )
        print(f"  {crate.name} {crate.version}: {told}", flush=True)
    count = kinds.total()
    print(
        f"pairs: {count} verified ({', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}) of {len(drawn)} "
        f"crates: {seconds / max(count, 1):.4f} processor seconds each, everything after the build included"
    )


_MEASURED = """import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(ended, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""
"""A process between: what a child has before it becomes another program is counted as its own."""


def peak_megabytes(module: str, *words: str) -> float:
    """The most memory that a command takes, in a process of its own."""
    command = [sys.executable, "-c", _MEASURED, sys.executable, "-m", module, *words]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    if told[0] != "0":
        raise SystemExit(f"{module} ended with {told[0]}")
    return int(told[1]) / 1024


def peaks(work: Work, folder: Path) -> dict[str, float]:
    """The most memory that cutting the crates, making their samples and cleaning these takes."""
    write_manifest(folder / "memory.json", list(work.crates))
    write_json(folder / "builds.json", work.built.model_dump())
    write_parquet(folder / "some.parquet", work.pairs, PairRow)
    rows = str(folder / "memory.parquet")
    return {
        "scripts.items": peak_megabytes(
            "scripts.items", "--manifest", str(folder / "memory.json"), "--out", rows,
            "--rejections", str(folder / "memory.jsonl"),
        ),
        "scripts.tasks": peak_megabytes(
            "scripts.tasks", "--items", rows, "--builds", str(folder / "builds.json"),
            "--pairs", str(folder / "some.parquet"), "--out", str(folder / "rows.parquet"),
            "--counts", str(folder / "counts.json"), *shlex.split(flags(work.profile.tasks)),
        ),
        COMPARING: peak_megabytes(
            COMPARING, "--tasks", str(folder / "rows.parquet"), "--suites", str(ROOT / "suites/core.jsonl"),
            "--out", str(folder / "clean.parquet"), "--privacy", str(folder / "privacy.json"),
            "--decontamination", str(folder / "decontamination.json"), "--funnel", str(folder / "funnel.json"),
        ),
    }  # fmt: skip


def weight(crate: CrateSource) -> int:
    """Bytes of the Rust files of a crate."""
    return sum(path.stat().st_size for path in crate.root.rglob("*.rs") if path.is_file())


def main() -> None:
    """Measure and print; says so where the crates cannot be fetched."""
    count_orphans()
    try:
        work, items = prepared()
    except UserError as error:
        print(f"data: not measured, its crates cannot be fetched: {error}")
        return
    gc.disable()  # as the commands do
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few = work.of(work.crates[:FEW])
        for step in STEPS:  # once over few crates: what is imported late is not measured
            step(_round(few, folder))
        rounds = []
        for _ in range(ROUNDS):
            rounds.append(_round(work, folder))
            for step in STEPS:
                step(rounds[-1])
            gates_alone(work, rounds[-1].clock)
        _print(rounds)
        largest_first = sorted(work.crates, key=weight, reverse=True)
        some, everything = (peaks(one, folder) for one in (work.of(largest_first[:FEW]), work))
    for command, most in everything.items():
        print(
            f"peak memory of {command}: {some[command]:.0f} MB for the {FEW} largest crates, {most:.0f} MB for all"
        )
    pair_costs(work, items)
    grown = [command for command, most in everything.items() if most > FLAT * some[command]]
    if set(grown) - {COMPARING}:
        raise SystemExit("memory grows with the number of crates")


def _round(work: Work, folder: Path) -> Round:
    made = Round(work, folder)
    write_manifest(made.manifest, list(work.crates))
    return made


def _print(rounds: Sequence[Round]) -> None:
    told, work = rounds[0].told, rounds[0].work
    print(
        f"data: {len(work.crates)} crates, of which {told['passed']} pass the gates: {told['files']} files, "
        f"{told['bytes'] / 1e6:.1f} MB, {told['items']} items and chunks, {told['rows']} rows, of which "
        f"{told['cleaned']} are left when cleaned; "
        + ", ".join(f"{told[name]} in {name}" for name in DATASETS)
        + f"; processor seconds, least of {ROUNDS}"
    )
    least = {name: min(each.clock.seconds[name] for each in rounds) for name in rounds[0].clock.seconds}
    steps = {name: seconds for name, seconds in least.items() if name not in (PARSE, APART)}
    rows = {
        PARSE: least[PARSE],
        **steps,
        "all steps": sum(seconds for name, seconds in steps.items() if not name.startswith(" ")),
    }
    for name, seconds in rows.items():
        print(f"{name:34}{seconds:8.2f}{seconds / least[PARSE]:8.2f} of the parse")


if __name__ == "__main__":
    main()

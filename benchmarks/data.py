"""What the steps from crates to rows cost, against a bare tree-sitter parse of the same files in the same run.

A hundred crates of the large table, drawn by a hash of their names. The files parsed for comparison are all those that
reach the parser: of crates that pass the gates, whole. Each crate is cut and then parsed, so that both see the same
machine. Figures are the least of several rounds; what a process imports is not counted.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import pyarrow as pa
import tree_sitter

from rust_expert.common.config.corpus import ChunkOptions, GateOptions
from rust_expert.common.crate_files import read_crate
from rust_expert.common.errors import UserError
from rust_expert.common.seeds import stable_hash
from rust_expert.crates.fetch import fetch_pins
from rust_expert.crates.gates import audit_manifest, audit_sources
from rust_expert.crates.manifest import CrateSource, read_manifest, write_manifest
from rust_expert.crates.table import read_table
from rust_expert.syntax.item_table import write_items
from rust_expert.syntax.parser import LANGUAGE
from scripts.items import cut

TABLE = "config/crates-h100.tsv"
CRATES, FEW = 100, 10
ROUNDS = 3
ROOT = Path(__file__).resolve().parents[1]

PARSE, APART = "bare parse", "not counted"
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


@dataclass
class Round:
    """One measurement of all steps: the crates, a folder for what the steps write, and what they have cost so far."""

    crates: Sequence[CrateSource]
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


def check_sources(work: Round) -> None:
    """What each step after the fetching does first: whether the cached sources are whole."""
    with work.clock("cached sources checked"):
        read_manifest(work.manifest)


def cut_crates(work: Round) -> None:
    """Gates, items and chunks, written as Parquet; and the parse that all is compared with."""
    gates, chunks = GateOptions(), ChunkOptions()
    parser = tree_sitter.Parser(LANGUAGE)
    told = Counter[str]()

    def tables() -> Iterator[pa.Table]:
        for crate in work.crates:
            with work.clock("gates, items and chunks"):
                table, _ = cut(crate, gates, chunks)
            if table is None:
                continue
            with work.clock(APART):
                sources = [file.source for file in read_crate(crate.root).files]
                told.update(passed=1, files=len(sources), bytes=sum(map(len, sources)))
            with work.clock(PARSE):
                for source in sources:
                    parser.parse(source)
            yield table

    with work.clock("Parquet written"):
        told["rows"] = write_items(work.items, tables())
    work.told |= told


STEPS: tuple[Callable[[Round], None], ...] = (check_sources, cut_crates)
"""In the order of the chain; each leaves what the next one reads in the round's folder."""


def gates_alone(crates: Sequence[CrateSource], clock: Clock) -> None:
    """The first part of cutting once more, for its share: files read and lexed, and the gates."""
    for crate in crates:
        with clock("  of it: gates"):
            rejection = audit_manifest(crate, GateOptions())
        if rejection is None:
            with clock("  of it: files read and lexed"):
                sources = read_crate(crate.root)
            with clock("  of it: gates"):
                audit_sources(crate, GateOptions(), sources)


def drawn() -> list[CrateSource]:
    """The crates, their sources in the cache.

    Raises UserError where one cannot be fetched.
    """
    pins = sorted(read_table(str(ROOT / TABLE)), key=lambda pin: stable_hash("benchmark", pin.name))[:CRATES]
    # No lock lies beside this name: what the crates need to be built is not fetched.
    crates = fetch_pins(pins, os.devnull + ".tsv")
    return sorted((crate for crate in crates if crate.status == "ok"), key=lambda crate: crate.name)


def peak_megabytes(crates: Sequence[CrateSource], folder: Path) -> float:
    """The most memory that scripts.items takes for the crates, in a process of its own."""
    write_manifest(folder / "memory.json", list(crates))
    command = [
        sys.executable, "-m", "scripts.items", "--manifest", str(folder / "memory.json"),
        "--out", str(folder / "memory.parquet"), "--rejections", str(folder / "memory.jsonl"),
    ]  # fmt: skip
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"scripts.items ended with {child.returncode}")
    return used.ru_maxrss / 1024


def weight(crate: CrateSource) -> int:
    """Bytes of the Rust files of a crate."""
    return sum(path.stat().st_size for path in crate.root.rglob("*.rs") if path.is_file())


def main() -> None:
    """Measure and print; says so where the crates cannot be fetched."""
    try:
        crates = drawn()
    except UserError as error:
        print(f"data: not measured, its crates cannot be fetched: {error}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for step in STEPS:  # once over few crates: what is imported late is not measured
            step(_round(crates[:FEW], folder))
        rounds = []
        for _ in range(ROUNDS):
            rounds.append(_round(crates, folder))
            for step in STEPS:
                step(rounds[-1])
            gates_alone(crates, rounds[-1].clock)
        _print(rounds)
        largest_first = sorted(crates, key=weight, reverse=True)
        few, all_of_them = (peak_megabytes(some, folder) for some in (largest_first[:FEW], crates))
    print(
        f"peak memory of scripts.items: {few:.0f} MB for the {FEW} largest crates, {all_of_them:.0f} MB for all"
    )
    if all_of_them > FLAT * few:
        raise SystemExit("memory grows with the number of crates")


def _round(crates: Sequence[CrateSource], folder: Path) -> Round:
    made = Round(crates, folder)
    write_manifest(made.manifest, list(crates))
    return made


def _print(rounds: Sequence[Round]) -> None:
    told = rounds[0].told
    print(
        f"data: {len(rounds[0].crates)} crates, of which {told['passed']} pass the gates: {told['files']} files, ",
        end="",
    )
    print(
        f"{told['bytes'] / 1e6:.1f} MB, {told['rows']} items and chunks; processor seconds, least of {ROUNDS}"
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

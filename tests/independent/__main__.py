"""An independent check of instruction samples: it shares no code with what makes them, the sandbox alone is the same.

python -m tests.independent results/dataset/clean.parquet --table config/crates.tsv --suites suites/core.jsonl ...

Of each kind of row it draws some by chance, and compiles each claim by itself: one change, one `cargo check` of the
whole crate. Of all rows it checks spans, licences, the split, near duplicates across it, and shared runs of words
with suites. Ends with an error where anything does not hold.
"""

import argparse
import random
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.independent import sources, texts
from tests.independent.forms import Check, checks_of, verdict
from tests.independent.rooms import compiled

Row = dict[str, Any]


def drawn(rows: list[Row], count: int, seed: int) -> list[Row]:
    """At most `count` rows of each kind of claim that is compiled."""
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[texts.kind_of(row)].append(row)
    chosen = random.Random(seed)
    return [row for kind in sorted(kinds) for row in chosen.sample(kinds[kind], min(count, len(kinds[kind])))]


def main() -> None:
    """Check, print each kind's figures and every failure."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("rows", nargs="+", type=Path)
    told.add_argument("--table", type=Path, default=Path("config/crates.tsv"))
    told.add_argument("--suites", nargs="*", type=Path, default=[])
    told.add_argument("--count", type=int, default=500)
    told.add_argument("--seed", type=int, default=1)
    told.add_argument("--workers", type=int, default=2)
    told.add_argument("--static", action="store_true", help="compile nothing")
    given = told.parse_args()
    rows = [row for path in given.rows for row in pq.read_table(path).to_pylist()]
    crates = [row for row in rows if row["_source"] == "crates"]
    pins = sources.table(given.table)
    with tempfile.TemporaryDirectory(prefix="independent-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        roots = {
            crate: sources.unpacked(crate, pins[crate][0], folder)
            for crate in sorted({(row["_source_crate"], row["_source_version"]) for row in crates})
        }
        faults = texts.faults(rows, roots, pins, given.suites)
        if not given.static:
            faults += by_compiler(drawn(crates, given.count, given.seed), roots, given, folder)
    for fault in faults[:100]:
        print("FAULT", fault)
    print(f"{len(rows)} rows, {len(crates)} from crates: {len(faults)} faults")
    raise SystemExit(bool(faults))


def by_compiler(
    rows: list[Row], roots: dict[sources.Crate, Path], given: argparse.Namespace, folder: Path
) -> list[str]:
    """Compile what the rows claim."""
    began = time.monotonic()
    by_crate: dict[sources.Crate, list[Row]] = defaultdict(list)
    for row in rows:
        by_crate[row["_source_crate"], row["_source_version"]].append(row)
    vendor = sources.vendored(by_crate, given.table.with_suffix(".lock"), folder)

    def one(crate: sources.Crate) -> tuple[list[str], Counter[str]]:
        root, counts = roots[crate], Counter[str]()
        checks: list[Check] = [check for row in by_crate[crate] for check in checks_of(row, root)]
        changes = [(check.file, check.content) for check in checks if check.content is not None]
        said, files, error = compiled(crate[0], root, vendor, changes)
        if not said or not said[0].ok or len(said) != len(changes) + 1:
            return [f"{crate[0]} {crate[1]}: it does not compile as it is: {error[-300:]}"], counts
        results = iter(said[1:])
        faults = []
        for check in checks:
            result = next(results) if check.content is not None else said[0]
            fault = verdict(check, result, files)
            counts[check.what] += 1
            counts[f"{check.what}, another message"] += check.codes is not None and not check.same_message
            if fault:
                faults.append(
                    f"{check.what}: {crate[0]} {check.file} {check.row['_template']} {check.row['_id'][:12]}: {fault}"
                )
        print(f"{crate[0]} {crate[1]}: {len(checks)} claims, {len(faults)} faults", flush=True)
        return faults, counts

    total: Counter[str] = Counter()
    faults: list[str] = []
    with ThreadPoolExecutor(given.workers) as pool:
        for found, counts in pool.map(one, sorted(by_crate)):
            faults += found
            total.update(counts)
    for what, count in sorted(total.items()):
        if "another message" in what:
            print(f"{what}: {count} (notes in another order, or other notes)")
        else:
            print(f"{what}: {count} checked, {sum(fault.startswith(what + ':') for fault in faults)} faults")
    print(f"{len(rows)} rows in {time.monotonic() - began:.0f} s")
    return faults


if __name__ == "__main__":
    main()

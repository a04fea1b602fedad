"""Fetch one shard's crates into the cache and write its manifest.

By hand, the whole table:   python -m scripts.fetch --out results/corpus/fetch/0.json
One shard of it:            python -m scripts.fetch --shard 3 --shards 8 --out ...
A folder of crates:         python -m scripts.fetch --source path --path tests/fixtures/crates --out ...
The workflow names the crates itself with --rows, so that a job depends on its own rows of the table alone.
"""

import json
from collections import Counter

from rust_expert.common import cli, telemetry
from rust_expert.common.config.corpus import FetchOptions
from rust_expert.common.errors import UserError
from rust_expert.crates.fetch import fetch_folder, fetch_pins, rows_by_shard, with_freshness
from rust_expert.crates.manifest import write_manifest
from rust_expert.crates.table import COLUMNS, CratePin, fault_in


def main() -> None:
    """Fetch and write."""
    parser = cli.parser(__doc__)
    parser.add_argument("--out", required=True, metavar="FILE", help="the manifest to write")
    parser.add_argument(
        "--shard", type=int, metavar="I", help="just this shard, from 0 (default: all crates)"
    )
    parser.add_argument(
        "--rows", metavar="JSON", help="just these rows of the table, or [subfolder, hash] of the folder"
    )
    cli.add_options(parser, FetchOptions)
    arguments = parser.parse_args()
    cli.set_up_log(arguments)
    options = cli.options_from(arguments, FetchOptions)
    if arguments.shard is None:
        options = options.model_copy(update={"shards": 1})
    rows = _rows(arguments.rows or rows_by_shard(options)[arguments.shard or 0])
    if options.source == "path":
        crates = fetch_folder(options.path or "", [row[0] for row in rows], options.advisories)
    else:
        crates = with_freshness(fetch_pins([_pin(row) for row in rows], options.table), options)
    write_manifest(arguments.out, crates)
    telemetry.count("crates_in", len(crates))
    telemetry.count("crates_out", sum(crate.status == "ok" for crate in crates))
    failed = Counter(crate.reason for crate in crates if crate.status == "failed")
    telemetry.count_by("crates_lost", "reason", failed)


def _rows(text: str) -> list[list[str]]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"--rows: not valid JSON ({error}); write a list of lists") from None
    if not isinstance(rows, list) or not all(isinstance(row, list) and row for row in rows):
        raise UserError("--rows: not a list of lists; write [[name, version, sha256, licence], ...]")
    return [[str(cell) for cell in row] for row in rows]


def _pin(row: list[str]) -> CratePin:
    if len(row) != len(COLUMNS):
        raise UserError(
            f"--rows, {row[0]}: {len(row)} values, not {len(COLUMNS)}; write {', '.join(COLUMNS)}"
        )
    values = dict(zip(COLUMNS, row, strict=True))
    fault = fault_in(values)
    if fault is not None:
        raise UserError(f"--rows, {row[0]}, {fault[0]}: {fault[1]}")
    return CratePin(**values)


if __name__ == "__main__":
    cli.run(main)

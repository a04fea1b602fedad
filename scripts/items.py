"""Cut the crates of one shard into items and chunks, past the quality gates.

Reads the manifest that scripts.fetch writes; writes one row per item or chunk (Parquet) and one row per crate, file or
class of items that was left out, with its gate, reason and figure (JSONL). A crate with a fault is recorded and the
others go on. Crates are worked on one by one; the result does not depend on the number of workers.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from rust_expert.common import cli, telemetry
from rust_expert.common.config.corpus import ChunkOptions, GateOptions
from rust_expert.common.crate_files import read_crate
from rust_expert.common.processes import in_processes
from rust_expert.common.progress import Progress
from rust_expert.common.tables import write_jsonl
from rust_expert.crates.gates import audit_manifest, audit_sources
from rust_expert.crates.manifest import CrateSource, read_manifest
from rust_expert.syntax.corpus import Origin, columns_of
from rust_expert.syntax.item_table import table_of, write_items

log = logging.getLogger(__name__)


class LeftOut(BaseModel):
    """What was left out of a crate: all of it, one file, or a class of items that `figure` counts."""

    model_config = ConfigDict(extra="forbid")

    crate: str
    version: str
    file: str | None = None
    gate: str
    reason: str
    figure: float | None = None


Cut = tuple[pa.Table | None, list[LeftOut]]
"""The rows of a crate, None where it is kept out, and what was left out of it and why."""


def cut(crate: CrateSource, gates: GateOptions, chunks: ChunkOptions) -> Cut:
    """Cut one crate; a fault in it is what was left out."""
    try:
        return _cut(crate, gates, chunks)
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s %s: left out: %s", crate.name, crate.version, error)
        return None, [_left_out(crate, "read", f"cannot be read ({type(error).__name__})")]


def _cut(crate: CrateSource, gates: GateOptions, chunks: ChunkOptions) -> Cut:
    rejection = audit_manifest(crate, gates)
    if rejection is None:
        sources = read_crate(crate.root)
        rejection = audit_sources(crate, gates, sources)
    if rejection is not None:
        return None, [_left_out(crate, rejection.gate, rejection.reason, rejection.figure)]
    origin = Origin(crate.name, crate.version, crate.license, crate.edition)
    columns, losses = columns_of(sources, origin, chunks)
    return table_of(columns), [
        _left_out(crate, each.gate, each.reason, each.figure, each.file or None) for each in losses
    ]


def _left_out(
    crate: CrateSource, gate: str, reason: str, figure: float | None = None, file: str | None = None
) -> LeftOut:
    return LeftOut(
        crate=crate.name, version=crate.version, file=file, gate=gate, reason=reason, figure=figure
    )


def main() -> None:
    """Parse the command line, cut, write."""
    told = cli.parser(__doc__)
    told.add_argument("--manifest", required=True, metavar="FILE", help="what scripts.fetch wrote")
    told.add_argument("--out", required=True, metavar="FILE", help="where the items go (Parquet)")
    told.add_argument("--rejections", required=True, metavar="FILE", help="where the losses go (JSONL)")
    told.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes at work at once (default 1)"
    )
    cli.add_options(told, GateOptions)
    cli.add_options(told, ChunkOptions)
    arguments = told.parse_args()
    cli.set_up_log(arguments)
    work = partial(
        cut,
        gates=cli.options_from(arguments, GateOptions),
        chunks=cli.options_from(arguments, ChunkOptions),
    )
    crates = read_manifest(arguments.manifest)
    losses: list[LeftOut] = []
    scales: Counter[str] = Counter()
    kept = 0

    def tables() -> Iterator[pa.Table]:
        nonlocal kept
        for table, left_out in in_processes(work, crates, arguments.workers):
            losses.extend(left_out)
            progress.advance()
            if table is not None:
                kept += 1
                scales.update(table.column("scale").to_pylist())
                yield table

    with Progress(len(crates), "cutting crates") as progress:
        rows = write_items(arguments.out, tables())
    write_jsonl(arguments.rejections, losses)
    telemetry.count("crates_in", len(crates))
    telemetry.count_by("items_out", "scale", scales)
    telemetry.count_by("left_out", "gate", Counter(loss.gate for loss in losses))
    log.info("%d items and chunks from %d crates; %d crates left out", rows, kept, len(crates) - kept)


if __name__ == "__main__":
    cli.run(main)

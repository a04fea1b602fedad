"""Cut the crates of one shard into items, past the quality gates.

Reads the manifest that scripts.fetch writes; writes one row per item (Parquet) and one row per crate, file or class
of items that was left out, with its gate, reason and figure (JSONL). A crate with a fault is recorded and the others
go on.
"""

import logging
from collections import Counter

from pydantic import BaseModel, ConfigDict

from rust_expert.common import cli, telemetry
from rust_expert.common.config.corpus import GateOptions
from rust_expert.common.progress import Progress
from rust_expert.common.tables import write_jsonl, write_parquet
from rust_expert.crates.gates import audit
from rust_expert.crates.manifest import CrateSource, read_manifest
from rust_expert.syntax.corpus import ItemRow, Origin, rows_of_crate

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


def cut(crate: CrateSource, gates: GateOptions) -> tuple[list[ItemRow], list[LeftOut]]:
    """The items of one crate, and what was left out of it and why."""

    def left_out(gate: str, reason: str, figure: float | None, file: str | None = None) -> LeftOut:
        return LeftOut(
            crate=crate.name, version=crate.version, file=file, gate=gate, reason=reason, figure=figure
        )

    rejection = audit(crate, gates)
    if rejection is not None:
        return [], [left_out(rejection.gate, rejection.reason, rejection.figure)]
    origin = Origin(crate.name, crate.version, crate.license, crate.edition)
    rows, losses = rows_of_crate(crate.root, origin)
    return rows, [left_out(each.gate, each.reason, each.figure, each.file or None) for each in losses]


def main() -> None:
    """Parse the command line, cut, write."""
    told = cli.parser(__doc__)
    told.add_argument("--manifest", required=True, metavar="FILE", help="what scripts.fetch wrote")
    told.add_argument("--out", required=True, metavar="FILE", help="where the items go (Parquet)")
    told.add_argument("--rejections", required=True, metavar="FILE", help="where the losses go (JSONL)")
    cli.add_options(told, GateOptions)
    arguments = told.parse_args()
    cli.set_up_log(arguments)
    gates = cli.options_from(arguments, GateOptions)
    crates = read_manifest(arguments.manifest)
    rows: list[ItemRow] = []
    losses: list[LeftOut] = []
    with Progress(len(crates), "cutting crates") as progress:
        for crate in crates:
            try:
                more, left_out = cut(crate, gates)
            except (
                OSError,
                ValueError,
                RecursionError,
            ) as error:  # one faulty crate does not stop the others
                log.warning("%s %s: left out: %s", crate.name, crate.version, error)
                reason = f"cannot be read ({type(error).__name__})"
                more, left_out = (
                    [],
                    [LeftOut(crate=crate.name, version=crate.version, gate="read", reason=reason)],
                )
            rows += more
            losses += left_out
            progress.advance()
    write_parquet(arguments.out, rows, ItemRow)
    write_jsonl(arguments.rejections, losses)
    telemetry.count("crates_in", len(crates))
    telemetry.count_by("items_out", "kind", Counter(row.kind for row in rows))
    telemetry.count_by("left_out", "gate", Counter(loss.gate for loss in losses))
    whole = sum(loss.file is None and loss.gate not in ("path", "tests") for loss in losses)
    log.info(
        "%d items from %d crates; %d crates left out", len(rows), len({row.crate for row in rows}), whole
    )


if __name__ == "__main__":
    cli.run(main)

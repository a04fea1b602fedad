"""Generate one shard of the curriculum and verify every reference in the sandbox.

Writes the training samples (Parquet). A reference that fails its own tests stops the run: it is a bug of ours.
"""

import logging
from collections import Counter

from rust_expert.common import cli, telemetry
from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.tables import write_parquet
from rust_expert.curriculum.export import sample_of
from rust_expert.curriculum.generation import generate
from rust_expert.curriculum.verification import verify

log = logging.getLogger(__name__)


def main() -> None:
    """Parse the command line, generate, verify, write."""
    told = cli.parser(__doc__)
    told.add_argument("--shard", type=int, default=0, metavar="I", help="which shard, from 0 (default 0)")
    told.add_argument("--shards", type=int, default=1, metavar="N", help="of how many (default 1)")
    told.add_argument("--out", required=True, metavar="FILE", help="where the samples go (Parquet)")
    told.add_argument(
        "--workers", type=int, default=1, metavar="N", help="compilers at work at once (default 1)"
    )
    cli.add_options(told, CurriculumOptions)
    arguments = told.parse_args()
    cli.set_up_log(arguments)
    options = cli.options_from(arguments, CurriculumOptions)
    if not 0 <= arguments.shard < arguments.shards:
        raise UserError(
            f"--shard {arguments.shard}: give a number from 0 to --shards - 1 ({arguments.shards - 1})"
        )
    rows = list(generate(options, arguments.shard, arguments.shards))
    programs = verify([row.task for row in rows], arguments.workers)
    write_parquet(arguments.out, [sample_of(row) for row in rows], Sample)
    telemetry.count("programs_checked", programs)
    telemetry.count_by("rows_out", "family", Counter(row.task.family for row in rows))
    combinations = len({row.task.combination for row in rows})
    log.info("%d tasks of %d combinations, %d programs verified", len(rows), combinations, programs)


if __name__ == "__main__":
    cli.run(main)

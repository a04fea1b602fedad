"""Turn the items of one shard into instruction samples; rustc checks in the sandbox what they claim.

Writes the samples (Parquet) and the funnel from items to samples with the reasons of each loss (JSON).
"""

import logging
from collections import Counter

from rust_expert.common import cli, telemetry
from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.files import write_json
from rust_expert.common.tables import read_parquet, write_parquet
from rust_expert.syntax.corpus import ItemRow
from rust_expert.tasks.production import samples_of

log = logging.getLogger(__name__)


def main() -> None:
    """Parse the command line, make the samples, write."""
    told = cli.parser(__doc__)
    told.add_argument("--items", required=True, metavar="FILE", help="what scripts.items wrote")
    told.add_argument("--out", required=True, metavar="FILE", help="where the samples go (Parquet)")
    told.add_argument("--counts", required=True, metavar="FILE", help="where the funnel goes (JSON)")
    told.add_argument(
        "--workers", type=int, default=1, metavar="N", help="compilers at work at once (default 1)"
    )
    cli.add_options(told, TasksOptions)
    arguments = told.parse_args()
    cli.set_up_log(arguments)
    options = cli.options_from(arguments, TasksOptions)
    rows = read_parquet(arguments.items, ItemRow)
    samples, counts = samples_of(rows, options, arguments.workers)
    write_parquet(arguments.out, samples, Sample)
    write_json(arguments.counts, counts)
    telemetry.count("items_in", len(rows))
    telemetry.count_by("rows_out", "task", Counter(sample.task_type for sample in samples))
    telemetry.count_by("items_lost", "reason", counts["units"]["not_made"])
    for task, part in counts["tasks"].items():
        telemetry.count_by("rows_lost", "reason", part["lost"], task=task)
    kept = {name: part["kept"] for name, part in counts["tasks"].items()}
    log.info("%d samples from %d items: %s", len(samples), len(rows), kept)


if __name__ == "__main__":
    cli.run(main)

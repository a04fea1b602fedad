"""Turn the items of one shard into instruction samples, by what the compiler has confirmed of them.

Writes the samples (Parquet) and the funnel from items to samples with the reasons of each loss (JSON).
"""

import gc
import logging

from pydantic import ValidationError

from rust_expert.common import cli, telemetry
from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json
from rust_expert.common.tables import fault_of, write_parquet_pieces
from rust_expert.syntax.item_table import read_crates
from rust_expert.tasks.building import ShardResult
from rust_expert.tasks.pairs import read_pairs
from rust_expert.tasks.production import Production

log = logging.getLogger(__name__)


def main() -> None:
    """Parse the command line, make the samples, write."""
    words = cli.parser(__doc__)
    words.add_argument("--items", required=True, metavar="FILE", help="what scripts.items wrote")
    words.add_argument(
        "--builds", required=True, metavar="FILE", help="what scripts.builds wrote of the crates"
    )
    words.add_argument(
        "--pairs", required=True, metavar="FILE", help="what scripts.builds wrote of the items"
    )
    words.add_argument("--out", required=True, metavar="FILE", help="where the samples go (Parquet)")
    words.add_argument("--counts", required=True, metavar="FILE", help="where the funnel goes (JSON)")
    cli.add_options(words, TasksOptions)
    arguments = words.parse_args()
    cli.set_up_log(arguments)
    gc.disable()  # it would walk all rows again and again, and none is part of a circle
    options = cli.options_from(arguments, TasksOptions)
    built = _built(arguments.builds)
    production = Production(built, options)
    crates = production.samples(read_crates(arguments.items), read_pairs(arguments.pairs))
    rows = write_parquet_pieces(arguments.out, crates, Sample)
    counts = production.counts()
    write_json(arguments.counts, counts)
    telemetry.count("items_in", counts["items"])
    for task, part in counts["tasks"].items():
        telemetry.count_by("rows_lost", "reason", part["lost"], task=task)
    kept = {name: part["kept"] for name, part in counts["tasks"].items()}
    telemetry.count_by("rows_out", "task", production.written)
    log.info("%d samples from %d items: %s", rows, counts["items"], kept)


def _built(path: str) -> ShardResult:
    try:
        return ShardResult.model_validate(read_json(path))
    except ValidationError as error:
        raise UserError(
            f"{path}: not what scripts.builds writes ({fault_of(error)}); make it again"
        ) from None


if __name__ == "__main__":
    cli.run(main)

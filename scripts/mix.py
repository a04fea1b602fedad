"""Draw one named data set from the cleaned rows and write its shards."""

import logging
from pathlib import Path

from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.dataset import DatasetSpec
from rust_expert.common.files import write_json
from rust_expert.dataset.clean import read_samples
from rust_expert.dataset.mixing import mix
from rust_expert.dataset.shards import write_shards

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, draw, write the report, and beside it `{train,val}-{i}.parquet` and `.jsonl`."""
    told = parser(__doc__)
    told.add_argument("--clean", nargs="+", required=True, metavar="FILE", help="the cleaned rows")
    told.add_argument("--name", required=True, help="the data set's name; it takes part in every draw")
    told.add_argument(
        "--report", required=True, metavar="JSON", help="the account of the draw; shards lie beside it"
    )
    told.add_argument("--shards", type=int, default=1, metavar="N", help="files per split (default 1)")
    add_options(told, DatasetSpec)
    arguments = told.parse_args()
    set_up_log(arguments.log)
    spec = options_from(arguments, DatasetSpec)
    mixed = mix(read_samples(arguments.clean), arguments.name, spec)
    folder = Path(arguments.report).parent
    files = [
        *write_shards(folder, "train", mixed.train, arguments.shards),
        *write_shards(folder, "val", mixed.val, arguments.shards),
    ]
    write_json(arguments.report, {**mixed.report, "files": files})
    log.info(
        "dataset %s: %d training rows, %d validation rows", arguments.name, len(mixed.train), len(mixed.val)
    )


if __name__ == "__main__":
    run(main)

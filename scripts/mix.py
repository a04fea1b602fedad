"""Draw one named data set from the cleaned rows, and from other sources if it has any, and write its shards.

Rows of other sources are cleaned on their way in: they may not give a problem of --suites away nor repeat an own row,
and --cleaning says on which side of the split they belong.
"""

import gc
import json
import logging
from pathlib import Path

from pydantic import ValidationError

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.dataset import CleanOptions, DatasetSpec
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.common.tables import fault_of
from rust_expert.dataset.admission import Others
from rust_expert.dataset.clean import read_samples
from rust_expert.dataset.decontamination import read_suites
from rust_expert.dataset.mixing import mix
from rust_expert.dataset.shards import write_manifest, write_shards
from rust_expert.dataset.sources import samples_of
from rust_expert.syntax import row_code

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, draw, write the report, and beside it `{train,val}-{i}.parquet` and `.jsonl`."""
    told = parser(__doc__)
    told.add_argument("--clean", nargs="*", default=[], metavar="FILE", help="the cleaned rows")
    told.add_argument("--name", required=True, help="the data set's name; it takes part in every draw")
    told.add_argument(
        "--report", required=True, metavar="JSON", help="the account of the draw; shards lie beside it"
    )
    told.add_argument("--shards", type=int, default=1, metavar="N", help="files per split (default 1)")
    told.add_argument(
        "--suites", nargs="*", default=[], metavar="[NAME=]FILE", help="problems that no row may give away"
    )
    told.add_argument(
        "--cleaning", default="{}", metavar="JSON", help="the options that the own rows were cleaned with"
    )
    add_options(told, DatasetSpec)
    arguments = told.parse_args()
    set_up_log(arguments)
    gc.disable()  # it would walk all rows again and again, and none is part of a circle
    spec = options_from(arguments, DatasetSpec)
    others = others_of(spec, arguments.suites, arguments.cleaning)
    mixed = mix(read_samples(arguments.clean), arguments.name, spec, row_code, others)
    folder = Path(arguments.report).parent
    files = [
        *write_shards(folder, "train", mixed.train, arguments.shards),
        *write_shards(folder, "val", mixed.val, arguments.shards),
    ]
    write_manifest(folder, arguments.name, files)
    write_json(arguments.report, {**mixed.report, "files": files})
    for source, account in mixed.report["sources"].items():
        telemetry.count("rows_in", account["read"], source=source)
        telemetry.count("rows_kept", account["passed"], source=source)
        telemetry.count_by("rows_lost", "reason", account["filtered"], source=source)
    telemetry.count_by("rows_out", "split", {"train": len(mixed.train), "val": len(mixed.val)})
    log.info(
        "dataset %s: %d training rows, %d validation rows", arguments.name, len(mixed.train), len(mixed.val)
    )


def others_of(spec: DatasetSpec, suites: list[str], cleaning: str) -> Others | None:
    """The other sources of a data set, not read yet; None where it has none.

    Raises UserError for cleaning options that are none.
    """
    if not spec.sources:
        return None
    try:
        options = CleanOptions.model_validate(json.loads(cleaning))
    except ValidationError as error:
        raise UserError(f"--cleaning: {fault_of(error)}; see `clean` in config/README.md") from None
    except json.JSONDecodeError as error:
        raise UserError(f"--cleaning: not JSON ({error}); give an object") from None
    rows = {name: samples_of(name, source) for name, source in spec.sources.items()}
    return Others(rows, read_suites(suites), options)


if __name__ == "__main__":
    run(main)

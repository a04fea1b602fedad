"""Remove secrets, personal data, duplicates and what gives a problem away; part training from validation."""

import gc
import logging

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.dataset import CleanOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.common.tables import write_parquet
from rust_expert.dataset.clean import clean, read_samples
from rust_expert.dataset.decontamination import read_suites

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, clean, write the rows and the three reports."""
    told = parser(__doc__)
    told.add_argument("--tasks", nargs="*", default=[], metavar="FILE", help="samples from crates")
    told.add_argument("--curriculum", nargs="*", default=[], metavar="FILE", help="samples of the curriculum")
    told.add_argument(
        "--suites", nargs="*", default=[], metavar="[NAME=]FILE", help="problems that no row may give away"
    )
    told.add_argument("--out", required=True, metavar="PARQUET", help="the rows that are left")
    told.add_argument(
        "--privacy", required=True, metavar="JSON", help="which rows held secrets or personal data"
    )
    told.add_argument("--decontamination", required=True, metavar="JSON", help="what gave which problem away")
    told.add_argument("--funnel", required=True, metavar="JSON", help="rows in and out of each step")
    add_options(told, CleanOptions)
    arguments = told.parse_args()
    set_up_log(arguments)
    gc.disable()  # it would walk all rows again and again, and none is part of a circle
    options = options_from(arguments, CleanOptions)
    samples = read_samples([*arguments.tasks, *arguments.curriculum])
    if not samples:
        raise UserError("no samples to clean: give --tasks, --curriculum or both with files that hold rows")
    suites = read_suites(arguments.suites)
    log.info("%d samples, %d suites", len(samples), len(suites))
    cleaned = clean(samples, suites, options)
    telemetry.count_by("rows_in", "source", cleaned.funnel["rows_in"]["by_source"])
    telemetry.count_by(
        "rows_lost", "reason", {step["step"]: step["removed"] for step in cleaned.funnel["steps"]}
    )
    telemetry.count_by("rows_out", "split", cleaned.funnel["rows_out"]["by_split"])
    if not cleaned.samples:
        lost = ", ".join(f"{step['removed']} {step['step']}" for step in cleaned.funnel["steps"])
        raise UserError(f"of {len(samples)} samples none is left (removed: {lost}); loosen the options")
    write_json(arguments.privacy, cleaned.privacy)
    write_json(arguments.decontamination, cleaned.decontamination)
    write_json(arguments.funnel, cleaned.funnel)
    write_parquet(arguments.out, cleaned.samples, Sample)


if __name__ == "__main__":
    run(main)

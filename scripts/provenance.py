"""Write down what a run was made with: versions, commit, machine, seeds, configuration, and what each rule cost.

  python -m scripts.provenance --config-json config.json --benchmarks results/benchmarks --out results/provenance.json

All that changes from one machine or hour to the next stands in this file, so that metrics.json need not hold it.
"""

import json
import logging
from pathlib import Path
from typing import Any

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json
from rust_expert.report.provenance import checked_config, collect

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Read the command line, collect, write."""
    told = parser(__doc__)
    told.add_argument(
        "--config-json",
        required=True,
        metavar="JSON",
        help="the effective configuration: a JSON file, or JSON itself",
    )
    told.add_argument(
        "--benchmarks", required=True, metavar="DIR", help="folder of Snakemake's benchmark files"
    )
    told.add_argument("--out", required=True, metavar="JSON", help="the file to write")
    arguments = told.parse_args()
    set_up_log(arguments)
    config = _config(arguments.config_json)
    found = collect(config, arguments.benchmarks, ROOT)
    write_json(arguments.out, found)
    log.info("%d jobs, %.0f s of work", found["total"]["jobs"], found["total"]["wall_s"])


def _config(given: str) -> dict[str, Any]:
    if not given.lstrip().startswith("{"):
        return checked_config(read_json(given), given)
    try:
        return checked_config(json.loads(given), "--config-json")
    except json.JSONDecodeError as error:
        raise UserError(
            f"--config-json: not valid JSON ({error}); pass the whole configuration as JSON"
        ) from None


if __name__ == "__main__":
    run(main)

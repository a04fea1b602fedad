"""Write down what a run was made with, and where its figures come from.

That is: versions, commit, machine, seeds, configuration, what each rule cost, and of each figure in metrics.json the
files and rules that it comes from.

  python -m scripts.provenance --config-json config.json --benchmarks results/benchmarks --out results/provenance.json

All that changes from one machine or hour to the next stands in this file, so that metrics.json need not hold it.
"""

import json
import logging
from pathlib import Path
from typing import Any

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, write_text
from rust_expert.report.lineage import lineage, making
from rust_expert.report.provenance import checked_config, collect
from scripts import records

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
    told.add_argument(
        "--counted", metavar="DIR", help="telemetry folder, for the CPU time and the energy of each job"
    )
    told.add_argument(
        "--lineage",
        metavar="JSON",
        help="which files each figure is counted from, which section of the configuration is spelt by which words, and"
        " what the stages of further seeds are called",
    )
    told.add_argument("--out", required=True, metavar="JSON", help="the file to write")
    arguments = told.parse_args()
    set_up_log(arguments)
    config = _config(arguments.config_json)
    plan = json.loads(arguments.lineage) if arguments.lineage else {}
    found = collect(config, arguments.benchmarks, ROOT, arguments.counted, plan.get("runs", ()))
    if plan:
        found["figures"], found["files"] = _lineage(plan)
    # Not sorted: the configuration in it is a profile that makes the same again, and there the order of stages counts.
    write_text(arguments.out, json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    log.info("%d jobs, %.0f s of work", found["total"]["jobs"], found["total"]["wall_s"])


def _lineage(told: dict[str, Any]) -> tuple[dict[str, list[str]], dict[str, Any]]:
    figures: dict[str, list[str]] = told["figures"]
    makings = {
        name: making(record["rule"], record["input"], record["params"])
        for name, record in records.made_here().items()
    }
    targets = {path for paths in figures.values() for path in paths}
    files = lineage(targets, makings, told["sections"])
    for name, file in files.items():
        file["sha256"] = sha256_file(name) if Path(name).is_file() else None
    return figures, files


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

"""Put the figures of all runs into one file for Prometheus.

  python -m scripts.telemetry                     reads results/telemetry/jobs/, writes results/telemetry/metrics.prom
  python -m scripts.telemetry FOLDER

`make run` does this at its end, also after a failure. Let a textfile collector read FOLDER: the merged file lies alone
in it. A file that cannot be read is left out with a warning.
"""

from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.common.exposition import JOBS, merge


def main() -> None:
    """Read the command line, merge, say what came of it."""
    told = parser(__doc__)
    told.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("results/telemetry"),
        metavar="FOLDER",
        help="what scripts were given as --telemetry (default results/telemetry)",
    )
    given = told.parse_args()
    set_up_log(given)
    if not (given.folder / JOBS).is_dir():
        raise UserError(
            f"{given.folder}: no run has written its figures there; name the folder of --telemetry"
        )
    merged = merge(given.folder)
    print(f"{merged.path}: the figures of {merged.runs} runs")


if __name__ == "__main__":
    run(main)

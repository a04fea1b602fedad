"""Print the scores of a run as a table that fits a terminal of 100 columns, and where its report is.

python -m scripts.table results/metrics.json
"""

import sys
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.report.summary import read_summary
from rust_expert.report.table import render, shows_colour, shows_unicode


def main() -> None:
    """Read the command line and the scores, print."""
    told = parser(__doc__)
    told.add_argument("metrics", metavar="JSON", help="metrics.json, or the summary that it is made from")
    told.add_argument(
        "--report", metavar="HTML", help="the report to name (default: report.html beside the scores)"
    )
    given = told.parse_args()
    set_up_log(given)
    report = given.report or str(Path(given.metrics).with_name("report.html"))
    text = render(read_summary(given.metrics), report, shows_colour(), shows_unicode())
    sys.stdout.write(text)


if __name__ == "__main__":
    run(main)

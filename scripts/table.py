"""Print the scores of a run as a table that fits a terminal of 100 columns, and where its report is.

python -m scripts.table results/metrics.json
"""

import os
import sys
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.report.summary import read_summary
from rust_expert.report.table import render


def main() -> None:
    """Read the command line and the scores, print."""
    told = parser(__doc__)
    told.add_argument("metrics", metavar="JSON", help="metrics.json, or the summary that it is made from")
    told.add_argument(
        "--report", metavar="HTML", help="the report to name (default: report.html beside the scores)"
    )
    given = told.parse_args()
    set_up_log(given.log)
    report = given.report or str(Path(given.metrics).with_name("report.html"))
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    text = render(read_summary(given.metrics), report, colour, _shows_unicode())
    sys.stdout.write(text)


def _shows_unicode() -> bool:
    """Whether the terminal's encoding has the characters that the table is written with."""
    try:
        "–−→…≈·".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


if __name__ == "__main__":
    run(main)

"""Print two runs on one suite side by side: each figure with its interval, and the difference paired by problem.

  python -m scripts.compare A_METRICS.json B_METRICS.json

The files are those of `scripts.judge --metrics` or `scripts.score`. Differences are B minus A.
"""

import sys

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.metrics.sidebyside import side_by_side
from rust_expert.report.sidebyside import side_by_side_table
from rust_expert.report.table import shows_colour, shows_unicode


def main() -> None:
    """Read the command line and the two files, print."""
    told = parser(__doc__)
    told.add_argument("first", metavar="A_METRICS", help="the run to compare with")
    told.add_argument("second", metavar="B_METRICS", help="the run to compare")
    given = told.parse_args()
    set_up_log(given)
    found = side_by_side(given.first, given.second)
    names = given.first, given.second
    sys.stdout.write(side_by_side_table(found, names, shows_colour(), shows_unicode()))


if __name__ == "__main__":
    run(main)

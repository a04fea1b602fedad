"""Put the summary and its headline in their final place, once everything that belongs beside them is there."""

import logging
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json
from rust_expert.metrics.headline import headline

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, check, write metrics.json whole."""
    told = parser(__doc__)
    told.add_argument("--summary", required=True, metavar="JSON", help="the summary of all figures")
    told.add_argument(
        "--beside", nargs="*", default=[], metavar="FILE", help="files that must be there first"
    )
    told.add_argument(
        "--headline", required=True, metavar="JSON", help="headline.json, the few figures of DVC's tables"
    )
    told.add_argument("--out", required=True, metavar="JSON", help="metrics.json")
    arguments = told.parse_args()
    set_up_log(arguments)
    for path in arguments.beside:
        if not Path(path).is_file() or not Path(path).stat().st_size:
            raise UserError(f"{path}: missing or empty; run the step that makes it")
    summary = read_json(arguments.summary)
    write_json(arguments.headline, headline(summary))
    write_json(arguments.out, summary)
    log.info("wrote %s", arguments.out)


if __name__ == "__main__":
    run(main)

"""Pack a run's samples with all that is needed to judge them again: what `make release` makes.

  python -m scripts.release --plan PLAN.json --out results/release.tar.gz

The same results give the same bytes. `make verify` judges what is in it again and compares.
"""

import json
import logging
from pathlib import Path

from pydantic import ValidationError

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.closure import code_fingerprint
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.common.tables import fault_of
from rust_expert.release.contents import Plan
from rust_expert.release.packing import pack

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Read the command line, pack."""
    told = parser(__doc__)
    told.add_argument(
        "--plan", required=True, metavar="JSON", help="what to pack: a JSON file, or JSON itself"
    )
    told.add_argument("--out", required=True, metavar="TAR.GZ", help="the archive to write")
    arguments = told.parse_args()
    set_up_log(arguments)
    out = Path(arguments.out)
    release = pack(_plan(arguments.plan), code_fingerprint("scripts.judge", ROOT), out)
    log.info("%s: %d files, %.1f MB", out, len(release.files), out.stat().st_size / 1e6)
    if release.dirty:
        log.warning("the checkout had changes that are in no commit: others cannot have the same code")


def _plan(given: str) -> Plan:
    try:
        return Plan.model_validate(json.loads(given) if given.lstrip().startswith("{") else read_json(given))
    except (json.JSONDecodeError, ValidationError) as error:
        reason = fault_of(error) if isinstance(error, ValidationError) else str(error)
        raise UserError(f"--plan: not a plan of a release ({reason})") from None


if __name__ == "__main__":
    run(main)

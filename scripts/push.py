"""Upload an exported folder to the Hugging Face Hub. Without --yes it only says what would be uploaded.

  python -m scripts.push results/export/phase2/model
  python -m scripts.push results/export/phase2/model --repo-id OWNER/NAME --yes

A repository that is not there is made, private unless --public is given. The token is that of `hf auth login`, or that
of HF_TOKEN.
"""

import logging
import sys
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.models.process import prepare_process

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, say the plan, and with --yes carry it out."""
    told = parser(__doc__)
    told.add_argument("folder", type=Path, metavar="FOLDER", help="an exported folder, with its card")
    told.add_argument(
        "--repo-id", metavar="OWNER/NAME", help="the repository; nothing is uploaded without it"
    )
    told.add_argument("--public", action="store_true", help="everybody may read it")
    told.add_argument("--yes", action="store_true", help="really upload")
    given = told.parse_args()
    set_up_log(given)
    prepare_process(1, offline=False)

    from rust_expert.models.push import plan, upload

    order = plan(given.folder, given.repo_id, given.public)
    sys.stdout.write("\n".join(order.lines()) + "\n")
    if given.yes:
        log.info("uploaded: %s", upload(order))
    else:
        log.info("dry run, nothing was uploaded; --yes with --repo-id uploads")


if __name__ == "__main__":
    run(main)

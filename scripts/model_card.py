"""Write the card of an exported model, README.md in its folder, from the run's figures and provenance.

  python -m scripts.model_card --export results/export/phase2/manifest.json --metrics results/metrics.json
      --provenance results/provenance.json --model base results/models/base/manifest.json
      --model phase1 results/models/phase1/manifest.json --model phase2 results/models/phase2/manifest.json
      --dataset phase1 results/dataset/broad/manifest.json --dataset phase2 results/dataset/sharpened/manifest.json

--model and --dataset are repeated for each stage of the chain, the base first; a --dataset is what a stage learned.
"""

import logging
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_text
from rust_expert.report.assemble import Material
from rust_expert.report.cards.exported import Taken, read_exported, read_trained_on
from rust_expert.report.cards.weights import weights_card
from rust_expert.report.runs import read_run
from rust_expert.report.summary import read_summary

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line and all accounts, write the card."""
    told = parser(__doc__)
    told.add_argument("--export", required=True, metavar="MANIFEST", help="manifest.json of the export")
    told.add_argument("--metrics", required=True, metavar="JSON", help="metrics.json of the run")
    told.add_argument("--provenance", required=True, metavar="JSON", help="what the run was made with")
    told.add_argument(
        "--model",
        nargs=2,
        action="append",
        default=[],
        metavar=("STAGE", "MANIFEST"),
        help="a stage's manifest",
    )
    told.add_argument(
        "--dataset", nargs=2, action="append", default=[], metavar=("STAGE", "MANIFEST"), help="a stage's data set"
    )  # fmt: skip
    given = told.parse_args()
    set_up_log(given)
    exported, sizes = read_exported(given.export)
    provenance = read_json(given.provenance)
    if not isinstance(provenance, dict):
        raise UserError(f"{given.provenance}: not a provenance file; make it again")
    users: dict[str, list[str]] = {}
    for stage, path in given.dataset:
        users.setdefault(path, []).append(stage)
    card = weights_card(
        Material(
            summary=read_summary(given.metrics),
            provenance=provenance,
            runs={stage: read_run(stage, path) for stage, path in given.model},
        ),
        Taken(
            exported=exported,
            chain=[stage for stage, _ in given.model],
            data=[read_trained_on(path, stages) for path, stages in users.items()],
            sizes=sizes,
        ),
    )
    out = Path(given.export).parent / "model" / "README.md"
    write_text(out, card)
    log.info("%s: %d lines", out, len(card.splitlines()))


if __name__ == "__main__":
    run(main)

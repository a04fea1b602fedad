"""Make the cards of a data set, README.md and croissant.json, which lie beside its files.

python -m scripts.card --manifest results/dataset/broad/manifest.json --mix results/dataset/broad/mix.json
    --funnel results/dataset/funnel.json --decontamination results/dataset/decontamination.json
    --readme results/dataset/broad/README.md --croissant results/dataset/broad/croissant.json
"""

import logging

from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.report import CardOptions
from rust_expert.common.files import write_json, write_text
from rust_expert.report.cards.croissant import croissant, publisher_facts_missing
from rust_expert.report.cards.data_set import read_data_set
from rust_expert.report.cards.dataset import dataset_card

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line and the data set, check its files against the manifest, write both cards."""
    told = parser(__doc__)
    told.add_argument("--manifest", required=True, metavar="JSON", help="the manifest beside the files")
    told.add_argument("--mix", required=True, metavar="JSON", help="the account of the draw")
    told.add_argument("--funnel", metavar="JSON", help="the account of cleaning")
    told.add_argument("--decontamination", metavar="JSON", help="what gave problems away")
    told.add_argument("--readme", required=True, metavar="MD", help="the card for people")
    told.add_argument(
        "--croissant", required=True, metavar="JSON", help="the card for machines; files are named relative to it"
    )  # fmt: skip
    add_options(told, CardOptions)
    given = told.parse_args()
    set_up_log(given)
    options = options_from(given, CardOptions)
    data = read_data_set(given.manifest, given.mix, given.funnel, given.decontamination, options)
    readme, document = dataset_card(data), croissant(data)
    write_text(given.readme, readme)
    write_json(given.croissant, document)
    log.info("%s: %d rows, %d files", given.readme, data.rows.rows, len(data.manifest.files))
    if missing := publisher_facts_missing(data):
        log.info("before you publish it, state %s in the profile", missing)


if __name__ == "__main__":
    run(main)

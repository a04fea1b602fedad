"""Write the bill of materials of a run, CycloneDX 1.7 as JSON: models, data sets, suites, crates, packages, tools.

  python -m scripts.bom --summary results/metrics/summary.json --provenance results/provenance.json
      --model base results/models/base/manifest.json --model phase1 results/models/phase1/manifest.json
      --dataset base results/dataset/foundation/manifest.json --dataset phase1 results/dataset/broad/manifest.json
      --suite core suites/core.jsonl --fetched results/corpus/fetch/*.json --mix results/dataset/broad/mix.json
      --out results/bom.cdx.json

--model, --dataset (what a stage learned from) and --suite are repeated; the runs of other seeds have
stages of their own.
"""

import argparse
import logging

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, write_json
from rust_expert.common.problems import read_problems
from rust_expert.report.bom.document import Materials, bill_of_materials
from rust_expert.report.bom.models import Model, ModelFiles
from rust_expert.report.bom.parts import Fetched
from rust_expert.report.cards.exported import read_trained_on
from rust_expert.report.journey import Mix, read_part
from rust_expert.report.summary import read_summary

log = logging.getLogger(__name__)


def _flags() -> argparse.ArgumentParser:
    told = parser(__doc__)
    told.add_argument("--summary", required=True, metavar="JSON", help="the summary of all scores")
    told.add_argument("--provenance", required=True, metavar="JSON", help="what the run was made with")
    for flag, names, what in (
        ("--model", ("STAGE", "MANIFEST"), "a stage's manifest"),
        ("--dataset", ("STAGE", "MANIFEST"), "what a stage learned from"),
        ("--suite", ("NAME", "JSONL"), "a suite's problems"),
    ):
        told.add_argument(flag, nargs=2, action="append", default=[], metavar=names, help=what)
    told.add_argument(
        "--fetched", nargs="*", default=[], metavar="JSON", help="manifests of the fetched crates"
    )
    told.add_argument("--mix", nargs="*", default=[], metavar="JSON", help="accounts of the data sets")
    told.add_argument("--base-licence", metavar="SPDX", help="the licence of a base that was not made here")
    told.add_argument("--creator", metavar="NAME", help="person or organisation that publishes it")
    told.add_argument("--out", required=True, metavar="JSON", help="the file to write")
    return told


def main() -> None:
    """Read the command line and all accounts, write the document."""
    given = _flags().parse_args()
    set_up_log(given)
    provenance = read_json(given.provenance)
    if not isinstance(provenance, dict):
        raise UserError(f"{given.provenance}: not a provenance file; make it again")
    summary = read_summary(given.summary)
    users: dict[str, list[str]] = {}
    for stage, path in given.dataset:
        users.setdefault(path, []).append(stage)
    data = {path: read_trained_on(path, stages) for path, stages in users.items()}
    learned = {stage: [data[path].name] for stage, path in given.dataset}
    rows: dict[str, int] = {}
    for path in given.mix:
        for name, number in read_part(path, Mix).train.crates.items():
            rows[name] = rows.get(name, 0) + number
    document = bill_of_materials(
        Materials(
            summary=summary,
            provenance=provenance,
            digest=sha256_file(given.summary),
            models=[
                Model(
                    stage=stage,
                    manifest_sha256=sha256_file(path),
                    told=read_part(path, ModelFiles),
                    data=learned.get(stage, []),
                )
                for stage, path in given.model
            ],
            data=list(data.values()),
            suites={name: (sha256_file(path), len(read_problems(path))) for name, path in given.suite},
            crates=[crate for path in given.fetched for crate in read_part(path, Fetched).crates],
            crate_rows=rows,
            base_licence=given.base_licence,
            creator=given.creator,
        )
    )
    write_json(given.out, document)
    log.info("%s: %d components", given.out, len(document["components"]))


if __name__ == "__main__":
    run(main)

"""Make the results folder an RO-Crate: ro-crate-metadata.json tells which job made each file of a finished run.

  python -m scripts.run_crate --provenance results/provenance.json --made results/metrics.json results/report.html
      --sources Snakefile rules/*.smk --out results/ro-crate-metadata.json

The workflow's own files, the effective configuration, and what jobs read from elsewhere are laid into workflow/ beside
it, so that all paths in it lead somewhere. `rocrate-validator validate results` checks it.
"""

import logging
import shutil
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json, write_text
from rust_expert.report.beside import readme
from rust_expert.report.run_crate.contents import CONFIG, README, SNAPSHOT, Contents
from rust_expert.report.run_crate.document import run_crate
from rust_expert.report.run_crate.jobs import jobs_behind
from scripts import records

log = logging.getLogger(__name__)


def main() -> None:
    """Read the records and the provenance, lay out the snapshot, write the document."""
    told = parser(__doc__)
    told.add_argument("--provenance", required=True, metavar="JSON", help="what the run was made with")
    told.add_argument("--made", nargs="+", required=True, metavar="FILE", help="what the run ended with")
    told.add_argument(
        "--sources", nargs="+", required=True, metavar="FILE", help="the workflow's own files, the main one first"
    )  # fmt: skip
    told.add_argument(
        "--out", required=True, metavar="JSON", help="ro-crate-metadata.json in the results folder"
    )
    told.add_argument("--creator", metavar="NAME", help="person or organisation that publishes it")
    told.add_argument(
        "--published", metavar="YYYY-MM-DD", help="day of publication (default: that of the run)"
    )
    given = told.parse_args()
    set_up_log(given)
    provenance = read_json(given.provenance)
    if not isinstance(provenance, dict):
        raise UserError(f"{given.provenance}: not a provenance file; make it again")
    jobs = jobs_behind(given.made, records.made_here())
    if not jobs:
        raise UserError(f"nothing is recorded of how {given.made[0]} was made; run the workflow here first")
    contents = Contents(
        root=Path(given.out).parent,
        jobs=jobs,
        provenance=provenance,
        sources=given.sources,
        creator=given.creator,
        published=given.published,
    )
    _lay_out(contents)
    write_text(contents.root / README, readme())
    document = run_crate(contents)
    write_json(given.out, document)
    log.info("%s: %d jobs, %d entities", given.out, len(jobs), len(document["@graph"]))


def _lay_out(contents: Contents) -> None:
    """Fill the snapshot anew."""
    shutil.rmtree(contents.root / SNAPSHOT, ignore_errors=True)
    for path in contents.outside():
        if Path(path).is_file():
            place = contents.root / contents.place(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    write_json(contents.root / CONFIG, contents.provenance.get("config") or {})


if __name__ == "__main__":
    run(main)

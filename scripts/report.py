"""Make results/report.html, one file that needs no network, and the CSV files behind its plots.

  python -m scripts.report --summary results/metrics/summary.json --provenance results/provenance.json
      --suite curriculum suites/curriculum.jsonl
      --answers base curriculum results/samples/base/curriculum.jsonl results/verdicts/base/curriculum.parquet
      --model base results/models/base/manifest.json
      --fetched results/corpus/fetch/*.json --rejections results/corpus/rejections/*.jsonl
      --builds results/corpus/builds/*.json --counts results/tasks/*.json --rows results/dataset/clean.parquet
      --funnel results/dataset/funnel.json --decontamination results/dataset/decontamination.json
      --mix results/dataset/broad/mix.json --out results/report.html --plots results/plots --card results/cards/model.md
      --checklist results/cards/checklist.md

Only --summary, --out and --plots are needed; what is not given is left out of the page. The first --suite is the one
that the headline speaks of. --suite, --answers and --model are repeated, once for each file.
"""

import argparse
import logging
import os
from pathlib import Path

from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.report import ReportOptions
from rust_expert.common.contracts import Problem
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_text
from rust_expert.common.tables import read_jsonl
from rust_expert.report.assemble import Material, build
from rust_expert.report.beside import told_of
from rust_expert.report.cards.checklist import (
    DECONTAMINATION,
    EFFECTIVE,
    FUNNEL,
    MANIFESTS,
    METRICS,
    MIXES,
    PROVENANCE,
    checklist,
)
from rust_expert.report.cards.model import model_card
from rust_expert.report.corpus import read_corpus
from rust_expert.report.data import Data
from rust_expert.report.evidence import Answer, read_answers
from rust_expert.report.journey import CleanFunnel, Decontamination, Mix, read_part
from rust_expert.report.plots import rates_csv, training_csv
from rust_expert.report.rows import read_rows
from rust_expert.report.runs import read_run
from rust_expert.report.summary import read_summary

log = logging.getLogger(__name__)


def _flags() -> argparse.ArgumentParser:
    told = parser(__doc__)
    told.add_argument("--summary", required=True, metavar="JSON", help="the summary of all scores")
    told.add_argument("--provenance", metavar="JSON", help="what the run was made with")
    told.add_argument(
        "--suite", nargs=2, action="append", default=[], metavar=("NAME", "JSONL"), help="a suite's problems"
    )
    told.add_argument(
        "--answers",
        nargs=4,
        action="append",
        default=[],
        metavar=("STAGE", "SUITE", "SAMPLES", "VERDICTS"),
        help="what a stage answered to a suite, and the judge's verdicts",
    )
    told.add_argument(
        "--model",
        nargs=2,
        action="append",
        default=[],
        metavar=("STAGE", "MANIFEST"),
        help="a stage's manifest",
    )
    told.add_argument(
        "--score",
        nargs=2,
        action="append",
        default=[],
        metavar=("SUITE", "JSON"),
        help="a stage's figures on a suite, for the problems that were left out",
    )
    told.add_argument(
        "--fetched", nargs="*", default=[], metavar="JSON", help="manifests of the fetched crates"
    )
    told.add_argument("--rejections", nargs="*", default=[], metavar="JSONL", help="what the gates left out")
    told.add_argument("--builds", nargs="*", default=[], metavar="JSON", help="what builds and clippy said")
    told.add_argument(
        "--counts", nargs="*", default=[], metavar="JSON", help="from items to samples, by shard"
    )
    told.add_argument("--rows", nargs="*", default=[], metavar="PARQUET", help="the cleaned rows")
    told.add_argument("--funnel", metavar="JSON", help="the account of cleaning")
    told.add_argument("--decontamination", metavar="JSON", help="what gave problems away")
    told.add_argument("--mix", nargs="*", default=[], metavar="JSON", help="accounts of the data sets")
    told.add_argument(
        "--link", nargs="*", default=[], metavar="FILE", help="more files to name at the page's end"
    )
    told.add_argument("--out", required=True, metavar="HTML", help="the report")
    told.add_argument("--plots", required=True, metavar="DIR", help="folder for training.csv and rates.csv")
    told.add_argument("--card", metavar="MD", help="the model card (default: none)")
    told.add_argument("--checklist", metavar="MD", help="the reproducibility checklist (default: none)")
    add_options(told, ReportOptions)
    return told


def main() -> None:
    """Read the command line and all files, put the page together, write it and the plots' data."""
    given = _flags().parse_args()
    set_up_log(given)
    options = options_from(given, ReportOptions)

    answers: dict[str, dict[str, dict[str, Answer]]] = {}
    for stage, suite, samples, verdicts in given.answers:
        answers.setdefault(suite, {})[stage] = read_answers(samples, verdicts)
    material = Material(
        summary=read_summary(given.summary),
        provenance=_provenance(given.provenance) if given.provenance else {},
        suites={name: read_jsonl(path, Problem) for name, path in given.suite},
        answers=answers,
        runs={stage: read_run(stage, path) for stage, path in given.model},
        data=_data(given, options),
        excluded=_excluded(given.score),
        links=_links(
            given.out,
            [given.provenance, given.checklist, given.card, given.funnel, given.decontamination, *given.link],
        ),
    )
    page = build(material, options)
    write_text(given.out, page)
    write_text(Path(given.plots) / "training.csv", training_csv(material.summary, material.runs))
    write_text(Path(given.plots) / "rates.csv", rates_csv(material.summary))
    if given.card:
        write_text(given.card, model_card(material))
    if given.checklist:
        write_text(given.checklist, checklist(_documents(given, material)))
    log.info("%s: %d kB", given.out, len(page.encode()) // 1000)


def _excluded(scores: list[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """By suite the problems that judge nobody, and why; stages of one suite leave out the same ones."""
    found: dict[str, dict[str, str]] = {}
    for suite, path in scores:
        told = read_json(path)
        if not isinstance(told, dict) or not isinstance(told.get("problems_excluded"), dict):
            raise UserError(f"{path}: not the figures of a stage on a suite; make it again")
        found.setdefault(suite, {}).update(told["problems_excluded"])
    return found


def _data(given: argparse.Namespace, options: ReportOptions) -> Data:
    """The accounts of the data that were given."""
    return Data(
        corpus=read_corpus(given.fetched, given.rejections, given.counts, given.builds)
        if given.fetched or given.counts
        else None,
        funnel=read_part(given.funnel, CleanFunnel) if given.funnel else None,
        mixes=[read_part(path, Mix) for path in given.mix],
        decontamination=read_part(given.decontamination, Decontamination) if given.decontamination else None,
        rows=read_rows(given.rows, options.rows_to_read, options.seed) if given.rows else None,
    )


def _documents(given: argparse.Namespace, material: Material) -> dict[str, object]:
    """The files that the checklist is answered from, by their place in the results."""
    alone = {
        METRICS: given.summary,
        PROVENANCE: given.provenance,
        FUNNEL: given.funnel,
        DECONTAMINATION: given.decontamination,
    }
    found: dict[str, object] = {name: read_json(path) for name, path in alone.items() if path}
    found[MIXES] = {Path(path).parent.name: read_json(path) for path in given.mix}
    found[MANIFESTS] = {stage: read_json(path) for stage, path in given.model}
    found[EFFECTIVE] = {stage: run.effective for stage, run in material.runs.items() if run.effective}
    return found


def _provenance(path: str) -> dict[str, object]:
    found = read_json(path)
    if not isinstance(found, dict):
        raise UserError(f"{path}: not a provenance file; make it again")
    return found


def _links(out: str, paths: list[str | None]) -> list[tuple[str, str]]:
    """Paths as seen from the report, with what is in them; metrics.json and the plots' data stand beside it."""
    folder = Path(out).parent
    seen = ["metrics.json", *(os.path.relpath(path, folder) for path in paths if path)]
    names = [Path(path).as_posix() for path in [*seen, "plots/rates.csv", "plots/training.csv"]]
    return [(name, told_of(name)) for name in dict.fromkeys(names)]


if __name__ == "__main__":
    run(main)

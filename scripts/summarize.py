"""Gather the figures of all stages, compare stages problem by problem: what becomes metrics.json."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from pydantic import PositiveInt, TypeAdapter, ValidationError

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json
from rust_expert.metrics.seeds import across_seeds
from rust_expert.metrics.summary import Reports, named, read_score, read_training, summarize

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, gather, compare, write."""
    told = parser(__doc__)
    told.add_argument("--scores", nargs="+", required=True, metavar="STAGE:SUITE=FILE", help="figures")
    told.add_argument(
        "--parents",
        required=True,
        metavar="JSON",
        help='each stage\'s parent in order: {"base": null, "phase1": "base"}',
    )
    told.add_argument(
        "--runs",
        default="{}",
        metavar="JSON",
        help='what the stages are called in the runs of other seeds: {"1": {"base": "base__seed_1", ...}}',
    )
    told.add_argument("--manifests", nargs="*", default=[], metavar="STAGE=FILE", help="models' manifests")
    told.add_argument("--funnel", metavar="FILE", help="the account of cleaning")
    told.add_argument("--decontamination", metavar="FILE", help="what gave problems away")
    told.add_argument("--mixes", nargs="*", default=[], metavar="NAME=FILE", help="accounts of the data sets")
    told.add_argument(
        "--selections", nargs="*", default=[], metavar="STAGE=FILE", help="accounts of what was kept"
    )
    told.add_argument("--out", required=True, metavar="JSON", help="the summary")
    add_options(told, ScoreOptions)
    arguments = told.parse_args()
    set_up_log(arguments)
    options = options_from(arguments, ScoreOptions)
    scores = {}
    for name, path in named(arguments.scores, "--scores").items():
        stage, mark, suite = name.partition(":")
        if not mark or not suite:
            raise UserError(f"--scores: {name} names no stage and suite; write STAGE:SUITE=FILE")
        scores[stage, suite] = read_score(path)
    parents = _parents(arguments.parents)
    names = run_names(arguments.runs, parents)
    again = {name for told in names.values() for name in told.values()}
    selections = {name: read_json(path) for name, path in named(arguments.selections, "--selections").items()}
    reports = Reports(
        funnel=read_json(arguments.funnel) if arguments.funnel else None,
        decontamination=read_json(arguments.decontamination) if arguments.decontamination else None,
        mixes={name: read_json(path) for name, path in named(arguments.mixes, "--mixes").items()},
        selections={name: told for name, told in selections.items() if name not in again},
    )
    training = {name: read_training(path) for name, path in named(arguments.manifests, "--manifests").items()}
    first = {(name, suite): score for (name, suite), score in scores.items() if name not in again}
    summary = summarize(first, parents, training, reports, options)
    if names:
        runs = {0: {stage: stage for stage in parents}, **names}
        summary["seeds"] = across_seeds(scores, parents, runs, training, selections, options)
    write_json(arguments.out, summary)
    telemetry.count("comparisons_out", len(summary["comparisons"]))
    log.info("%d stages, %d comparisons", len(summary["stages"]), len(summary["comparisons"]))


def _parents(text: str) -> dict[str, str | None]:
    try:
        found: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f'--parents: not JSON ({error}); write {{"base": null, "phase1": "base"}}') from None
    if not isinstance(found, dict) or not all(
        value is None or isinstance(value, str) for value in found.values()
    ):
        raise UserError(
            '--parents: each stage needs its parent\'s name or null, as {"base": null, "phase1": "base"}'
        )
    return found


def run_names(text: str, parents: Mapping[str, str | None]) -> dict[int, dict[str, str]]:
    """What the stages of `parents` are called in the runs of other seeds, from JSON.

    Raises UserError where a stage has no name there, or two have one.
    """
    wanted = '--runs: each seed but 0 needs the name of every stage of --parents, as {"1": {"base": "base__seed_1"}}'
    try:
        found = TypeAdapter(dict[PositiveInt, dict[str, str]]).validate_json(text)
    except ValidationError:
        raise UserError(wanted) from None
    names = [name for told in found.values() for name in told.values()]
    if any(told.keys() != parents.keys() for told in found.values()) or len({*names, *parents}) < len(
        [*names, *parents]
    ):
        raise UserError(f"{wanted}, and no name twice")
    return found


if __name__ == "__main__":
    run(main)

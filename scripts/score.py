"""Compute the figures of one stage on one suite: pass@k, compile rates, style, each with its interval."""

import json
import logging

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.completions import read_completions
from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.contracts import Verdict
from rust_expert.common.files import write_json
from rust_expert.common.problems import read_problems
from rust_expert.common.tables import notes_of, read_jsonl, read_parquet
from rust_expert.metrics.figures import Judged, figures_of

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, count, score, write."""
    told = parser(__doc__)
    told.add_argument(
        "--verdicts", required=True, metavar="VERDICTS", help="what the judge found, .parquet or .jsonl"
    )
    told.add_argument("--suite", required=True, metavar="JSONL", help="the problems")
    told.add_argument("--completions", required=True, metavar="JSONL", help="the model's answers")
    told.add_argument("--out", required=True, metavar="JSON", help="the figures")
    add_options(told, ScoreOptions)
    arguments = told.parse_args()
    set_up_log(arguments)
    options = options_from(arguments, ScoreOptions)
    columns = not arguments.verdicts.endswith(".jsonl")
    judged_with = notes_of(arguments.verdicts).get("judge") if columns else None
    judged = Judged(
        suite=arguments.suite,
        samples=arguments.completions,
        problems=read_problems(arguments.suite),
        completions=read_completions(arguments.completions),
        verdicts=(read_parquet if columns else read_jsonl)(arguments.verdicts, Verdict),
        judge=json.loads(judged_with) if judged_with else None,
    )
    figures = figures_of(judged, options)
    write_json(arguments.out, figures)
    telemetry.count("problems_in", figures["problems"])
    telemetry.count_by("rows_in", "status", figures["statuses"])
    log.info(
        "%d problems, %d samples: pass@%d %.3f, compile rate %.3f",
        figures["problems"],
        figures["samples"],
        options.k[0],
        figures[f"pass_at_{options.k[0]}"]["value"],
        figures["compile_rate"]["value"],
    )


if __name__ == "__main__":
    run(main)

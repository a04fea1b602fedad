"""Rank the points of a sweep by its metric: results/sweep.json, a plot (SVG) and a page (HTML).

`python -m scripts.run_sweep` (`make sweep`) trains, samples and judges the points first.
"""

import json
import logging
from pathlib import Path
from typing import Any

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json, write_text
from rust_expert.metrics.ranking import rank, read_plan
from rust_expert.metrics.summary import named, read_score, read_training
from rust_expert.report.sweep.findings import headline
from rust_expert.report.sweep.page import sweep_page
from rust_expert.report.sweep.plot import sweep_plot
from rust_expert.report.sweep.timings import training_seconds

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line and the figures, rank, write."""
    told = parser(__doc__)
    told.add_argument(
        "--plan", required=True, metavar="JSON", help="stage, suite, metric, points, what failed"
    )
    told.add_argument("--scores", nargs="*", default=[], metavar="POINT=FILE", help="figures of the points")
    told.add_argument("--manifests", nargs="*", default=[], metavar="POINT=FILE", help="models' manifests")
    told.add_argument("--out", required=True, metavar="JSON", help="the ranking")
    told.add_argument("--plot", required=True, metavar="SVG", help="the plot")
    told.add_argument("--page", required=True, metavar="HTML", help="the page")
    add_options(told, ScoreOptions)
    arguments = told.parse_args()
    set_up_log(arguments)
    options = options_from(arguments, ScoreOptions)
    plan = read_plan(_json(arguments.plan))
    scores = {name: read_score(path) for name, path in named(arguments.scores, "--scores").items()}
    manifests = named(arguments.manifests, "--manifests")
    training = {name: read_training(path) for name, path in manifests.items()}
    ranking = rank(plan, scores, training, options)
    took = training_seconds({name: Path(path) for name, path in manifests.items()})
    write_text(arguments.plot, sweep_plot(ranking))
    write_text(arguments.page, sweep_page(ranking, took))
    write_json(arguments.out, ranking.model_dump(mode="json", by_alias=True))
    telemetry.count("comparisons_out", sum(point.against_best is not None for point in ranking.points))
    log.info("%s", headline(ranking))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"--plan: not JSON ({error})") from None


if __name__ == "__main__":
    run(main)

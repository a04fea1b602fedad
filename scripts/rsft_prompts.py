"""Draw training rows that have tests as prompts for rejection sampling; never a problem of any suite."""

import logging

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.rsft import RsftPrompts
from rust_expert.common.tables import write_jsonl
from rust_expert.dataset.clean import read_samples
from rust_expert.dataset.decontamination import read_suites
from rust_expert.dataset.rsft_prompts import training_prompts

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, draw, write the prompts as problems."""
    told = parser(__doc__)
    told.add_argument("--data", nargs="+", required=True, metavar="FILE", help="training shards")
    told.add_argument(
        "--suites", nargs="*", default=[], metavar="[NAME=]FILE", help="problems that no prompt may be"
    )
    told.add_argument("--out", required=True, metavar="JSONL", help="the prompts as problems")
    add_options(told, RsftPrompts)
    arguments = told.parse_args()
    set_up_log(arguments)
    options = options_from(arguments, RsftPrompts)
    samples = read_samples(arguments.data)
    problems = training_prompts(
        samples,
        read_suites(arguments.suites),
        options.count,
        options.seed,
        options.gram_words,
    )
    write_jsonl(arguments.out, problems)
    telemetry.count("rows_in", len(samples))
    telemetry.count("rows_out", len(problems))
    log.info("%d training prompts", len(problems))


if __name__ == "__main__":
    run(main)

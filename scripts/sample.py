"""Sample completions of a stage for a suite of problems; for the bare base give its own manifest as --model."""

from collections import Counter
from pathlib import Path

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.contracts import Completion, Problem
from rust_expert.common.errors import UserError
from rust_expert.common.tables import read_jsonl, write_jsonl
from rust_expert.models.process import prepare_process, settle_libraries


def main() -> None:
    """Read the command line, sample, write the rows."""
    told = parser(__doc__)
    told.add_argument("--base", required=True, metavar="MANIFEST", help="manifest.json of the base")
    told.add_argument(
        "--model", required=True, metavar="MANIFEST", help="manifest.json of the stage, or the base's"
    )
    told.add_argument("--suite", required=True, metavar="JSONL", help="problems")
    told.add_argument("--out", required=True, metavar="JSONL", help="completions")
    for section in (SamplingOptions, QuantizationOptions):
        add_options(told, section)
    arguments = told.parse_args()
    set_up_log(arguments)
    options = options_from(arguments, SamplingOptions)
    quantization = options_from(arguments, QuantizationOptions)
    problems = read_jsonl(arguments.suite, Problem)
    for name, count in Counter(problem.task_id for problem in problems).items():
        if count > 1:
            raise UserError(
                f"{arguments.suite}: task_id {name} stands {count} times; give each problem its own"
            )
    prepare_process(options.threads)

    from rust_expert.sampling.sample import complete, load_stage

    settle_libraries(options.threads)
    rows: list[Completion] = []
    if problems:
        loaded = load_stage(Path(arguments.base), Path(arguments.model), options, quantization)
        rows = complete(loaded, problems, options, quantization)
    write_jsonl(arguments.out, rows)
    telemetry.count("problems_in", len(problems))
    telemetry.count("rows_out", len(rows))
    telemetry.count("tokens_out", sum(row.tokens for row in rows))


if __name__ == "__main__":
    run(main)

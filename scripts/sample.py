"""Sample completions of a stage for a suite of problems; for the bare base give its own manifest as --model."""

from pathlib import Path

from rust_expert.common import telemetry
from rust_expert.common.cli import add_lock_wait, add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.errors import UserError
from rust_expert.models.process import prepare_process, settle_libraries


def main() -> None:
    """Read the command line, sample, write the rows and their manifest."""
    told = parser(__doc__)
    told.add_argument("--base", required=True, metavar="MANIFEST", help="manifest.json of the base")
    told.add_argument(
        "--model", required=True, metavar="MANIFEST", help="manifest.json of the stage, or the base's"
    )
    told.add_argument("--suite", required=True, metavar="JSONL", help="problems")
    told.add_argument(
        "--out", required=True, metavar="JSONL", help="completions; what they are lies beside it as .json"
    )
    add_lock_wait(told, "a process that samples just this")
    for section in (SamplingOptions, QuantizationOptions):
        add_options(told, section)
    arguments = told.parse_args()
    set_up_log(arguments)
    options = options_from(arguments, SamplingOptions)
    quantization = options_from(arguments, QuantizationOptions)
    if options.engine != "transformers":
        raise UserError(f"engine: {options.engine} has a script of its own: python -m scripts.sample_vllm")
    prepare_process(options.threads)

    from rust_expert.sampling.job import Order, prepare, problems_of
    from rust_expert.sampling.sample import sample
    from rust_expert.sampling.transformers_engine import TransformersEngine

    settle_libraries(options.threads)
    base, stage = Path(arguments.base), Path(arguments.model)
    order = Order(base, stage, problems_of(arguments.suite), Path(arguments.out), options, quantization)
    job = prepare(order)
    made = sample(
        [job],
        lambda: TransformersEngine(job.folder, job.adapter, options, quantization),
        arguments.lock_wait,
    )
    for manifest in made:
        telemetry.count("problems_in", manifest.problems)
        telemetry.count("rows_out", manifest.rows)
        telemetry.count("tokens_out", manifest.tokens)


if __name__ == "__main__":
    run(main)

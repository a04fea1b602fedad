"""Sample completions of several stages of one base for several suites, with vLLM and one load of the base.

Each --pair is a stage's manifest (for the bare base its own), a file of problems and the file of completions. Each
file is whole and resumable on its own; one that is there already with just these options is not sampled again.
"""

from pathlib import Path

from rust_expert.common import telemetry
from rust_expert.common.cli import add_lock_wait, add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.errors import UserError
from rust_expert.models.process import prepare_process, settle_libraries


def main() -> None:
    """Read the command line, sample pair by pair, write rows and manifests."""
    told = parser(__doc__)
    told.add_argument("--base", required=True, metavar="MANIFEST", help="manifest.json of the base")
    told.add_argument(
        "--pair",
        required=True,
        nargs=3,
        action="append",
        metavar=("MODEL", "SUITE", "OUT"),
        help="what to sample",
    )
    add_lock_wait(told, "a process that samples just this")
    for section in (SamplingOptions, QuantizationOptions):
        add_options(told, section)
    arguments = told.parse_args()
    set_up_log(arguments)
    options = options_from(arguments, SamplingOptions)
    quantization = options_from(arguments, QuantizationOptions)
    if options.engine != "vllm":
        raise UserError(f"engine: {options.engine} has a script of its own: python -m scripts.sample")
    prepare_process(options.threads)

    from rust_expert.sampling.job import Order, prepare, problems_of
    from rust_expert.sampling.sample import sample
    from rust_expert.sampling.vllm_engine import VllmEngine, require_vllm

    require_vllm()
    settle_libraries(options.threads)
    base = Path(arguments.base)
    jobs = [
        prepare(Order(base, Path(model), problems_of(suite), Path(out), options, quantization))
        for model, suite, out in arguments.pair
    ]
    for manifest in sample(jobs, lambda: VllmEngine(jobs, arguments.lock_wait), arguments.lock_wait):
        telemetry.count("problems_in", manifest.problems)
        telemetry.count("rows_out", manifest.rows)
        telemetry.count("tokens_out", manifest.tokens)


if __name__ == "__main__":
    run(main)

"""Make the base model: train a small one from scratch, fetch a pinned one from the Hub, or take a folder.

Beside the manifest named by --out: model/ (an ordinary Hugging Face folder), history.json and timing.json (scratch).
"""

from pathlib import Path

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, add_trainer_flags, options_from, parser, run, set_up_log
from rust_expert.common.config.models import BaseOptions
from rust_expert.models.process import prepare_process, settle_libraries


def main() -> None:
    """Read the command line and make the base."""
    told = parser(__doc__)
    told.add_argument("--train", nargs="*", default=[], metavar="FILE", help="rows for from: scratch")
    told.add_argument(
        "--val", nargs="*", default=[], metavar="FILE", help="validation rows for from: scratch"
    )
    told.add_argument("--out", required=True, metavar="MANIFEST", help="manifest.json to write")
    add_trainer_flags(told)
    add_options(told, BaseOptions)
    arguments = told.parse_args()
    set_up_log(arguments)
    options = options_from(arguments, BaseOptions)
    prepare_process(options.threads, offline=options.origin != "hub")

    from rust_expert.models.base import prepare_base

    settle_libraries(options.threads)
    manifest = prepare_base(
        options,
        arguments.train,
        arguments.val,
        Path(arguments.out),
        code=arguments.code,
        wait_seconds=arguments.lock_wait,
    )
    if manifest.training is not None:
        telemetry.count("rows_kept", manifest.training.rows)
        telemetry.count("rows_lost", manifest.training.rows_too_long, reason="longer than max_length")


if __name__ == "__main__":
    run(main)

"""Train one stage: QLoRA on a frozen, quantised base, going on from its parent's adapter.

Beside the manifest named by --out: adapter/, effective.json (what really took effect), history.json, timing.json,
scalars.jsonl and tensorboard/ (curves), and work/ with the checkpoints of a training that is not finished. With --ranks
above 1 it starts that many processes, one to a GPU; under torchrun it is one of those that torchrun has started. Asked
to stop (SIGTERM) it writes a checkpoint and exits with code 75: run it again to go on.
"""

import logging
import sys
from pathlib import Path

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, add_trainer_flags, options_from, parser, run, set_up_log
from rust_expert.common.config.models import LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.models import ranks
from rust_expert.models.process import prepare_process, settle_libraries


def main() -> None:
    """Read the command line and train."""
    told = parser(__doc__)
    told.add_argument("--stage", required=True, metavar="NAME", help="name of the stage")
    told.add_argument("--method", choices=["sft", "rsft"], default="sft", help="rsft may come without rows")
    told.add_argument("--base", required=True, metavar="MANIFEST", help="manifest.json of the base")
    told.add_argument("--parent", required=True, metavar="MANIFEST", help="of the base or of a stage")
    told.add_argument("--train", nargs="*", default=[], metavar="FILE", help="training rows")
    told.add_argument("--val", nargs="*", default=[], metavar="FILE", help="validation rows")
    told.add_argument("--out", required=True, metavar="MANIFEST", help="manifest.json to write")
    add_trainer_flags(told)
    for section in (TrainingOptions, LoraOptions, QuantizationOptions):
        add_options(told, section)
    arguments = told.parse_args()
    if ranks.is_rank() and not ranks.is_first():
        arguments.log = arguments.telemetry = None  # the first rank speaks for all
    training = options_from(arguments, TrainingOptions)
    if training.ranks > 1 and not ranks.is_rank():
        sys.exit(ranks.launch(training.ranks, "scripts.train", sys.argv[1:]))
    set_up_log(arguments)
    if not ranks.is_first():
        logging.getLogger().setLevel(logging.ERROR)
    lora = options_from(arguments, LoraOptions)
    quantization = options_from(arguments, QuantizationOptions)
    prepare_process(training.threads)

    from rust_expert.models.stage import Order, train_stage

    settle_libraries(training.threads)
    order = Order(
        stage=arguments.stage,
        method=arguments.method,
        base=Path(arguments.base),
        parent=Path(arguments.parent),
        train=arguments.train,
        val=arguments.val,
        out=Path(arguments.out),
        training=training,
        lora=lora,
        quantization=quantization,
        code=arguments.code,
    )
    try:
        manifest = train_stage(order, wait_seconds=arguments.lock_wait)
    finally:
        ranks.leave()
    telemetry.count("rows_kept", manifest.rows)
    telemetry.count("rows_lost", manifest.rows_too_long, reason="longer than max_length")


if __name__ == "__main__":
    run(main)

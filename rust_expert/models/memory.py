"""A training that runs out of memory: which knobs help, and going on with a smaller micro batch."""

import contextlib
import gc
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from rust_expert.common.config.models import TrainingOptions
from rust_expert.common.errors import UserError

log = logging.getLogger(__name__)


@dataclass
class Smaller:
    """The options to try next, where memory has run out."""

    options: TrainingOptions | None = None


@contextlib.contextmanager
def out_of_memory(stage: str, options: TrainingOptions) -> Iterator[Smaller]:
    """Where the block runs out of memory: tell of half the micro batch with the same sequences per step.

    Raises UserError with the knobs that help, where that is not allowed or the micro batch is 1.
    """
    smaller = Smaller()
    try:
        yield smaller
        return
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        told = str(error).splitlines()[0][:200]
    if not options.auto_micro_batch or options.micro_batch % 2:
        knobs = ["lower micro_batch (and raise accumulation)"] if options.micro_batch > 1 else []
        knobs += [] if options.gradient_checkpointing else ["set gradient_checkpointing: true"]
        knobs += ["lower max_length", "or set auto_micro_batch: true, which halves micro_batch by itself"]
        raise UserError(
            f"stage {stage}: memory ran out at micro_batch {options.micro_batch} and max_length {options.max_length}"
            f" ({told}); {', '.join(knobs)}; the last checkpoint is kept and a rerun goes on from it unless a key that"
            " shapes the adapter was changed"
        )
    half = options.micro_batch // 2
    smaller.options = options.model_copy(
        update={"micro_batch": half, "accumulation": options.accumulation * 2}
    )
    log.warning(
        "stage %s: memory ran out at micro_batch %d; going on with %d, and accumulation %d",
        stage, options.micro_batch, half, options.accumulation * 2,
    )  # fmt: skip


def release(device: str) -> None:
    """Give back what a failed attempt held; nothing may refer to it any more."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device, or the machine, has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return "can't allocate memory" in text or "out of memory" in text.lower()

"""Being asked to stop: a scheduler that wants the machine back sends SIGTERM, and some seconds later a kill."""

import logging
import signal
from types import FrameType

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rust_expert.common.errors import UserError
from rust_expert.models.ranks import Group

log = logging.getLogger(__name__)


class Preempted(UserError):
    """The training was asked to stop; its checkpoint is written, and a rerun goes on from it."""

    exit_code = 75
    """EX_TEMPFAIL of sysexits.h: try again."""


class StopWhenAsked(TrainerCallback):
    """On SIGTERM: finish the step in hand, write a checkpoint, stop. The ranks of a group stop after the same step."""

    def __init__(self, stage: str, group: Group) -> None:
        self.stage, self.group = stage, group
        self.asked = self.stopped = False
        self._before: object = None

    def __enter__(self) -> "StopWhenAsked":
        self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before or signal.SIG_DFL)  # type: ignore[arg-type]

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """After each step: stop where one of the ranks was asked to."""
        if self.group.any(self.asked) and state.global_step < state.max_steps:
            self.stopped = control.should_save = control.should_training_stop = True

    def raise_if_stopped(self, step: int) -> None:
        """Raise Preempted where the training ended because it was asked to."""
        if self.stopped:
            raise Preempted(
                f"stage {self.stage}: asked to stop (SIGTERM), so it stopped after step {step} with a checkpoint; run"
                " the same command again to go on from there"
            )

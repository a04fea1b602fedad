"""What a training shows while it runs: progress with loss and speed, curves for other tools, and what it cost."""

import importlib
import json
import logging
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from datasets import Dataset
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rust_expert.common.config.models import TrainingOptions
from rust_expert.common.errors import UserError
from rust_expert.common.progress import Progress
from rust_expert.models.flops import Shape, Work, peak_of
from rust_expert.models.ranks import Group
from rust_expert.models.trainer import AdapterTrainer

log = logging.getLogger(__name__)

SCALARS = "scalars.jsonl"


class Curves(Protocol):
    """Where the figures of a step go."""

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Add the figures of a step."""

    def close(self) -> None:
        """Write what is not yet written."""


class Lines:
    """Curves as JSON lines. A training that goes on drops the lines behind the step that it goes on from."""

    def __init__(self, path: Path, step: int) -> None:
        kept = []
        if path.is_file() and step:
            told = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in told if line.endswith("\n") and json.loads(line)["step"] <= step]
        self._stream = open(path, "w", encoding="utf-8")  # noqa: SIM115  (open as long as the training)
        self._stream.writelines(kept)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Add a line; a figure that is no number is left out, since JSON has no form for it."""
        told = {key: value for key, value in figures.items() if math.isfinite(value)}
        self._stream.write(json.dumps({"step": step, **told}) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class TensorBoard:
    """Curves as TensorBoard's files.

    Not by tensorboardX's SummaryWriter: it hands events to a thread through a queue with a thread of its own, and where
    no thread can be started, as when memory runs out, the process waits for them at its end for ever.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        self._event = Event
        folder.mkdir(parents=True, exist_ok=True)
        self._writer = EventsWriter(str(folder / "events"))
        if step:  # hides what an earlier run wrote behind the step that this one goes on from
            self._add(step + 1, session_log=SessionLog(status=SessionLog.START))

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        points = [{"tag": name, "simple_value": value} for name, value in figures.items()]
        self._add(step, summary={"value": points})

    def _add(self, step: int, **content: Any) -> None:
        self._writer.write_event(self._event(step=step, wall_time=time.time(), **content))
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


class WeightsAndBiases:
    """Curves for Weights & Biases; only where the configuration names a project."""

    def __init__(self, project: str, stage: str, identity: str, folder: Path) -> None:
        try:
            wandb = importlib.import_module("wandb")  # in no environment of ours: who wants it installs it
        except ImportError:
            raise UserError(
                "wandb_project is set, but the package wandb is not installed; `pip install wandb`, or set it to null"
            ) from None
        self._run = wandb.init(project=project, name=stage, id=identity, resume="allow", dir=str(folder))

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        self._run.log(dict(figures), step=step)

    def close(self) -> None:
        """Tell the server that all is there."""
        self._run.finish()


def curves_of(options: TrainingOptions, stage: str, identity: str, folder: Path, step: int) -> list[Curves]:
    """All that the configuration asks for; `folder` is the stage's, `step` the one that is gone on from."""
    found: list[Curves] = [Lines(folder / SCALARS, step)]
    if options.tensorboard:
        found.append(TensorBoard(folder / "tensorboard", step))
    if options.wandb_project:
        found.append(WeightsAndBiases(options.wandb_project, stage, identity, folder))
    return found


def work_of(sequences: Dataset) -> list[Work]:
    """What each sequence of a prepared data set costs: its tokens, those that are learned, and its rows' pairs."""
    table = sequences.with_format("arrow")[:]
    labels = table.column("labels").combine_chunks()
    tokens = pc.list_value_length(labels).to_numpy(zero_copy_only=False)
    flat = pc.not_equal(labels.flatten(), -100).cast(pa.int64()).to_numpy(zero_copy_only=False)
    learned = np.diff(np.concatenate([[0], np.cumsum(flat)])[np.concatenate([[0], np.cumsum(tokens)])])
    if "seq_lengths" in table.column_names:
        rows = table.column("seq_lengths").to_pylist()
    else:
        rows = [[int(count)] for count in tokens]
    pairs = [sum(length * (length + 1) // 2 for length in lengths) for lengths in rows]
    return [Work(*map(int, each)) for each in zip(tokens, learned, pairs, strict=True)]


class Watch(TrainerCallback):
    """Follows a training step by step: progress, curves, speed. Stops it where the loss is no number any more."""

    def __init__(
        self, stage: str, options: TrainingOptions, group: Group, shape: Shape, folder: Path, identity: str
    ) -> None:
        self.stage, self.options, self.group, self.shape = stage, options, group, shape
        self.folder, self.identity = folder, identity
        self.trainer: AdapterTrainer | None = None
        self.seconds: list[float] = []
        self.waits: list[float] = []
        self.done: list[Work] = []
        self.curves: list[Curves] = []
        self._told = 0
        self._progress: Progress | None = None

    def attach(self, trainer: AdapterTrainer) -> None:
        """Tell the callback its trainer."""
        self.trainer = trainer
        self._works = work_of(trainer.train_dataset)
        self._peak = peak_of(self.group.device(self.options.device))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the bar and the curves at the step that is gone on from."""
        if not self.group.first:
            return
        if state.global_step:
            log.info("%s: going on from step %d of %d", self.stage, state.global_step, state.max_steps)
        self.curves = curves_of(self.options, self.stage, self.identity, self.folder, state.global_step)
        self._progress = Progress(state.max_steps, f"training {self.stage}, steps").__enter__()
        self._progress.already(state.global_step)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock; the batches are there by now."""
        self._started = time.perf_counter()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop the clock, note what was done."""
        assert self.trainer is not None
        if self.options.device == "cuda":
            torch.cuda.synchronize()
        waited, self.trainer.wait_seconds = self.trainer.wait_seconds, 0.0
        self.seconds.append(time.perf_counter() - self._started + waited)
        self.waits.append(waited)
        per_step = self.options.micro_batch * self.options.accumulation
        places = self.trainer.learning_order[
            (state.global_step - 1) * per_step : state.global_step * per_step
        ]
        self.done.append(sum((self._works[place] for place in places), Work()))
        if self._progress is not None:
            self._progress.advance()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Say a validation loss, add to the curves; stop where the loss is no number any more, before that is saved."""
        logs = logs or {}
        if not math.isfinite(logs.get("loss", 0.0)):
            raise UserError(
                f"stage {self.stage}: the loss at step {state.global_step} is {logs['loss']}; lower its learning_rate"
                " (the last checkpoint before is kept in work/)"
            )
        if "eval_loss" in logs and self.group.first:
            told = {"step": state.global_step, "val_loss": logs["eval_loss"]}
            accuracy = logs["eval_token_accuracy"]
            log.info(
                "%s: step %d: validation loss %.4f, %.1f %% of tokens right",
                self.stage, *told.values(), 100 * accuracy, extra={**told, "val_token_accuracy": accuracy},
            )  # fmt: skip
        figures = {name: logs[key] for key, name in CURVES.items() if key in logs}
        if "loss" in logs and len(self.seconds) > self._told:
            figures |= self.speed(self._told)
            self._told = len(self.seconds)
            if self._progress is not None:
                self._progress.note(f"loss {logs['loss']:.4f}, {figures['tokens_per_second']:,.0f} tokens/s")
        for curve in self.curves if figures else ():
            curve.write(state.global_step, figures)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Close the bar and the curves."""
        for curve in self.curves:
            curve.close()
        if self._progress is not None:
            self._progress.__exit__(None, None, None)

    def summary(self) -> dict[str, float]:
        """`speed` of all steps but the first two, which also load kernels and find out sizes."""
        return self.speed(2 if len(self.seconds) > 4 else 0)

    def speed(self, start: int = 0) -> dict[str, float]:
        """Figures of the steps from the `start`-th that this process has done, summed over all ranks.

        mfu: of what the devices can do in bfloat16, the share that the model asks for (rust_expert.models.flops);
        recompute: what gradient checkpointing adds, in the same terms. Absent where the device's peak is not known.
        """
        seconds = sum(self.seconds[start:])
        if not seconds:
            return {}
        work = sum(self.done[start:], Work())
        figures = {
            "seconds_per_step": seconds / len(self.seconds[start:]),
            "tokens_per_second": work.tokens / seconds,
            "learned_tokens_per_second": work.learned / seconds,
            "data_wait_share": sum(self.waits[start:]) / seconds,
        }
        if self._peak is not None:
            able = self._peak * self.group.size * seconds
            figures["mfu"] = self.shape.needed(work) / able
            if self.options.gradient_checkpointing:
                figures["recompute"] = self.shape.recomputed(work) / able
        if self.options.device == "cuda":
            figures["peak_memory_bytes"] = float(torch.cuda.max_memory_allocated())
        return figures


CURVES = {
    "loss": "loss",
    "eval_loss": "val_loss",
    "eval_token_accuracy": "val_token_accuracy",
    "learning_rate": "learning_rate",
    "grad_norm": "gradient_norm",
}
"""What the trainer tells, under the names that the curves have."""

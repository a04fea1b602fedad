"""TRL's SFTTrainer, set up so that what was asked for takes effect."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import (
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer

from rust_expert.common.config.models import QuantizationOptions, TrainingOptions
from rust_expert.common.errors import UserError
from rust_expert.common.progress import Progress
from rust_expert.common.seeds import rng
from rust_expert.models.adapter import restore, snapshot
from rust_expert.models.conversation import Encoded

log = logging.getLogger(__name__)

PACKING_STRATEGY = "bfd"
"""Best fit decreasing keeps rows whole; TRL's `wrapped` lets rows see their neighbours."""


def dataset_of(rows: Sequence[Encoded]) -> Dataset:
    """Rows as TRL takes tokenised ones: ids, and a mask that is 1 where the answer is."""
    return Dataset.from_dict(
        {
            "input_ids": [row.ids for row in rows],
            "completion_mask": [
                [0] * row.prompt_length + [1] * (len(row.ids) - row.prompt_length) for row in rows
            ],
        }
    )


def shuffled(rows: Sequence[Encoded], seed: int) -> list[Encoded]:
    """Rows in an order drawn from `seed`, so that packs mix the shards."""
    order = list(range(len(rows)))
    rng(seed, "rows").shuffle(order)
    return [rows[index] for index in order]


def arguments_of(
    options: TrainingOptions, quantization: QuantizationOptions, folder: Path, evaluate: bool
) -> SFTConfig:
    """The trainer's arguments; everything that has a default of another value in TRL is said."""
    bfloat16 = quantization.compute_dtype == "bfloat16"
    return SFTConfig(
        output_dir=str(folder),
        max_steps=options.steps or -1,
        num_train_epochs=options.epochs or 1.0,
        learning_rate=options.learning_rate,
        lr_scheduler_type=options.schedule,
        warmup_steps=options.warmup_steps,
        weight_decay=options.weight_decay,
        optim=options.optimizer,
        max_grad_norm=options.max_grad_norm,
        per_device_train_batch_size=options.micro_batch,
        per_device_eval_batch_size=options.micro_batch,
        gradient_accumulation_steps=options.accumulation,
        gradient_checkpointing=options.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if options.gradient_checkpointing else None,
        max_length=options.max_length,
        packing=options.packing,
        packing_strategy=PACKING_STRATEGY,
        completion_only_loss=True,
        shuffle_dataset=False,
        seed=options.seed,
        data_seed=options.seed,
        ignore_data_skip=False,
        use_cpu=options.device == "cpu",
        bf16=bfloat16,
        fp16=False,
        logging_strategy="steps",
        logging_steps=options.log_steps,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=options.eval_steps if evaluate else None,
        save_strategy="steps",
        save_steps=options.save_steps,
        save_total_limit=None,
        dataloader_num_workers=0,
        dataloader_pin_memory=options.device == "cuda",
        report_to="none",
        disable_tqdm=True,
    )


class AdapterTrainer(SFTTrainer):
    """SFTTrainer with an exact validation loss, and adapters that stay in float32."""

    control: Any

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none: a card beside each checkpoint helps nobody."""

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Mean loss per learned token over the validation rows.

        The trainer's own is a mean over batches, which changes with the batch size.
        """
        model = self.model
        training = model.training
        model.eval()
        total = torch.zeros(2, dtype=torch.float64)
        for inputs in self.get_eval_dataloader(eval_dataset):
            learned = int((inputs["labels"][:, 1:] != -100).sum())
            loss, _, _ = self.prediction_step(model, inputs, prediction_loss_only=True)
            total += torch.tensor([float(loss) * learned, learned], dtype=torch.float64)
        total = self.accelerator.reduce(total.to(self.args.device), reduction="sum")
        metrics = {f"{metric_key_prefix}_loss": float(total[0] / total[1].clamp(min=1))}
        self._metrics["eval"].clear()
        self.log(metrics)  # while in eval mode: TRL's log takes the training metrics otherwise
        model.train(training)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class Follow(TrainerCallback):
    """Shows how far the training is, and says each validation loss."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.progress: Progress | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the bar at the step that is gone on from."""
        if state.global_step:
            log.info("%s: going on from step %d of %d", self.what, state.global_step, state.max_steps)
        self.progress = Progress(
            state.max_steps - state.global_step, f"training {self.what}, steps"
        ).__enter__()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Advance the bar."""
        if self.progress is not None:
            self.progress.advance()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Say a validation loss; stop where the loss is no number any more, before that is saved."""
        if logs and not math.isfinite(logs.get("loss", 0.0)):
            raise UserError(
                f"stage {self.what}: the loss at step {state.global_step} is {logs['loss']}; lower its learning_rate"
                " (the last checkpoint before is kept in work/)"
            )
        if logs and "eval_loss" in logs:
            told = {"step": state.global_step, "val_loss": logs["eval_loss"]}
            log.info("%s: step %d: validation loss %.4f", self.what, *told.values(), extra=told)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Close the bar."""
        if self.progress is not None:
            self.progress.__exit__(None, None, None)


def make_trainer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Encoded],
    val_rows: Sequence[Encoded],
    options: TrainingOptions,
    quantization: QuantizationOptions,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
) -> AdapterTrainer:
    """A trainer for the adapter of `model`, whose weights stay in float32 (see `adapter.restore`)."""
    weights = snapshot(model)
    trainer = AdapterTrainer(
        model=model,
        args=arguments_of(options, quantization, folder, evaluate=bool(val_rows)),
        train_dataset=dataset_of(shuffled(rows, options.seed)),
        eval_dataset=dataset_of(val_rows) if val_rows else None,
        processing_class=tokenizer,
        callbacks=list(callbacks),
    )
    restore(trainer.model, weights)
    trainer.remove_callback(PrinterCallback)
    return trainer

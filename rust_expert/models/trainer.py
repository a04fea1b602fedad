"""TRL's SFTTrainer, set up so that what was asked for takes effect."""

import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from torch.utils.data import DataLoader
from transformers import (
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
)
from trl import SFTConfig, SFTTrainer

from rust_expert.common.config.models import QuantizationOptions, TrainingOptions
from rust_expert.common.files import read_json, write_json
from rust_expert.models.adapter import restore, snapshot
from rust_expert.models.tokens import learning_order

log = logging.getLogger(__name__)

PACKING_STRATEGY = "bfd"
"""Best fit decreasing keeps rows whole; TRL's `wrapped` lets rows see their neighbours."""


def arguments_of(
    options: TrainingOptions, quantization: QuantizationOptions, folder: Path, evaluate: bool
) -> SFTConfig:
    """The trainer's arguments, but for the number of steps; what has a default of another value in TRL is said."""
    bfloat16 = quantization.compute_dtype == "bfloat16"
    return SFTConfig(
        output_dir=str(folder),
        learning_rate=options.learning_rate,
        lr_scheduler_type=options.schedule,
        warmup_steps=options.warmup_steps,
        weight_decay=options.weight_decay,
        optim=options.optimizer,
        max_grad_norm=options.max_grad_norm,
        per_device_train_batch_size=options.micro_batch,
        per_device_eval_batch_size=options.micro_batch,
        gradient_accumulation_steps=options.accumulation // options.ranks,
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
        eval_steps=options.eval_steps,
        save_strategy="steps",
        save_steps=options.save_steps,
        save_total_limit=None,
        dataloader_num_workers=options.loader_workers,
        dataloader_prefetch_factor=options.loader_prefetch if options.loader_workers else None,
        dataloader_pin_memory=options.device == "cuda",
        ddp_find_unused_parameters=False,
        report_to="none",
        disable_tqdm=True,
    )


class AdapterTrainer(SFTTrainer):
    """SFTTrainer with an exact validation loss, a fixed order of sequences, and losses that outlive a checkpoint.

    `wait_seconds` is what the device has waited for batches since the last time that it was set to 0.
    """

    control: Any
    learning_order: Sequence[int] = ()
    wait_seconds: float = 0.0

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none: a card beside each checkpoint helps nobody."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        """All steps are one pass over `learning_order`: no step is cut short, and ranks share each step."""
        return list(self.learning_order)

    def get_batch_samples(self, *words: Any, **more: Any) -> Any:
        """The batches of a step, and how long they were waited for."""
        started = time.perf_counter()
        batches = super().get_batch_samples(*words, **more)
        self.wait_seconds += time.perf_counter() - started
        return batches

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """With the losses since the last line of the curve: a stop between two lines changes neither."""
        super()._save_checkpoint(model, trial)
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        told = {"loss": float(self._tr_loss), "logged": self._globalstep_last_logged}
        write_json(folder / f"losses-{self.args.process_index}.json", told)

    def recall_losses(self, checkpoint: Path) -> None:
        """Take up the losses that a checkpoint carries."""
        told = read_json(checkpoint / f"losses-{self.args.process_index}.json")
        self._tr_loss += told["loss"]
        self._globalstep_last_logged = told["logged"]

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Mean loss per learned token over the validation rows, and the share of these tokens that is the likeliest.

        The trainer's own is a mean over batches, which changes with the batch size.
        """
        model = self.accelerator.unwrap_model(self.model)
        training = model.training
        model.eval()
        total = torch.zeros(3, dtype=torch.float64)
        loader = DataLoader(
            self.eval_dataset if eval_dataset is None else eval_dataset,
            batch_size=self.args.per_device_eval_batch_size,
            collate_fn=self.data_collator,
        )
        for number, inputs in enumerate(loader):
            if number % self.args.world_size == self.args.process_index:
                total += self._judged(model, inputs)
        total = self.accelerator.reduce(total.to(self.args.device), reduction="sum")
        learned = total[2].clamp(min=1)
        metrics = {
            f"{metric_key_prefix}_loss": float(total[0] / learned),
            f"{metric_key_prefix}_token_accuracy": float(total[1] / learned),
        }
        self._metrics["eval"].clear()
        self.log(metrics)  # while in eval mode: TRL's log takes the training metrics otherwise
        model.train(training)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _judged(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """Of a batch: the sum of losses, the tokens that were the likeliest, and all that are learned."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            told = model(**inputs, use_cache=False, fused_lm_head=True)
        sums = (-told.log_probs.double().sum(), told.is_top1.sum(), told.label_mask.sum())
        return torch.tensor([float(each) for each in sums], dtype=torch.float64)


def make_trainer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Dataset,
    val_rows: Dataset,
    options: TrainingOptions,
    quantization: QuantizationOptions,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
) -> AdapterTrainer:
    """A trainer for the adapter of `model`, whose weights stay in float32 (see `adapter.restore`).

    `rows` and `val_rows` have the columns input_ids and labels.
    """
    weights = snapshot(model)
    trainer = AdapterTrainer(
        model=model,
        args=arguments_of(options, quantization, folder, evaluate=len(val_rows) > 0),
        train_dataset=rows,
        eval_dataset=val_rows if len(val_rows) else None,
        processing_class=tokenizer,
        callbacks=list(callbacks),
    )
    restore(trainer.model, weights)
    trainer.remove_callback(PrinterCallback)
    per_step = options.micro_batch * options.accumulation
    packs = len(trainer.train_dataset)
    steps = options.steps or math.ceil((options.epochs or 1) * packs / per_step)
    trainer.args.max_steps = steps
    trainer.learning_order = learning_order(packs, steps * per_step, options.seed)
    return trainer

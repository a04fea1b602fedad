"""One training stage from manifests and shards to an adapter: QLoRA through TRL, resumable, checked."""

import contextlib
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rust_expert.common.config.models import WATCHING, LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file, write_json
from rust_expert.models import architecture, attention, checkpoints, disk, effective, loading, rows
from rust_expert.models.adapter import save_adapter, trainable
from rust_expert.models.flops import shape_of
from rust_expert.models.folders import new_folder
from rust_expert.models.manifest import (
    BaseManifest,
    StageManifest,
    adapter_folder,
    check_lineage,
    hash_folder,
    model_folder,
    read_base,
    read_manifest,
    same_files,
    write_manifest,
)
from rust_expert.models.memory import out_of_memory, release
from rust_expert.models.preemption import StopWhenAsked
from rust_expert.models.process import device_name, require_device
from rust_expert.models.ranks import Group, join
from rust_expert.models.tokens import Tokens, rows_to_check, rows_to_train_on, tokenised
from rust_expert.models.trainer import AdapterTrainer, make_trainer
from rust_expert.models.watching import Watch
from rust_expert.models.work import Fingerprint, WorkFolder, library_versions

log = logging.getLogger(__name__)

NO_SAMPLE = "no sample kept"


@dataclass(frozen=True)
class Order:
    """What one stage is to be trained on, and how."""

    stage: str
    method: Literal["sft", "rsft"]
    base: Path
    parent: Path
    train: Sequence[str]
    val: Sequence[str]
    out: Path
    training: TrainingOptions
    lora: LoraOptions
    quantization: QuantizationOptions
    code: str = ""

    def fingerprint(self) -> Fingerprint:
        """Everything that shapes the adapter."""
        return Fingerprint(
            {
                "stage": self.stage,
                "method": self.method,
                "training": self.training.model_dump(mode="json", exclude=set(WATCHING)),
                "lora": self.lora.model_dump(mode="json"),
                "quantization": self.quantization.model_dump(mode="json"),
                "base": sha256_file(self.base),
                "parent": sha256_file(self.parent),
                "train": rows.hashes(self.train),
                "val": rows.hashes(self.val),
                "versions": library_versions(),
                "code": self.code,
            }
        )


def train_stage(order: Order, wait_seconds: float = 0.0) -> StageManifest:
    """Train a stage; writes adapter/, effective.json, history.json, timing.json, scalars.jsonl and last the manifest.

    A run that was killed goes on from its last whole checkpoint and ends with the same bits. A training that is
    finished already is only described again. Where an rsft stage has no row, the parent's adapter is passed on. Called
    by each rank of a group; the first holds the work folder and writes.

    Raises UserError for bad input, and where a setting would not take effect (before the first step); Preempted where
    the process was asked to stop.
    """
    base = read_base(order.base)
    parent = read_manifest(order.parent)
    check_lineage(order.base, order.parent, parent)
    require_device(order.training.device, order.quantization.compute_dtype)
    group = join(order.training.ranks, order.training.device)
    held = WorkFolder(order.out.parent / "work", order.fingerprint(), wait_seconds)
    with held if group.first else contextlib.nullcontext():
        manifest = group.agree(_finished(order, held) if group.first else None)
        if manifest is None:
            manifest = _trained(order, base, parent, group)
            if group.first:
                held.finish(manifest.model_dump(mode="json"))
                checkpoints.delete_all(held.path)
        if group.first:
            write_manifest(order.out, manifest)
        group.wait()
        return manifest


def _trained(
    order: Order, base: BaseManifest, parent: BaseManifest | StageManifest, group: Group
) -> StageManifest:
    """Train on the rows that are there; with half the micro batch again where memory runs out and that is allowed."""
    if not any(rows.read_pairs([path]) for path in order.train):
        if order.method == "rsft":
            return _pass_on(order, parent)
        raise UserError(
            f"stage {order.stage}: {', '.join(order.train) or '--train'} hold no rows to train on; check the"
            " data set's options"
        )
    while True:
        with out_of_memory(order.stage, order.training) as smaller:
            return _train(order, base, parent, group)
        assert smaller.options is not None  # else it has raised
        order = replace(order, training=smaller.options)
        release(order.training.device)


def _finished(order: Order, work: WorkFolder) -> StageManifest | None:
    done = work.finished()
    if done is None:
        return None
    manifest = StageManifest.model_validate(done)
    if manifest.adapter and not same_files(order.out.parent / manifest.adapter, manifest.files):
        log.info("stage %s was finished, but its adapter is gone or changed: training again", order.stage)
        return None
    log.info("stage %s is trained already, nothing to do", order.stage)
    return manifest


def _pass_on(order: Order, parent: BaseManifest | StageManifest) -> StageManifest:
    """The parent's adapter under this stage's name: there was nothing to learn from."""
    log.info("stage %s: %s, so its parent's adapter is passed on", order.stage, NO_SAMPLE)
    source = adapter_folder(order.parent, parent) if isinstance(parent, StageManifest) else None
    target = order.out.parent / "adapter"
    if target.exists():
        shutil.rmtree(target)
    if source is not None:
        shutil.copytree(source, target)
    write_json(order.out.parent / "history.json", [])
    write_json(order.out.parent / "effective.json", {"trained": False, "reason": NO_SAMPLE})
    write_json(order.out.parent / "timing.json", {"seconds": 0.0, "cpu_seconds": 0.0, "steps": 0})
    return StageManifest(
        stage=order.stage,
        method=order.method,
        base_sha256=sha256_file(order.base),
        parent_sha256=sha256_file(order.parent),
        trained=False,
        reason=NO_SAMPLE,
        adapter="adapter" if source is not None else None,
        files=hash_folder(target) if source is not None else {},
    )


def _train(
    order: Order, base: BaseManifest, parent: BaseManifest | StageManifest, group: Group
) -> StageManifest:
    started, cpu = time.time(), time.process_time()
    options, work = order.training, order.out.parent / "work"
    folder = model_folder(order.base, base)
    train, val = _tokens(order, base, folder, group)
    checkpoint = group.agree(checkpoints.last_whole(work) if group.first else None)
    trainer, watch = _assemble(order, parent, folder, train, val, group)
    if group.first:
        disk.require_room(work, trainer.model, options.optimizer, options.keep_checkpoints, folder)
    with StopWhenAsked(order.stage, group) as asked:
        trainer.add_callback(asked)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    asked.raise_if_stopped(trainer.state.global_step)
    history = history_of(trainer.state.log_history)
    target = order.out.parent / "adapter"
    if group.first:
        with new_folder(target) as folder_of_adapter:
            save_adapter(trainer.model, folder_of_adapter, sha256_file(order.base))
        write_json(order.out.parent / "history.json", history)
        write_json(
            order.out.parent / "timing.json",
            {
                "seconds": time.time() - started,
                "cpu_seconds": time.process_time() - cpu,
                "steps": trainer.state.global_step,
                "resumed_from": int(checkpoint.name.removeprefix(checkpoints.PREFIX)) if checkpoint else 0,
                "device": device_name(group.device(options.device)),
                "ranks": group.size,
                "speed": watch.summary(),
            },
        )
    group.wait()
    return StageManifest(
        stage=order.stage,
        method=order.method,
        base_sha256=sha256_file(order.base),
        parent_sha256=sha256_file(order.parent),
        trained=True,
        adapter="adapter",
        files=hash_folder(target),
        rows=len(train),
        rows_too_long=train.too_long,
        steps=trainer.state.global_step,
        train_loss=_last(history, "loss"),
        val_loss=_last(history, "val_loss"),
    )


def _tokens(order: Order, base: BaseManifest, folder: Path, group: Group) -> tuple[Tokens, Tokens]:
    """The rows to learn from and those to check with; one rank turns them into tokens, all read the same file."""
    options, where = order.training, order.out.parent.parent / "tokens"
    paths = None
    if group.first:
        tokenizer = loading.load_tokenizer(folder)
        paths = [
            tokenised(shards, tokenizer, base.tokenizer_sha256, order.code, where)
            for shards in (order.train, order.val)
        ]
    train_path, val_path = group.agree(paths) or []
    train = rows_to_train_on(train_path, options.max_length, options.seed)
    val = rows_to_check(val_path, options.max_length, options.eval_rows)
    if not len(train):
        raise UserError(
            f"stage {order.stage}: all {train.too_long} rows are longer than max_length ({options.max_length});"
            " raise it"
        )
    log.info(
        "stage %s: %d rows (%d longer than %d tokens left out), %d of validation",
        order.stage, len(train), train.too_long, options.max_length, len(val),
    )  # fmt: skip
    return train, val


def _assemble(
    order: Order,
    parent: BaseManifest | StageManifest,
    folder: Path,
    train: Tokens,
    val: Tokens,
    group: Group,
) -> tuple[AdapterTrainer, Watch]:
    """Model, adapter and trainer, with the callbacks that check, mark and show."""
    options = order.training
    device = group.device(options.device)
    chosen = attention.choose(options.attention, device, packing=options.packing)
    log.info("stage %s: on %s, attention %s, loss in chunks", order.stage, device_name(device), chosen)
    model = loading.load_base(folder, order.quantization, chosen, device)
    source = adapter_folder(order.parent, parent) if isinstance(parent, StageManifest) else None
    if source is None:
        adapted = loading.new_adapter(model, order.lora, options.seed)
    else:
        loading.check_adapter(source, architecture.settled(model, order.lora))
        adapted = loading.load_adapter(model, source, trainable=True, dropout=order.lora.dropout)
    check = CheckSettings(order, group, chosen)
    watch = Watch(
        order.stage, options, group, shape_of(adapted), order.out.parent, order.fingerprint().digest[:16]
    )
    trainer = make_trainer(
        adapted, loading.load_tokenizer(folder), train.data, val.data, options, order.quantization,
        order.out.parent / "work", [check, checkpoints.MarkCheckpoints(options.keep_checkpoints, group), watch],
    )  # fmt: skip
    check.attach(trainer, len(train), len(val))
    watch.attach(trainer)
    return trainer, watch


class CheckSettings(TrainerCallback):
    """Reads back what takes effect when all parts exist, before the first step, and stops on a difference."""

    def __init__(self, order: Order, group: Group, attention: str) -> None:
        self.order, self.group, self.attention = order, group, attention
        self.trainer: AdapterTrainer | None = None

    def attach(self, trainer: AdapterTrainer, row_count: int, val_count: int) -> None:
        """Tell the callback its trainer; settle what depends on the number of packs."""
        self.trainer, self.counts = trainer, (row_count, val_count)
        options = self.order.training
        self.steps = trainer.args.max_steps
        per_step = options.micro_batch * options.accumulation
        self.passes = passes = self.steps * per_step / len(trainer.train_dataset)
        if passes > options.max_passes:
            raise UserError(
                f"stage {self.order.stage}: {self.steps} steps go {passes:.1f} times over {row_count} rows, and"
                f" max_passes is {options.max_passes:g}; see in the data set's report (mix.json) what took the other"
                " rows, or lower steps, or raise max_passes"
            )
        self.warmup_steps = options.warmup_steps
        if options.epochs is not None and self.warmup_steps > self.steps // 10:
            # The number of kept samples, and so of steps, is not known when the config is written.
            self.warmup_steps = self.steps // 10
            log.info("warm-up cut to %d of %d steps", self.warmup_steps, self.steps)
        trainer.args.warmup_steps = self.warmup_steps

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Compare, and write effective.json beside the adapter."""
        assert self.trainer is not None
        order = self.order
        lora = architecture.settled(self.trainer.model.get_base_model(), order.lora)
        asked = effective.requested(
            order.training, lora, order.quantization, self.warmup_steps, self.steps, self.attention
        )
        found = effective.read_back(self.trainer, self.warmup_steps)
        effective.compare(asked, found)
        if state.global_step:
            self.trainer.recall_losses(Path(args.output_dir) / f"{checkpoints.PREFIX}{state.global_step}")
        if not self.group.first:
            return
        dataset = self.trainer.train_dataset
        lengths = [len(ids) for ids in dataset["input_ids"]]
        trained = sum(weight.numel() for weight in trainable(self.trainer.model).values())
        write_json(
            order.out.parent / "effective.json",
            {
                **found,
                "schedule": order.training.schedule,
                "warmup_steps": self.warmup_steps,
                "tokens_per_step": round(
                    order.training.micro_batch * order.training.accumulation * sum(lengths) / len(lengths), 1
                ),
                "rows": self.counts[0],
                "passes": round(self.passes, 2),
                "validation_rows": self.counts[1],
                "sequences": len(lengths),
                "longest_sequence": max(lengths),
                "packing_efficiency": round(sum(lengths) / (len(lengths) * order.training.max_length), 4)
                if order.training.packing
                else None,
                "trained_parameters": trained,
            },
        )


CURVES_KEPT = {
    "loss": "loss",
    "eval_loss": "val_loss",
    "eval_token_accuracy": "val_token_accuracy",
    "learning_rate": "learning_rate",
}
"""What the trainer logs that is the same on every run, and its name in history.json."""


def history_of(log_history: Sequence[dict[str, Any]]) -> list[dict[str, float | int | None]]:
    """The loss curve: a row for each step that logged a loss or a validation loss, and no durations."""
    curve: dict[int, dict[str, float | int | None]] = {}
    for entry in log_history:
        if "loss" not in entry and "eval_loss" not in entry:
            continue
        step = int(entry["step"])
        row = curve.setdefault(step, {"step": step, **dict.fromkeys(CURVES_KEPT.values())})
        for key, name in CURVES_KEPT.items():
            if key in entry:
                row[name] = float(entry[key])
    return [curve[step] for step in sorted(curve)]


def _last(history: Sequence[dict[str, float | int | None]], key: str) -> float | None:
    told = [row[key] for row in history if row[key] is not None]
    return float(told[-1]) if told else None  # type: ignore[arg-type]

"""One training stage from manifests and shards to an adapter: QLoRA through TRL, resumable, checked."""

import logging
import math
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rust_expert.common.config.models import LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file, write_json
from rust_expert.models import architecture, checkpoints, disk, effective, loading, rows
from rust_expert.models.adapter import save_adapter, trainable
from rust_expert.models.conversation import Encoded, encode_rows, split_by_length
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
from rust_expert.models.process import require_device
from rust_expert.models.trainer import AdapterTrainer, Follow, make_trainer
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
                "training": self.training.model_dump(mode="json"),
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
    """Train a stage; writes adapter/, effective.json, history.json, timing.json and last the manifest.

    A run that was killed goes on from its last whole checkpoint and ends with the same bits. A training that is
    finished already is only described again. Where an rsft stage has no row, the parent's adapter is passed on.

    Raises UserError for bad input, and where a setting would not take effect (before the first step).
    """
    base = read_base(order.base)
    parent = read_manifest(order.parent)
    check_lineage(order.base, order.parent, parent)
    with WorkFolder(order.out.parent / "work", order.fingerprint(), wait_seconds) as work:
        manifest = _finished(order, work)
        if manifest is None:
            pairs = rows.read_pairs(order.train)
            if pairs:
                manifest = _train(order, base, parent, pairs, work)
            elif order.method == "rsft":
                manifest = _pass_on(order, parent)
            else:
                raise UserError(
                    f"stage {order.stage}: {', '.join(order.train) or '--train'} hold no rows to train on; check the"
                    " data set's options"
                )
            work.finish(manifest.model_dump(mode="json"))
            checkpoints.delete_all(work.path)
        write_manifest(order.out, manifest)
        return manifest


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
    order: Order,
    base: BaseManifest,
    parent: BaseManifest | StageManifest,
    pairs: list[tuple[str, str]],
    work: WorkFolder,
) -> StageManifest:
    started, cpu = time.time(), time.process_time()
    options = order.training
    require_device(options.device, order.quantization.compute_dtype)
    folder = model_folder(order.base, base)
    tokenizer = loading.load_tokenizer(folder)
    encoded, too_long = split_by_length(encode_rows(tokenizer, pairs), options.max_length)
    val, _ = split_by_length(
        encode_rows(tokenizer, rows.some_of(rows.read_pairs(order.val), options.eval_rows)),
        options.max_length,
    )
    if not encoded:
        raise UserError(
            f"stage {order.stage}: all {len(pairs)} rows are longer than max_length ({options.max_length}); raise it"
        )
    log.info(
        "stage %s: %d rows (%d longer than %d tokens left out), %d of validation",
        order.stage, len(encoded), too_long, options.max_length, len(val),
    )  # fmt: skip
    checkpoint = checkpoints.last_whole(work.path)
    trainer = _assemble(order, parent, folder, encoded, val, work.path)
    disk.require_room(work.path, trainer.model, options.optimizer, folder)
    output = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    history = history_of(trainer.state.log_history)
    target = order.out.parent / "adapter"
    temporary = Path(tempfile.mkdtemp(prefix=".adapter-", dir=order.out.parent))
    temporary.chmod(0o755)
    save_adapter(trainer.model, temporary, sha256_file(order.base))
    if target.exists():
        shutil.rmtree(target)
    temporary.rename(target)
    write_json(order.out.parent / "history.json", history)
    write_json(
        order.out.parent / "timing.json",
        {
            "seconds": time.time() - started,
            "cpu_seconds": time.process_time() - cpu,
            "steps": trainer.state.global_step,
            "resumed_from": int(checkpoint.name.removeprefix(checkpoints.PREFIX)) if checkpoint else 0,
            "trainer": {key: value for key, value in output.metrics.items() if key.endswith("per_second")},
        },
    )
    return StageManifest(
        stage=order.stage,
        method=order.method,
        base_sha256=sha256_file(order.base),
        parent_sha256=sha256_file(order.parent),
        trained=True,
        adapter="adapter",
        files=hash_folder(target),
        rows=len(encoded),
        rows_too_long=too_long,
        steps=trainer.state.global_step,
        train_loss=_last(history, "loss"),
        val_loss=_last(history, "val_loss"),
    )


def _assemble(
    order: Order,
    parent: BaseManifest | StageManifest,
    folder: Path,
    encoded: Sequence[Encoded],
    val: Sequence[Encoded],
    work: Path,
) -> AdapterTrainer:
    """Model, adapter and trainer, with the callbacks that check, mark and show."""
    options = order.training
    model = loading.load_base(folder, order.quantization, options.attention, options.device)
    source = adapter_folder(order.parent, parent) if isinstance(parent, StageManifest) else None
    if source is None:
        adapted = loading.new_adapter(model, order.lora, options.seed)
    else:
        loading.check_adapter(source, architecture.settled(model, order.lora))
        adapted = loading.load_adapter(model, source, trainable=True, dropout=order.lora.dropout)
    check = CheckSettings(order)
    trainer = make_trainer(
        adapted, loading.load_tokenizer(folder), encoded, val, options, order.quantization, work,
        [check, checkpoints.MarkCheckpoints(), Follow(order.stage)],
    )  # fmt: skip
    check.attach(trainer, len(encoded), len(val))
    return trainer


class CheckSettings(TrainerCallback):
    """Reads back what takes effect when all parts exist, before the first step, and stops on a difference."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.trainer: AdapterTrainer | None = None

    def attach(self, trainer: AdapterTrainer, row_count: int, val_count: int) -> None:
        """Tell the callback its trainer; settle what depends on the number of packs."""
        self.trainer, self.counts = trainer, (row_count, val_count)
        options = self.order.training
        packs = math.ceil(len(trainer.train_dataset) / options.micro_batch)
        self.steps = options.steps or math.ceil(
            (options.epochs or 1) * max(1, math.ceil(packs / options.accumulation))
        )
        self.passes = passes = self.steps / max(1, math.ceil(packs / options.accumulation))
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
        asked = effective.requested(order.training, lora, order.quantization, self.warmup_steps, self.steps)
        found = effective.read_back(self.trainer, self.warmup_steps)
        effective.compare(asked, found)
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


def history_of(log_history: Sequence[dict[str, Any]]) -> list[dict[str, float | int | None]]:
    """The loss curve: a row for each step that logged a loss or a validation loss, and no durations."""
    curve: dict[int, dict[str, float | int | None]] = {}
    for entry in log_history:
        if "loss" not in entry and "eval_loss" not in entry:
            continue
        step = int(entry["step"])
        row = curve.setdefault(step, {"step": step, "loss": None, "val_loss": None, "learning_rate": None})
        for key, name in (("loss", "loss"), ("eval_loss", "val_loss"), ("learning_rate", "learning_rate")):
            if key in entry:
                row[name] = float(entry[key])
    return [curve[step] for step in sorted(curve)]


def _last(history: Sequence[dict[str, float | int | None]], key: str) -> float | None:
    told = [row[key] for row in history if row[key] is not None]
    return float(told[-1]) if told else None  # type: ignore[arg-type]

"""What a training stage is asked for takes effect, or the run stops before its first step."""

import re
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from datasets import Dataset
from transformers import TrainerCallback

from rust_expert.common.config.models import LoraOptions
from rust_expert.common.errors import UserError
from rust_expert.models import attention, loading, rows
from rust_expert.models.adapter import snapshot, trainable
from rust_expert.models.checkpoints import MarkCheckpoints
from rust_expert.models.manifest import StageManifest, adapter_folder, read_manifest
from rust_expert.models.ranks import Group
from rust_expert.models.stage import CheckSettings
from rust_expert.models.tokens import rows_to_check, rows_to_train_on, tokenised
from rust_expert.models.trainer import AdapterTrainer, make_trainer

FOLDER = tiny_models.base_manifest().parent / "model"


def trainer_for(folder: Path, adapter: Path | None = None, **changes: Any) -> AdapterTrainer:
    order = tiny_models.order(folder / "stage" / "manifest.json", **changes)
    tokenizer = loading.load_tokenizer(FOLDER)
    files = [tokenised(paths, tokenizer, "", "", folder / "tokens") for paths in (order.train, order.val)]
    options = order.training
    data = rows_to_train_on(files[0], options.max_length, options.seed)
    held = rows_to_check(files[1], options.max_length, options.eval_rows)
    chosen = attention.choose(options.attention, "cpu", packing=options.packing)
    model = loading.load_base(FOLDER, order.quantization, chosen, "cpu")
    if adapter is None:
        adapted = loading.new_adapter(model, order.lora, order.training.seed)
    else:
        adapted = loading.load_adapter(model, adapter, trainable=True)
    check = CheckSettings(order, Group(), chosen)
    callbacks = [check, MarkCheckpoints(options.keep_checkpoints, Group())]
    trainer = make_trainer(
        adapted, tokenizer, data.data, held.data, options, order.quantization, folder / "work", callbacks
    )
    check.attach(trainer, len(data), len(held))
    return trainer


class Stop(Exception):
    pass


class StopBeforeTheFirstStep(TrainerCallback):  # type: ignore[misc]
    def on_train_begin(self, *_: Any, **__: Any) -> None:
        raise Stop


def begin(trainer: AdapterTrainer) -> None:
    """Start the training and stop it when all is set up and checked, before the first step."""
    trainer.add_callback(StopBeforeTheFirstStep())
    with pytest.raises(Stop):
        trainer.train()


def test_a_setting_that_does_not_take_effect_is_found(tmp_path: Path) -> None:
    trainer = trainer_for(tmp_path)
    trainer.args.max_length = 1024
    trainer.args.learning_rate = 2e-5
    trainer.args.weight_decay = 0.3
    trainer.args.lr_scheduler_type = "linear"
    next(iter(trainable(trainer.model).values())).data = torch.zeros(4, 64, dtype=torch.bfloat16)
    trainer.model.get_base_model().config._attn_implementation = "sdpa"
    trainer.train_dataset = trainer.train_dataset.map(lambda row: {"labels": row["input_ids"]})
    next(iter(loading.quantised_layers(trainer.model).values())).support_avx512bf16_for_cpu = True
    torch.set_num_threads(2)
    try:
        with pytest.raises(UserError) as told:
            trainer.train()
    finally:
        torch.set_num_threads(1)
    assert trainer.state.global_step == 0
    assert set(re.findall(r"(\w+) is ", str(told.value))) == {
        "max_length", "learning_rate", "learning_rate_course", "weight_decay", "adapter_dtypes", "attention",
        "prompt_tokens_learned", "quantised_layers_keep_gradients", "threads",
    }  # fmt: skip


def test_an_answer_without_its_end_mark_is_found(tmp_path: Path) -> None:
    trainer = trainer_for(tmp_path, packing=False)
    trainer.train_dataset = trainer.train_dataset.map(
        lambda row: {"input_ids": row["input_ids"][:-1], "labels": row["labels"][:-1]}
    )
    with pytest.raises(UserError, match="end_marks_learned is False"):
        trainer.train()


def test_rows_are_prepared_as_trl_itself_prepares_conversations(tmp_path: Path) -> None:
    trainer = trainer_for(tmp_path, packing=False)
    pairs = rows.read_pairs([tiny_models.shards()[0]])
    conversations = Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": prompt}],
                "completion": [{"role": "assistant", "content": gen}],
            }
            for prompt, gen in pairs
        ]
    )
    theirs = trainer._prepare_dataset(
        conversations, trainer.processing_class, trainer.args, False, None, "conversations"
    )
    assert sorted(trainer.train_dataset["input_ids"]) == sorted(theirs["input_ids"])
    assert sorted(trainer.train_dataset["labels"]) == sorted(theirs["labels"])


def test_packs_teach_the_same_as_single_rows(tmp_path: Path) -> None:
    losses = []
    for change in ({"packing": True}, {"packing": False}, {"packing": True, "attention": "sdpa"}):
        trainer = trainer_for(tmp_path, **change)
        losses.append(trainer.evaluate()["eval_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0] == pytest.approx(losses[2], rel=1e-5)


def test_an_evaluation_leaves_gradients_and_function_as_they_were(tmp_path: Path) -> None:
    """bitsandbytes repacks 4-bit weights in evaluation on some CPUs; see loading.keep_quantised_layers_exact."""
    trainer = trainer_for(tmp_path)

    def gradients() -> list[torch.Tensor]:
        torch.manual_seed(0)
        trainer.model.train()
        batch = trainer.data_collator([trainer.train_dataset[0]])
        trainer.compute_loss(trainer.model, batch).backward()
        found = [weight.grad.clone() for weight in trainable(trainer.model).values()]
        trainer.model.zero_grad()
        return found

    before = gradients()
    trainer.evaluate()
    for first, second in zip(before, gradients(), strict=True):
        assert torch.equal(first, second)
    assert sum(float(gradient.abs().sum()) > 0 for gradient in before) == len(before) / 2, "B starts at 0"


def test_a_parents_adapter_is_gone_on_from_bit_by_bit(tmp_path: Path) -> None:
    path = tiny_models.stage_manifest()
    manifest = read_manifest(path)
    assert isinstance(manifest, StageManifest)
    folder = adapter_folder(path, manifest)
    assert folder is not None
    fresh = loading.load_base(FOLDER, tiny_models.QUANTIZATION, "sdpa", "cpu")
    saved = snapshot(loading.load_adapter(fresh, folder, trainable=True))
    trainer = trainer_for(tmp_path, adapter=folder)
    for name, weight in trainable(trainer.model).items():
        assert torch.equal(weight, saved[name])
        assert weight.dtype == torch.float32
    assert any(float((weight.bfloat16().float() - weight).abs().max()) > 0 for weight in saved.values())


def test_an_adapter_of_another_shape_or_name_is_refused() -> None:
    folder = tiny_models.stage_manifest().parent / "adapter"
    with pytest.raises(UserError, match=r"lora\.r is 8, but the parent's adapter .* has 4"):
        loading.check_adapter(folder, LoraOptions(r=8, alpha=8))
    model = loading.load_base(FOLDER, tiny_models.QUANTIZATION, "sdpa", "cpu")
    with pytest.raises(UserError, match="no module w_qkv"):
        loading.new_adapter(model, LoraOptions(r=2, alpha=2, target_modules=["w_qkv"]), 0)


def test_attention_that_is_not_installed_is_refused() -> None:
    with pytest.raises(UserError, match="flash_attention_2 cannot be used here"):
        loading.load_base(FOLDER, tiny_models.QUANTIZATION, "flash_attention_2", "cpu")


def test_layers_that_bitsandbytes_would_dequantise_wrongly_are_refused() -> None:
    from bitsandbytes.nn import Linear4bit

    with pytest.raises(UserError, match="100 inputs, no multiple of 64"):
        loading.keep_quantised_layers_exact(torch.nn.Sequential(Linear4bit(100, 64)), "cpu")


def test_dense_weights_are_the_quantised_ones() -> None:
    ids = torch.tensor([[1, 20, 30, 40, 50]])
    quantised = loading.load_base(FOLDER, tiny_models.QUANTIZATION, "sdpa", "cpu").eval()
    with torch.no_grad():
        before = quantised(input_ids=ids).logits
        after = loading.dequantise(quantised)(input_ids=ids).logits
    assert torch.equal(before, after)
    assert not loading.quantised_layers(quantised)

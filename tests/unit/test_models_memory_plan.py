"""The predicted peak against what really quantised and really shaped models take."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from fake_models import fake_model, peak_bytes, saved_bytes
from transformers import AutoConfig, AutoModelForCausalLM

from rust_expert.common.config.models import LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.common.config.reading import read_profile
from rust_expert.common.errors import UserError
from rust_expert.models import architecture, loading, memory_plan
from rust_expert.models.adapter import trainable
from rust_expert.models.measuring import measure
from rust_expert.models.random_base import random_base
from rust_expert.models.shapes import KNOWN, Shapes, shapes_in, shapes_of

ROOT = Path(__file__).resolve().parents[2]
LLAMA, STARCODER = "meta-llama/Llama-3.1-8B-Instruct", "bigcode/starcoder2-3b"
BF16 = QuantizationOptions(compute_dtype="bfloat16")
PUBLISHED = {
    LLAMA: 8_030_261_248,
    "meta-llama/Llama-3.2-3B-Instruct": 3_212_749_824,
    STARCODER: 3_030_371_328,
    "codellama/CodeLlama-7b-Instruct-hf": 6_738_546_688,
    "mistralai/Mistral-7B-Instruct-v0.3": 7_248_023_552,
}
"""Parameters of each base as its page states them."""

TINY = {
    kind: Shapes(kind, 320, 128, 2, 4, 2, 320, kind == "starcoder2", 32, bias=kind == "starcoder2")
    for kind in ("llama", "starcoder2")
}


def lora(dropout: float = 0.05, **changes: Any) -> LoraOptions:
    return LoraOptions.model_validate({"r": 16, "alpha": 16, "dropout": dropout, **changes})


def training(**changes: Any) -> TrainingOptions:
    return TrainingOptions.model_validate(
        {
            **tiny_models.TRAINING, "optimizer": "paged_adamw_8bit", "attention": "sdpa", "device": "cuda",
            "gradient_checkpointing": True, "max_length": 2048, "micro_batch": 1, "accumulation": 16, **changes,
        }
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_shapes_are_those_of_the_published_models(name: str, tmp_path: Path) -> None:
    shapes = KNOWN[name]
    assert shapes.parameters() == PUBLISHED[name]
    told = {field.name: getattr(shapes, field.name) for field in dataclasses.fields(shapes)} | {
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    config = AutoConfig.for_model(**told)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert model.num_parameters() == PUBLISHED[name]
    found = architecture.projections(model)
    assert found == {
        f"model.layers.{layer}.{'self_attn' if leaf[:2] in ('q_', 'k_', 'v_', 'o_') else 'mlp'}.{leaf}": shape
        for layer in range(shapes.num_hidden_layers)
        for leaf, shape in shapes.projections().items()
    }  # fmt: skip
    config.save_pretrained(tmp_path)
    assert shapes_in(tmp_path / "config.json") == shapes


def test_shapes_that_are_not_known_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="shapes of nobody/nothing are not known here.*--base-config"):
        shapes_of("nobody/nothing")
    (tmp_path / "config.json").write_text('{"model_type": "mamba"}')
    with pytest.raises(UserError, match="model_type is 'mamba'"):
        shapes_in(tmp_path / "config.json")
    (tmp_path / "config.json").write_text('{"model_type": "llama", "num_attention_heads": 2}')
    with pytest.raises(UserError, match="has no 'vocab_size'"):
        shapes_in(tmp_path / "config.json")


def weight_storage(model: Any) -> int:
    """Bytes of a loaded model's own tensors: parameters, and the scales and tables of its quantised layers."""
    held = {
        tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in model.parameters()
    }
    for layer in loading.quantised_layers(model).values():
        state = layer.weight.quant_state
        parts = [state.absmax, state.code]
        parts += [state.offset, state.state2.absmax, state.state2.code] if state.nested else []
        held |= {id(part): part.untyped_storage().nbytes() for part in parts}
    return sum(held.values())


@pytest.mark.parametrize("double_quant", [True, False])
@pytest.mark.parametrize("kind", sorted(TINY))
def test_the_bytes_of_a_quantised_base_are_exact(kind: str, double_quant: bool) -> None:
    options = BF16.model_copy(update={"double_quant": double_quant})
    model = random_base(TINY[kind], options, "sdpa", "cpu")
    assert len(loading.quantised_layers(model)) == 2 * len(TINY[kind].projections())
    assert weight_storage(model) == memory_plan.weight_bytes(TINY[kind], options)
    bare = BF16.model_copy(update={"quant_type": "none"})
    dense = random_base(TINY[kind], bare, "sdpa", "cpu")
    assert weight_storage(dense) == memory_plan.weight_bytes(TINY[kind], bare)


def test_a_base_that_was_loaded_is_counted_the_same() -> None:
    folder = tiny_models.base_manifest().parent / "model"
    model = loading.load_base(folder, BF16, "sdpa", "cpu")
    assert weight_storage(model) == memory_plan.weight_bytes(shapes_in(folder / "config.json"), BF16)


@pytest.mark.parametrize("kind", sorted(TINY))
def test_the_adapter_is_counted_exactly(kind: str) -> None:
    model = loading.new_adapter(random_base(TINY[kind], BF16, "sdpa", "cpu"), lora(), 0)
    sizes = sorted(weight.numel() for weight in trainable(model).values())
    assert sizes == sorted(memory_plan.adapter_sizes(TINY[kind], lora()))


@pytest.mark.parametrize("name", [LLAMA, STARCODER, "codellama/CodeLlama-7b-Instruct-hf"])
@pytest.mark.parametrize("dropout", [0.05, 0.0])
def test_what_a_layer_saves_is_predicted_to_the_byte(name: str, dropout: float) -> None:
    """The difference of three layers and two: the first layer's input needs no gradient."""
    saved = []
    for layers in (2, 3):
        shapes = dataclasses.replace(KNOWN[name], num_hidden_layers=layers)
        with fake_model(shapes, lora(dropout), attention="sdpa", checkpointing=False) as model:
            saved.append(saved_bytes(model, 1, 2048))
    predicted = memory_plan.layer_bytes(KNOWN[name], lora(dropout), training())
    assert saved[1] - saved[0] == pytest.approx(predicted, rel=1e-3)


@pytest.mark.parametrize("checkpointing", [True, False])
@pytest.mark.parametrize("dropout", [0.05, 0.0])
@pytest.mark.parametrize("name", [LLAMA, STARCODER])
def test_the_peak_of_a_pass_is_within_a_tenth(name: str, dropout: float, checkpointing: bool) -> None:
    shapes = dataclasses.replace(KNOWN[name], num_hidden_layers=4)
    for tokens in (512, 2048, 8192):
        with fake_model(shapes, lora(dropout), attention="sdpa", checkpointing=checkpointing) as model:
            taken = peak_bytes(model, 1, tokens)
        options = training(max_length=tokens, gradient_checkpointing=checkpointing)
        peak = memory_plan.predict(shapes, lora(dropout), BF16, options)
        predicted = peak.activations + peak.workspace - memory_plan.CUBLAS_WORKSPACE
        assert predicted == pytest.approx(taken, rel=0.1), tokens


def test_attention_without_a_mask_saves_its_own_heads_only() -> None:
    shapes, options = KNOWN[LLAMA], training(attention="auto")
    masked = memory_plan.layer_bytes(shapes, lora(), training())
    key_heads = 4 * (4096 - 1024) * 2048
    assert masked - memory_plan.layer_bytes(shapes, lora(), options) == key_heads + 2 * 2048**2


def test_full_logits_are_what_they_cost() -> None:
    """Transformers' own loss: logits, their float32 copy, its softmax."""
    from fake_models import Live
    from torch._subclasses.fake_tensor import FakeTensorMode
    from transformers.loss.loss_utils import ForCausalLMLoss

    with FakeTensorMode():
        hidden = torch.empty(1, 1024, 64, dtype=torch.bfloat16, requires_grad=True)
        head = torch.empty(50_000, 64, dtype=torch.bfloat16)
        labels = torch.zeros(1, 1024, dtype=torch.long)
        with Live() as live:
            logits = hidden @ head.t()
            ForCausalLMLoss(logits, labels, 50_000).backward()
    assert memory_plan._loss_bytes(TINY["llama"], 1024, "full") / (1024 * 320) == pytest.approx(
        live.peak / (1024 * 50_000), rel=0.1
    )


def test_the_largest_micro_batch_fits_and_keeps_the_sequences_of_a_step() -> None:
    options = training(micro_batch=4, accumulation=12, max_length=4096, attention="auto")
    memory = 40 * 2**30
    best = memory_plan.largest_micro_batch(KNOWN[LLAMA], lora(), BF16, options, memory)
    assert best is not None
    assert best.micro_batch * best.accumulation == 48
    needed = {
        micro: memory_plan.predict(
            KNOWN[LLAMA],
            lora(),
            BF16,
            options.model_copy(update={"micro_batch": micro, "accumulation": 48 // micro}),
        ).needed
        for micro in (1, 2, 3, 4, 6, 8, 12, 16, 24, 48)
    }
    assert best.micro_batch == max(micro for micro, size in needed.items() if size <= memory)
    assert list(needed.values()) == sorted(needed.values())
    assert memory_plan.largest_micro_batch(KNOWN[LLAMA], lora(), BF16, options, 4 * 2**30) is None


def test_products_in_float32_are_not_guessed_at() -> None:
    with pytest.raises(UserError, match="bfloat16 only"):
        memory_plan.predict(TINY["llama"], lora(), QuantizationOptions(compute_dtype="float32"), training())


def test_the_measuring_trains_on_whatever_is_there(tmp_path: Path) -> None:
    options = training(
        device="cpu",
        optimizer="adamw_torch",
        attention="packed_sdpa",
        max_length=64,
        accumulation=1,
        gradient_checkpointing=True,
    )
    assert measure(TINY["llama"], lora(), BF16, options, tmp_path) is None


def planned(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.plan_memory", *words], cwd=ROOT, capture_output=True, text=True
    )


def test_the_command_needs_neither_gpu_nor_network_nor_torch() -> None:
    done = planned("--configfile", "config/h100.yaml", "--gpu-memory", "80", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["stages"]
    profile = read_profile(ROOT / "config" / "config.yaml", [ROOT / "config" / "h100.yaml"])
    assert list(found) == list(profile.stages)
    for name, stage in found.items():
        assert stage["fits"]
        largest, asked = stage["largest"], profile.stages[name]
        assert largest["micro_batch"] * largest["accumulation"] == asked.micro_batch * asked.accumulation
    table = planned("--configfile", "config/small-gpu.yaml", "--gpu-memory", "6").stdout
    assert "fits                       yes" in table
    assert "torch" not in subprocess.run(
        [sys.executable, "-c", "import sys, scripts.plan_memory; print([m for m in sys.modules if m == 'torch'])"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "every stage of this profile trains on the CPU"),
        (["--configfile", "config/h10.yaml"], "config/h10.yaml: no such profile"),
        (["--configfile", "README.md"], "README.md: "),
        (["--configfile", "config/h100.yaml", "--gpu-memory", "-1"], "--gpu-memory: -1 GiB"),
        (["--configfile", "config/h100.yaml", "--base-config", "nowhere.json"], "nowhere.json"),
    ],
)  # fmt: skip
def test_bad_words_are_one_sentence(words: list[str], told: str) -> None:
    done = planned(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr

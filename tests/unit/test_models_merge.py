"""A merged model is base and adapter in one: logits, bytes, files, and what is refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import peft
import pytest
import tiny_exports
import tiny_models
import torch
from peft.tuners.lora.bnb import Linear4bit
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from rust_expert.common.cli import flags
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, write_json
from rust_expert.models import loading, merge
from rust_expert.models.base import prepare_base
from rust_expert.models.conversation import encode_rows
from rust_expert.models.folders import new_folder
from rust_expert.models.manifest import hash_folder
from rust_expert.models.merge import merge_stage, read_merged
from rust_expert.models.stage import train_stage

ROOT = Path(__file__).resolve().parents[2]


def rows() -> list[list[int]]:
    tokenizer = loading.load_tokenizer(tiny_models.base_manifest().parent / "model")
    pairs = [(sample.prompt, sample.gen) for sample in tiny_models.samples(5, 900)]
    return [row.ids for row in encode_rows(tokenizer, pairs)]


@torch.no_grad()
def logits(model: Any) -> list[torch.Tensor]:
    return [model(input_ids=torch.tensor([ids])).logits[0].float() for ids in rows()]


def unmerged(stage: Path, base: Path, quant_type: str = "nf4") -> Any:
    held = tiny_models.QUANTIZATION.model_copy(update={"quant_type": quant_type})
    model = loading.load_base(base.parent / "model", held, "sdpa", "cpu")
    return loading.load_adapter(model, stage.parent / "adapter", trainable=False).eval()


def plain(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder).eval()


def test_logits_are_those_of_base_and_adapter_token_by_token() -> None:
    base, stage = tiny_models.base_manifest(), tiny_models.stage_manifest()
    manifest, folder = read_merged(tiny_exports.merged_manifest())
    for ours, theirs in zip(logits(plain(folder)), logits(unmerged(stage, base)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    bare = loading.load_base(base.parent / "model", tiny_models.QUANTIZATION, "sdpa", "cpu")
    assert merge.difference(logits(plain(folder)), logits(bare)).relative > 0.005, (
        "the adapter does something"
    )
    assert manifest.merged_layers == 14
    assert manifest.difference.relative <= merge.TOLERANCE["float32"] == manifest.tolerance
    assert manifest.difference.same_choice == 1 and manifest.difference.rows == len(merge.CONVERSATIONS)
    assert manifest.from_trained is None


def test_onto_the_original_weights_the_drift_is_told(tmp_path: Path) -> None:
    """The adapter never saw these weights: right as a sum, and away from what was measured."""
    base, stage = tiny_models.base_manifest(), tiny_models.stage_manifest()
    manifest = merge_stage(tiny_exports.merge_order(tmp_path / "m" / "manifest.json", onto="original"))
    found = logits(plain(tmp_path / "m" / "model"))
    for ours, theirs in zip(found, logits(unmerged(stage, base, "none")), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert manifest.from_trained is not None
    assert manifest.from_trained.relative > 0.005 > manifest.difference.relative
    assert merge.difference(found, logits(unmerged(stage, base))).relative > 0.005


def test_two_runs_give_the_same_bytes_and_shards_the_same_model(tmp_path: Path) -> None:
    """The second run is another process, through the command line."""
    first = tiny_exports.merged_manifest()
    order = tiny_exports.merge_order(tmp_path / "again" / "manifest.json")
    done = subprocess.run(
        ["bash", "-c",
         f"exec {sys.executable} -m scripts.merge --base {order.base} --stage {order.stage} --out {order.out}"
         f" {flags(order.options)} {flags(order.quantization)}"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert order.out.read_bytes() == first.read_bytes()
    assert hash_folder(order.out.parent / "model") == hash_folder(first.parent / "model")

    model = unmerged(order.stage, order.base)
    pieces = merge.pieces(model, torch.float32, order.stage.parent / "adapter")
    (tmp_path / "shards").mkdir()
    merge.write_weights(pieces, tmp_path / "shards", 100_000)
    index = read_json(tmp_path / "shards" / "model.safetensors.index.json")
    files = sorted((tmp_path / "shards").glob("*.safetensors"))
    assert len(files) > 2 and {path.name for path in files} == set(index["weight_map"].values())
    whole, parts = load_file(first.parent / "model" / "model.safetensors"), {}
    for path in files:
        held = load_file(path)
        assert len(held) == 1 or sum(tensor.nbytes for tensor in held.values()) <= 100_000
        parts |= held
    assert whole.keys() == parts.keys() == index["weight_map"].keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in whole.values())
    shutil.copy(first.parent / "model" / "config.json", tmp_path / "shards")
    for ours, theirs in zip(
        logits(plain(tmp_path / "shards")), logits(plain(first.parent / "model")), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_tied_embeddings_stay_one_matrix(tmp_path: Path) -> None:
    train, val = tiny_models.shards()
    base, stage = tmp_path / "base" / "manifest.json", tmp_path / "tied" / "manifest.json"
    prepare_base(tiny_models.base_options(tie_embeddings=True), [train], [val], base)
    order = tiny_models.order(stage, base)
    train_stage(type(order)(**{**order.__dict__, "base": base, "parent": base}))
    merge_stage(tiny_exports.merge_order(tmp_path / "m" / "manifest.json", base, stage))
    with safe_open(tmp_path / "m" / "model" / "model.safetensors", framework="pt") as stream:
        names = list(stream.keys())
    assert "model.embed_tokens.weight" in names and "lm_head.weight" not in names
    model = plain(tmp_path / "m" / "model")
    assert model.lm_head.weight is model.model.embed_tokens.weight
    for ours, theirs in zip(logits(model), logits(unmerged(stage, base)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_an_adapter_on_a_tied_head_is_refused(tmp_path: Path) -> None:
    base = tiny_models.base_manifest()
    model = loading.load_base(base.parent / "model", tiny_models.QUANTIZATION, "sdpa", "cpu")
    model.lm_head.weight = model.model.embed_tokens.weight
    config = peft.LoraConfig(r=2, target_modules=["lm_head"], task_type="CAUSAL_LM")
    with pytest.raises(UserError, match="lm_head, whose matrix another module of the base uses too"):
        merge.pieces(peft.get_peft_model(model, config), torch.float32, tmp_path)


def test_bfloat16_is_rounded_once_and_within_its_tolerance(tmp_path: Path) -> None:
    manifest = merge_stage(tiny_exports.merge_order(tmp_path / "m" / "manifest.json", dtype="bfloat16"))
    whole = load_file(tiny_exports.merged_manifest().parent / "model" / "model.safetensors")
    half = load_file(tmp_path / "m" / "model" / "model.safetensors")
    assert all(torch.equal(half[name], whole[name].bfloat16()) for name in whole)
    assert plain(tmp_path / "m" / "model").dtype == torch.bfloat16
    assert 1e-4 < manifest.difference.relative <= manifest.tolerance == merge.TOLERANCE["bfloat16"]


def test_a_wrong_merge_is_seen_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Linear4bit.get_delta_weight
    monkeypatch.setattr(Linear4bit, "get_delta_weight", lambda self, name: 0.9 * right(self, name))
    out = tmp_path / "m" / "manifest.json"
    with pytest.raises(UserError, match="away from base and adapter") as caught:
        merge_stage(tiny_exports.merge_order(out))
    assert "\n" not in str(caught.value)
    assert list(out.parent.iterdir()) == []
    monkeypatch.undo()
    merge_stage(tiny_exports.merge_order(out))
    before = hash_folder(out.parent)
    monkeypatch.setattr(Linear4bit, "get_delta_weight", lambda self, name: 0.9 * right(self, name))
    with pytest.raises(UserError):
        merge_stage(tiny_exports.merge_order(out))
    assert hash_folder(out.parent) == before, "what stood there stays"


def copies(folder: Path, **of_base: Any) -> tuple[Path, Path]:
    """Base and stage with another base manifest, and a stage manifest that names it."""
    base, stage = folder / "base" / "manifest.json", folder / "tiny" / "manifest.json"
    shutil.copytree(tiny_models.base_manifest().parent, base.parent)
    shutil.copytree(tiny_models.stage_manifest().parent, stage.parent)
    write_json(base, read_json(base) | of_base)
    write_json(stage, read_json(stage) | {"base_sha256": sha256_file(base)})
    return base, stage


def test_too_little_disk_is_told_before_a_byte_is_written(tmp_path: Path) -> None:
    base, stage = copies(tmp_path, parameters=10**15)
    out = tmp_path / "m" / "manifest.json"
    with pytest.raises(UserError, match=r"the merged model takes 4,000,000\.0 GB and the disk has"):
        merge_stage(tiny_exports.merge_order(out, base, stage))
    assert not out.parent.exists()


def test_what_cannot_be_merged_is_one_sentence(tmp_path: Path) -> None:
    out = tmp_path / "m" / "manifest.json"
    base = tiny_models.base_manifest()
    with pytest.raises(UserError, match="has no adapter to merge"):
        merge_stage(tiny_exports.merge_order(out, base, base))
    other, _ = copies(tmp_path, parameters=7)
    with pytest.raises(UserError, match="made from another base"):
        merge_stage(tiny_exports.merge_order(out, other, tiny_models.stage_manifest()))
    with pytest.raises(UserError, match="not the manifest of a merged model"):
        read_merged(base)
    assert not out.exists()


def test_an_adapter_with_layers_that_the_base_lacks_is_refused(tmp_path: Path) -> None:
    """peft passes over weights that have no layer."""
    adapter = tmp_path / "adapter"
    shutil.copytree(tiny_models.stage_manifest().parent / "adapter", adapter)
    model = unmerged(tiny_models.stage_manifest(), tiny_models.base_manifest())
    held = load_file(adapter / "adapter_model.safetensors")
    name = next(name for name in held if ".lora_A." in name)
    save_file(
        {**held, name.replace("layers.0", "layers.7"): held[name].clone()},
        adapter / "adapter_model.safetensors",
    )
    with pytest.raises(UserError, match="changes 15 layers, and 14 of them"):
        merge.pieces(model, torch.float32, adapter)


def test_a_second_writer_is_refused_and_leftovers_are_used_up(tmp_path: Path) -> None:
    left = tmp_path / ".model.part"
    left.mkdir()
    (left / "half.safetensors").write_bytes(b"half")
    with new_folder(tmp_path / "model") as folder:
        assert list(folder.iterdir()) == []
        with pytest.raises(UserError, match="another process is writing it"), new_folder(tmp_path / "model"):
            pass
        (folder / "config.json").write_text(json.dumps({}))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]

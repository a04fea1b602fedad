"""Base models: made here, from a folder, from the Hub; the same bits after a kill; nothing of this machine inside."""

import json
import shutil
from pathlib import Path

import pytest
import tiny_models
import torch

from rust_expert.common.config.models import BaseOptions, ScratchOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file
from rust_expert.models import loading, rows, scratch
from rust_expert.models.base import prepare_base
from rust_expert.models.conversation import encode_rows
from rust_expert.models.manifest import BaseManifest, check_lineage, model_folder, read_base, read_manifest
from rust_expert.models.muon import orthogonalised


class Killed(Exception):
    pass


def test_a_killed_training_ends_with_the_same_bits(tmp_path: Path) -> None:
    options = ScratchOptions.model_validate(tiny_models.SCRATCH)
    train, val = tiny_models.shards()
    tokenizer = loading.load_tokenizer(tiny_models.base_manifest().parent / "model")
    data, held = (encode_rows(tokenizer, rows.read_pairs([path])) for path in (train, val))

    def run(checkpoint: Path, kill_at: int | None) -> tuple[dict[str, torch.Tensor], scratch.Course]:
        def on_save(step: int) -> None:
            if step == kill_at:
                raise Killed

        model = scratch.make_model(options, tokenizer, seed=5)
        return model.state_dict(), scratch.train(model, data, held, options, 5, checkpoint, on_save)

    whole, course = run(tmp_path / "whole.pt", None)
    with pytest.raises(Killed):
        run(tmp_path / "cut.pt", 4)
    again, resumed = run(tmp_path / "cut.pt", None)
    assert course == resumed
    assert course.history[0]["loss"] > course.history[-1]["loss"]  # type: ignore[operator]
    assert course.val_loss is not None
    for name, weight in whole.items():
        assert torch.equal(weight, again[name]), name


def test_the_learning_rate_warms_up_and_falls_to_a_tenth() -> None:
    options = ScratchOptions.model_validate({**tiny_models.SCRATCH, "steps": 12, "warmup_steps": 2})
    shares = [scratch.rate_share(step, options) for step in range(13)]
    assert shares[:3] == [0.5, 1.0, 1.0]
    assert shares[2:] == sorted(shares[2:], reverse=True)
    assert shares[12] == pytest.approx(0.1)


def test_the_manifest_tells_the_model_and_nothing_of_this_machine() -> None:
    path = tiny_models.base_manifest()
    manifest = read_base(path)
    folder = model_folder(path, manifest)
    assert manifest.files["model.safetensors"] == sha256_file(folder / "model.safetensors")
    assert manifest.architecture["hidden_size"] == 64
    assert manifest.training is not None
    assert manifest.training.steps == 6
    model = loading.load_base(
        folder, tiny_models.QUANTIZATION.model_copy(update={"quant_type": "none"}), "sdpa", "cpu"
    )
    assert manifest.parameters == model.num_parameters()
    for text in (file.read_text(errors="ignore") for file in (path, *folder.glob("*.json"))):
        assert str(path.parent) not in text
        assert "seconds" not in text


def test_a_second_run_trains_nothing_and_another_seed_trains_anew(tmp_path: Path) -> None:
    train, val = tiny_models.shards()
    out = tmp_path / "base" / "manifest.json"
    shutil.copytree(tiny_models.base_manifest().parent, out.parent)
    before = out.read_bytes()
    weights = out.parent / "model" / "model.safetensors"
    stamp = weights.stat().st_mtime_ns
    out.unlink()
    prepare_base(tiny_models.base_options(), [train], [val], out)
    assert out.read_bytes() == before
    assert weights.stat().st_mtime_ns == stamp
    other = tiny_models.base_options(steps=1, warmup_steps=0).model_copy(update={"seed": 9})
    assert prepare_base(other, [train], [val], out).training.steps == 1  # type: ignore[union-attr]


def test_a_folder_becomes_a_base(tmp_path: Path) -> None:
    source = tmp_path / "given"
    shutil.copytree(tiny_models.base_manifest().parent / "model", source)
    (source / "chat_template.jinja").unlink()
    options = BaseOptions.model_validate({"from": "path", "path": str(source)})
    with pytest.raises(UserError, match="no chat template"):
        prepare_base(options, [], [], tmp_path / "a" / "manifest.json")
    template = tmp_path / "chat.jinja"
    template.write_text("{% for m in messages %}{{ m['content'] }}{{ eos_token }}{% endfor %}")
    out = tmp_path / "b" / "manifest.json"
    manifest = prepare_base(options.model_copy(update={"chat_template": str(template)}), [], [], out)
    assert manifest.origin == "path"
    assert loading.load_tokenizer(model_folder(out, manifest)).chat_template == template.read_text()
    assert not (source / "chat_template.jinja").exists(), "the given folder is left as it is"


@pytest.mark.parametrize(("files", "told"), [([], "config.json"), (["config.json"], "safetensors")])
def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path, files: list[str], told: str) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    options = BaseOptions.model_validate({"from": "path", "path": str(tmp_path)})
    with pytest.raises(UserError, match=told):
        prepare_base(options, [], [], tmp_path / "out" / "manifest.json")


def test_a_hub_model_without_the_network_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    options = BaseOptions.model_validate(
        {"from": "hub", "hub": {"name": "nobody/nothing", "revision": "0" * 40}}
    )
    with pytest.raises(UserError, match="nobody/nothing at 0+ is not in the cache") as told:
        prepare_base(options, [], [], tmp_path / "out" / "manifest.json")
    assert told.value.exit_code == 2
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_rows_that_are_not_there(tmp_path: Path) -> None:
    out = tmp_path / "manifest.json"
    with pytest.raises(UserError, match=r"missing\.parquet: no such file"):
        prepare_base(tiny_models.base_options(), [str(tmp_path / "missing.parquet")], [], out)
    with pytest.raises(UserError, match="no rows to train the base on"):
        prepare_base(tiny_models.base_options(), [], [], out)
    with pytest.raises(UserError, match="longer than base.scratch.max_length"):
        prepare_base(tiny_models.base_options(max_length=16), [tiny_models.shards()[0]], [], out)


def test_manifests_are_read_with_care(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text('{"kind": "cake"}')
    with pytest.raises(UserError, match="not a model manifest"):
        read_manifest(path)
    with pytest.raises(UserError, match="not of a base"):
        read_base(tiny_models.stage_manifest())
    other = BaseManifest.model_validate(
        {**json.loads(tiny_models.base_manifest().read_text()), "parameters": 7}
    )
    path.write_text(other.model_dump_json())
    with pytest.raises(UserError, match="made from another base"):
        check_lineage(path, tiny_models.stage_manifest(), read_manifest(tiny_models.stage_manifest()))
    check_lineage(
        tiny_models.base_manifest(), tiny_models.stage_manifest(), read_manifest(tiny_models.stage_manifest())
    )


def test_muon_turns_a_gradient_into_even_steps_in_every_direction() -> None:
    torch.manual_seed(0)
    for shape in ((4, 16, 16), (2, 16, 40), (2, 40, 16)):
        matrices = torch.randn(*shape) @ torch.diag(torch.linspace(0.2, 3, shape[2]))
        values = torch.linalg.svdvals(orthogonalised(matrices))
        before = torch.linalg.svdvals(matrices)
        assert values.shape == before.shape
        spread = values.quantile(0.8, dim=1) / values.quantile(0.3, dim=1)
        assert (
            float(spread.max()) < 2 < float((before.quantile(0.8, dim=1) / before.quantile(0.3, dim=1)).min())
        )
        assert 0.5 < float(values.median()) < float(values.max()) < 1.3

"""An exported folder is loaded by plain transformers or peft and answers as the stage did; its card tells the truth."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import tiny_exports
import tiny_models
import torch
import yaml
from huggingface_hub import ModelCard
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GenerationConfig

from rust_expert.common.cli import flags
from rust_expert.common.config import profile
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.contracts import Completion, Problem
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, write_json
from rust_expert.common.tables import read_jsonl
from rust_expert.models import loading
from rust_expert.models.conversation import encode_prompts
from rust_expert.models.export import export, generation_config, licence_note
from rust_expert.models.exported import ExportManifest, read_export
from rust_expert.models.manifest import BaseManifest, HubSource, hash_folder
from rust_expert.sampling.job import Order, prepare
from rust_expert.sampling.sample import sample
from rust_expert.sampling.transformers_engine import TransformersEngine
from scripts import model_card as script
from tests.synthetic_data import made_up_rows, write_set
from tests.synthetic_run import write_run

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = [sample.prompt for sample in tiny_models.samples(6, 800)]


def as_evaluated(weights: str) -> list[str]:
    """The stage's greedy answers, sampled as the workflow does."""
    options = SamplingOptions.model_validate(
        {**tiny_exports.GREEDY, "samples": 1, "batch_size": 4, "weights": weights, "device": "cpu"}
    )
    problems = [
        Problem(task_id=f"toy/{number}", prompt=prompt, canonical_solution="", test="")
        for number, prompt in enumerate(PROMPTS)
    ]
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "toy.jsonl"
        order = Order(
            tiny_models.base_manifest(),
            tiny_models.stage_manifest(),
            problems,
            out,
            options,
            tiny_models.QUANTIZATION,
        )
        job = prepare(order)
        list(
            sample(
                [job], lambda: TransformersEngine(job.folder, job.adapter, options, tiny_models.QUANTIZATION)
            )
        )
        return [row.completion for row in read_jsonl(out, Completion)]


def answers(model: Any, folder: Path) -> list[str]:
    """Answers of what plain libraries loaded, by the folder's own template and generation settings."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for prompt in PROMPTS:
        inputs = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}],
            add_generation_prompt=True, return_tensors="pt", return_dict=True,
        )  # fmt: skip
        made = model.generate(**inputs)[0, inputs["input_ids"].shape[1] :]
        found.append(tokenizer.decode(made, skip_special_tokens=True, clean_up_tokenization_spaces=False))
    return found


def test_plain_transformers_answers_as_the_stage_was_evaluated() -> None:
    folder = tiny_exports.exported_manifest().parent / "model"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    assert model.generation_config.do_sample is False and model.generation_config.max_new_tokens == 24
    found = answers(model, folder)
    assert found == as_evaluated("quantized") and len(set(found)) > 1
    base = tiny_models.base_manifest().parent / "model"
    ours = loading.load_tokenizer(base)
    theirs = AutoTokenizer.from_pretrained(folder)
    assert encode_prompts(ours, PROMPTS) == encode_prompts(theirs, PROMPTS)


def test_no_library_but_transformers_is_needed() -> None:
    """In a process where neither peft nor bitsandbytes can be imported."""
    folder = tiny_exports.exported_manifest().parent / "model"
    program = (
        "import sys; sys.modules['peft'] = sys.modules['bitsandbytes'] = None\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n"
        f"model = AutoModelForCausalLM.from_pretrained({str(folder)!r})\n"
        f"tokenizer = AutoTokenizer.from_pretrained({str(folder)!r})\n"
        f"ids = tokenizer.apply_chat_template([{{'role': 'user', 'content': {PROMPTS[0]!r}}}],"
        " add_generation_prompt=True, return_tensors='pt', return_dict=True)\n"
        "made = model.generate(**ids)[0, ids['input_ids'].shape[1]:]\n"
        "sys.stdout.write(tokenizer.decode(made, skip_special_tokens=True, clean_up_tokenization_spaces=False))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == as_evaluated("quantized")[0]


def test_peft_loads_the_adapter_alone() -> None:
    manifest = tiny_exports.exported_manifest("adapter")
    folder, base = manifest.parent / "model", tiny_models.base_manifest().parent / "model"
    assert not any(path.name.startswith("model") for path in folder.iterdir())
    held = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, quantization_config=held)
    loading.keep_quantised_layers_exact(model, "cpu")
    adapted = PeftModel.from_pretrained(model, folder).eval()
    adapted.generation_config = GenerationConfig.from_pretrained(folder)
    assert answers(adapted, folder) == as_evaluated("quantized")


def test_the_command_line_exports_the_same_bytes(tmp_path: Path) -> None:
    first = tiny_exports.exported_manifest()
    order = tiny_exports.export_order(tmp_path / "e" / "manifest.json", tiny_exports.merged_manifest())
    sections = " ".join(flags(section) for section in (order.options, order.generation, order.quantization))
    done = subprocess.run(
        ["bash", "-c",
         f"exec {sys.executable} -m scripts.export --base {order.base} --stage {order.stage}"
         f" --merged {order.merged} --out {order.out} {sections}"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert order.out.read_bytes() == first.read_bytes()
    assert hash_folder(order.out.parent / "model") == read_export(first.parent / "model").files
    weights = order.out.parent / "model" / "model.safetensors"
    assert weights.stat().st_ino == (order.merged.parent / "model" / "model.safetensors").stat().st_ino, (
        "16 GB are not copied where a link does"
    )


def test_it_generates_as_it_was_evaluated(tmp_path: Path) -> None:
    """Every end mark of the base, and no top-k, which transformers puts at 50 unless told."""
    base = tiny_models.base_manifest().parent / "model"
    tokenizer = loading.load_tokenizer(base)
    order = tiny_exports.export_order(tmp_path / "m.json", None, temperature=0.4, top_p=0.95)
    made = generation_config(base, tokenizer, order.generation)
    assert (made["do_sample"], made["temperature"], made["top_p"], made["top_k"]) == (True, 0.4, 0.95, 0)
    assert made["eos_token_id"] == [tokenizer.eos_token_id] and made["pad_token_id"] == tokenizer.pad_token_id
    source = tmp_path / "source"
    source.mkdir()
    write_json(source / "generation_config.json", {"eos_token_id": [9, 3, 8], "top_k": 50, "do_sample": True})
    assert generation_config(source, tokenizer, order.generation)["eos_token_id"] == sorted(
        {3, 8, 9, tokenizer.eos_token_id}
    )
    (tmp_path / "read").mkdir()
    write_json(tmp_path / "read" / "generation_config.json", made)
    read = GenerationConfig.from_pretrained(tmp_path / "read")
    read.validate(strict=True)
    assert (read.top_k, read.temperature, read.max_new_tokens) == (0, 0.4, 24)


def hub_base() -> BaseManifest:
    told = read_json(tiny_models.base_manifest())
    hub = HubSource(name="meta-llama/Llama-3.1-8B-Instruct", revision="0e9e39f", commit="0e9e39f249")
    return BaseManifest.model_validate(told | {"origin": "hub", "hub": hub.model_dump(), "training": None})


def test_the_licence_note() -> None:
    assert "Built with Llama" in licence_note(hub_base(), "llama3.1")
    assert "derived from meta-llama/Llama-3.1-8B-Instruct at revision 0e9e39f249" in licence_note(
        hub_base(), "other"
    )
    assert "Llama" not in licence_note(
        BaseManifest.model_validate(read_json(tiny_models.base_manifest())), "mit"
    )


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    merged = tmp_path / "merged" / "manifest.json"
    told = read_json(tiny_exports.merged_manifest())
    write_json(merged, told)
    with pytest.raises(UserError, match="not the model that"):
        export(tiny_exports.export_order(tmp_path / "e" / "manifest.json", merged))
    (merged.parent / "model").symlink_to(tiny_exports.merged_manifest().parent / "model")
    write_json(merged, told | {"stage_sha256": "0" * 64})
    with pytest.raises(UserError, match="merged from another stage"):
        export(tiny_exports.export_order(tmp_path / "e" / "manifest.json", merged))
    assert not (tmp_path / "e").exists()
    with pytest.raises(UserError, match="not an exported folder"):
        read_export(tmp_path / "merged")


# The card


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up run, with the data set `set`."""
    folder = write_run(tmp_path_factory.mktemp("run"), scale=0.05)
    write_set(folder / "set", made_up_rows())
    return folder


def exported(folder: Path, stage: str, form: str = "model", **changes: Any) -> Path:
    """The tiny export under a stage's name of the made-up run."""
    source = tiny_exports.exported_manifest(form)
    told = ExportManifest.model_validate({**read_json(source), "stage": stage, **changes})
    (folder / "model").mkdir(parents=True)
    for name in told.files:
        (folder / "model" / name).hardlink_to(source.parent / "model" / name)
    write_json(folder / "manifest.json", told.model_dump(mode="json"))
    return folder / "manifest.json"


def card_of(
    run: Path, manifest: Path, *more: str, stages: tuple[str, ...] = ("base", "phase1", "phase2")
) -> str:
    words = ["--export", str(manifest), "--metrics", f"{run}/metrics.json"]
    words += ["--provenance", f"{run}/provenance.json"]
    for stage in stages:
        words += ["--model", stage, f"{run}/models/{stage}/manifest.json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["model_card", *words, *more])
        script.main()
    return (manifest.parent / "model" / "README.md").read_text(encoding="utf-8")


def test_weights_of_an_experiment_with_several_seeds_are_those_of_seed_0(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", scale=0.05, seeds=(0, 1, 2))
    card = card_of(folder, exported(tmp_path / "e", "phase2"))
    told = read_json(folder / "metrics.json")
    one = told["stages"]["phase2"]["suites"]["curriculum"]["pass_at_1"]
    mean = told["seeds"]["stages"]["phase2"]["suites"]["curriculum"]["pass_at_1"]
    assert f"phase2 solves {100 * one['value']:.1f} %" in card
    assert "of seed 0. Over the seeds 0, 1 and 2 the means are: pass@1 on curriculum" in card
    assert f"{100 * mean['mean']:.1f} % ({100 * mean['low']:.1f}" in card


def test_the_card_says_the_figures_of_the_run(run: Path, tmp_path: Path) -> None:
    data = f"{run}/set/manifest.json"
    manifest = exported(tmp_path / "e", "phase2")
    card = card_of(run, manifest, "--dataset", "phase1", data, "--dataset", "phase2", data)
    scores = read_json(run / "metrics.json")["stages"]
    for suite in ("curriculum", "core"):
        for stage in ("base", "phase1", "phase2"):
            for figure in ("pass_at_1", "pass_at_4", "compile_rate"):
                one = scores[stage]["suites"][suite][figure]
                told = f"{100 * one['value']:.1f} % ({100 * one['low']:.1f}–{100 * one['high']:.1f})"
                row = rf"\| \**{stage}\** \|.*{re.escape(told)}"
                assert re.search(row, card), (suite, stage, figure)
    assert "rsft1" not in card.split("## How to make it again")[0], "a later stage has no part in it"
    assert f"`{sha256_file(data)}`" in card and "phase1 and phase2 |" in card
    for licence in ("MIT OR Apache", "rows"):
        assert licence in card.split("## Data")[1].split("## Limits")[0]
    for name, digest in read_json(manifest)["files"].items():
        assert f"`{name}`" in card and digest in card
    for word in (
        "0.004",
        "nf4",
        "the likeliest token each time",
        "LICENSE-NOTE.md",
        "made to prove a workflow",
    ):
        assert word in card, word
    assert str(run) not in card and str(tmp_path) not in card


def test_the_hub_reads_the_card(run: Path, tmp_path: Path) -> None:
    manifest = exported(
        tmp_path / "e",
        "phase2",
        hub=hub_base().hub.model_dump(),
        base_origin="hub",
        license="llama3.1",  # type: ignore[union-attr]
    )
    card_of(run, manifest)
    card = ModelCard.load(manifest.parent / "model" / "README.md")
    told = card.data.to_dict()
    assert (told["license"], told["library_name"], told["pipeline_tag"]) == (
        "llama3.1", "transformers", "text-generation",
    )  # fmt: skip
    assert told["base_model"] == "meta-llama/Llama-3.1-8B-Instruct"
    scores = read_json(run / "metrics.json")["stages"]["phase2"]["suites"]
    found = {(one.dataset_name, one.metric_type): one for one in card.data.eval_results}
    assert set(found) == {
        (suite, name) for suite in ("curriculum", "core") for name in ("pass@1", "pass@4", "compile rate")
    }
    one, asked = found["core", "pass@1"], scores["core"]["pass_at_1"]
    assert one.metric_value == asked["value"] and one.task_type == "text-generation"
    assert one.metric_args == {"low": asked["low"], "high": asked["high"], "confidence": 0.95}
    assert card.data.model_name == "rust-expert-phase2"


def test_what_was_not_measured_says_so(run: Path, tmp_path: Path) -> None:
    summary = read_json(run / "metrics.json")
    del summary["stages"]["phase2"]["suites"]["core"]
    summary["comparisons"] = []
    other = tmp_path / "run"
    other.mkdir()
    for name in ("models", "provenance.json"):
        (other / name).symlink_to(run / name)
    write_json(other / "metrics.json", summary)
    card = card_of(other, exported(tmp_path / "e", "phase2"))
    core = card.split("core: ")[1].split("## ")[0]
    assert "| **phase2** | not measured | not measured | not measured | not measured |" in core
    assert "| base | not measured" not in core
    del summary["stages"]["phase2"]
    write_json(other / "metrics.json", summary)
    manifest = exported(tmp_path / "f", "phase2")
    card = card_of(other, manifest)
    assert "How well phase2 writes Rust was not measured" in card
    assert ModelCard.load(manifest.parent / "model" / "README.md").data.eval_results is None
    assert "## Data\n\nNot recorded." in card and "Commit or configuration of the run: not recorded." in card


def test_how_to_make_it_again_and_to_ask_it(run: Path, tmp_path: Path) -> None:
    """The configuration in the card is a profile; the code for an adapter holds the base as in training."""
    default = profile.check(yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8")))
    other = tmp_path / "run"
    other.mkdir()
    for name in ("models", "metrics.json"):
        (other / name).symlink_to(run / name)
    config = default.model_dump(mode="json", by_alias=True)
    config["evaluate"]["sampling"]["template"] = 'Do "this":\n{prompt}'
    write_json(other / "provenance.json", read_json(run / "provenance.json") | {"config": config})
    card = card_of(other, exported(tmp_path / "e", "phase2", "adapter"))
    folded = re.search(r"```json\n(.*?)\n```", card, re.DOTALL)
    assert folded is not None
    assert profile.check(yaml.safe_load(folded[1])).evaluate.sampling.template == 'Do "this":\n{prompt}'
    assert "results/export/phase2-adapter/model/README.md" in card and "no commit has" in card
    program = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert program is not None and "This is that adapter alone" in card
    base = tiny_models.base_manifest().parent / "model"
    code = (
        program[1]
        .replace("path/to/the/base", str(base))
        .replace("path/to/this/folder", str(tiny_exports.exported_manifest("adapter").parent / "model"))
    )
    said: list[str] = []
    exec(compile(code, "card", "exec"), {"print": said.append})
    assert len(said) == 1 and isinstance(said[0], str)


def test_a_file_that_is_gone_is_named(run: Path, tmp_path: Path) -> None:
    manifest = exported(tmp_path / "e", "phase2")
    (manifest.parent / "model" / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer\.json: missing"):
        card_of(run, manifest)
    with pytest.raises(UserError, match="not the manifest of an exported model"):
        card_of(run, run / "models" / "base" / "manifest.json")

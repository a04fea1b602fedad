"""Adapters sit on the projections of each architecture and nowhere else; templates give back what was put in."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from datasets import Dataset
from tokenizers import Tokenizer
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    Starcoder2Config,
    Starcoder2ForCausalLM,
)

from rust_expert.common.config.models import BaseOptions, LoraOptions, TrainingOptions
from rust_expert.common.errors import UserError
from rust_expert.models import architecture, effective, loading, rows
from rust_expert.models.adapter import snapshot, trainable
from rust_expert.models.base import prepare_base
from rust_expert.models.conversation import encode_rows
from rust_expert.models.manifest import model_folder
from rust_expert.models.tokenizer import train_tokenizer
from rust_expert.models.trainer import make_trainer
from rust_expert.sampling.decode import Prompt, Rule, decode

ROOT = Path(__file__).resolve().parents[2]
SIZES: dict[str, Any] = {
    "hidden_size": 128, "intermediate_size": 192, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256,
}  # fmt: skip
SEVEN = [
    f"{where}.{name}_proj"
    for where, names in (("self_attn", "qkvo"), ("mlp", ("gate", "up", "down")))
    for name in names
]
SIX = [f"self_attn.{name}_proj" for name in "qkvo"] + ["mlp.c_fc", "mlp.c_proj"]
KINDS: dict[str, tuple[Any, Any, list[str]]] = {
    "llama": (LlamaConfig, LlamaForCausalLM, SEVEN),
    "mistral": (MistralConfig, MistralForCausalLM, SEVEN),
    "starcoder2": (Starcoder2Config, Starcoder2ForCausalLM, SIX),
}
MISTRAL_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }}[/INST]"
    "{% else %} {{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
"""As Mistral's own goes: no role opens the answer, and no text is asked for before it."""


def tokenizer_of(kind: str) -> PreTrainedTokenizerFast:
    """A tokenizer trained here, with the special tokens, the template and the lacks of the architecture's own."""
    texts = [text for sample in tiny_models.samples(30) for text in (sample.prompt, sample.gen)]
    made = train_tokenizer(texts, 400, 256)
    if kind == "llama":
        return made
    marks = {
        "mistral": ["<s>", "</s>", "[INST]", "[/INST]", "<unk>"],
        "starcoder2": ["<|endoftext|>", "<fim_pad>", "<jupyter_start>", "<jupyter_text>", "<jupyter_code>"],
    }[kind]
    made = PreTrainedTokenizerFast(tokenizer_object=_without_our_marks(made), padding_side="right")
    made.add_special_tokens({"additional_special_tokens": marks})
    ends = {"mistral": ("<s>", "</s>", "<unk>"), "starcoder2": ("<|endoftext|>",) * 3}[kind]
    made.bos_token, made.eos_token, made.unk_token = ends
    made.pad_token = made.eos_token  # as careless scripts leave it
    made.chat_template = MISTRAL_TEMPLATE if kind == "mistral" else None
    return made


def _without_our_marks(made: PreTrainedTokenizerFast) -> Tokenizer:
    told = json.loads(made.backend_tokenizer.to_str())
    renamed = {token["content"]: f"<reserved-{token['id']}>" for token in told["added_tokens"]}
    for token in told["added_tokens"]:
        token["content"] = renamed[token["content"]]
    told["model"]["vocab"] = {
        renamed.get(name, name): place for name, place in told["model"]["vocab"].items()
    }
    return Tokenizer.from_str(json.dumps(told))


@pytest.fixture(scope="module", params=sorted(KINDS))
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An architecture, and the folder of a random base of it, prepared as the workflow prepares a folder."""
    kind = request.param
    config, model, _ = KINDS[kind]
    source = tmp_path_factory.mktemp(kind) / "given"
    tokenizer = tokenizer_of(kind)
    torch.manual_seed(0)
    told = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    made = model(config(**SIZES, **told, vocab_size=len(tokenizer)))
    made.save_pretrained(source)
    tokenizer.save_pretrained(source)
    template = str(ROOT / "config" / "chat" / "starcoder2.jinja") if kind == "starcoder2" else None
    options = BaseOptions.model_validate({"from": "path", "path": str(source), "chat_template": template})
    out = source.parent / "base" / "manifest.json"
    return kind, model_folder(out, prepare_base(options, [], [], out))


def adapted(folder: Path, **changes: Any) -> Any:
    model = loading.load_base(folder, tiny_models.QUANTIZATION, "sdpa", "cpu")
    return loading.new_adapter(model, LoraOptions.model_validate({"r": 4, "alpha": 8, **changes}), 0)


def test_an_adapter_sits_on_every_projection_of_every_layer_and_nowhere_else(base: tuple[str, Path]) -> None:
    kind, folder = base
    model = adapted(folder)
    places = {
        name.removeprefix("base_model.model.")
        for name, module in model.named_modules()
        if hasattr(module, "lora_A") and len(module.lora_A)
    }
    assert places == {f"model.layers.{layer}.{name}" for layer in range(3) for name in KINDS[kind][2]}
    assert architecture.misplaced(model) == []
    assert {name for name in trainable(model)} == {
        f"base_model.model.{place}.lora_{side}.default.weight" for place in places for side in "AB"
    }
    assert set(loading.quantised_layers(model)) == {
        f"base_model.model.{place}.base_layer" for place in places
    }


def test_a_layer_without_its_adapter_and_a_head_with_one_are_found(base: tuple[str, Path]) -> None:
    _, folder = base
    model = adapted(folder)
    attention = model.get_base_model().model.layers[1].self_attn
    attention.q_proj = attention.q_proj.base_layer
    assert architecture.misplaced(model) == ["base_model.model.model.layers.1.self_attn.q_proj"]


def test_a_prompt_and_its_answer_come_back_and_the_end_mark_is_learned(base: tuple[str, Path]) -> None:
    kind, folder = base
    tokenizer = loading.load_tokenizer(folder)
    answers = ["fn f() {}", "\n    x + 1\n}\n", "    indented", 'fn ü() { "日本" }\n']
    for answer, row in zip(
        answers, encode_rows(tokenizer, [("Write\n`f`.", text) for text in answers]), strict=True
    ):
        prompt, learned = row.ids[: row.prompt_length], row.ids[row.prompt_length :]
        assert learned[-1] == tokenizer.eos_token_id
        assert learned.count(tokenizer.eos_token_id) == 1
        assert tokenizer.pad_token_id not in row.ids
        back = tokenizer.decode(learned[:-1], clean_up_tokenization_spaces=False)
        assert back == (f" {answer}" if kind == "mistral" else answer)
        assert "Write\n`f`." in tokenizer.decode(prompt, clean_up_tokenization_spaces=False)
    assert tokenizer.pad_token != tokenizer.eos_token
    assert tokenizer.pad_token == (
        "<fim_pad>" if kind == "starcoder2" else "<|pad|>" if kind == "llama" else "<unk>"
    )


def test_sampling_stops_at_the_mark_that_was_learned(base: tuple[str, Path]) -> None:
    _, folder = base
    tokenizer = loading.load_tokenizer(folder)
    model = loading.load_base(folder, tiny_models.QUANTIZATION, "sdpa", "cpu").eval()
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    ids = encode_rows(tokenizer, [("Write f.", "x")])[0]
    rule = Rule(
        temperature=0.0,
        top_p=1.0,
        max_new_tokens=8,
        end_ids=frozenset(range(len(tokenizer))),
        pad_id=tokenizer.pad_token_id,
    )
    [stopped] = decode(model, [Prompt(ids.ids[: ids.prompt_length], 1)], rule)
    assert (len(stopped.ids), stopped.finished) == (1, True)


def test_a_step_changes_the_adapter_alone_and_its_settings_are_read_back(
    base: tuple[str, Path], tmp_path: Path
) -> None:
    kind, folder = base
    model, tokenizer = adapted(folder), loading.load_tokenizer(folder)
    frozen = {
        name: copy.deepcopy(weight.data)
        for name, weight in model.named_parameters()
        if not weight.requires_grad
    }
    before = snapshot(model)
    pairs = rows.read_pairs([tiny_models.shards()[0]])[:6]
    encoded = encode_rows(tokenizer, pairs)
    data = Dataset.from_dict(
        {
            "input_ids": [row.ids for row in encoded],
            "labels": [[-100] * row.prompt_length + row.ids[row.prompt_length :] for row in encoded],
        }
    )
    options = TrainingOptions.model_validate(
        {
            **tiny_models.TRAINING,
            "steps": 1,
            "warmup_steps": 0,
            "max_length": 256,
            "attention": "sdpa",
            "save_steps": 10,
        }
    )
    trainer = make_trainer(
        model, tokenizer, data, data.select([]), options, tiny_models.QUANTIZATION, tmp_path, []
    )
    trainer.train()
    found = effective.read_back(trainer, 0)
    assert found["adapter_modules"] == sorted({name.rpartition(".")[2] for name in KINDS[kind][2]})
    assert (found["prompt_tokens_learned"], found["answer_tokens_masked"]) == (0, 0)
    assert found["end_marks_learned"]
    assert found["adapter_misplaced"] == []
    after = dict(trainer.model.named_parameters())
    for name, weight in frozen.items():
        assert torch.equal(after[name].data, weight), name
    moved = {
        name for name, weight in trainable(trainer.model).items() if not torch.equal(weight, before[name])
    }
    assert moved == {name for name in before if "lora_B" in name}, "A moves once B is not 0"


def test_ranks_and_names_that_do_not_fit_are_refused(base: tuple[str, Path]) -> None:
    kind, folder = base
    with pytest.raises(
        UserError, match=r"lora\.r is 100, but model\.layers\.0\.self_attn\.k_proj is only 64 wide"
    ):
        adapted(folder, r=100)
    with pytest.raises(UserError, match="no module w_qkv; it has .*q_proj"):
        adapted(folder, target_modules=["w_qkv"])
    assert adapted(folder, r=100, target_modules=["q_proj"]).peft_config["default"].r == 100
    assert kind in KINDS


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{% for m in messages %}{{ m['content'] }}{% endfor %}", "with the tokenizer's end mark <.eos.>"),
        ("{% for m in messages %}{{ m['content'] | upper }}{{ eos_token }}{% endfor %}", "does not render the prompt"),
        ("{{ messages[0]['content'] }}{{ 1 + 'a' }}", "the chat template fails"),
        ("{% if %}", "the chat template fails"),
    ],
)  # fmt: skip
def test_a_template_that_would_train_something_else_is_refused(
    tmp_path: Path, template: str, told: str
) -> None:
    file = tmp_path / "chat.jinja"
    file.write_text(template)
    options = BaseOptions.model_validate(
        {
            "from": "path",
            "path": str(tiny_models.base_manifest().parent / "model"),
            "chat_template": str(file),
        }
    )
    with pytest.raises(UserError, match=told) as caught:
        prepare_base(options, [], [], tmp_path / "out" / "manifest.json")
    assert "base.chat_template" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "manifest.json").exists()

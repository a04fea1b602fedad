"""The engine for vLLM: our token ids and end marks, one load for all stages and suites, adapters as they are."""

import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_models
import torch
import vllm_stand_in
from test_sampling_sample import PROBLEMS, ROOT, engine_of, job_of, options
from transformers import AutoModelForCausalLM

from rust_expert.common.cli import flags
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.contracts import Completion
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json
from rust_expert.common.tables import read_jsonl, write_jsonl
from rust_expert.models.conversation import TEMPLATE_VARIABLES, encode_prompts
from rust_expert.models.loading import load_tokenizer
from rust_expert.sampling import dense
from rust_expert.sampling.dense import dense_copy
from rust_expert.sampling.engine import Rule
from rust_expert.sampling.job import Job
from rust_expert.sampling.sample import sample
from rust_expert.sampling.vllm_engine import VllmEngine, engine_options, request_options

FOLDER = tiny_models.base_manifest().parent / "model"


def chosen(**changes: Any) -> SamplingOptions:
    return options(**{"engine": "vllm", "device": "cuda", **changes})


def rows_of(job: Job) -> list[Completion]:
    list(sample([job], lambda: engine_of(job)))
    return read_jsonl(job.order.out, Completion)


def test_both_engines_are_fed_the_same_ids_and_end_at_the_same_marks(tmp_path: Path) -> None:
    ours = job_of(options(), tmp_path / "a.jsonl")
    theirs = job_of(chosen(), tmp_path / "b.jsonl")
    assert ours.rows == theirs.rows and ours.batches == theirs.batches
    asked = request_options(theirs.rule, theirs.rows[0].prompt.seed)
    assert asked["stop_token_ids"] == sorted(ours.rule.end_ids) and asked["ignore_eos"]
    # What vLLM itself would make of a conversation: its renderer calls the tokenizer's chat template for ids.
    tokenizer = load_tokenizer(FOLDER)
    conversations = [[{"role": "user", "content": problem.prompt}] for problem in PROBLEMS]
    rendered = tokenizer.apply_chat_template(
        conversations, add_generation_prompt=True, tokenize=True, return_dict=False, **TEMPLATE_VARIABLES
    )
    assert rendered == encode_prompts(tokenizer, [problem.prompt for problem in PROBLEMS])
    assert rendered == [theirs.rows[2 * place].prompt.ids for place in range(len(PROBLEMS))]


def test_one_load_for_stages_and_suites_and_the_same_greedy_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vllm_stand_in.install(monkeypatch)
    greedy: dict[str, Any] = {"temperature": 0.0, "samples": 1, "batch_size": 3}
    base, stage = tiny_models.base_manifest(), tiny_models.stage_manifest()
    pairs = {"base-a": (base, PROBLEMS), "tiny-a": (stage, PROBLEMS), "tiny-b": (stage, PROBLEMS[2:4])}
    jobs = [job_of(chosen(**greedy), tmp_path / f"{name}.jsonl", *pair) for name, pair in pairs.items()]
    manifests = list(sample(jobs, lambda: VllmEngine(jobs)))
    (llm,) = vllm_stand_in.LLM.made
    assert llm.options["max_model_len"] == max(job.positions for job in jobs)
    assert llm.options["enable_prefix_caching"] and llm.options["skip_tokenizer_init"]
    assert (llm.options["max_lora_rank"], llm.options["max_loras"]) == (8, 1)
    assert [len(ids) for _, _, ids in llm.requests] == [3, 3, 1, 3, 3, 1, 2]
    assert [lora and lora.lora_path for lora, _, _ in llm.requests] == [None] * 3 + [
        str(stage.parent / "adapter")
    ] * 4
    assert {lora.lora_int_id for lora, _, _ in llm.requests if lora} == {1}
    for job, manifest in zip(jobs, manifests, strict=True):
        plain = job_of(options(**greedy), tmp_path / "plain.jsonl", job.order.stage, list(job.order.problems))
        mine, theirs = read_jsonl(job.order.out, Completion), rows_of(plain)
        assert [row.completion for row in mine] == [row.completion for row in theirs]
        assert [(row.finished, row.tokens) for row in mine] == [(row.finished, row.tokens) for row in theirs]
        assert manifest.shaped_by["sampling.engine"] == "vllm" and "vllm" in manifest.shaped_by["versions"]
        assert {row.sampling for row in mine}.isdisjoint(row.sampling for row in theirs)
    list(sample(jobs, lambda: VllmEngine(jobs)))
    assert len(vllm_stand_in.LLM.made) == 1, "all stands: no second load"
    one_more = [*jobs, job_of(chosen(**greedy), tmp_path / "base-b.jsonl", base, PROBLEMS[:1])]
    list(sample(one_more, lambda: VllmEngine(one_more)))
    assert [len(ids) for _, _, ids in vllm_stand_in.LLM.made[1].requests] == [1], "only what is new"


def test_each_row_has_its_own_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vllm_stand_in.install(monkeypatch)
    job = job_of(chosen(), tmp_path / "rows.jsonl")
    list(sample([job], lambda: VllmEngine([job])))
    rows = read_jsonl(job.order.out, Completion)
    asked = [params for _, all_of_them, _ in vllm_stand_in.LLM.made[0].requests for params in all_of_them]
    assert {params.seed for params in asked} == {row.seed for row in rows}
    assert len({params.seed for params in asked}) == len(rows)
    assert {(params.temperature, params.top_p, params.max_tokens) for params in asked} == {(0.8, 0.95, 24)}


def test_the_dense_copy_is_the_base_that_adapters_were_trained_on() -> None:
    ids = torch.tensor([[1, 20, 30, 40, 50, 60]])
    base = tiny_models.base_manifest()
    folder = dense_copy(base, FOLDER, tiny_models.QUANTIZATION, "cpu")
    assert folder != FOLDER
    stamp = (folder / "model.safetensors").stat().st_mtime_ns
    logits = []
    for model in (
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
        engine_of(job_of(options(), Path("unused"), base)).model,
        AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32),
    ):
        with torch.no_grad():
            logits.append(model(input_ids=ids).logits)
    torch.testing.assert_close(logits[0], logits[1], rtol=1e-5, atol=1e-5)
    assert not torch.allclose(logits[0], logits[2], atol=1e-3), "the unquantised base is another model"
    assert dense_copy(base, FOLDER, tiny_models.QUANTIZATION, "cpu") == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == stamp
    plain = tiny_models.QUANTIZATION.model_copy(update={"quant_type": "none"})
    assert dense_copy(base, FOLDER, plain, "cpu") == FOLDER


def test_a_full_disk_is_told_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "manifest.json"
    base.write_bytes(tiny_models.base_manifest().read_bytes())
    monkeypatch.setattr(dense.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000))
    with pytest.raises(UserError, match="the dequantised base takes .* GB there, and 0.0 GB are free"):
        dense_copy(base, FOLDER, tiny_models.QUANTIZATION, "cpu")
    assert not (tmp_path / "dense" / "model").exists()


def test_ranks_that_vllm_takes(tmp_path: Path) -> None:
    job = job_of(chosen(), tmp_path / "rows.jsonl")
    for rank, told in ((1, 1), (4, 8), (16, 16), (300, 320)):
        write_json(tmp_path / "adapter_config.json", {"r": rank})
        one = Job(**{**job.__dict__, "adapter": tmp_path})
        made = engine_options(FOLDER, [one], job.order.options, job.order.quantization)
        assert made["max_lora_rank"] == told
    write_json(tmp_path / "adapter_config.json", {"r": 600})
    with pytest.raises(UserError, match="rank 512, and one here has 600"):
        engine_options(FOLDER, [one], job.order.options, job.order.quantization)
    bare = Job(**{**job.__dict__, "adapter": None})
    assert "enable_lora" not in engine_options(FOLDER, [bare], job.order.options, job.order.quantization)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"device": "cpu"}, "needs device: cuda"),
        ({"weights": "quantized"}, "needs weights: dense"),
        ({"temperature": 0.001}, "from 0.01 to 2"),
        ({"temperature": 2.5}, "from 0.01 to 2"),
    ],
)
def test_options_that_would_not_take_effect(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        chosen(**change)


def test_without_vllm_it_is_one_sentence(tmp_path: Path) -> None:
    suite = tmp_path / "suite.jsonl"
    write_jsonl(suite, PROBLEMS)
    base, stage = tiny_models.base_manifest(), tiny_models.stage_manifest()
    words = (
        f" --base {base} --pair {stage} {suite} {tmp_path / 'rows.jsonl'} {flags(tiny_models.QUANTIZATION)}"
    )
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    # An entry of None makes an import fail as if nothing were installed, also where vLLM is.
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['vllm'] = None\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(hidden)}
    for script, given, sentence in (
        ("sample_vllm", chosen(), "vllm is not installed here; run the workflow with --sdm conda"),
        ("sample_vllm", options(), "engine: transformers has a script of its own"),
    ):
        command = f"exec {sys.executable} -m scripts.{script} {words} {flags(given)}"
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 2, done.stderr
        assert sentence in done.stderr and "Traceback" not in done.stderr
        assert not (tmp_path / "rows.jsonl").exists()


def test_the_real_library_takes_what_we_say() -> None:
    """Where vLLM is installed (no GPU needed): names, ranks and parameters are those of this version."""
    vllm = pytest.importorskip("vllm")
    from typing import get_args

    from vllm.config.lora import MaxLoRARanks
    from vllm.engine.arg_utils import EngineArgs
    from vllm.lora.request import LoRARequest
    from vllm.tokenizers import get_tokenizer

    from rust_expert.sampling.vllm_engine import RANKS

    job = job_of(chosen(), Path("unused"))
    told = engine_options(FOLDER, [job], job.order.options, job.order.quantization)
    EngineArgs(**told)
    assert get_args(MaxLoRARanks) == RANKS
    params = vllm.SamplingParams(**request_options(job.rule, job.rows[0].prompt.seed))
    params.update_from_generation_config({}, None)
    assert set(params.stop_token_ids) == set(params._all_stop_token_ids) == job.rule.end_ids
    assert params.eos_token_id is None
    greedy = Rule(0.0, 0.9, 5, job.rule.end_ids, 0)
    assert vllm.SamplingParams(**request_options(greedy, 2**63 - 1)).temperature == 0
    assert LoRARequest(lora_name="a", lora_int_id=1, lora_path="x").lora_path == "x"
    assert vllm.TokensPrompt(prompt_token_ids=[1])["prompt_token_ids"] == [1]
    for name in ("LLM", "SamplingParams"):
        real = inspect.signature(getattr(vllm, name)).parameters
        ours = inspect.signature(getattr(vllm_stand_in, name)).parameters
        assert {key for key in ours if key != "options"} <= set(real)
    generate = inspect.signature(vllm.LLM.generate).parameters
    assert set(inspect.signature(vllm_stand_in.LLM.generate).parameters) <= set(generate)
    tokenizer = get_tokenizer(str(FOLDER))
    conversations = [[{"role": "user", "content": problem.prompt}] for problem in PROBLEMS]
    rendered = [
        tokenizer.apply_chat_template(
            one, add_generation_prompt=True, tokenize=True, return_dict=False, **TEMPLATE_VARIABLES
        )
        for one in conversations
    ]
    assert rendered == encode_prompts(load_tokenizer(FOLDER), [problem.prompt for problem in PROBLEMS])
    assert read_json(FOLDER / "config.json")["architectures"] == ["LlamaForCausalLM"]

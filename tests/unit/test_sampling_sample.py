"""Sampling a suite: rows in order, seeds of their own, raw text, the model as it was trained."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from transformers import AutoModelForCausalLM, GenerationConfig

from rust_expert.common.cli import flags
from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.contracts import Completion, Problem
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file
from rust_expert.common.tables import read_jsonl, write_jsonl
from rust_expert.models.loading import load_tokenizer
from rust_expert.sampling.job import Job, Order, fingerprint, prepare, row_seed, rule_of
from rust_expert.sampling.sample import sample
from rust_expert.sampling.transformers_engine import TransformersEngine

ROOT = Path(__file__).resolve().parents[2]
PROBLEMS = [
    Problem(task_id=f"toy/{number}", prompt=sample.prompt, canonical_solution=sample.gen, test="")
    for number, sample in enumerate(tiny_models.samples(7, 700))
]


def options(**changes: Any) -> SamplingOptions:
    given = {"samples": 2, "temperature": 0.8, "top_p": 0.95, "max_new_tokens": 24, "batch_size": 5,
             "weights": "dense", "device": "cpu", **changes}  # fmt: skip
    return SamplingOptions.model_validate(given)


def job_of(
    chosen: SamplingOptions,
    out: Path,
    stage: Path | None = None,
    problems: list[Problem] = PROBLEMS,
    quantization: QuantizationOptions = tiny_models.QUANTIZATION,
) -> Job:
    stage = stage or tiny_models.stage_manifest()
    return prepare(Order(tiny_models.base_manifest(), stage, problems, out, chosen, quantization))


def engine_of(job: Job) -> TransformersEngine:
    return TransformersEngine(job.folder, job.adapter, job.order.options, job.order.quantization)


def sampled(
    chosen: SamplingOptions, stage: Path | None = None, problems: list[Problem] = PROBLEMS
) -> list[Completion]:
    with tempfile.TemporaryDirectory() as folder:
        job = job_of(chosen, Path(folder) / "rows.jsonl", stage, problems)
        (manifest,) = sample([job], lambda: engine_of(job))
        assert manifest.sha256 == sha256_file(job.order.out)
        return read_jsonl(job.order.out, Completion)


def test_rows_come_in_the_order_of_the_suite_and_can_be_drawn_again() -> None:
    rows = sampled(options())
    assert [(row.task_id, row.sample) for row in rows] == [
        (problem.task_id, sample) for problem in PROBLEMS for sample in range(2)
    ]
    assert rows == sampled(options(batch_size=3))
    assert len({row.seed for row in rows}) == len(rows)
    assert all(0 <= row.seed < 2**63 for row in rows)
    assert all(row.tokens <= 24 for row in rows)
    again = sampled(options(), problems=PROBLEMS[3:5])
    assert again == [row for row in rows if row.task_id in ("toy/3", "toy/4")], "the suite does not matter"
    assert sampled(options(samples=1)) == [row for row in rows if row.sample == 0], (
        "nor the number of samples"
    )


def test_quantised_and_dense_weights_are_one_function() -> None:
    chosen = options(temperature=0.0, samples=1)
    ids = torch.tensor([[1, 20, 30, 40, 50, 60]])
    logits = []
    for weights in ("dense", "quantized"):
        loaded = engine_of(job_of(options(weights=weights), Path("unused")))
        with torch.no_grad():
            logits.append(loaded.model(input_ids=ids).logits)
    torch.testing.assert_close(*logits, rtol=1e-4, atol=1e-4)
    dense, quantised = sampled(chosen), sampled(options(temperature=0.0, samples=1, weights="quantized"))
    assert [row.completion for row in dense] == [row.completion for row in quantised]


def test_the_adapter_counts_and_the_base_is_the_quantised_one() -> None:
    base = tiny_models.base_manifest()
    ids = torch.tensor([[1, 20, 30, 40, 50, 60]])
    found = []
    for stage in (base, tiny_models.stage_manifest()):
        loaded = engine_of(job_of(options(), Path("unused"), stage))
        with torch.no_grad():
            found.append(loaded.model(input_ids=ids).logits)
    plain = tiny_models.QUANTIZATION.model_copy(update={"quant_type": "none"})
    full = engine_of(job_of(options(), Path("unused"), base, quantization=plain))
    with torch.no_grad():
        found.append(full.model(input_ids=ids).logits)
    assert not torch.allclose(found[0], found[1], atol=1e-3)
    assert not torch.allclose(found[0], found[2], atol=1e-3)


def test_the_fingerprint_names_what_a_text_depends_on() -> None:
    quantization = tiny_models.QUANTIZATION
    before = fingerprint(options(), quantization, "model")
    assert before == fingerprint(options(batch_size=9, threads=2, samples=7), quantization, "model")
    for change in (
        {"temperature": 0.7},
        {"top_p": 0.9},
        {"seed": 1},
        {"max_new_tokens": 9},
        {"template": "Q: {prompt}"},
    ):
        assert before != fingerprint(options(**change), quantization, "model")
    assert before != fingerprint(options(), quantization, "another")
    assert row_seed(0, "toy/1", 0) != row_seed(0, "toy/1", 1) != row_seed(1, "toy/1", 1)


def test_a_prompt_that_leaves_no_room_is_named() -> None:
    long = PROBLEMS[0].model_copy(update={"task_id": "toy/long", "prompt": "fn x() {}" * 60})
    with pytest.raises(
        UserError, match=r"problem toy/long: its prompt of \d+ tokens .* model's 160 positions"
    ):
        sampled(options(), problems=[PROBLEMS[1], long])


def test_end_marks_are_those_of_the_model_and_the_tokenizer(tmp_path: Path) -> None:
    folder = tiny_models.base_manifest().parent / "model"
    tokenizer = load_tokenizer(folder, padding_side="left")
    told = AutoModelForCausalLM.from_pretrained(folder).generation_config.eos_token_id
    assert rule_of(folder, tokenizer, options()).end_ids == {told, tokenizer.eos_token_id}
    copy = tmp_path / "model"
    copy.mkdir()
    (copy / "config.json").write_bytes((folder / "config.json").read_bytes())
    assert rule_of(copy, tokenizer, options()).end_ids == {told, tokenizer.eos_token_id}
    GenerationConfig(eos_token_id=[5, 9]).save_pretrained(copy)
    assert rule_of(copy, tokenizer, options()).end_ids == {5, 9, tokenizer.eos_token_id}


def test_a_row_ends_at_any_end_mark(tmp_path: Path) -> None:
    job = job_of(options(max_new_tokens=40), tmp_path / "rows.jsonl")
    rule = job.rule.__class__(**{**job.rule.__dict__, "end_ids": frozenset(range(2, 384, 5))})
    made = engine_of(job).generate(job.adapter, [row.prompt for row in job.rows[:4]], rule)
    assert all(row.finished and row.ids[-1] % 5 == 2 for row in made)
    with pytest.raises(ValueError, match="asked for None"):
        engine_of(job).generate(None, [job.rows[0].prompt], rule)


def test_the_script_writes_the_same_rows(tmp_path: Path) -> None:
    suite, out = tmp_path / "suite.jsonl", tmp_path / "samples.jsonl"
    write_jsonl(suite, PROBLEMS)
    chosen = options()
    command = (
        f"exec {sys.executable} -m scripts.sample --base {tiny_models.base_manifest()}"
        f" --model {tiny_models.stage_manifest()} --suite {suite} --out {out}"
        f" {flags(chosen)} {flags(tiny_models.QUANTIZATION)}"
    )
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert read_jsonl(out, Completion) == sampled(chosen)
    write_jsonl(suite, [*PROBLEMS, PROBLEMS[0]])
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "task_id toy/0 stands 2 times" in done.stderr
    assert "Traceback" not in done.stderr

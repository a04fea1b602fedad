"""What sampling a whole suite costs, with the bare base and with an adapter, against transformers' own generate().

The model has random weights and is made on the spot: a tiny one on a CPU; with --llama-8b one of the shape of
Llama-3.1-8B on a GPU. So that answers are of unlike length, as a trained model's are, one token in so many is an end
mark for everyone. The engine is vLLM where it is installed and there is a GPU, else transformers with our decoding.

python -m benchmarks.sampling [--llama-8b] [--problems N] [--samples N]
"""

import argparse
import gc
import importlib.util
import shutil
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.models import BaseOptions, LoraOptions, QuantizationOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.contracts import Problem
from rust_expert.common.files import sha256_file
from rust_expert.curriculum.export import problem_of
from rust_expert.curriculum.generation import problems
from rust_expert.models.process import prepare_process, settle_libraries

TINY: dict[str, Any] = {"vocab_size": 1024, "hidden_size": 192, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 4, "intermediate_size": 512, "max_position_embeddings": 512}  # fmt: skip
LLAMA_8B: dict[str, Any] = {"vocab_size": 128_256, "hidden_size": 4096, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14_336,
            "max_position_embeddings": 4096, "rope_theta": 500_000.0}  # fmt: skip
ROUNDS = 3
GENERATED_TOGETHER = 64
Made = TypeVar("Made")


def make_base(folder: Path, shape: dict[str, Any], texts: Sequence[str], mean: int, device: str) -> Path:
    """A base of random weights with a tokenizer of its own; its manifest."""
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig, LlamaConfig

    from rust_expert.models.base import prepare_base
    from rust_expert.models.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(texts, 1024, shape["max_position_embeddings"])
    torch.manual_seed(17)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(
            LlamaConfig(**shape), dtype=torch.bfloat16 if device == "cuda" else torch.float32
        )
    made = folder / "made"
    model.save_pretrained(made)
    tokenizer.save_pretrained(made)
    ends = list(range(tokenizer.eos_token_id, shape["vocab_size"], mean))
    GenerationConfig(eos_token_id=ends, pad_token_id=tokenizer.pad_token_id).save_pretrained(made)
    del model
    options = BaseOptions.model_validate({"from": "path", "path": str(made)})
    prepare_base(options, [], [], folder / "base" / "manifest.json")
    shutil.rmtree(made)
    return folder / "base" / "manifest.json"


def make_stage(base: Path, quantization: QuantizationOptions, device: str) -> Path:
    """A stage with a fresh adapter of rank 16; its manifest."""
    from rust_expert.models import loading
    from rust_expert.models.adapter import save_adapter
    from rust_expert.models.manifest import StageManifest, hash_folder, write_manifest

    model = loading.load_base(base.parent / "model", quantization, "sdpa", device)
    adapted = loading.new_adapter(model, LoraOptions(r=16, alpha=16), 17)
    out = base.parent.parent / "stage" / "manifest.json"
    save_adapter(adapted, out.parent / "adapter", sha256_file(base))
    manifest = StageManifest(
        stage="stage", method="sft", base_sha256=sha256_file(base), parent_sha256=sha256_file(base), trained=True,
        adapter="adapter", files=hash_folder(out.parent / "adapter"),
    )  # fmt: skip
    write_manifest(out, manifest)
    return out


def by_generate(model: Any, job: Any) -> tuple[int, float]:
    """The baseline: tokens up to each row's end mark, and seconds, of generate() on batches of rows of like length."""
    import torch

    from rust_expert.sampling.job import batches_of

    rule, tokens, started = job.rule, 0, time.monotonic()
    for places in batches_of(job.rows, GENERATED_TOGETHER):
        ids = [job.rows[place].prompt.ids for place in places]
        batch = job.tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(model.device)
        torch.manual_seed(17)
        made = model.generate(
            **batch, do_sample=True, temperature=rule.temperature, top_p=rule.top_p, top_k=0,
            max_new_tokens=rule.max_new_tokens, eos_token_id=sorted(rule.end_ids), pad_token_id=rule.pad_id,
        )[:, batch["input_ids"].shape[1] :].tolist()  # fmt: skip
        for row in made:
            end = next((place for place, token in enumerate(row, 1) if token in rule.end_ids), len(row))
            tokens += end
    return tokens, time.monotonic() - started


def measure(base: Path, stages: dict[str, Path], suite: list[Problem], options: SamplingOptions,
            quantization: QuantizationOptions, rounds: int) -> None:  # fmt: skip
    """Print tokens per second of the engine and of the baseline, for each stage."""
    from rust_expert.sampling.engine import Engine
    from rust_expert.sampling.job import Order, prepare
    from rust_expert.sampling.sample import sample
    from rust_expert.sampling.transformers_engine import TransformersEngine

    folder = base.parent.parent
    jobs = {
        name: [
            prepare(Order(base, stage, suite, folder / f"{name}-{number}.jsonl", options, quantization))
            for number in range(rounds)
        ]
        for name, stage in stages.items()
    }
    all_jobs = [job for several in jobs.values() for job in several]
    plain = options.model_copy(update={"engine": "transformers"})
    baseline: dict[str, float] = {}
    for name, several in jobs.items():  # first: vLLM would keep the memory that it takes
        model = TransformersEngine(several[0].folder, several[0].adapter, plain, quantization).model
        runs = (by_generate(model, job) for job in several)
        baseline[name] = max(tokens / seconds for tokens, seconds in runs)
        print(f"{name + ', generate()':34}{baseline[name]:12,.0f}", flush=True)
        del model
        release()
    shared: Engine | None = None
    if options.engine == "vllm":
        from rust_expert.sampling.vllm_engine import VllmEngine

        started = time.monotonic()
        shared = VllmEngine(all_jobs)
        print(f"one load of the base for all: {time.monotonic() - started:.1f} s", flush=True)
    for name, several in jobs.items():
        engine = shared or TransformersEngine(several[0].folder, several[0].adapter, options, quantization)
        rates = []
        for job in several:
            started = time.monotonic()
            (manifest,) = sample([job], partial(_same, engine))
            rates.append(manifest.tokens / (time.monotonic() - started))
        told = f"{max(rates) / baseline[name]:9.1f}x    {manifest.tokens / manifest.rows:.0f} tokens a row"
        print(f"{name + ', ' + options.engine:34}{max(rates):12,.0f}{told}", flush=True)


def _same(engine: Made) -> Made:
    return engine


def release() -> None:
    """Give back what a model held on the GPU."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def main(words: Sequence[str] = ()) -> None:
    """Make the model, measure, print."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--llama-8b", action="store_true", help="the shape of Llama-3.1-8B, on a GPU")
    told.add_argument(
        "--problems", type=int, default=0, help="of the suite (default 96; 400 with --llama-8b)"
    )
    told.add_argument("--samples", type=int, default=2, help="answers for each")
    given = told.parse_args(words)
    prepare_process(1)
    import torch

    settle_libraries(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if given.llama_8b and device == "cpu":
        raise SystemExit("--llama-8b needs a GPU, and torch sees none; without it a tiny model is measured")
    engine = "vllm" if device == "cuda" and importlib.util.find_spec("vllm") else "transformers"
    shape, most = (LLAMA_8B, 512) if given.llama_8b else (TINY, 128)
    suite = [
        problem_of(task)
        for task in problems(CurriculumOptions(problems=given.problems or (400 if given.llama_8b else 96)))
    ]
    together = 4096 if engine == "vllm" else GENERATED_TOGETHER
    options = SamplingOptions.model_validate(
        {"engine": engine, "samples": given.samples, "temperature": 0.8, "top_p": 0.95, "max_new_tokens": most,
         "batch_size": together, "weights": "dense", "device": device, "seed": 17}
    )  # fmt: skip
    quantization = QuantizationOptions(compute_dtype="bfloat16" if device == "cuda" else "float32")
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU, one thread"
    print(
        f"sampling: {len(suite)} problems, {given.samples} answers each, at most {most} tokens; on {name},"
        f" {'Llama-3.1-8B-shaped' if given.llama_8b else 'tiny'} model of random weights; tokens per second"
    )
    with tempfile.TemporaryDirectory(prefix="bench-sampling-") as held:
        texts = [problem.prompt + problem.canonical_solution for problem in suite]
        base = make_base(Path(held), shape, texts, 200 if given.llama_8b else 50, device)
        stages = {"base": base, "adapter": make_stage(base, quantization, device)}
        measure(base, stages, suite, options, quantization, 1 if given.llama_8b else ROUNDS)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])

"""What a QLoRA stage costs on this machine: ours against TRL as its documentation sets it up, in one run.

The base has random weights and is made on the spot: with --llama-8b one of the shape of Llama-3.1-8B at 4,096 tokens on
a GPU, else a tiny one on a CPU, whose figures say nothing of a GPU. Rows are random tokens of the lengths that the rows
of the data set `broad` have (row_lengths.json). Printed: useful tokens per second, which are those of rows and not of
padding, of both; on full sequences MFU, and where the time goes; peak memory beside what plan_memory predicts.

python -m benchmarks.training [--llama-8b] [--steps N] [--json FILE]
"""

import argparse
import gc
import json
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rust_expert.common.config.models import LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.common.files import read_json, write_json
from rust_expert.common.seeds import rng
from rust_expert.models.process import prepare_process, settle_libraries
from rust_expert.models.shapes import KNOWN, Shapes

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
TINY = Shapes(
    model_type="llama", vocab_size=1024, hidden_size=128, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, intermediate_size=256, tie_word_embeddings=False, head_dim=32,
)  # fmt: skip
LENGTHS = Path(__file__).with_name("row_lengths.json")
GIGABYTE = 2**30
ROWS = 1_600
TEMPLATE_TOKENS = 25
"""What the chat template of Llama 3 adds to a row, about."""
WARM = 2
"""First steps, which also load kernels and are not counted."""


@dataclass(frozen=True)
class Setting:
    """One measurement: shapes, options, how many steps, and where files go."""

    shapes: Shapes
    training: TrainingOptions
    lora: LoraOptions
    quantization: QuantizationOptions
    folder: Path


def setting_of(large: bool, steps: int, folder: Path) -> Setting:
    """The options of phase 1 of the H100 profile, or the same for a tiny model on a CPU."""
    training = TrainingOptions(
        steps=steps, learning_rate=1e-4, warmup_steps=0, max_length=4096 if large else 512,
        micro_batch=4 if large else 2, accumulation=1, eval_steps=10_000, eval_rows=1, save_steps=10_000, log_steps=1,
        max_passes=1e6, gradient_checkpointing=True, attention="auto",
        optimizer="paged_adamw_8bit" if large else "adamw_torch", device="cuda" if large else "cpu",
        tensorboard=False,
    )  # fmt: skip
    return Setting(
        KNOWN[LLAMA] if large else TINY,
        training,
        LoraOptions(r=16, alpha=16, dropout=0.05),
        QuantizationOptions(compute_dtype="bfloat16" if large else "float32"),
        folder,
    )


def real_rows(setting: Setting) -> Any:
    """Rows of random tokens with the lengths of real ones, the same on each run; cut where they are too long."""
    from datasets import Dataset

    pairs = read_json(LENGTHS)["datasets"]["broad"]["pairs"]
    chance = rng(0, "lengths")
    shrink = setting.training.max_length / 4096
    lengths = []
    for _ in range(ROWS):
        prompt, answer = chance.choice(pairs)
        whole = max(8, min(setting.training.max_length, int((prompt + answer + TEMPLATE_TOKENS) * shrink)))
        lengths.append((whole, max(4, int(whole * answer / (prompt + answer + TEMPLATE_TOKENS)))))
    return Dataset.from_dict(_columns(setting, lengths))


def full_rows(setting: Setting) -> Any:
    """Rows that fill a sequence each; half of it is answer."""
    from datasets import Dataset

    whole, training = setting.training.max_length, setting.training
    count = training.micro_batch * training.accumulation * (training.steps or 1)
    return Dataset.from_dict(_columns(setting, [(whole, whole // 2)] * count))


def _columns(setting: Setting, lengths: list[tuple[int, int]]) -> dict[str, list[list[int]]]:
    chance = rng(0, "tokens")
    ids = [[chance.randrange(5, setting.shapes.vocab_size) for _ in range(whole)] for whole, _ in lengths]
    labels = [
        [-100] * (whole - answer) + row[whole - answer :]
        for row, (whole, answer) in zip(ids, lengths, strict=True)
    ]
    return {"input_ids": ids, "labels": labels}


def _tokenizer(setting: Setting) -> Any:
    from rust_expert.models.tokenizer import train_tokenizer

    return train_tokenizer(["fn main() {}"], 300, setting.training.max_length)


def plain(setting: Setting, rows: Any) -> dict[str, float]:
    """TRL as it comes: a quantised base, a peft config, and SFTConfig with nothing but max_length set."""
    import torch
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from rust_expert.models.random_base import random_base

    class Counted(SFTTrainer):  # type: ignore[misc]
        """Tokens that are no padding, and seconds, step by step."""

        def training_step(self, model: Any, inputs: dict[str, Any], *more: Any, **options: Any) -> Any:
            tokens.append(int(inputs["attention_mask"].sum()))
            found = super().training_step(model, inputs, *more, **options)
            if on_gpu:
                torch.cuda.synchronize()
            stamps.append(time.perf_counter())
            return found

    tokens: list[int] = []
    stamps: list[float] = []
    on_gpu = _fresh(setting)
    model = random_base(setting.shapes, setting.quantization, "sdpa", setting.training.device)
    adapter = LoraConfig(
        r=setting.lora.r, lora_alpha=setting.lora.alpha, lora_dropout=setting.lora.dropout,
        target_modules="all-linear", task_type="CAUSAL_LM",
    )  # fmt: skip
    options = SFTConfig(
        output_dir=str(setting.folder / "plain"), max_length=setting.training.max_length,
        max_steps=setting.training.steps or 1, report_to="none", save_strategy="no", use_cpu=not on_gpu,
        bf16=on_gpu, disable_tqdm=True,
    )  # fmt: skip
    trainer = Counted(
        model=model,
        args=options,
        train_dataset=rows,
        processing_class=_tokenizer(setting),
        peft_config=adapter,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    seconds = stamps[-1] - stamps[WARM - 1]
    return {
        "tokens_per_second": sum(tokens[WARM:]) / seconds,
        "micro_batch": float(options.per_device_train_batch_size),
        **_peak(on_gpu),
    }


def ours(setting: Setting, rows: Any, name: str, profiled: bool = False) -> dict[str, Any]:
    """The stage's own trainer; with `profiled` also where the time of one step goes."""
    import torch

    from rust_expert.models import attention, loading
    from rust_expert.models.flops import shape_of
    from rust_expert.models.random_base import random_base
    from rust_expert.models.ranks import Group
    from rust_expert.models.trainer import make_trainer
    from rust_expert.models.watching import Watch

    on_gpu = _fresh(setting)
    training, folder = setting.training, setting.folder / name
    folder.mkdir()
    chosen = attention.choose(training.attention, training.device, packing=training.packing)
    model = random_base(setting.shapes, setting.quantization, chosen, training.device)
    adapted = loading.new_adapter(model, setting.lora, training.seed)
    watch = Watch(name, training, Group(), shape_of(adapted), folder, name)
    trainer = make_trainer(
        adapted, _tokenizer(setting), rows, rows.select([]), training, setting.quantization, folder, [watch]
    )
    watch.attach(trainer)
    trainer.train()
    lengths = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    found: dict[str, Any] = {
        **watch.summary(),
        "attention": chosen,
        "packing_efficiency": sum(lengths) / len(lengths) / training.max_length,
        **_peak(on_gpu),
    }
    if profiled:
        batch = trainer.data_collator([trainer.train_dataset[place] for place in range(training.micro_batch)])
        kinds = [
            torch.profiler.ProfilerActivity.CPU,
            *([torch.profiler.ProfilerActivity.CUDA] if on_gpu else []),
        ]
        with torch.profiler.profile(activities=kinds) as profile:
            trainer.training_step(trainer.model, trainer._prepare_inputs(batch))
        found["where_time_goes"] = _shares(profile, on_gpu)
    return found


def _shares(profile: Any, on_gpu: bool) -> dict[str, float]:
    """The largest shares of a step's time by operation: kernels on a GPU, operators on a CPU."""
    spent: dict[str, float] = {}
    for event in profile.key_averages():
        cost = event.self_device_time_total if on_gpu else event.self_cpu_time_total
        if cost > 0 and (not on_gpu or event.device_type.name == "CUDA"):
            spent[event.key[:60]] = spent.get(event.key[:60], 0.0) + cost
    whole = sum(spent.values())
    return {name: spent[name] / whole for name in sorted(spent, key=lambda name: -spent[name])[:12]}


def _fresh(setting: Setting) -> bool:
    """Forget what ran before; whether this is a GPU."""
    import torch

    gc.collect()
    torch.manual_seed(0)
    on_gpu = setting.training.device == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return on_gpu


def _peak(on_gpu: bool) -> dict[str, float]:
    import torch

    return {"peak_memory_bytes": float(torch.cuda.max_memory_allocated())} if on_gpu else {}


def measure(large: bool, steps: int) -> dict[str, Any]:
    """All figures, by what was measured."""
    from rust_expert.models.memory_plan import predict
    from rust_expert.models.process import device_name, require_device
    from rust_expert.models.work import library_versions

    with tempfile.TemporaryDirectory(prefix="rust-expert-bench-") as name:
        setting = setting_of(large, steps, Path(name))
        require_device(setting.training.device, setting.quantization.compute_dtype)
        rows = real_rows(setting)
        found: dict[str, Any] = {
            "date": date.today().isoformat(),
            "device": device_name(setting.training.device),
            "model": LLAMA if large else "tiny",
            "max_length": setting.training.max_length,
            "versions": library_versions(),
            "plain": plain(setting, rows),
            "ours": ours(setting, rows, "real"),
            "full": ours(setting, full_rows(setting), "full", profiled=True),
        }
        if large:
            plan = predict(setting.shapes, setting.lora, setting.quantization, setting.training)
            found["predicted_bytes"] = plan.total
    found["ratio"] = found["ours"]["tokens_per_second"] / found["plain"]["tokens_per_second"]
    return found


def show(found: dict[str, Any]) -> None:
    """Print the figures."""
    plain_one, ours_one, full = found["plain"], found["ours"], found["full"]
    print(f"training: {found['model']} of random weights on {found['device']}, {found['max_length']} tokens")
    if found["model"] == "tiny":
        print("  a tiny model on a CPU: these figures say nothing of a GPU, where nothing was measured")
    print(f"  TRL's defaults:  {plain_one['tokens_per_second']:10,.0f} useful tokens/s{_memory(plain_one)}")
    print(
        f"  ours:            {ours_one['tokens_per_second']:10,.0f} useful tokens/s{_memory(ours_one)}, "
        f"{found['ratio']:.2f} times; packs are {ours_one['packing_efficiency']:.1%} full, "
        f"attention {ours_one['attention']}, waits for data {ours_one['data_wait_share']:.1%}"
    )
    mfu = (
        f", MFU {full['mfu']:.1%}, recompute {full['recompute']:.1%}"
        if "mfu" in full
        else ", MFU not measured"
    )
    print(f"  full sequences:  {full['tokens_per_second']:10,.0f} tokens/s{_memory(full)}{mfu}")
    if "predicted_bytes" in found:
        share = full["peak_memory_bytes"] / found["predicted_bytes"]
        print(
            f"  plan_memory predicts {found['predicted_bytes'] / GIGABYTE:.2f} GiB; measured is {share:.1%} of it"
        )
    for name, share in full["where_time_goes"].items():
        print(f"    {share:6.1%} {name}")


def _memory(figures: dict[str, Any]) -> str:
    peak = figures.get("peak_memory_bytes")
    return f", peak {peak / GIGABYTE:.2f} GiB" if peak else ""


def main(words: list[str] | None = None) -> None:
    """Measure and print."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--llama-8b", action="store_true", help="the shape of Llama-3.1-8B, on a GPU")
    told.add_argument(
        "--steps", type=int, default=8, metavar="N", help="steps of each measurement (default 8)"
    )
    told.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    given = told.parse_args([] if words is None else words)
    prepare_process(1)
    settle_libraries(1)
    found = measure(given.llama_8b, given.steps)
    show(found)
    if given.json:
        write_json(given.json, json.loads(json.dumps(found)))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])

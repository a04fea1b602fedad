"""The engine for GPUs: vLLM, fed with our token ids and stopped by our end marks; adapters are not merged.

It is imported only where `engine: vllm` is chosen, in an environment of its own (envs/sample-vllm.yaml).
"""

import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.errors import UserError
from rust_expert.models.process import require_device
from rust_expert.sampling.dense import dense_copy
from rust_expert.sampling.engine import Decoded, Prompt, Rule
from rust_expert.sampling.job import Job

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM's max_lora_rank can have."""


def require_vllm() -> None:
    """Raise UserError where vLLM is not installed."""
    if importlib.util.find_spec("vllm") is None:
        raise UserError(
            "engine: vllm was asked for, but vllm is not installed here; run the workflow with --sdm conda, or install"
            " envs/sample-vllm.lock into a virtual environment and name its folder in RUST_EXPERT_VLLM, or choose"
            " engine: transformers"
        )


def engine_options(
    model: Path, jobs: Sequence[Job], options: SamplingOptions, quantization: QuantizationOptions
) -> dict[str, Any]:
    """The arguments of vLLM's LLM for all jobs together: lengths and the adapters' largest rank follow from them.

    Raises UserError where an adapter's rank is more than vLLM takes.
    """
    adapters = [job.adapter for job in jobs if job.adapter is not None]
    lora: dict[str, Any] = {}
    if adapters:
        lora = {"enable_lora": True, "max_loras": 1, "max_cpu_loras": len(set(adapters)),
                "max_lora_rank": _rank(adapters)}  # fmt: skip
    return {
        "model": str(model),
        # Prompts come and answers go as token ids: no text of ours meets another tokenizer or chat template.
        "skip_tokenizer_init": True,
        # "vllm": the model's own generation config adds no sampling defaults and no end marks to ours.
        "generation_config": "vllm",
        "dtype": quantization.compute_dtype,
        "max_model_len": max(job.positions for job in jobs),
        "gpu_memory_utilization": options.gpu_memory_utilization,
        "enable_prefix_caching": True,
        "seed": options.seed,
        **lora,
    }


def request_options(rule: Rule, seed: int) -> dict[str, Any]:
    """The arguments of vLLM's SamplingParams for one row."""
    return {
        "temperature": rule.temperature,
        "top_p": rule.top_p if rule.temperature > 0 else 1.0,
        "seed": seed,
        "max_tokens": rule.max_new_tokens,
        # All end marks are ours, none is vLLM's; the one that ends a row is the last of its token ids.
        "stop_token_ids": sorted(rule.end_ids),
        "ignore_eos": True,
        "detokenize": False,
        "skip_clone": True,
    }


class VllmEngine:
    """One load of a base for all jobs; each adapter is put on it when its job comes."""

    def __init__(self, jobs: Sequence[Job], wait_seconds: float = 0.0) -> None:
        require_vllm()
        order = jobs[0].order
        require_device(order.options.device)
        # One process: requests are scheduled in one order, and a killed run leaves no engine behind on the GPU.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        os.environ["VLLM_CONFIGURE_LOGGING"] = "0"
        os.environ["VLLM_NO_USAGE_STATS"] = "1"
        model = dense_copy(order.base, jobs[0].folder, order.quantization, order.options.device, wait_seconds)
        import vllm

        self.llm: Any = vllm.LLM(**engine_options(model, jobs, order.options, order.quantization))
        self.numbers: dict[Path, int] = {}

    def generate(self, adapter: Path | None, prompts: Sequence[Prompt], rule: Rule) -> list[Decoded]:
        """The new tokens of each prompt, in order."""
        from vllm import SamplingParams, TokensPrompt
        from vllm.lora.request import LoRARequest

        lora = None
        if adapter is not None:
            number = self.numbers.setdefault(adapter, len(self.numbers) + 1)
            lora = LoRARequest(lora_name=f"adapter-{number}", lora_int_id=number, lora_path=str(adapter))
        given = self.llm.generate(
            [TokensPrompt(prompt_token_ids=prompt.ids) for prompt in prompts],
            [SamplingParams(**request_options(rule, prompt.seed)) for prompt in prompts],
            use_tqdm=False,
            lora_request=lora,
        )
        made = []
        for prompt, one in zip(prompts, given, strict=True):
            if list(one.prompt_token_ids) != prompt.ids:
                raise RuntimeError("vLLM went on from other token ids than it was given")
            ids = list(one.outputs[0].token_ids)
            made.append(Decoded(ids, finished=bool(ids) and ids[-1] in rule.end_ids))
        return made


def _rank(adapters: Sequence[Path]) -> int:
    """The least rank that vLLM can be told and that no adapter exceeds."""
    needed = max(
        json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["r"] for folder in adapters
    )
    for rank in RANKS:
        if rank >= needed:
            return rank
    raise UserError(
        f"engine: vllm takes adapters up to rank {RANKS[-1]}, and one here has {needed}; choose engine: transformers"
    )

"""A stand-in for vLLM where its kernels cannot run: the same names and arguments, computed by transformers on a CPU.

`test_sampling_vllm.py` holds its signatures against the real library where that is installed.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from rust_expert.sampling.decode import decode
from rust_expert.sampling.engine import Prompt, Rule


def TokensPrompt(*, prompt_token_ids: list[int]) -> dict[str, Any]:
    return {"prompt_token_ids": prompt_token_ids}


@dataclass(frozen=True)
class SamplingParams:
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    max_tokens: int | None = 16
    stop_token_ids: list[int] | None = None
    ignore_eos: bool = False
    detokenize: bool = True
    skip_clone: bool = False


@dataclass(frozen=True)
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str = ""


class LLM:
    """Each one that is made notes its arguments and its requests in `made`."""

    made: list["LLM"] = []

    def __init__(self, model: str, **options: Any) -> None:
        self.options = {"model": model, **options}
        self.requests: list[tuple[LoRARequest | None, list[SamplingParams], list[list[int]]]] = []
        self.folder = Path(model)
        LLM.made.append(self)

    def generate(
        self,
        prompts: Sequence[dict[str, Any]],
        sampling_params: Sequence[SamplingParams],
        *,
        use_tqdm: bool = True,
        lora_request: LoRARequest | None = None,
    ) -> list[SimpleNamespace]:
        ids = [list(prompt["prompt_token_ids"]) for prompt in prompts]
        self.requests.append((lora_request, list(sampling_params), ids))
        model: Any = AutoModelForCausalLM.from_pretrained(
            self.folder, dtype=getattr(torch, self.options["dtype"])
        )
        if lora_request is not None:
            assert self.options["enable_lora"]
            model = PeftModel.from_pretrained(model, lora_request.lora_path)
        given = []
        for prompt, params in zip(ids, sampling_params, strict=True):
            assert params.max_tokens and len(prompt) + params.max_tokens <= self.options["max_model_len"]
            rule = Rule(params.temperature, params.top_p, params.max_tokens,
                        frozenset(params.stop_token_ids or ()), 0)  # fmt: skip
            (new,) = decode(model.eval(), [Prompt(prompt, params.seed or 0)], rule)
            given.append(
                SimpleNamespace(prompt_token_ids=prompt, outputs=[SimpleNamespace(token_ids=tuple(new.ids))])
            )
        return given


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `import vllm` find the stand-in, and the engine take a CPU for its GPU."""
    from rust_expert.sampling import vllm_engine

    LLM.made.clear()
    package, lora, request = ModuleType("vllm"), ModuleType("vllm.lora"), ModuleType("vllm.lora.request")
    package.LLM, package.SamplingParams, package.TokensPrompt = LLM, SamplingParams, TokensPrompt  # type: ignore[attr-defined]
    request.LoRARequest = LoRARequest  # type: ignore[attr-defined]
    for module in (package, lora, request):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(vllm_engine, "require_vllm", lambda: None)
    monkeypatch.setattr(vllm_engine, "require_device", lambda device: None)
    real = vllm_engine.dense_copy

    def on_a_cpu(base: Path, folder: Path, quantization: Any, device: str, wait: float) -> Path:
        assert device == "cuda"
        return real(base, folder, quantization, "cpu", wait)

    monkeypatch.setattr(vllm_engine, "dense_copy", on_a_cpu)

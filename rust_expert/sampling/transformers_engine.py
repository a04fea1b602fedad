"""The engine for everywhere: transformers' model, our decoding."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.models import loading
from rust_expert.models.process import require_device
from rust_expert.sampling.decode import decode
from rust_expert.sampling.engine import Decoded, Prompt, Rule


class TransformersEngine:
    """The quantised base of `folder` with one adapter, as it was trained; `adapter` None: without one.

    With `weights: dense` the base is dequantised once and the adapter merged: the same function, to rounding.
    """

    def __init__(
        self, folder: Path, adapter: Path | None, options: SamplingOptions, quantization: QuantizationOptions
    ) -> None:
        require_device(options.device)
        self.adapter = adapter
        model: Any = loading.load_base(folder, quantization, "sdpa", options.device)
        if options.weights == "dense":
            model = loading.dequantise(model)
        if adapter is not None:
            model = loading.load_adapter(model, adapter, trainable=False)
            if options.weights == "dense":
                model = model.merge_and_unload()
        self.model = model.eval()

    def generate(self, adapter: Path | None, prompts: Sequence[Prompt], rule: Rule) -> list[Decoded]:
        """The new tokens of each prompt. Raises ValueError for another adapter than the one that was loaded."""
        if adapter != self.adapter:
            raise ValueError(f"loaded with {self.adapter}, asked for {adapter}")
        return decode(self.model, prompts, rule)

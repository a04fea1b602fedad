"""How much arithmetic a training step is, and how much of what a GPU can do that comes to.

Per token, a matrix of P weights costs 2 P floating point operations forward (a multiplication and an addition each).
Backward costs 2 P more for the gradient of its input, and another 2 P for its own gradient where it is trained
(Kaplan et al. 2020, arXiv:2001.08361, section 2.1). The base of a QLoRA training is frozen, so its matrices cost 4 P
and not the 6 P of a full training; the adapter's cost 6 P. The head is counted for the tokens that are learned, since
it is asked for no other. Attention over a row of l tokens costs, per layer, 4 l(l+1)/2 times the width of all heads
forward (scores and weighted sum, each pair of tokens once), twice that backward. Embeddings are looked up and cost
nothing. Recomputing for gradient checkpointing is told apart: it is no work that the model asks for (Chowdhery et al.
2022, arXiv:2204.02311, appendix B: model FLOPs utilisation, MFU).
"""

from dataclasses import dataclass
from typing import Any

import torch

PEAKS = {
    "H200": 989.4e12,
    "H100 PCIe": 756.0e12,
    "H100 NVL": 835.5e12,
    "H100": 989.4e12,
    "A100": 311.9e12,
    "L40S": 362.1e12,
    "RTX 4090": 165.2e12,
    "A10G": 70.0e12,
    "L4": 121.0e12,
}
"""Dense bfloat16 operations per second by a part of the device's name, the most particular first (the makers' data
sheets, without sparsity)."""


@dataclass(frozen=True)
class Shape:
    """What the arithmetic of a model hangs on: weights in frozen and in trained matrices, and its attention."""

    frozen: int
    trained: int
    head: int
    layers: int
    attention_width: int

    def needed(self, work: "Work") -> float:
        """Operations that a forward and backward pass asks for."""
        matrices = 4.0 * self.frozen * work.tokens + 6.0 * self.trained * work.tokens
        return matrices + 4.0 * self.head * work.learned + 3.0 * self._attention(work)

    def recomputed(self, work: "Work") -> float:
        """Operations that gradient checkpointing adds: the layers' forward pass once more."""
        return 2.0 * (self.frozen + self.trained) * work.tokens + self._attention(work)

    def _attention(self, work: "Work") -> float:
        return 4.0 * self.layers * self.attention_width * work.pairs


@dataclass(frozen=True)
class Work:
    """What a step goes over: tokens, those of them that are learned (the head is asked for no other), and the pairs of
    tokens that see each other, l(l+1)/2 for a row of l tokens.
    """

    tokens: int = 0
    learned: int = 0
    pairs: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.tokens + other.tokens, self.learned + other.learned, self.pairs + other.pairs)


def shape_of(model: Any) -> Shape:
    """The shape of a base with an adapter. A 4-bit matrix counts as the weights that it stands for."""
    frozen = trained = head = 0
    base = model.get_base_model()
    output = base.get_output_embeddings()
    for name, module in model.named_modules():
        if not isinstance(module, torch.nn.Linear):
            continue
        weights = module.in_features * module.out_features
        if module is output:
            head += weights
        elif ".lora_" in name:
            trained += weights
        else:
            frozen += weights
    config = base.config
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Shape(frozen, trained, head, config.num_hidden_layers, config.num_attention_heads * width)


def peak_of(device: str) -> float | None:
    """Operations per second that the device can do in bfloat16, None where that is not known, as of a CPU."""
    if not device.startswith("cuda"):
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in PEAKS.items() if part in name), None)

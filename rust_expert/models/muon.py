"""Muon: momentum whose update is made orthogonal, for the matrices inside the layers of a small model.

Keller Jordan and others, "Muon: An optimizer for hidden layers in neural networks" (2024). On our tiny base it reaches
in half the tokens the loss that AdamW reaches. torch has a Muon of its own since 2.9, but that one multiplies in
bfloat16, which CPUs without AVX512-BF16 do many times slower; matrices of one shape go through one batched product.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration; from the paper."""

ITERATIONS = 3
"""The paper has 5; here 3 gave the same loss (0.212 for 0.209) and a sixth more tokens per second."""


def orthogonalised(matrices: torch.Tensor) -> torch.Tensor:
    """Matrices with the same singular vectors and all larger singular values brought near 1.

    Args:
        matrices: (count, rows, columns).
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        square = x @ x.transpose(1, 2)
        x = a * x + torch.baddbmm(square, square, square, beta=b, alpha=c) @ x
    result: torch.Tensor = x.transpose(1, 2) if tall else x
    return result


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, scaled by the root of rows over columns where there are more rows."""

    def __init__(
        self,
        matrices: Iterable[torch.nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[torch.nn.Parameter]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    shapes[weight.shape].append(weight)
            for shape, weights in shapes.items():
                updates = orthogonalised(
                    torch.stack([self._with_momentum(weight, group["momentum"]) for weight in weights])
                )
                scale = max(1.0, shape[0] / shape[1]) ** 0.5
                for weight, update in zip(weights, updates, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.add_(update, alpha=-group["lr"] * scale)

    def _with_momentum(self, weight: torch.nn.Parameter, momentum: float) -> torch.Tensor:
        assert weight.grad is not None
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        mean: torch.Tensor = state["momentum"]
        mean.lerp_(weight.grad, 1 - momentum)
        return weight.grad.lerp(mean, momentum)

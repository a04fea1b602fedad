"""Bases of real size without their memory: every tensor is fake, shapes and what autograd saves are real.

The 4-bit product is a stand-in with the memory of bitsandbytes' own (it saves only the packed weights and dequantises
them in both passes), for its parameter class cannot be fake. Dropout is the fused kernel of GPUs, which saves a byte
per value.
"""

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any
from unittest import mock

import torch
from bitsandbytes.nn import Linear4bit
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from rust_expert.common.config.models import LoraOptions, QuantizationOptions
from rust_expert.models import loading, random_base
from rust_expert.models.shapes import Shapes


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, packed: torch.Tensor, width: int) -> torch.Tensor:
        ctx.packed, ctx.width = packed, width
        return torch.matmul(x, torch.empty(width, x.shape[-1], dtype=x.dtype).t())

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        inputs = ctx.packed.numel() * 2 // ctx.width
        return torch.matmul(gradient, torch.empty(ctx.width, inputs, dtype=gradient.dtype)), None, None


class Fake4bit(Linear4bit):  # type: ignore[misc]
    def __init__(self, layer: torch.nn.Linear, *_: Any) -> None:
        torch.nn.Module.__init__(self)
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.compute_dtype, self.bias, self.quant_state = torch.bfloat16, layer.bias, None
        self.weight = torch.nn.Parameter(
            torch.empty(layer.weight.numel() // 2, 1, dtype=torch.uint8, device="meta"), requires_grad=False
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        product = Product.apply(x.to(torch.bfloat16), self.weight, self.out_features)
        return (product if self.bias is None else product + self.bias).to(x.dtype)


def fused_dropout(
    x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> torch.Tensor:
    return torch.native_dropout(x, p, True)[0] if training and p else x


def single_layer_norm(x: torch.Tensor, shape: Any, weight: Any, bias: Any, eps: float) -> torch.Tensor:
    with torch.autocast("cpu", enabled=False):
        return torch.layer_norm(x.float(), shape, weight.float(), bias.float(), eps)


def autocast_enabled(*device: str, real: Any = torch.is_autocast_enabled) -> bool:
    """peft asks without naming a device, and means the GPU; autocast names one, to put things back at its end."""
    return bool(real(*device)) if device else True


AS_ON_A_GPU = {
    "torch.nn.functional.dropout": fused_dropout,
    # Under autocast a GPU normalises layers in float32, a CPU does not.
    "torch.nn.functional.layer_norm": single_layer_norm,
    "torch.is_autocast_enabled": autocast_enabled,
}


@contextlib.contextmanager
def fake_model(shapes: Shapes, lora: LoraOptions, *, attention: str, checkpointing: bool) -> Iterator[Any]:
    """An adapted base in training, made of fake tensors, inside the mode in which they live."""
    with (
        mock.patch.object(random_base, "_quantised", Fake4bit),
        mock.patch.object(random_base.loading, "keep_quantised_layers_exact", lambda *_: None),
    ):
        model = random_base.random_base(
            shapes, QuantizationOptions(compute_dtype="bfloat16"), attention, "meta"
        )
    for module in model.modules():
        if isinstance(module, Fake4bit):
            Fake4bit.__init__(
                module, torch.nn.Linear(module.in_features, module.out_features, device="meta", bias=False)
            )
            module.weight.compress_statistics, module.weight.quant_type = True, "nf4"
    adapted = loading.new_adapter(model, lora, 0).train()
    with FakeTensorMode(), contextlib.ExitStack() as patched:
        for name, function in AS_ON_A_GPU.items():
            patched.enter_context(mock.patch(name, function))
        _make_fake(adapted)
        if checkpointing:
            adapted.gradient_checkpointing_enable({"use_reentrant": False})
            adapted.enable_input_require_grads()
        try:
            yield adapted
        finally:  # what ends inside puts back what it was told: that autocast was on
            torch.set_autocast_enabled("cpu", False)


def _make_fake(model: torch.nn.Module) -> None:
    made: dict[int, torch.nn.Parameter] = {}
    for module in model.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            if id(weight) not in made:
                dtype = torch.float32 if weight.requires_grad else weight.dtype
                fake = torch.empty(weight.shape, dtype=dtype)
                made[id(weight)] = torch.nn.Parameter(fake, requires_grad=weight.requires_grad)
            module._parameters[name] = made[id(weight)]
        for name, buffer in list(module.named_buffers(recurse=False)):
            module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)


def saved_bytes(model: Any, batch: int, tokens: int) -> int:
    """What a forward pass through the decoder saves for the backward pass, weights aside."""
    own = {tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())}
    saved: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage()._cdata not in own:
            saved.setdefault(tensor.untyped_storage()._cdata, tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = _decoder(model, batch, tokens)
    assert result.requires_grad
    return sum(tensor.untyped_storage().nbytes() for tensor in saved.values())


class Live(TorchDispatchMode):
    """Counts the bytes of the tensors that operators make and that are still alive."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in torch.utils._pytree.tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._see(tensor.untyped_storage())
        return result

    def _see(self, storage: Any) -> None:
        if storage in self.known:
            return
        self.known.add(storage)
        size = storage.nbytes()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, size)

    def _gone(self, size: int) -> None:
        self.now -= size


def peak_bytes(model: Any, batch: int, tokens: int) -> int:
    """The most memory of a forward and backward pass through the decoder at one time, weights aside."""
    live = Live()
    for tensor in (*model.parameters(), *model.buffers()):
        live.known.add(tensor.untyped_storage())
    with live:
        _decoder(model, batch, tokens).sum().backward()
    return live.peak


def _decoder(model: Any, batch: int, tokens: int) -> torch.Tensor:
    ids = torch.zeros(batch, tokens, dtype=torch.long)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found: torch.Tensor = model.get_base_model().model(input_ids=ids, use_cache=False).last_hidden_state
    return found

"""The weights of a base with its adapter as one dense model, tensor by tensor, and the files that hold them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bitsandbytes
import torch
from bitsandbytes.nn.modules import Linear4bit
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from safetensors import safe_open
from safetensors.torch import save_file

from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.models.adapter import WEIGHTS

ADAPTER = "default"
"""What peft calls an adapter that was given no name."""


@dataclass(frozen=True)
class Piece:
    """One tensor of the dense model, made when it is asked for; `merged` where an adapter is part of it."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    make: Callable[[], torch.Tensor]
    merged: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return int(torch.Size(self.shape).numel()) * self.dtype.itemsize


def pieces(model: PeftModel, dtype: torch.dtype, adapter: Path) -> list[Piece]:
    """The tensors of `model`, whose adapter was read from the folder `adapter`, under the names of its base.

    A merged weight is W + scale B A, summed in float32 and rounded to `dtype` once; W of a 4-bit layer is what its
    numbers stand for. A matrix that two modules share (tied embeddings) comes once, as in the base's own files.

    Raises UserError where a part of the adapter has no layer, or changes a matrix that two modules share.
    """
    found = list(_pieces(model.get_base_model(), dtype))
    with safe_open(adapter / WEIGHTS, framework="pt") as stream:
        wanted = sum(".lora_A." in name for name in stream.keys())  # noqa: SIM118  (safe_open is no mapping)
    merged = sum(piece.merged for piece in found)
    if merged != wanted:
        raise UserError(
            f"{adapter}: it changes {wanted} layers, and {merged} of them are in this base; give the base that it was"
            " trained on"
        )
    return found


def _pieces(base: torch.nn.Module, dtype: torch.dtype) -> Iterator[Piece]:
    seen: set[int] = set()
    adapted: list[str] = []
    for place, module in base.named_modules():
        if any(place.startswith(f"{name}.") for name in adapted):
            continue
        head = f"{place}." if place else ""
        if isinstance(module, LoraLayer | Linear4bit):
            layer: Any = module
            if isinstance(module, LoraLayer):
                adapted.append(place)
                layer = module.get_base_layer()
            if id(layer.weight) in seen:
                raise UserError(
                    f"the adapter changes {place}, whose matrix another module of the base uses too; such a model"
                    " cannot be merged: export the adapter with --adapter-only"
                )
            seen.add(id(layer.weight))
            yield _linear(f"{head}weight", layer, module, dtype)
            if layer.bias is not None:
                yield _plain(f"{head}bias", layer.bias, dtype)
            continue
        for name, tensor in (
            *module.named_parameters(recurse=False),
            *(
                (name, buffer)
                for name, buffer in module.named_buffers(recurse=False)
                if name not in module._non_persistent_buffers_set
            ),
        ):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield _plain(head + name, tensor, dtype)


def _plain(name: str, tensor: torch.Tensor, dtype: torch.dtype) -> Piece:
    kind = dtype if tensor.is_floating_point() else tensor.dtype
    return Piece(name, tuple(tensor.shape), kind, lambda: tensor.detach().to(kind))


def _linear(name: str, layer: Any, module: torch.nn.Module, dtype: torch.dtype) -> Piece:
    shape = (layer.out_features, layer.in_features)
    merged, quantised = isinstance(module, LoraLayer), isinstance(layer, Linear4bit)

    @torch.no_grad()
    def make() -> torch.Tensor:
        weight: torch.Tensor = layer.weight.data
        if quantised:
            weight = bitsandbytes.functional.dequantize_4bit(weight, layer.weight.quant_state)
        if isinstance(module, LoraLayer):
            weight = weight.float() + module.get_delta_weight(ADAPTER).float()
        return weight.to(dtype)

    return Piece(name, shape, dtype, make, merged)


def write_weights(found: Sequence[Piece], folder: Path, shard_bytes: int) -> None:
    """Write the tensors as safetensors files of at most `shard_bytes` (a larger tensor alone), one at a time in memory.

    Several files come with the index that transformers and others read.
    """
    shards: list[list[Piece]] = [[]]
    for piece in found:
        if shards[-1] and sum(one.size for one in shards[-1]) + piece.size > shard_bytes:
            shards.append([])
        shards[-1].append(piece)
    if len(shards) == 1:
        names = ["model.safetensors"]
    else:
        names = [
            f"model-{number:05d}-of-{len(shards):05d}.safetensors" for number in range(1, len(shards) + 1)
        ]
    for name, shard in zip(names, shards, strict=True):
        tensors = {piece.name: piece.make().contiguous().cpu() for piece in shard}
        save_file(tensors, folder / name, metadata={"format": "pt"})
    if len(shards) > 1:
        places = {piece.name: name for name, shard in zip(names, shards, strict=True) for piece in shard}
        total = sum(piece.size for piece in found)
        write_json(
            folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places}
        )

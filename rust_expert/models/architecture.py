"""Where an adapter sits: the projections of a base, read from the model itself."""

from typing import Any

import torch
from peft.tuners.lora import LoraLayer

from rust_expert.common.config.models import AUTO, LoraOptions
from rust_expert.common.errors import UserError


def linear_layers(model: torch.nn.Module) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of each linear layer by its name in the bare model, whether an adapter wraps it or not."""
    found: dict[str, tuple[int, int]] = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and ".lora_" not in name:
            found[name.removesuffix(".base_layer")] = (module.in_features, module.out_features)
    return found


def projections(model: Any) -> dict[str, tuple[int, int]]:
    """The linear layers inside the decoder layers: attention and feed-forward, without embeddings and head."""
    inside = tuple(f"{name}." for name in _decoder_layers(model))
    return {name: shape for name, shape in linear_layers(model).items() if name.startswith(inside)}


def _decoder_layers(model: Any) -> list[str]:
    """The names of the lists of decoder layers: as many entries as the config has layers."""
    count = model.config.num_hidden_layers
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == count
    ]


def settled(model: Any, options: LoraOptions) -> LoraOptions:
    """`options` with `target_modules` as names, which `auto` leaves to the base's architecture.

    Raises UserError where the base has none of the named modules, or `auto` does not say which.
    """
    layers = linear_layers(model)
    leaves = {_leaf(name) for name in layers}
    if options.target_modules != AUTO:
        unknown = [name for name in options.target_modules if name not in leaves]
        if unknown:
            raise UserError(
                f"lora.target_modules: the base has no module {unknown[0]}; it has {', '.join(sorted(leaves))}"
            )
        return options
    inside = projections(model)
    chosen = sorted({_leaf(name) for name in inside})
    elsewhere = [name for name in layers if name not in inside and _leaf(name) in chosen]
    if not chosen or elsewhere:
        kind = f"the base's architecture ({model.config.model_type})"
        fault = f"{elsewhere[0]} is no part of a decoder layer" if elsewhere else "no projection was found"
        raise UserError(f"lora.target_modules: auto does not fit {kind}: {fault}; name the modules")
    return options.model_copy(update={"target_modules": chosen})


def check_ranks(model: Any, options: LoraOptions) -> None:
    """Raise UserError where the rank is more than a module is wide: the update would have no such rank."""
    for name, shape in linear_layers(model).items():
        if _leaf(name) in options.target_modules and options.r > min(shape):
            raise UserError(
                f"lora.r is {options.r}, but {name} is only {min(shape)} wide ({shape[0]} inputs, {shape[1]} outputs);"
                f" choose lora.r of at most {min(shape)}, or leave {_leaf(name)} out of lora.target_modules"
            )


def misplaced(model: Any) -> list[str]:
    """The layers that have an adapter and should not, or have none and should, of the adapted `model`."""
    wrapped = {name for name, module in model.named_modules() if isinstance(module, LoraLayer) and module.r}
    targets = set(model.peft_config["default"].target_modules)
    wanted = {name for name in linear_layers(model) if _leaf(name) in targets}
    return sorted(wrapped ^ wanted)


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]

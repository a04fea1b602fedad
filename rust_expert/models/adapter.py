"""Writing an adapter: the same bytes for the same weights, and no path of this machine in it."""

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import save_file

from rust_expert.common.files import write_json

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


def save_adapter(model: PeftModel, folder: Path, base_sha256: str) -> None:
    """Write weights and config of the adapter into `folder`, as peft reads them.

    peft itself would write the base's path, a model card, and module names in an order that varies between runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in sorted(state.items())}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)
    settings: dict[str, Any] = {
        key: sorted(value) if isinstance(value, set) else value
        for key, value in model.peft_config["default"].to_dict().items()
    }
    settings |= {"base_model_name_or_path": f"base manifest sha256 {base_sha256}", "inference_mode": True}
    write_json(folder / CONFIG, {key: _plain(value) for key, value in settings.items()})


def _plain(value: Any) -> Any:
    """A setting as JSON: enumerations by their value."""
    value = getattr(value, "value", value)
    return sorted(value) if isinstance(value, set) else value


def trainable(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The weights that are trained, by name."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def snapshot(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A float32 copy of each trained weight."""
    return {name: weight.detach().float().clone() for name, weight in trainable(model).items()}


def restore(model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Put the trained weights back to the copies in `weights`, in float32.

    TRL casts QLoRA adapters to bfloat16, in which AdamW's small updates are rounded away (70 % of the weights never
    moved at 5e-5). Casting back alone would keep the rounding of a parent's adapter.
    """
    for name, weight in trainable(model).items():
        weight.data = weights[name].to(weight.device)

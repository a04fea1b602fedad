"""Loading a base, frozen and quantised, and an adapter on top of it."""

import json
import logging
from pathlib import Path
from typing import Any

import bitsandbytes
import torch
from bitsandbytes.nn.modules import Linear4bit
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedTokenizerBase

from rust_expert.common.config.models import QUANTISATION_BLOCK, LoraOptions, QuantizationOptions
from rust_expert.common.errors import UserError
from rust_expert.models import architecture, attention

log = logging.getLogger(__name__)

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def load_tokenizer(folder: Path, padding_side: str = "right") -> PreTrainedTokenizerBase:
    """The tokenizer that lies with a base's model."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, padding_side=padding_side)
    return tokenizer


def load_base(folder: Path, options: QuantizationOptions, implementation: str, device: str) -> Any:
    """The base model, frozen, quantised as `options` say, on `device`, with that attention implementation.

    Raises UserError where the attention is not installed or a layer does not fit the quantisation.
    """
    attention.register()
    quantization = None
    if options.quant_type != "none":
        quantization = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=options.quant_type,
            bnb_4bit_use_double_quant=options.double_quant,
            bnb_4bit_compute_dtype=DTYPES[options.compute_dtype],
        )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=DTYPES[options.compute_dtype],
            quantization_config=quantization,
            attn_implementation=implementation,
            device_map={"": device},
        )
    except ImportError as error:
        raise UserError(
            f"attention: {implementation} cannot be used here ({str(error).splitlines()[0]}); choose sdpa"
        ) from None
    model.requires_grad_(False)
    keep_quantised_layers_exact(model, device)
    return model


def keep_quantised_layers_exact(model: torch.nn.Module, device: str) -> None:
    """Ward off two faults of bitsandbytes 0.50 on AVX-512 CPUs, both silent.

    On a CPU with AVX512-BF16 the first evaluation repacks each 4-bit layer: scales are rounded to bfloat16, and from
    then on the layer passes no gradient to what lies before it, so training goes on with most gradients missing.
    And where a row is no multiple of the block, the AVX-512 code dequantises with wrong scales (25 % error for 9 %).

    Raises UserError for a layer of such a width.
    """
    for name, layer in quantised_layers(model).items():
        layer.support_avx512bf16_for_cpu = False
        if device == "cpu" and layer.in_features % QUANTISATION_BLOCK:
            raise UserError(
                f"{name} of the base has {layer.in_features} inputs, no multiple of {QUANTISATION_BLOCK}, and would be"
                " dequantised wrongly on a CPU; choose another width, or quantization.quant_type: none"
            )


def quantised_layers(model: torch.nn.Module) -> dict[str, Any]:
    """The 4-bit linear layers of a model by name."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, Linear4bit)}


def dequantise(model: Any) -> Any:
    """Replace each 4-bit layer by a plain linear layer with the weights that it stands for, in place.

    Same numbers as the 4-bit layer in training: that one dequantises the same way on each call.
    """
    for name, layer in quantised_layers(model).items():
        dense = torch.nn.Linear(
            layer.in_features, layer.out_features, bias=layer.bias is not None, device="meta"
        )
        weight = bitsandbytes.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
        dense.weight = torch.nn.Parameter(weight.to(layer.compute_dtype), requires_grad=False)
        if layer.bias is not None:
            dense.bias = torch.nn.Parameter(layer.bias.data, requires_grad=False)
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, dense)
    model.is_loaded_in_4bit = False
    model.is_quantized = False
    model.hf_quantizer = None
    return model


def new_adapter(model: Any, options: LoraOptions, seed: int) -> PeftModel:
    """`model` with a fresh adapter whose weights are drawn from `seed` alone.

    Raises UserError where no module has one of the names in `target_modules`, or one is narrower than the rank.
    """
    options = architecture.settled(model, options)
    architecture.check_ranks(model, options)
    torch.manual_seed(seed)
    config = LoraConfig(
        r=options.r,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=sorted(options.target_modules),
        bias="none",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def load_adapter(model: Any, folder: Path, *, trainable: bool, dropout: float | None = None) -> PeftModel:
    """`model` with the adapter that lies in `folder`; `dropout` replaces the one that it was trained with."""
    config = LoraConfig.from_pretrained(folder)
    if dropout is not None:
        config.lora_dropout = dropout
    return PeftModel.from_pretrained(model, folder, is_trainable=trainable, config=config)


def check_adapter(folder: Path, options: LoraOptions) -> None:
    """Raise UserError where the adapter in `folder` has another shape than the settled `options` ask for."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    wanted = {"r": options.r, "lora_alpha": options.alpha, "target_modules": sorted(options.target_modules)}
    for key, value in wanted.items():
        found = sorted(config[key]) if isinstance(config[key], list) else config[key]
        if found != value:
            name = key.removeprefix("lora_")
            raise UserError(
                f"lora.{name} is {value}, but the parent's adapter in {folder} has {found}; a stage goes on with its"
                " parent's shape: set it back, or train the parent again"
            )

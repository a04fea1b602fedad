"""A quantised base of given shapes with random weights: for measuring memory and speed where no weights are."""

from typing import Any

import torch
from bitsandbytes.nn import Linear4bit, Params4bit
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig
from transformers.quantizers import AutoHfQuantizer

from rust_expert.common.config.models import QuantizationOptions
from rust_expert.models import architecture, attention, loading
from rust_expert.models.shapes import Shapes


def random_base(shapes: Shapes, options: QuantizationOptions, implementation: str, device: str) -> Any:
    """A frozen model of `shapes` on `device`, as `loading.load_base` would give it: same modules, other weights.

    Each matrix is drawn and quantised by itself, so that the whole never lies there in full precision. Values are
    small and fixed by torch's global seed.
    """
    attention.register()
    dtype = loading.DTYPES[options.compute_dtype]
    config = AutoConfig.for_model(
        shapes.model_type,
        vocab_size=shapes.vocab_size,
        hidden_size=shapes.hidden_size,
        num_hidden_layers=shapes.num_hidden_layers,
        num_attention_heads=shapes.num_attention_heads,
        num_key_value_heads=shapes.num_key_value_heads,
        intermediate_size=shapes.intermediate_size,
        tie_word_embeddings=shapes.tie_word_embeddings,
        head_dim=shapes.head_dim,
        residual_dropout=shapes.residual_dropout,
        max_position_embeddings=131_072,
        bos_token_id=1,
        eos_token_id=2,
        use_cache=False,
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation=implementation)
    if options.quant_type != "none":
        for name in architecture.projections(model):
            parent, _, leaf = name.rpartition(".")
            layer = getattr(model.get_submodule(parent), leaf)
            setattr(model.get_submodule(parent), leaf, _quantised(layer, options, dtype, device))
        _say_quantised(model, options, dtype)
    for module in model.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            if weight.device.type == "meta":
                value = torch.ones if "norm" in type(module).__name__.lower() else _small
                made = torch.nn.Parameter(
                    value(weight.shape, dtype=dtype, device=device), requires_grad=False
                )
                setattr(module, name, made)
    model.tie_weights()
    _restore_buffers(model, device)
    model.requires_grad_(False)
    loading.keep_quantised_layers_exact(model, device)
    return model


def _small(shape: torch.Size, dtype: torch.dtype, device: str) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, device=device).mul_(0.02)


def _quantised(
    layer: torch.nn.Linear, options: QuantizationOptions, dtype: torch.dtype, device: str
) -> Linear4bit:
    made = Linear4bit(
        layer.in_features,
        layer.out_features,
        bias=layer.bias is not None,
        compute_dtype=dtype,
        compress_statistics=options.double_quant,
        quant_type=options.quant_type,
        device="meta",
    )
    made.weight = Params4bit(
        _small(layer.weight.shape, dtype, device),
        requires_grad=False,
        compress_statistics=options.double_quant,
        quant_type=options.quant_type,
        module=made,
    ).to(device)
    if layer.bias is not None:
        made.bias = torch.nn.Parameter(
            torch.zeros(layer.out_features, dtype=dtype, device=device), requires_grad=False
        )
    return made


def _say_quantised(model: Any, options: QuantizationOptions, dtype: torch.dtype) -> None:
    """What `from_pretrained` notes on a quantised model; peft and the trainer look at it."""
    model.hf_quantizer = AutoHfQuantizer.from_config(
        BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=options.quant_type,
            bnb_4bit_use_double_quant=options.double_quant,
            bnb_4bit_compute_dtype=dtype,
        ),
        pre_quantized=False,
    )
    model.config.quantization_config = model.hf_quantizer.quantization_config
    model.is_loaded_in_4bit = True
    model.is_quantized = True


def _restore_buffers(model: Any, device: str) -> None:
    """Make the modules that hold only buffers (rotary frequencies) anew: on the meta device they have no values."""
    for name, module in list(model.named_modules()):
        held = list(module.named_buffers(recurse=False))
        if held and held[0][1].device.type == "meta":
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, type(module)(model.config).to(device))

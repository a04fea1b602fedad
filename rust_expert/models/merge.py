"""An adapter merged into its base: a dense model that stands by itself, checked against what it was made from."""

import functools
import gc
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from bitsandbytes.nn.modules import Linear4bit
from pydantic import BaseModel, ConfigDict, Field
from transformers import AutoModelForCausalLM

from rust_expert.common.config.export import MergeOptions
from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, write_json
from rust_expert.models import loading
from rust_expert.models.conversation import encode_rows
from rust_expert.models.dense import pieces, write_weights
from rust_expert.models.folders import bring, new_folder, require_space
from rust_expert.models.manifest import (
    StageManifest,
    adapter_folder,
    check_lineage,
    hash_folder,
    model_folder,
    read_base,
    read_manifest,
)
from rust_expert.models.process import require_device

log = logging.getLogger(__name__)

TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2}
"""Largest difference of a logit, as a share of the largest logit, by the number format of the merged weights. Both
models compute in float32, so sums differ in their last bits. bfloat16 keeps eight bits of each weight: 0.2 to 4 % were
measured in models of random weights, where merging into other weights than those trained on gave 40 to 100 %."""

CONVERSATIONS = [
    ("Implement `pub fn add(a: i32, b: i32) -> i32`.", "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"),
    (
        "Write a Rust function that doubles each value of a slice.",
        "fn doubled(values: &[u64]) -> Vec<u64> {\n    values.iter().map(|value| value * 2).collect()\n}\n",
    ),
    (
        "This does not compile, error E0382: use of moved value. Fix it.\n\n"
        "fn twice(text: String) -> (String, String) {\n    (text, text)\n}\n",
        "fn twice(text: String) -> (String, String) {\n    (text.clone(), text)\n}\n",
    ),
    ("Explain `?` in Rust in one sentence.", "It returns early with the error, or goes on with the value."),
]
"""What the logits are compared on, prompt and answer, in the chat template."""

BESIDE_WEIGHTS = (
    "tokenizer*", "special_tokens_map.json", "added_tokens.json", "chat_template*", "vocab.*", "merges.txt", "*.model",
    "generation_config.json", "LICENSE*", "NOTICE*", "USE_POLICY*",
)  # fmt: skip
"""What a merged model takes over from its base's folder as it is."""


class Difference(BaseModel):
    """How far the logits of two models are apart on the same tokens."""

    model_config = ConfigDict(extra="forbid")

    rows: int
    tokens: int
    largest: float = Field(description="largest absolute difference of a logit")
    relative: float = Field(description="the same as a share of the largest logit")
    same_choice: float = Field(description="share of the tokens after which both find the same one likeliest")


class MergedManifest(BaseModel):
    """A merged model; its files lie in the folder `model` beside the manifest."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    kind: Literal["merged"] = "merged"
    stage: str
    base_sha256: str = Field(description="of the base's manifest")
    stage_sha256: str = Field(description="of the stage's manifest")
    onto: Literal["dequantised", "original"]
    quantization: QuantizationOptions = Field(
        description="how the base was held while the adapter was trained"
    )
    dtype: Literal["float32", "bfloat16"]
    model: str = "model"
    files: dict[str, str] = Field(description="sha256 of each file of the model's folder")
    merged_layers: int
    parameters: int
    difference: Difference = Field(
        description="merged model against base and adapter, unmerged, on the same base"
    )
    tolerance: float = Field(description="the most that difference.relative may be")
    from_trained: Difference | None = Field(
        default=None,
        description="onto the original weights: merged model against quantised base and adapter, as it was evaluated",
    )


@dataclass(frozen=True)
class Merge:
    """What is to be merged, and how."""

    base: Path
    stage: Path
    out: Path
    options: MergeOptions
    quantization: QuantizationOptions

    @property
    def dtype(self) -> Literal["float32", "bfloat16"]:
        """The number format of the merged weights."""
        return self.options.dtype or self.quantization.compute_dtype

    @property
    def held(self) -> QuantizationOptions:
        """How the base is loaded to be merged into."""
        if self.options.onto == "dequantised":
            return self.quantization
        return self.quantization.model_copy(update={"quant_type": "none"})


def merge_stage(order: Merge) -> MergedManifest:
    """Write the merged model into the folder `model` beside `order.out`, and the manifest last.

    The model is loaded back as anybody would load it, and its logits are compared with those of base and adapter.

    Raises UserError for manifests that do not belong together, a stage without an adapter, too little disk, and
    where the difference is above TOLERANCE (nothing is written then).
    """
    base, stage = read_base(order.base), read_manifest(order.stage)
    check_lineage(order.base, order.stage, stage)
    adapter = adapter_folder(order.stage, stage) if isinstance(stage, StageManifest) else None
    if not isinstance(stage, StageManifest) or adapter is None:
        raise UserError(
            f"{order.stage}: it has no adapter to merge; the base's own folder is the whole model"
        )
    require_device(order.options.device)
    source, kind = model_folder(order.base, base), loading.DTYPES[order.dtype]
    target = order.out.parent / "model"
    require_space(target, base.parameters * kind.itemsize, "the merged model")
    rows = check_rows(source)
    with new_folder(target) as folder:
        layers, parameters, reference = _write(order, source, adapter, rows, folder)
        log.info("%s: %d layers merged, loading it back", stage.stage, layers)
        found = _logits(_load_plain(folder, kind, order.options.device), rows)
        compared, tolerance = difference(reference, found), TOLERANCE[order.dtype]
        _check(order, compared, tolerance)
        trained = None
        if order.held != order.quantization:
            trained = difference(_logits(_unmerged(order, order.quantization, source, adapter), rows), found)
        order.out.unlink(missing_ok=True)
    manifest = MergedManifest(
        stage=stage.stage,
        base_sha256=sha256_file(order.base),
        stage_sha256=sha256_file(order.stage),
        onto=order.options.onto,
        quantization=order.quantization,
        dtype=order.dtype,
        files=hash_folder(target),
        merged_layers=layers,
        parameters=parameters,
        difference=compared,
        tolerance=tolerance,
        from_trained=trained,
    )
    write_json(order.out, manifest.model_dump(mode="json"))
    log.info(
        "%s merged onto %s weights: largest difference of a logit %g (%g of the largest logit, at most %g)",
        stage.stage, order.options.onto, compared.largest, compared.relative, tolerance,
    )  # fmt: skip
    return manifest


def _write(
    order: Merge, source: Path, adapter: Path, rows: Sequence[list[int]], folder: Path
) -> tuple[int, int, list[torch.Tensor]]:
    """Write weights and what goes with them; returns merged layers, parameters, and the unmerged model's logits."""
    model = _unmerged(order, order.held, source, adapter)
    reference = _logits(model, rows)
    found = pieces(model, loading.DTYPES[order.dtype], adapter)
    write_weights(found, folder, order.options.shard_mb * 1_000_000)
    config = read_json(source / "config.json")
    for key in ("torch_dtype", "quantization_config"):
        config.pop(key, None)
    write_json(folder / "config.json", config | {"dtype": order.dtype})
    bring([path for pattern in BESIDE_WEIGHTS for path in sorted(source.glob(pattern))], folder)
    parameters = sum(torch.Size(piece.shape).numel() for piece in found)
    return sum(piece.merged for piece in found), parameters, reference


def _unmerged(order: Merge, held: QuantizationOptions, source: Path, adapter: Path) -> Any:
    """Base and adapter, with the weights that `held` gives the base, computing in float32."""
    gc.collect()
    base = compute_in_float32(loading.load_base(source, held, "sdpa", order.options.device))
    return loading.load_adapter(base, adapter, trainable=False).eval()


def compute_in_float32(model: Any) -> Any:
    """Let `model` compute in float32, in place, while its large matrices stay in memory as they are.

    In bfloat16 the logits of a deep model move by more than a wrong merge of a few layers moves them; and all weights
    of an 8B model in float32 would take 32 GB.
    """
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.compute_dtype = torch.float32
        elif isinstance(module, torch.nn.Linear):
            module.forward = functools.partial(_linear_in_float32, module)  # type: ignore[method-assign]
        elif isinstance(module, torch.nn.Embedding):
            module.register_forward_hook(lambda module, inputs, output: output.float())
        else:
            for weight in module.parameters(recurse=False):
                weight.data = weight.data.float()
    return model


def _linear_in_float32(layer: torch.nn.Linear, inputs: torch.Tensor) -> torch.Tensor:
    bias = None if layer.bias is None else layer.bias.float()
    return torch.nn.functional.linear(inputs, layer.weight.float(), bias)


def check_rows(source: Path) -> list[list[int]]:
    """Token ids of CONVERSATIONS under the chat template, cut to the positions that the model has."""
    most = read_json(source / "config.json").get("max_position_embeddings")
    encoded = encode_rows(loading.load_tokenizer(source), CONVERSATIONS)
    return [row.ids[:most] for row in encoded]


def _load_plain(folder: Path, dtype: torch.dtype, device: str) -> Any:
    """The model as plain transformers loads it, then computing in float32.

    Raises UserError where a weight is missing or one too many.
    """
    gc.collect()
    model, told = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        attn_implementation="sdpa",
        device_map={"": device},
        output_loading_info=True,
    )
    wrong = sorted(str(name) for key in ("missing_keys", "unexpected_keys") for name in told[key])
    if wrong:
        raise UserError(
            f"the merged model cannot be loaded back: {wrong[0]} and {len(wrong) - 1} more weights are missing or"
            " unknown; this architecture cannot be merged here, export the adapter with --adapter-only"
        )
    return compute_in_float32(model.eval())


@torch.inference_mode()
def _logits(model: Any, rows: Sequence[list[int]]) -> list[torch.Tensor]:
    """For each row (tokens, vocabulary), in float32 on the CPU. Each row goes through alone, without padding."""
    return [
        model(input_ids=torch.tensor([ids], device=model.device), use_cache=False).logits[0].float().cpu()
        for ids in rows
    ]


def difference(ours: Sequence[torch.Tensor], theirs: Sequence[torch.Tensor]) -> Difference:
    """Compare logits, (tokens, vocabulary) for each row, of the same rows in the same order."""
    pairs = list(zip(ours, theirs, strict=True))
    tokens = sum(len(one) for one, _ in pairs)
    largest = max(float((one - other).abs().max()) for one, other in pairs)
    scale = max(float(one.abs().max()) for one, _ in pairs)
    same = sum(int((one.argmax(-1) == other.argmax(-1)).sum()) for one, other in pairs)
    return Difference(
        rows=len(pairs),
        tokens=tokens,
        largest=_short(largest),
        relative=_short(largest / scale),
        same_choice=_short(same / tokens),
    )


def _short(number: float) -> float:
    """Three digits: the rest differs between machines."""
    return float(f"{number:.3g}")


def _check(order: Merge, found: Difference, tolerance: float) -> None:
    if not found.relative <= tolerance:
        raise UserError(
            f"{order.stage}: merged onto {order.options.onto} weights in {order.dtype}, a logit is {found.largest:g}"
            f" away from base and adapter, {found.relative:g} of the largest logit and more than {tolerance:g};"
            " nothing was written: merge in float32 (--dtype float32), or export the adapter with --adapter-only"
        )


def read_merged(path: Path) -> tuple[MergedManifest, Path]:
    """A merged model's manifest and folder.

    Raises UserError where it is another manifest, or files are missing or others than it says.
    """
    found = read_json(path)
    if not isinstance(found, dict) or found.get("kind") != "merged":
        raise UserError(f"{path}: not the manifest of a merged model; make one with scripts.merge")
    manifest = MergedManifest.model_validate(found)
    folder = path.parent / manifest.model
    if hash_folder(folder) != manifest.files:
        raise UserError(f"{folder}: not the model that {path} describes; merge again")
    return manifest, folder

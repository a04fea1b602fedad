"""A model as others take it: a folder that plain transformers loads, or an adapter that peft loads."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig, GenerationConfig, PreTrainedTokenizerBase

from rust_expert.common.config.export import ExportOptions, GenerationDefaults
from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, write_json, write_text
from rust_expert.models import loading
from rust_expert.models.adapter import CONFIG, WEIGHTS
from rust_expert.models.exported import ExportManifest
from rust_expert.models.folders import bring, new_folder
from rust_expert.models.manifest import (
    BaseManifest,
    StageManifest,
    adapter_folder,
    check_lineage,
    hash_folder,
    model_folder,
    read_base,
    read_manifest,
)
from rust_expert.models.merge import BESIDE_WEIGHTS, MergedManifest, read_merged

log = logging.getLogger(__name__)

GENERATION = "generation_config.json"
LICENCE_NOTE = "LICENSE-NOTE.md"


@dataclass(frozen=True)
class Export:
    """What is to be exported; `merged` is the merged model's manifest, None for the adapter alone."""

    base: Path
    stage: Path
    merged: Path | None
    out: Path
    options: ExportOptions
    generation: GenerationDefaults
    quantization: QuantizationOptions


def export(order: Export) -> ExportManifest:
    """Write the folder `model` beside `order.out`, and the manifest last. Weights are linked where that is possible.

    Raises UserError where the manifests do not belong together, files are not those that they describe, the disk is
    too small, or the tokenizer cannot hold a conversation.
    """
    base, stage = read_base(order.base), read_manifest(order.stage)
    check_lineage(order.base, order.stage, stage)
    source = model_folder(order.base, base)
    adapter = adapter_folder(order.stage, stage) if isinstance(stage, StageManifest) else None
    if not isinstance(stage, StageManifest) or adapter is None:
        raise UserError(f"{order.stage}: it has no adapter; the base's own folder is the whole model")
    merged, weights = _merged(order) if order.merged else (None, None)
    tokenizer = loading.load_tokenizer(source)
    generation = generation_config(source, tokenizer, order.generation)
    licence = order.options.base_license or ("apache-2.0" if base.origin == "scratch" else "other")
    target = order.out.parent / "model"
    with new_folder(target) as folder:
        if weights is not None:
            bring([path for path in sorted(weights.iterdir()) if path.name != GENERATION], folder)
        else:
            beside = [path for pattern in BESIDE_WEIGHTS for path in sorted(source.glob(pattern))]
            bring([path for path in beside if path.name != GENERATION] + [adapter / WEIGHTS], folder)
            write_json(folder / CONFIG, _adapter_config(adapter, base))
        write_json(folder / GENERATION, generation)
        write_text(folder / LICENCE_NOTE, licence_note(base, licence))
        _check_loads(folder)
        order.out.unlink(missing_ok=True)
    manifest = ExportManifest(
        form="adapter" if merged is None else "model",
        stage=stage.stage,
        base_sha256=sha256_file(order.base),
        stage_sha256=sha256_file(order.stage),
        base_origin=base.origin,
        hub=base.hub,
        base_parameters=base.parameters,
        license=licence,
        quantization=merged.quantization if merged else order.quantization,
        merged=None
        if merged is None
        else merged.model_dump(
            mode="json",
            include={
                "onto",
                "dtype",
                "merged_layers",
                "parameters",
                "difference",
                "tolerance",
                "from_trained",
            },
        ),
        generation=generation,
        files=hash_folder(target),
    )
    write_json(order.out, manifest.model_dump(mode="json"))
    log.info("%s: %s of %s, %d files", target, manifest.form, stage.stage, len(manifest.files))
    return manifest


def _merged(order: Export) -> tuple[MergedManifest, Path]:
    assert order.merged is not None
    merged, folder = read_merged(order.merged)
    if merged.stage_sha256 != sha256_file(order.stage):
        raise UserError(f"{order.merged}: merged from another stage than {order.stage}; merge that one")
    return merged, folder


def generation_config(
    source: Path, tokenizer: PreTrainedTokenizerBase, options: GenerationDefaults
) -> dict[str, Any]:
    """generation_config.json: the base's end marks and the tokenizer's, and the choice of tokens as evaluated.

    `top_k` is 0, which is none: transformers' own 50 would cut what was sampled in the evaluation.
    """
    if (source / GENERATION).is_file():
        of_base = GenerationConfig.from_pretrained(source)
    else:
        of_base = GenerationConfig.from_model_config(AutoConfig.from_pretrained(source))
    told = of_base.eos_token_id
    ends = sorted({tokenizer.eos_token_id, *(told if isinstance(told, list) else [told])} - {None})
    made: dict[str, Any] = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": ends,
        "pad_token_id": tokenizer.pad_token_id,
        "max_new_tokens": options.max_new_tokens,
        "do_sample": options.temperature > 0,
    }
    if options.temperature > 0:
        made |= {"temperature": options.temperature, "top_p": options.top_p, "top_k": 0}
    return {key: value for key, value in made.items() if value is not None}


def _adapter_config(adapter: Path, base: BaseManifest) -> dict[str, Any]:
    """The adapter's settings; a base of the Hub is named by its repository and commit, so that peft finds it."""
    config: dict[str, Any] = read_json(adapter / CONFIG)
    if base.hub is not None:
        config |= {"base_model_name_or_path": base.hub.name, "revision": base.hub.commit}
    return config


def licence_note(base: BaseManifest, licence: str) -> str:
    """What the weights may be used under, as far as it is known here."""
    if base.origin == "scratch":
        return (
            f"# Licence\n\nThese weights were made from nothing by Rust Expert and stand under {licence}.\n"
        )
    name = f"{base.hub.name} at revision {base.hub.commit}" if base.hub else "an existing model"
    told = [
        f"# Licence\n\nThese weights are derived from {name} and stand under its licence ({licence}).",
        f"Its terms: https://huggingface.co/{base.hub.name}."
        if base.hub
        else "Its terms come with that model.",
        "Files of its licence that lay with it are in this folder.",
    ]
    if licence.startswith("llama"):
        told.append(
            "It asks of whoever passes derived weights on: the licence's text with them, the words"
            ' "Built with Llama" in plain sight, and a name that begins with Llama.'
        )
    return "\n".join(told) + "\n"


def _check_loads(folder: Path) -> None:
    """Read tokenizer and generation settings as others will.

    Raises UserError where there is no chat template.
    """
    GenerationConfig.from_pretrained(folder).validate(strict=True)
    if not loading.load_tokenizer(folder).chat_template:
        raise UserError(f"{folder}: no chat template came with the base's tokenizer; set base.chat_template")

"""The tiny stage merged and exported, once per process, for the tests of what leaves the project."""

import functools
from pathlib import Path
from typing import Any

import tiny_models

from rust_expert.common.config.export import ExportOptions, GenerationDefaults, MergeOptions
from rust_expert.models.export import Export, export
from rust_expert.models.merge import Merge, merge_stage

GREEDY: dict[str, Any] = {"temperature": 0.0, "top_p": 1.0, "max_new_tokens": 24}


def merge_order(out: Path, base: Path | None = None, stage: Path | None = None, **options: Any) -> Merge:
    """A merge of the tiny stage, or of another; `options` go into the merge's."""
    return Merge(
        base=base or tiny_models.base_manifest(),
        stage=stage or tiny_models.stage_manifest(),
        out=out,
        options=MergeOptions.model_validate(options),
        quantization=tiny_models.QUANTIZATION,
    )


@functools.cache
def merged_manifest() -> Path:
    """The manifest of the tiny stage, merged."""
    out = tiny_models.folder() / "merged" / "manifest.json"
    merge_stage(merge_order(out))
    return out


def export_order(out: Path, merged: Path | None, **changes: Any) -> Export:
    """An export of the tiny stage, of its adapter where `merged` is None; it generates greedily unless told else."""
    return Export(
        base=tiny_models.base_manifest(),
        stage=tiny_models.stage_manifest(),
        merged=merged,
        out=out,
        options=ExportOptions(),
        generation=GenerationDefaults.model_validate({**GREEDY, **changes}),
        quantization=tiny_models.QUANTIZATION,
    )


@functools.cache
def exported_manifest(form: str = "model") -> Path:
    """The manifest of the exported tiny stage: `model`, or `adapter`."""
    out = tiny_models.folder() / f"export-{form}" / "manifest.json"
    export(export_order(out, merged_manifest() if form == "model" else None))
    return out

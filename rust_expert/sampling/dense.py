"""The quantised base as a plain checkpoint: the same weights that an adapter was trained on, for engines without 4-bit.

The copy lies in a folder beside the base that no workflow rule declares, and is made once for a base and quantisation.
"""

import gc
import logging
import shutil
from pathlib import Path

import torch

from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file
from rust_expert.models import loading
from rust_expert.models.manifest import read_base
from rust_expert.models.work import Fingerprint, WorkFolder, library_versions

log = logging.getLogger(__name__)


def dense_copy(
    base: Path, folder: Path, quantization: QuantizationOptions, device: str, wait_seconds: float = 0.0
) -> Path:
    """The folder of a checkpoint in `compute_dtype` without quantisation; `folder` itself where the base has none.

    `base` is the base's manifest and `folder` its model. Each 4-bit layer becomes the weights that it stands for.
    Raises UserError where the disk has no room for it.
    """
    if quantization.quant_type == "none":
        return folder
    fingerprint = Fingerprint(
        {
            "base": sha256_file(base),
            "quantization": quantization.model_dump(mode="json"),
            "device": device,
            "versions": library_versions(),
        }
    )
    with WorkFolder(base.parent / "dense", fingerprint, wait_seconds, doing="dequantising") as work:
        target = work.path / "model"
        if work.finished() != _sizes(target):
            _check_disk(base, work.path, quantization)
            log.info("dequantising the base once, into %s", target)
            model = loading.dequantise(loading.load_base(folder, quantization, "sdpa", device))
            if hasattr(model.config, "quantization_config"):
                del model.config.quantization_config
            model.save_pretrained(target)
            del model
            gc.collect()
            if device == "cuda":
                torch.cuda.empty_cache()
            work.finish(_sizes(target))
        return target


def _check_disk(base: Path, target: Path, quantization: QuantizationOptions) -> None:
    needed = read_base(base).parameters * loading.DTYPES[quantization.compute_dtype].itemsize
    free = shutil.disk_usage(target).free
    if free < needed:
        raise UserError(
            f"{target}: the dequantised base takes {needed / 1e9:.1f} GB there, and {free / 1e9:.1f} GB are free; free"
            " some, or choose engine: transformers"
        )


def _sizes(folder: Path) -> dict[str, int]:
    """The files with their sizes: the whole copy is of many gigabytes."""
    return {path.name: path.stat().st_size for path in sorted(folder.glob("*")) if path.is_file()}

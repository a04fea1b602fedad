"""How long the points of a sweep were trained: for the reader, and in no figure that two runs have to share."""

from collections.abc import Mapping
from pathlib import Path

from rust_expert.common.files import read_json


def training_seconds(manifests: Mapping[str, Path]) -> dict[str, float]:
    """Seconds of training by point, from timing.json beside each manifest; a point without one is left out."""
    found: dict[str, float] = {}
    for name, manifest in manifests.items():
        timing = manifest.with_name("timing.json")
        told = read_json(timing) if timing.is_file() else None
        if isinstance(told, dict) and isinstance(told.get("seconds"), int | float):
            found[name] = float(told["seconds"])
    return found

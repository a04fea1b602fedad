"""The manifest of an exported model, and the folder beside it. Read without torch: pushing needs no more."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.models.manifest import HubSource, hash_folder


class ExportManifest(BaseModel):
    """An exported model; its files lie in the folder `model` beside the manifest. The card is added to them later."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    kind: Literal["export"] = "export"
    form: Literal["model", "adapter"]
    stage: str
    base_sha256: str = Field(description="of the base's manifest")
    stage_sha256: str = Field(description="of the stage's manifest")
    base_origin: Literal["scratch", "hub", "path"]
    hub: HubSource | None = Field(description="where the base was downloaded from")
    base_parameters: int
    license: str = Field(description="the licence that the weights stand under, as the Hub spells it")
    quantization: QuantizationOptions = Field(description="how the base was held in training")
    merged: dict[str, Any] | None = Field(
        description="how the adapter was merged, and how far the logits moved; null for an adapter"
    )
    generation: dict[str, Any]
    model: str = "model"
    files: dict[str, str] = Field(description="sha256 of each file of the folder, the card aside")


def read_export(folder: Path) -> ExportManifest:
    """The manifest beside an exported folder.

    Raises UserError where there is none, or where files are missing or others than it says (the card aside).
    """
    path = folder.absolute().parent / "manifest.json"
    found = read_json(path) if path.is_file() else None
    if not isinstance(found, dict) or found.get("kind") != "export":
        raise UserError(f"{folder}: not an exported folder; make one with scripts.export")
    manifest = ExportManifest.model_validate(found)
    there = hash_folder(folder)
    there.pop("README.md", None)
    if there != manifest.files:
        changed = sorted(set(there.items()) ^ set(manifest.files.items()))
        raise UserError(f"{folder / changed[0][0]}: not as it was exported; export again")
    return manifest

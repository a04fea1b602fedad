"""Manifests: the small files that say what a model is, by the hashes of its files and nothing that varies."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, write_json
from rust_expert.common.tables import fault_of

PathLike = str | os.PathLike[str]


class HubSource(BaseModel):
    """Where a downloaded base came from."""

    model_config = ConfigDict(extra="forbid")

    name: str
    revision: str
    commit: str


class ScratchTraining(BaseModel):
    """What a base made here was trained on."""

    model_config = ConfigDict(extra="forbid")

    rows: int
    rows_too_long: int
    steps: int
    tokens: int
    val_loss: float | None


class BaseManifest(BaseModel):
    """A base model; its files lie in the folder `model` beside the manifest."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    kind: Literal["base"] = "base"
    origin: Literal["scratch", "hub", "path"]
    model: str = "model"
    files: dict[str, str] = Field(description="sha256 of each file of the model's folder")
    architecture: dict[str, str | int | float | bool | None]
    parameters: int = Field(ge=1)
    tokenizer_sha256: str
    hub: HubSource | None = None
    training: ScratchTraining | None = None


class StageManifest(BaseModel):
    """A trained stage; its adapter lies in the folder `adapter` beside the manifest (None: the bare base)."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["stage"] = "stage"
    stage: str
    method: Literal["sft", "rsft"]
    base_sha256: str = Field(description="of the base's manifest")
    parent_sha256: str = Field(description="of the parent's manifest")
    trained: bool = Field(description="false: the parent's adapter was passed on")
    reason: str | None = Field(default=None, description="why nothing was trained")
    adapter: str | None
    files: dict[str, str] = Field(description="sha256 of each file of the adapter's folder")
    rows: int = 0
    rows_too_long: int = 0
    steps: int = 0
    train_loss: float | None = None
    val_loss: float | None = None


def read_manifest(path: PathLike) -> BaseManifest | StageManifest:
    """Read the manifest of a base or of a stage.

    Raises UserError where the file is missing or no manifest.
    """
    found = read_json(path)
    kind = found.get("kind") if isinstance(found, dict) else None
    try:
        if kind == "base":
            return BaseManifest.model_validate(found)
        if kind == "stage":
            return StageManifest.model_validate(found)
    except ValidationError as error:
        raise UserError(f"{path}: not a model manifest ({fault_of(error)}); make the model again") from None
    raise UserError(
        f"{path}: not a model manifest (kind is {kind!r}); give the manifest.json of a base or a stage"
    )


def read_base(path: PathLike) -> BaseManifest:
    """Read the manifest of a base; UserError where it is a stage's."""
    manifest = read_manifest(path)
    if not isinstance(manifest, BaseManifest):
        raise UserError(
            f"{path}: the manifest of stage {manifest.stage}, not of a base; give the base's manifest.json"
        )
    return manifest


def write_manifest(path: PathLike, manifest: BaseManifest | StageManifest) -> None:
    """Write a manifest whole, in a form that is equal for equal models."""
    write_json(path, manifest.model_dump(mode="json"))


def hash_folder(folder: Path) -> dict[str, str]:
    """sha256 of each file below `folder`, by its path from there, in order of names."""
    return {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def same_files(folder: Path, files: dict[str, str]) -> bool:
    """Whether `folder` holds exactly `files`, with those hashes."""
    return folder.is_dir() and hash_folder(folder) == files


def adapter_folder(path: PathLike, manifest: StageManifest) -> Path | None:
    """The folder of a stage's adapter, None for the bare base.

    Raises UserError where files are missing or others than the manifest says.
    """
    if manifest.adapter is None:
        return None
    folder = Path(path).parent / manifest.adapter
    if not same_files(folder, manifest.files):
        raise UserError(
            f"{folder}: not the adapter that {path} describes; delete {path} and train the stage again"
        )
    return folder


def model_folder(path: PathLike, manifest: BaseManifest) -> Path:
    """The folder of a base's model.

    Raises UserError where a file is missing. Contents are not hashed again: a base can be of many gigabytes.
    """
    folder = Path(path).parent / manifest.model
    for name in manifest.files:
        if not (folder / name).is_file():
            raise UserError(
                f"{folder / name}: missing, though {path} lists it; delete {path} and make the base again"
            )
    return folder


def check_lineage(base_path: PathLike, parent_path: PathLike, parent: BaseManifest | StageManifest) -> None:
    """Raise UserError where `parent` does not stand on the base at `base_path`."""
    base_sha256 = sha256_file(base_path)
    of_parent = parent.base_sha256 if isinstance(parent, StageManifest) else sha256_file(parent_path)
    if of_parent != base_sha256:
        raise UserError(
            f"{parent_path}: made from another base than {base_path}; train that stage again on this base,"
            " or give the base that it was trained on"
        )

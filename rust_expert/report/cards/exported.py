"""An exported model and the data sets behind it, as the accounts beside them tell."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file
from rust_expert.common.tables import fault_of
from rust_expert.report.cards.data_set import Manifest, by_licence, check_file
from rust_expert.report.journey import Read, read_part
from rust_expert.report.rows import read_rows
from rust_expert.report.runs import HubSource


class Difference(Read):
    """How far the logits of a merged model are from those of base and adapter."""

    tokens: int
    largest: float
    relative: float
    same_choice: float


class Merged(Read):
    """How an adapter was merged."""

    onto: str
    dtype: str
    merged_layers: int
    parameters: int
    difference: Difference
    from_trained: Difference | None = None


class Held(Read):
    """How the base was held in training."""

    quant_type: str
    double_quant: bool
    compute_dtype: str


class Exported(Read):
    """results/export/NAME/manifest.json."""

    kind: str = Field(pattern="^export$")
    form: str = Field(pattern="^(model|adapter)$")
    stage: str
    base_origin: str
    hub: HubSource | None = None
    base_parameters: int
    license: str
    quantization: Held
    merged: Merged | None = None
    generation: dict[str, Any]
    files: dict[str, str]


@dataclass(frozen=True)
class TrainedOn:
    """One data set of the chain: rows by split and by licence, and the hash of the manifest that lists its files."""

    name: str
    stages: tuple[str, ...]
    manifest_sha256: str
    rows: dict[str, int]
    licences: dict[str, int]
    files: dict[str, str]


@dataclass(frozen=True)
class Taken:
    """What leaves the project: the exported model, the stages it went through, their data."""

    exported: Exported
    chain: Sequence[str]
    data: Sequence[TrainedOn] = ()
    sizes: dict[str, int] = field(default_factory=dict)


def read_exported(path: str) -> tuple[Exported, dict[str, int]]:
    """An export's manifest, and the bytes of each file that it lists.

    Raises UserError where it is none, or a file is missing.
    """
    try:
        exported = Exported.model_validate(read_json(path))
    except ValidationError as error:
        raise UserError(
            f"{path}: not the manifest of an exported model ({fault_of(error)}); export again"
        ) from None
    folder = Path(path).parent / "model"
    for name in exported.files:
        if not (folder / name).is_file():
            raise UserError(f"{folder / name}: missing, though {path} lists it; export again")
    return exported, {name: (folder / name).stat().st_size for name in exported.files}


def read_trained_on(manifest: str, stages: Sequence[str]) -> TrainedOn:
    """A data set from its manifest and the Parquet files beside it; `stages` are those that were trained on it.

    Raises UserError naming the file at fault.
    """
    told = read_part(manifest, Manifest)
    parquet = [one for one in told.files if one.is_parquet]
    for one in parquet:
        check_file(Path(manifest).parent / one.file, one)
    rows: dict[str, int] = {}
    for one in parquet:
        rows[one.split] = rows.get(one.split, 0) + one.rows
    return TrainedOn(
        name=told.dataset,
        stages=tuple(stages),
        manifest_sha256=sha256_file(manifest),
        rows=rows,
        licences=by_licence(read_rows([Path(manifest).parent / one.file for one in parquet])),
        files={one.file: one.sha256 for one in parquet},
    )

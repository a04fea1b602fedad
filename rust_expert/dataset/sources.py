"""Rows of other people's data sets: JSONL or Parquet files, or a pinned data set of the hub.

Whatever columns such a row has, `prompt` and `gen` are what is needed; of the metadata that is kept what a stranger
can know of his own rows. What he says that was checked, tested or held out is believed of a `trusted` source alone:
a false `_combination` would slip past the decontamination, a false `_verified` past `strict`.
"""

import glob
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from rust_expert.common.config.dataset import SourceSpec
from rust_expert.common.contracts import Sample, TaskType
from rust_expert.common.errors import NetworkError, UserError
from rust_expert.common.tables import fault_of
from rust_expert.dataset.streams import Row, jsonl_rows, parquet_rows

_TOLD = ("_source_crate", "_source_version", "_source_file", "_license", "_scale", "_template")
_BELIEVED = (
    "_span", "_verified", "_family", "_combination", "_entry_point", "_tests", "_doc", "_before", "_error_codes",
    "_context", "_tokens",
)  # fmt: skip
_SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "val", "dev": "val"}
_KINDS = frozenset(get_args(TaskType))
_FILES: dict[str, tuple[str, Callable[[Path], Iterator[Row]]]] = {
    "local": (".jsonl", jsonl_rows),
    "parquet": (".parquet", parquet_rows),
}


def files_of(name: str, spec: SourceSpec) -> list[Path]:
    """The files of a source in the order they are read; none for a data set of the hub.

    Raises UserError where the file is missing, of another kind, or the folder has none.
    """
    if spec.kind == "hub":
        return []
    place, ending = Path(spec.place), _FILES[spec.kind][0]
    if place.is_dir():
        found = sorted(Path(path) for path in glob.glob(f"{glob.escape(spec.place)}/*{ending}"))
        if not found:
            raise UserError(f"source {name}: {place} holds no {ending} file; name another folder, or a file")
        return found
    if not place.is_file():
        raise UserError(f"source {name}: {place} is no file and no folder; check `from`")
    if place.suffix != ending:
        raise UserError(
            f"source {name}: {spec.kind}: reads {ending} files, and {place} is none; check `from`"
        )
    return [place]


def samples_of(name: str, spec: SourceSpec) -> Iterator[Sample | None]:
    """The rows of a source one after the other; None for one whose prompt or answer is empty.

    Raises UserError naming file and row for one without texts in `prompt` and `gen`, NetworkError where the hub
    cannot be reached.
    """
    rows = _hub_rows(name, spec) if spec.kind == "hub" else _file_rows(name, spec)
    for row in rows:
        yield sample_from(row.fields, row.where, name, spec)


def _file_rows(name: str, spec: SourceSpec) -> Iterator[Row]:
    reader = _FILES[spec.kind][1]
    for path in files_of(name, spec):
        yield from reader(path)


def sample_from(fields: Mapping[str, Any], where: str, name: str, spec: SourceSpec) -> Sample | None:
    """One row of the source `name` as a sample; None where there is nothing to learn from it.

    Raises UserError naming `where` if `prompt` or `gen` is missing or no text.
    """
    for key in ("prompt", "gen"):
        if not isinstance(fields.get(key), str):
            has = ", ".join(sorted(fields)[:8]) or "nothing"
            raise UserError(
                f"{where}: no text in {key} (the row has {has}); rename its columns to prompt and gen"
            )
    if not fields["prompt"].strip() or not fields["gen"].strip():
        return None
    kind = fields.get("_task_type")
    given: dict[str, Any] = {key.removeprefix("_"): _text(fields.get(key)) for key in _TOLD}
    given["license"] = given["license"] or spec.license
    if spec.trusted:
        given |= {key.removeprefix("_"): fields[key] for key in _BELIEVED if fields.get(key) is not None}
    try:
        return Sample.make(
            prompt=fields["prompt"],
            gen=fields["gen"],
            split=_SPLITS.get(str(fields.get("split"))),
            task_type=kind if kind in _KINDS else spec.task_type,
            source=name,
            **given,
        )
    except ValidationError as error:
        raise UserError(f"{where}: not a sample ({fault_of(error)}); mend that row") from None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _hub_rows(name: str, spec: SourceSpec) -> Iterator[Row]:
    """The rows of a data set of the hub at its pinned commit: from its local copy, or as they arrive."""
    import datasets

    repository, _, revision = spec.place.rpartition("@")
    told = f"source {name}: {repository} at {revision[:12]}"
    try:
        rows = datasets.load_dataset(
            repository, revision=revision, split=spec.hub_split, streaming=spec.streaming
        )
        for number, fields in enumerate(rows, start=1):
            yield Row(f"{repository}, row {number}", dict(fields))
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        if _is_offline(error):
            raise NetworkError(
                f"{told} is not in the local cache and the hub cannot be reached; fetch it once with a network, "
                "or name files with local: or parquet:"
            ) from None
        what = " ".join(str(error).split())
        raise UserError(f"{told} cannot be read ({what}); check `from` and hub_split") from None


def _is_offline(error: BaseException) -> bool:
    """Whether a fault of the hub's client comes from a missing network, here or further down."""
    asked = any(os.environ.get(name) == "1" for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"))
    if asked and isinstance(error, FileNotFoundError):
        return True
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionError | TimeoutError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False

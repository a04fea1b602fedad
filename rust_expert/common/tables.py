"""JSONL and Parquet files of rows that keep to a contract."""

import contextlib
import functools
import json
import os
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from rust_expert.common.errors import UserError
from rust_expert.common.files import atomic_path
from rust_expert.common.rows import rows_of_columns

Row = TypeVar("Row", bound=BaseModel)
PathLike = str | os.PathLike[str]

_LONG_TEXT = 40
"""Mean bytes of a column's texts from which no dictionary is made of them."""

_BATCH, _GROUP = 1_000, 2_000
"""Rows that are read, and written, at once where not all may be in memory."""

_SCALARS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}


def fault_of(error: ValidationError) -> str:
    """The first fault of a validation in a few words: the field and what is wrong with it."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    told = first["msg"].removeprefix("Value error, ")
    return f"{where}: {told}" if first["loc"] else told


def read_jsonl(path: PathLike, model: type[Row]) -> list[Row]:
    """Read a JSONL file of `model` rows; blank lines are passed over.

    Raises UserError naming file and line where a row is no JSON or breaks the contract.
    """
    return [row for _, row in numbered_rows(path, model)]


def numbered_rows(path: PathLike, model: type[Row]) -> list[tuple[int, Row]]:
    """`read_jsonl` with the line on which each row stands."""
    rows: list[tuple[int, Row]] = []
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; check the path or run the step that makes it")
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                rows.append((number, model.model_validate_json(line)))
            except ValidationError as error:
                raise UserError(
                    f"{path}, line {number}: not a {model.__name__.lower()} ({fault_of(error)}); mend that row"
                ) from None
    return rows


def write_jsonl(path: PathLike, rows: Iterable[BaseModel]) -> int:
    """Write rows as JSONL, whole or not at all; returns how many."""
    count = 0
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(_line(row))
            count += 1
    return count


def _line(row: BaseModel) -> str:
    if _is_plain(type(row)):
        return row.model_dump_json(by_alias=True) + "\n"
    record = row.model_dump(mode="json", by_alias=True)
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


@functools.cache
def _is_plain(model: type[BaseModel]) -> bool:
    """Whether both ways to write a row come to the same: fractions as small as 0.00001 are written in two ways."""
    left = list(typing.get_type_hints(model).values())
    for hint in left:
        if typing.get_origin(hint) is not typing.Literal:
            left += typing.get_args(hint)
    kinds = {hint for hint in left if not typing.get_args(hint)}
    return kinds <= {str, int, bool, type(None)}


@functools.cache
def schema_of(model: type[BaseModel]) -> pa.Schema:
    """The Arrow schema of a contract: a column per field, under its JSON name."""
    hints = typing.get_type_hints(model)
    return pa.schema(
        [
            pa.field(field.alias or name, _arrow_type(hints[name], model, name))
            for name, field in model.model_fields.items()
        ]
    )


def _arrow_type(hint: Any, model: type[BaseModel], name: str) -> pa.DataType:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kinds = [argument for argument in arguments if argument is not type(None)]
        if len(kinds) == 1:
            return _arrow_type(kinds[0], model, name)
    if origin is typing.Literal:
        return pa.string()
    if origin is list:
        return pa.list_(_arrow_type(arguments[0], model, name))
    if origin is dict:
        return pa.map_(_arrow_type(arguments[0], model, name), _arrow_type(arguments[1], model, name))
    if hint in _SCALARS:
        return _SCALARS[hint]
    raise TypeError(f"{model.__name__}.{name}: no column type for {hint}")


def write_parquet(
    path: PathLike, rows: Iterable[Row], model: type[Row], notes: Mapping[str, str] | None = None
) -> int:
    """Write rows as one Parquet file, whole or not at all; equal rows give equal bytes. Returns how many.

    `notes` are kept in the file's own metadata, beside the columns.
    """
    schema = schema_of(model)
    if notes:
        schema = schema.with_metadata(dict(notes))
    table = _table_of(rows, model, schema)
    with atomic_path(path) as temporary:
        pq.write_table(
            table, temporary, compression="zstd", row_group_size=50_000, use_dictionary=_repetitive(table)
        )
    return int(table.num_rows)


def write_parquet_pieces(path: PathLike, pieces: Iterable[Sequence[Row]], model: type[Row]) -> int:
    """`write_parquet` of rows that come in pieces, of which no more than a row group's are in memory.

    Equal pieces give equal bytes.
    """
    schema = schema_of(model)
    groups = _groups(pieces)
    first = _table_of(next(groups), model, schema)
    with ParquetStream(path, schema, repeated=_repetitive(first)) as stream:
        stream.write(first)
        for group in groups:
            stream.write(_table_of(group, model, schema))
        return stream.rows


def _groups(pieces: Iterable[Sequence[Row]]) -> Iterator[list[Row]]:
    """Pieces put together to at least `_GROUP` rows; the last one, which may be empty, has what is left."""
    waiting: list[Row] = []
    for piece in pieces:
        waiting += piece
        if len(waiting) >= _GROUP:
            yield waiting
            waiting = []
    yield waiting


def _table_of(rows: Iterable[Row], model: type[Row], schema: pa.Schema) -> pa.Table:
    records = [row.__dict__ for row in rows]
    columns = [
        pa.array(_cells([record[name] for record in records], kind), type=kind)
        for name, kind in zip(model.model_fields, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _repetitive(table: pa.Table) -> list[str]:
    """The columns that are worth a dictionary: not long texts, of which hardly two are the same."""
    columns = dict(zip(table.column_names, table.columns, strict=True))
    return [
        f"{name}.list.element" if pa.types.is_list(column.type) else name
        for name, column in columns.items()
        if not pa.types.is_string(column.type)
        or (pc.sum(pc.binary_length(column)).as_py() or 0) <= _LONG_TEXT * len(column)
    ]


class ParquetStream:
    """A Parquet file that is written piece by piece and appears whole, when the `with` block ends well, or not at all.

    `repeated` names the columns with few different values. Each piece is a row group; equal pieces give equal bytes.
    """

    def __init__(self, path: PathLike, schema: pa.Schema, repeated: Sequence[str] = ()) -> None:
        self.rows = 0
        self._path, self._schema, self._repeated = path, schema, list(repeated)
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opening:
            temporary = opening.enter_context(atomic_path(self._path))
            self._writer = opening.enter_context(
                pq.ParquetWriter(
                    temporary,
                    self._schema,
                    compression="zstd",
                    use_dictionary=self._repeated,
                    write_statistics=False,
                )
            )
            self._open = opening.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def write(self, table: pa.Table) -> None:
        """Add rows; an empty table adds nothing."""
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)
            self.rows += table.num_rows


def parquet_batches(path: PathLike, schema: pa.Schema, size: int) -> Iterator[pa.RecordBatch]:
    """Read a Parquet file with just the columns of `schema`, at most `size` rows at once.

    Raises UserError naming the file where it is missing, no Parquet, or has other columns.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; check the path or run the step that makes it")
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema):
                raise UserError(f"{path}: its columns are not those that this version writes; make it again")
            yield from file.iter_batches(batch_size=size)
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: not a Parquet file ({error}); make it again") from None


def notes_of(path: PathLike) -> dict[str, str]:
    """The notes that `write_parquet` put into a file.

    Raises UserError where the file is missing or no Parquet.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; check the path or run the step that makes it")
    try:
        kept = pq.read_schema(path).metadata or {}
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: not a Parquet file ({error}); make it again") from None
    return {key.decode(): value.decode() for key, value in kept.items()}


def _cells(values: list[Any], kind: pa.DataType) -> list[Any]:
    if not pa.types.is_map(kind):
        return values
    return [None if value is None else sorted(value.items()) for value in values]


def read_parquet(paths: PathLike | Sequence[PathLike], model: type[Row]) -> list[Row]:
    """Read one or several Parquet files of `model` rows, in the order given.

    Raises UserError naming the file and row where one is missing, no Parquet, or breaks the contract.
    """
    rows: list[Row] = []
    for path in [paths] if isinstance(paths, str | os.PathLike) else paths:
        if not Path(path).is_file():
            raise UserError(f"{path}: no such file; check the path or run the step that makes it")
        try:
            with pq.ParquetFile(path) as file:
                table = file.read(use_threads=False)
        except pa.ArrowInvalid as error:
            raise UserError(f"{path}: not a Parquet file ({error}); make it again") from None
        rows += _rows_of(table, model, path)
    return rows


def parquet_rows(path: PathLike, model: type[Row]) -> Iterator[Row]:
    """`read_parquet` of one file with just the contract's columns, with a thousand rows in memory."""
    before = 0
    for batch in parquet_batches(path, schema_of(model), _BATCH):
        yield from _rows_of(pa.Table.from_batches([batch]), model, path, before)
        before += batch.num_rows


def _rows_of(table: pa.Table, model: type[Row], path: PathLike, before: int = 0) -> list[Row]:
    """The rows of a table that stands in a file behind as many rows as `before` says."""
    if (made := _by_columns(table, model)) is not None:
        return made
    rows: list[Row] = []
    maps = [field.name for field in table.schema if pa.types.is_map(field.type)]
    for number, record in enumerate(table.to_pylist(), start=before + 1):
        for name in maps:
            record[name] = dict(record[name] or [])
        try:
            rows.append(model.model_validate(record))
        except ValidationError as error:
            raise UserError(
                f"{path}, row {number}: not a {model.__name__.lower()} ({fault_of(error)}); make it again"
            ) from None
    return rows


def _by_columns(table: pa.Table, model: type[Row]) -> list[Row] | None:
    """The rows of a table of just the contract's columns; None where row by row must tell what is wrong with it."""
    if not table.schema.equals(schema_of(model)) or any(pa.types.is_map(kind) for kind in table.schema.types):
        return None
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    try:
        return rows_of_columns(model, columns)
    except ValidationError:
        return None

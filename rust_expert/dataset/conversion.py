"""Rows from one kind of file to another, one batch at a time."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from rust_expert.common.errors import UserError
from rust_expert.common.files import atomic_path
from rust_expert.common.seeds import shard_of
from rust_expert.common.tables import fault_of, schema_of
from rust_expert.dataset.streams import Row, jsonl_lines, jsonl_rows, rows_of, write_lines

Contract = TypeVar("Contract", bound=BaseModel)

ROW_GROUP = 10_000
"""Rows of a Parquet file that are written at once."""
MOST_PARTS = 500
"""Files that are written side by side."""


def jsonl_to_parquet(sources: Sequence[Path], target: Path, contract: type[BaseModel] | None) -> int:
    """Write the rows of JSONL files as one Parquet file (zstd), whole or not at all; returns how many.

    With a contract its columns are written and rows that break it are refused. Without one the columns are what the
    rows have: the files are read twice, first for the types.
    Raises UserError naming file and line of a row that does not fit.
    """
    if contract is not None:
        schema, batches = schema_of(contract), _checked(sources, contract)
    else:
        schema, batches = _inferred(sources), _batches(sources)
    count = 0
    with atomic_path(target) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(_table(batch, schema))
            count += len(batch)
    return count


def _batches(sources: Iterable[Path]) -> Iterator[list[Row]]:
    rows = (row for path in sources for row in jsonl_rows(path))
    while batch := list(islice(rows, ROW_GROUP)):
        yield batch


def _checked(sources: Iterable[Path], contract: type[BaseModel]) -> Iterator[list[Row]]:
    for batch in _batches(sources):
        yield [
            Row(row.where, as_contract(row, contract).model_dump(mode="json", by_alias=True)) for row in batch
        ]


def checked_rows(path: Path, contract: type[Contract]) -> Iterator[Contract]:
    """The rows of a .jsonl or .parquet file as the contract has them.

    Raises UserError naming the row and the field at fault.
    """
    for row in rows_of(path):
        yield as_contract(row, contract)


def as_contract(row: Row, contract: type[Contract]) -> Contract:
    """One row as the contract has it.

    Raises UserError naming the row and the field at fault.
    """
    try:
        return contract.model_validate(row.fields)
    except ValidationError as error:
        told = fault_of(error)
        raise UserError(f"{row.where}: not a {contract.__name__.lower()} ({told}); mend that row") from None


def _inferred(sources: Sequence[Path]) -> pa.Schema:
    """The columns that all rows fit into: whole numbers widen to numbers, a missing key is null."""
    schema = pa.schema([])
    for batch in _batches(sources):
        for rows in (batch, *([row] for row in batch)):
            # A batch that does not fit is looked through row by row for the one to name.
            try:
                found = [_schema_of_rows(rows), schema]
                schema = pa.unify_schemas(found[::-1], promote_options="permissive")
                if len(rows) > 1:
                    break
            except (pa.ArrowException, OverflowError) as error:
                if len(rows) == 1:
                    raise UserError(_misfit(rows[0].where, error)) from None
    if not schema.names:
        raise UserError(f"{sources[0]}: no row has a column; give files with rows, or a --contract")
    empty = [column.name for column in schema if _is_empty(column.type)]
    if empty:
        raise UserError(f"column {empty[0]}: objects without a key have no form in Parquet; leave it out")
    return schema


def _schema_of_rows(rows: Sequence[Row]) -> pa.Schema:
    names = dict.fromkeys(name for row in rows for name in row.fields)
    return pa.schema([(name, pa.array([row.fields.get(name) for row in rows]).type) for name in names])


def _misfit(where: str, error: Exception) -> str:
    told = " ".join(str(error).split())
    return f"{where}: its values are of other types than those before ({told}); make the column one type"


def _is_empty(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind):
        return _is_empty(kind.value_type)
    return pa.types.is_struct(kind) and (
        kind.num_fields == 0 or any(_is_empty(part.type) for part in kind.fields)
    )


def _table(batch: Sequence[Row], schema: pa.Schema) -> pa.Table:
    columns = []
    for column in schema:
        values = [row.fields.get(column.name) for row in batch]
        if pa.types.is_map(column.type):
            values = [None if value is None else sorted(value.items()) for value in values]
        try:
            columns.append(pa.array(values, type=column.type))
        except (pa.ArrowException, OverflowError) as error:
            raise UserError(_misfit(f"{batch[0].where} and the rows after it", error)) from None
    return pa.Table.from_arrays(columns, schema=schema)


def parquet_to_jsonl(sources: Sequence[Path], target: Path) -> int:
    """Write the rows of Parquet files as one JSONL file, whole or not at all, in their order; returns how many.

    Raises UserError for a file that is no Parquet, and for a column that JSON has no form for.
    """
    for path in sources:
        if path.suffix != ".parquet":
            raise UserError(f"{path}: not a .parquet file; name one")
    return write_lines(target, (row for path in sources for row in rows_of(path)))


def split_by_rows(source: Path, folder: Path, rows: int) -> list[tuple[Path, int]]:
    """Cut a JSONL file into files of `rows` lines each, in their order: put together they are the file again."""
    check_no_parts(folder, source.stem)
    told: list[tuple[Path, int]] = []
    with contextlib.ExitStack() as whole:
        lines = jsonl_lines(source)
        while first := list(islice(lines, 1)):
            path = part_path(folder, source.stem, len(told))
            temporary = whole.enter_context(atomic_path(path))
            count = 0
            with open(temporary, "wb") as out:
                for line, _ in chain(first, islice(lines, rows - 1)):
                    out.write(line)
                    count += 1
            told.append((path, count))
    return told


def split_by_hash(source: Path, folder: Path, parts: int, key: str | None) -> list[tuple[Path, int]]:
    """Deal the lines of a JSONL file out to so many files, each by the hash of its `key`, or else of the line.

    One more line changes one file. Raises UserError for a line that lacks the key.
    """
    check_no_parts(folder, source.stem)
    paths = [part_path(folder, source.stem, number) for number in range(parts)]
    counts = [0] * parts
    with contextlib.ExitStack() as whole:
        temporaries = [whole.enter_context(atomic_path(path)) for path in paths]
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context(open(path, "wb")) for path in temporaries]
            for line, row in jsonl_lines(source):
                if key is not None and row.fields.get(key) is None:
                    raise UserError(f"{row.where}: no {key}; leave --key out, or name a column of every row")
                name = line.decode("utf-8") if key is None else str(row.fields[key])
                number = shard_of(name, parts)
                files[number].write(line)
                counts[number] += 1
    return list(zip(paths, counts, strict=True))


def check_apart(sources: Sequence[Path], targets: Sequence[Path]) -> None:
    """Raises UserError where a file would be written that is read."""
    read = {path.resolve() for path in sources}
    for target in targets:
        if target.resolve() in read:
            raise UserError(f"{target}: that file is read; write to another one")
    if len({target.resolve() for target in targets}) < len(targets):
        raise UserError(f"{targets[0]}: two results in one file; name another for one of them")


def part_path(folder: Path, stem: str, number: int) -> Path:
    """Where part `number` of a file lies."""
    return folder / f"{stem}-{number:05d}.jsonl"


def check_no_parts(folder: Path, stem: str) -> None:
    """Raises UserError where parts of an earlier cut lie, which would be taken for parts of this one."""
    found = sorted(folder.glob(f"{stem}-[0-9]*.jsonl"))
    if found:
        raise UserError(f"{found[0]}: parts of an earlier cut lie there; empty the folder or name another")

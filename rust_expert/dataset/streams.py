"""Rows of JSONL and Parquet files one after the other, in the memory of one row or one row group."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from rust_expert.common.errors import UserError
from rust_expert.common.files import atomic_path

BATCH = 1_000
"""Rows of a Parquet file that are turned into Python objects at once."""


class Row(NamedTuple):
    """One row as it stands in its file, and where that is, in words for a person."""

    where: str
    fields: dict[str, Any]


def jsonl_rows(path: Path) -> Iterator[Row]:
    """The objects of a JSONL file; blank lines are passed over.

    Raises UserError naming file and line where one is no JSON object in UTF-8.
    """
    for _, row in jsonl_lines(path):
        yield row


def jsonl_lines(path: Path) -> Iterator[tuple[bytes, Row]]:
    """The lines of a JSONL file as they stand, each with a line end, beside what they say; as `jsonl_rows` else."""
    _check_file(path)
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                where = f"{path}, line {number}"
                yield line if line.endswith(b"\n") else line + b"\n", Row(where, json_object(line, where))


def json_object(text: bytes, where: str) -> dict[str, Any]:
    """The object that a line of JSON spells.

    Raises UserError naming `where` for anything else.
    """
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
        if b"\\u" in text:  # an escape may spell half a character, which no file can hold
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not UTF-8 ({error.reason}); save the file as UTF-8") from None
    except UnicodeEncodeError:
        raise UserError(f"{where}: a \\u escape spells half a character; mend that row") from None
    except RecursionError:
        raise UserError(f"{where}: nested too deep for a row; mend that row") from None
    except ValueError as error:
        raise UserError(f"{where}: not JSON ({error}); mend that row") from None
    if not isinstance(value, dict):
        raise UserError(
            f"{where}: a row is a JSON object in braces, not {type(value).__name__}; mend that row"
        )
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def parquet_rows(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file; maps become objects.

    Raises UserError naming the file where it is no whole Parquet file.
    """
    number = 0
    for batch in parquet_batches(path):
        maps = [field.name for field in batch.schema if pa.types.is_map(field.type)]
        try:
            records = batch.to_pylist()
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: text that is not UTF-8 ({error.reason}); make it again") from None
        for fields in records:
            number += 1
            for name in maps:
                fields[name] = None if fields[name] is None else dict(fields[name])
            yield Row(f"{path}, row {number}", fields)


def parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file as Arrow batches, under the same conditions as `parquet_rows`."""
    _check_file(path)
    try:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=BATCH, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        told = " ".join(str(error).split())
        raise UserError(f"{path}: not a whole Parquet file ({told}); make it again") from None


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"{path}: no such file; check the path or run the step that makes it")


READERS = {".jsonl": jsonl_rows, ".parquet": parquet_rows}


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a .jsonl or .parquet file.

    Raises UserError for a file of another ending, and as the readers of the two do.
    """
    reader = READERS.get(path.suffix)
    if reader is None:
        raise UserError(f"{path}: rows are read from .jsonl and .parquet files; convert this one")
    return reader(path)


def json_line(fields: Mapping[str, Any], where: str = "a row") -> str:
    """A row as one line of JSON, as all JSONL files of this project have it.

    Raises UserError naming `where` for values that JSON has no words for.
    """
    try:
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise UserError(f"{where}: no JSON can be made of it ({error}); leave that column out") from None


def write_lines(path: Path, rows: Iterable[Row]) -> int:
    """Write rows as JSONL one after the other, whole or not at all; returns how many.

    Raises UserError naming the row that JSON has no words for.
    """
    count = 0
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(json_line(row.fields, row.where))
            count += 1
    return count

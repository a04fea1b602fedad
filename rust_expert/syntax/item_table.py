"""The Parquet file of a shard's items: written crate by crate, so that no more than a few crates are in memory."""

import os
import typing
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any

import pyarrow as pa

from rust_expert.common.tables import ParquetStream, parquet_batches
from rust_expert.syntax.corpus import ItemRow

_COLUMNS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    bool: pa.bool_(),
    tuple[str, ...]: pa.list_(pa.string()),
}
SCHEMA = pa.schema([(name, _COLUMNS[kind]) for name, kind in typing.get_type_hints(ItemRow).items()])
"""A column for each field of a row."""

_REPEATED = ("crate", "version", "license", "edition", "file", "kind", "owner", "trait", "header", "scale")
"""Columns with few different values."""

_GROUP = 10_000
"""Rows at least of a row group, the last one aside; it ends with a crate."""


def table_of(columns: Sequence[Sequence[Any]]) -> pa.Table:
    """A table of the values of each field of a row (rust_expert.syntax.corpus.columns_of)."""
    arrays = [pa.array(values, type=field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def write_items(path: str | os.PathLike[str], crates: Iterable[pa.Table]) -> int:
    """Write the rows of crates (see `table_of`) one after the other, whole or not at all; returns how many.

    Equal rows give equal bytes.
    """
    with ParquetStream(path, SCHEMA, repeated=_REPEATED) as stream:
        waiting: list[pa.Table] = []
        for table in crates:
            waiting.append(table)
            if sum(each.num_rows for each in waiting) >= _GROUP:
                stream.write(pa.concat_tables(waiting))
                waiting = []
        stream.write(pa.concat_tables([SCHEMA.empty_table(), *waiting]))
        return stream.rows


def read_items(paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[ItemRow]:
    """All rows of one or several files, in the order given.

    Raises UserError naming the file where one is missing, no Parquet, or no table of items.
    """
    return list(_rows(paths))


def read_crates(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
) -> Iterator[list[ItemRow]]:
    """`read_items` crate by crate, with no more than a row group in memory."""
    for _, rows in groupby(_rows(paths), key=lambda row: (row.crate, row.version)):
        yield list(rows)


def _rows(paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> Iterator[ItemRow]:
    each = [paths] if isinstance(paths, str | os.PathLike) else paths
    for batch in chain.from_iterable(parquet_batches(path, SCHEMA, _GROUP) for path in each):
        columns = [column.to_pylist() for column in batch.columns]
        columns[-1] = list(map(tuple, columns[-1]))
        yield from map(ItemRow._make, zip(*columns, strict=True))

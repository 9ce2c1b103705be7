"""The parquet files of the archive: each holds the cleaned rows of a delivery.

None is ever edited; a purge puts another in the place of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loader.contracts import ColumnType, Contract
from loader.files import replacing

SOURCE_ROW = "_source_row"


_ROW_GROUP_BYTES = 16 << 20


_DICTIONARY_BYTES = 64 << 10
"""A column with more than that of different values is written without: quicker, and smaller."""


def arrow_type(declared: ColumnType) -> pa.DataType:
    """The Arrow type of a declared type."""
    if declared.name == "decimal":
        return pa.decimal128(declared.precision or 38, declared.scale or 0)
    return {
        "varchar": pa.string(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }[declared.name]


def cleaned_schema(contract: Contract) -> pa.Schema:
    """The columns of the contract in their order, and `_source_row`."""
    fields = [(column.name, arrow_type(column.type)) for column in contract.columns]
    return pa.schema([*fields, (SOURCE_ROW, pa.int64())])


def key_schema(contract: Contract) -> pa.Schema:
    """The columns of the key, and `_source_row`: what a file of unknown keys has."""
    fields = [(name, arrow_type(contract.column(name).type)) for name in contract.key]
    return pa.schema([*fields, (SOURCE_ROW, pa.int64())])


@contextmanager
def parquet_file(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """A parquet file that appears under its name only when it is complete."""
    with (
        replacing(path) as unfinished,
        pq.ParquetWriter(
            unfinished,
            schema,
            compression="zstd",
            compression_level=1,
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
        ) as writer,
    ):
        yield lambda rows: writer.write_table(rows, row_group_size=_rows_of_a_group(rows))


def _rows_of_a_group(rows: pa.Table) -> int:
    """Readers hold whole row groups: those of wide rows are short."""
    row_bytes: int = rows.nbytes // max(rows.num_rows, 1)
    return max(_ROW_GROUP_BYTES // max(row_bytes, 1), 1)


def rows_in(parquet: Path) -> int:
    """The number of rows of a parquet file."""
    return int(pq.read_metadata(parquet).num_rows)


def copy_without(source: Path, target: Path, unwanted: Callable[[pa.Table], pa.BooleanArray]) -> None:
    """Write the rows of a parquet file to another, but those that are unwanted."""
    with parquet_file(target, pq.read_schema(source)) as write, pq.ParquetFile(source) as file:
        for batch in file.iter_batches():
            rows = pa.table(batch)
            write(rows.filter(pc.invert(unwanted(rows))))

"""The rows of a file of the archive, in the types of the table that they go into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Double, Integer, Numeric, Table, Time
from sqlalchemy.exc import DataError
from sqlalchemy.types import TypeEngine

if TYPE_CHECKING:
    import pyarrow as pa


def schema_for(table: Table, parquet: Path) -> pa.Schema:
    """The columns of a table of which a file has values, in the types of the table."""
    import pyarrow as pa

    from loader.archive.parquet import filled_columns

    filled = filled_columns(parquet)
    return pa.schema([(column.name, _arrow_type(column.type)) for column in table.columns if column.name in filled])


def row_groups(parquet: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of a file, a row group at a time: each is small whatever the width of a row.

    An older file may have older types. Each value becomes exactly itself, or Arrow raises.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(parquet) as source:
        for number in range(source.num_row_groups):
            group = source.read_row_group(number, columns=schema.names).select(schema.names).cast(schema)
            group.validate(full=True)  # of a number with too many digits
            yield group.combine_chunks()


@contextmanager
def arrow_as_data(statement: str) -> Iterator[None]:
    """What Arrow says of rows that cannot go into a table is said as the database would.

    Raises:
        DataError: a value does not fit the type of its column.
    """
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        raise DataError(statement, None, error) from error


def _arrow_type(declared: TypeEngine[Any]) -> pa.DataType:
    import pyarrow as pa

    if type(declared) is Numeric:
        return pa.decimal128(declared.precision, declared.scale)
    plain = {
        BigInteger: pa.int64(),
        Integer: pa.int32(),
        Double: pa.float64(),
        Boolean: pa.bool_(),
        Date: pa.date32(),
        DateTime: pa.timestamp("us"),
        Time: pa.time64("us"),
    }
    return plain.get(type(declared), pa.string())

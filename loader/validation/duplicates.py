"""Rows of a delivery that share their key: rejected, or one of them stands for the others, as the contract says.

Which is said in `duplicates` of the contract. Where nothing is said none is taken, since any choice would be a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from loader.archive.parquet import SOURCE_ROW
from loader.computing import in_memory
from loader.contracts import Contract
from loader.contracts.delivery_rules import Keep, MaxOf

STANDS = "_stands"
_AT_ONCE = 10_000


def repeated_keys(contract: Contract, parquet: Path) -> pa.Table:
    """The rows of a parquet file that are left out, since others have their natural key; by their row in the file.

    Columns: the key's, `_source_row`, and `_stands`, the row that stands for all of the key; null: all are rejected.
    """
    key = ", ".join(f'"{name}"' for name in contract.key)
    top, stands = _stands(contract)
    query = f"""
        with repeated as (select {key} from read_parquet($1) group by all having count(*) > 1),
        candidates as (select *, {top} as _top from read_parquet($1) semi join repeated using ({key})),
        judged as (select {key}, {stands} as {STANDS} from candidates group by {key})
        select {key}, {SOURCE_ROW}, {STANDS} from candidates join judged using ({key})
        where {STANDS} is distinct from {SOURCE_ROW}
        order by {SOURCE_ROW}
    """
    with in_memory() as connection:
        return connection.sql(query, params=[str(parquet)]).to_arrow_table()


def rows_of(repeated: pa.Table) -> Iterator[tuple[int, int | None, tuple[Any, ...]]]:
    """Row in the file, the row that stands for it, and key; some rows at a time are objects of Python."""
    key = [name for name in repeated.column_names if name not in (SOURCE_ROW, STANDS)]
    for batch in repeated.to_batches(max_chunksize=_AT_ONCE):
        keys = zip(*(batch[name].to_pylist() for name in key), strict=True)
        yield from zip(batch[SOURCE_ROW].to_pylist(), batch[STANDS].to_pylist(), keys, strict=True)


def _stands(contract: Contract) -> tuple[str, str]:
    """In SQL: what to compare in each row, and of the rows of a key the number of the one that stands for all."""
    columns = ", ".join(f'"{column.name}" := "{column.name}"' for column in contract.columns)
    match contract.duplicates:
        case "identical":
            return "null", f"case when count(distinct struct_pack({columns})) = 1 then min({SOURCE_ROW}) end"
        case Keep(keep="first"):
            return "null", f"min({SOURCE_ROW})"
        case Keep(keep="last"):
            return "null", f"max({SOURCE_ROW})"
        case Keep(keep=MaxOf(max=name)):
            key = ", ".join(f'"{part}"' for part in contract.key)
            is_top = f'"{name}" = max("{name}") over (partition by {key})'
            return is_top, f"case when count(*) filter (where _top) = 1 then min({SOURCE_ROW}) filter (where _top) end"
        case _:
            return "null", "cast(null as bigint)"

"""The keys of a delivery that only rejected rows have: it says nothing of them.

A key is looked for in the rejected rows batch by batch, and written aside, so that memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pyarrow as pa

from loader.archive.parquet import SOURCE_ROW, key_schema, parquet_file
from loader.computing import in_memory
from loader.contracts import Contract


class UnknownKeys:
    """Collects the keys of rejected rows; `settle` leaves those in a file that no valid row has."""

    def __init__(self, contract: Contract, path: Path) -> None:
        self._contract, self._path = contract, path
        self.are_kept = contract.knows_unknown
        """Whether the contract tells unknown keys from absent ones."""
        self._aside = path.with_name(f"{path.name}-rows")
        self._stack = ExitStack()
        self._write: Callable[[pa.Table], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._aside.unlink(missing_ok=True)

    def add(self, keys: pa.Table) -> None:
        """Take the keys of rejected rows: the key columns and the row in the file."""
        if not (keys.num_rows and self.are_kept):
            return
        if self._write is None:
            self._write = self._stack.enter_context(parquet_file(self._aside, key_schema(self._contract)))
        self._write(keys)

    def settle(self, parquet: Path, ends_at: int | None) -> int:
        """Write each key that no row of `parquet` has, with its first row; returns their number. No file for none.

        `ends_at` is the totals row that ended the data: what is below it is none.
        """
        self._stack.close()
        self._path.unlink(missing_ok=True)
        if self._write is None:
            return 0
        key = ", ".join(f'"{name}"' for name in self._contract.key)
        listed = ", ".join(f'rejected."{name}"' for name in self._contract.key)
        query = f"""
            select {listed}, min(rejected.{SOURCE_ROW}) as {SOURCE_ROW}
            from read_parquet($1) as rejected anti join read_parquet($2) as stated using ({key})
            where $3 is null or rejected.{SOURCE_ROW} < $3
            group by {listed}
            order by min(rejected.{SOURCE_ROW})
        """
        with in_memory(len(self._contract.key)) as connection:
            found: pa.Table = connection.sql(query, params=[str(self._aside), str(parquet), ends_at]).to_arrow_table()
        if found.num_rows:
            schema = key_schema(self._contract)
            with parquet_file(self._path, schema) as write:
                write(found.cast(schema))
        return int(found.num_rows)

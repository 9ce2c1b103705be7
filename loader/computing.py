"""DuckDB that computes, on files of the archive and on conditions of contracts, apart from that of the warehouse."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    import duckdb

_MOST_THREADS = 4
_MEGABYTES_PER_THREAD = 128
"""The least that DuckDB asks for; a megabyte for each column that a thread writes comes on top."""


def bounded(columns: int = 0) -> dict[str, str]:
    """Settings for work on one delivery: memory grows with the columns, not with the rows; the rest goes to disk.

    Without them DuckDB keeps what it can in up to 80% of the machine's memory.
    """
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    return {"threads": str(threads), "memory_limit": f"{threads * (_MEGABYTES_PER_THREAD + columns)}MB"}


@contextmanager
def in_memory(columns: int = 0) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to work on the archive's parquet files; `columns` that it holds at a time.

    All share one DuckDB, so what a connection makes is temporary: nobody else sees it, and it goes with the connection.

    Raises:
        duckdb.FatalException: DuckDB broke; the next connection is one to another.
        duckdb.InternalException: the same.
    """
    import duckdb

    try:
        with computing().cursor() as connection:
            connection.execute(f"set memory_limit = '{bounded(columns)['memory_limit']}'")
            yield connection
    except (duckdb.FatalException, duckdb.InternalException):
        computing.cache_clear()  # it answers nothing more
        raise


@cache
def computing() -> duckdb.DuckDBPyConnection:
    """The DuckDB of this process, in memory: to make one takes 12 ms, more than most questions that it is asked."""
    import duckdb

    spill = Path(tempfile.gettempdir()) / f"almanac-{uuid4().hex}"  # DuckDB makes and removes the folder
    # of the files that it has read it keeps nothing, neither in memory nor beyond a purge
    settings: dict[str, str | bool | int | float | list[str]] = {
        **bounded(),
        "temp_directory": spill.as_posix(),
        "enable_external_file_cache": "false",
    }
    return duckdb.connect(config=settings)

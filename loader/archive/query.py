"""DuckDB that computes, on the parquet files of the archive, apart from DuckDB that is the warehouse."""

from __future__ import annotations

import os
import tempfile
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


def bounded_in_memory(columns: int = 0) -> dict[str, str]:
    """The same for a database in memory, with a place for the rest; DuckDB makes and removes the folder."""
    spill = Path(tempfile.gettempdir()) / f"almanac-{uuid4().hex}"
    return {**bounded(columns), "temp_directory": spill.as_posix()}


def in_memory(columns: int = 0) -> duckdb.DuckDBPyConnection:
    """A database of its own in memory, to work on the archive's parquet files; `columns` that it holds at a time."""
    import duckdb

    return duckdb.connect(config={**bounded_in_memory(columns)})

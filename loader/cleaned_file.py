"""The two files that validation writes: the cleaned rows as parquet, and the rejects as CSV."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loader.contracts import Contract
from loader.conversion import arrow_type

SOURCE_ROW = "_source_row"
REJECT_COLUMNS = ("row", "column", "value", "rule")
_ROW_GROUP_BYTES = 16 << 20
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d., ]*$)")
"""How a formula begins; a number with a sign is none."""


@contextmanager
def parquet_file(path: Path, contract: Contract) -> Iterator[Callable[[pa.Table], None]]:
    """A parquet file that appears under its name only when it is complete."""
    fields = [(column.name, arrow_type(column.type)) for column in contract.columns]
    schema = pa.schema([*fields, (SOURCE_ROW, pa.int64())])
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with pq.ParquetWriter(unfinished, schema, compression="zstd", compression_level=1) as writer:
            yield lambda rows: writer.write_table(rows, row_group_size=_rows_of_a_group(rows))
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _rows_of_a_group(rows: pa.Table) -> int:
    """Readers hold whole row groups: those of wide rows are short."""
    row_bytes: int = rows.nbytes // max(rows.num_rows, 1)
    return max(_ROW_GROUP_BYTES // max(row_bytes, 1), 1)


@contextmanager
def rejects_file(path: Path, *, append: bool = False) -> Iterator[Callable[..., None]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if append else "w", encoding="utf-8-sig" if not append else "utf-8", newline="") as file:
        lines = csv.writer(file)
        if not append:
            lines.writerow(REJECT_COLUMNS)
        yield lambda *cells: lines.writerow([_as_text(cell) for cell in cells])


def _as_text(cell: object) -> object:
    """A cell that a spreadsheet program would run as a formula gets an apostrophe in front (OWASP: CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

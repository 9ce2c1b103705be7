"""The two files that validation writes: the cleaned rows as parquet, and the rejects as CSV.

The parquet files are the archive. None is ever edited; a purge puts another in the place of one.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loader.contracts import Contract
from loader.conversion import arrow_type

SOURCE_ROW = "_source_row"
REJECT_COLUMNS = ("row", "column", "value", "rule")
_ROW_GROUP_BYTES = 16 << 20
_DICTIONARY_BYTES = 64 << 10
"""A column with more than that of different values is written without: quicker, and smaller."""
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d., ]*$)")
"""How a formula begins; a number with a sign is none."""


def cleaned_schema(contract: Contract) -> pa.Schema:
    """The columns of the contract in their order, and `_source_row`."""
    fields = [(column.name, arrow_type(column.type)) for column in contract.columns]
    return pa.schema([*fields, (SOURCE_ROW, pa.int64())])


@contextmanager
def parquet_file(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """A parquet file that appears under its name only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with pq.ParquetWriter(
            unfinished,
            schema,
            compression="zstd",
            compression_level=1,
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
        ) as writer:
            yield lambda rows: writer.write_table(rows, row_group_size=_rows_of_a_group(rows))
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _rows_of_a_group(rows: pa.Table) -> int:
    """Readers hold whole row groups: those of wide rows are short."""
    row_bytes: int = rows.nbytes // max(rows.num_rows, 1)
    return max(_ROW_GROUP_BYTES // max(row_bytes, 1), 1)


def copy_without(source: Path, target: Path, unwanted: Callable[[pa.Table], pa.BooleanArray]) -> None:
    """Write the rows of a parquet file to another, but those that are unwanted."""
    with parquet_file(target, pq.read_schema(source)) as write, pq.ParquetFile(source) as file:
        for batch in file.iter_batches():
            rows = pa.table(batch)
            write(rows.filter(pc.invert(unwanted(rows))))


def publish(unfinished: Path, name: str) -> tuple[str, str]:
    """Give a parquet file its name in the archive; a file of that name with other bytes is never replaced.

    Gives the name that it got and its hash.
    """
    content, number = sha256_of(unfinished), 1
    path = unfinished.with_name(name)
    while path.exists() and sha256_of(path) != content:
        number += 1
        path = unfinished.with_name(f"{Path(name).stem}_{number}.parquet")
    unfinished.replace(path)
    return path.name, content


def sweep(folder: Path) -> None:
    """Remove what killed processes left unfinished: `….unchecked-<process>`, `….purging-<process>`."""
    for path in folder.glob("*-*"):
        left = re.search(r"\.(?:unchecked|purging)-(\d+)", path.name)
        if left and not _is_owned(path, int(left[1])):
            path.unlink(missing_ok=True)


def _is_owned(path: Path, process: int) -> bool:
    """Whether the process that is named still runs; numbers are used again, in a container by every run."""
    try:
        return process != os.getpid() and psutil.Process(process).create_time() <= path.stat().st_mtime
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
    except psutil.Error:
        return True


@contextmanager
def rejects_file(path: Path, *, append: bool = False) -> Iterator[Callable[..., None]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if append else "w", encoding="utf-8-sig" if not append else "utf-8", newline="") as file:
        lines = csv.writer(file)
        if not append:
            lines.writerow(REJECT_COLUMNS)
        yield lambda *cells: lines.writerow([not_a_formula(cell) for cell in cells])


def not_a_formula(cell: object) -> object:
    """A cell that a spreadsheet program would run as a formula gets an apostrophe in front (OWASP: CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Workbooks: looked through and meanwhile read in a process apart, given as a table with every cell as text."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from loader.contracts import WorkbookFormat
from loader.errors import RefusedError
from loader.readers.calamine import read_sheet
from loader.readers.isolated import MOST_MEMORY, GaveUpError, Limits, run_apart
from loader.readers.signatures import is_zip, refuse_no_workbook
from loader.readers.table import BLANKS, Batch, Table, data_table, join_header
from loader.readers.workbook_members import look_through, member_of

_BATCH_ROWS = 64_000


def open_workbook(path: Path, fmt: WorkbookFormat) -> Table:
    """Open one sheet of a workbook.

    Numbers come as their shortest text (`12345`, `1.5`; below 1e-9 as 0), dates as `YYYY-MM-DD HH:MM:SS` (`.ods`: ISO
    8601), error cells as Excel shows them (`#N/A`); nothing is guessed, so a text `007` stays `007`.

    Raises:
        RefusedError: the file is not a workbook of its extension or is damaged, the sheet is missing or has no
            header row.
    """
    refuse_no_workbook(path)
    cells = _read_sheet(path, fmt)
    above = fmt.last_header_row
    if cells.num_rows < above:
        raise RefusedError(f"{path.name}: there is no header row {above}; the sheet ends before it")
    rows = [[column[at].as_py() or "" for column in cells.columns] for at in range(fmt.header_row - 1, above)]
    header = rows[0] if fmt.header_rows == 1 else join_header(rows)
    while header and not header[-1].strip(BLANKS) and not _holds_values(cells.columns[len(header) - 1], above):
        header.pop()
    return data_table(header, rows, _batches(cells, above, len(header)), fmt)


def _holds_values(column: pa.StringArray, first: int) -> bool:
    """Whether there is anything below the header."""
    below = column.slice(first)
    return bool(below.null_count < len(below))


def _read_sheet(path: Path, fmt: WorkbookFormat) -> pa.RecordBatch:
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look_through, path) if is_zip(path) else None
        limits = Limits(_seconds(path), lambda: looking is None or _went_well(looking))
        try:
            name, cells = run_apart(limits, read_sheet, path, fmt.sheet, fmt.sheet_pattern)
        except (GaveUpError, RefusedError) as error:
            if looking is not None:
                looking.result()
            if isinstance(error, RefusedError):
                raise
            raise RefusedError(
                f"{path.name}: the workbook is damaged, or a cell lies so far from its table that reading takes more "
                f"than {MOST_MEMORY >> 30} GiB of memory; clear what lies apart, save it anew and deliver it again"
            ) from None
        unsolved = looking.result() if looking is not None else {}
    cell = unsolved.get(member_of(path, name)) if unsolved else None
    if cell is not None:
        raise RefusedError(
            f"{path.name}: the formula in cell {cell} was never calculated; open the workbook in a spreadsheet "
            "program, save it and deliver it again"
        )
    return cells


def _went_well(looking: Future[dict[str, str]]) -> bool | None:
    return looking.exception() is None if looking.done() else None


def _seconds(path: Path) -> float:
    """Of work that reading may take: thirty times what it takes here, and time for a small file that holds much."""
    return 30 + 3e-6 * path.stat().st_size


def _batches(cells: pa.RecordBatch, first: int, width: int) -> Iterator[Batch]:
    for start in range(first, cells.num_rows, _BATCH_ROWS):
        part = cells.slice(start, _BATCH_ROWS)
        rows = pa.array(range(start + 1, start + 1 + part.num_rows), pa.int64())
        yield Batch(part.columns[:width], rows)

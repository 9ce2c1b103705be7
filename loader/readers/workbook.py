"""Workbooks, read by calamine (through fastexcel) with every cell as text."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loader.contracts import XlsxFormat
from loader.errors import RefusedError
from loader.readers.table import BLANKS, Batch, Table, data_rows

_BATCH_ROWS = 64_000
_ERROR_TEXT = {
    "NA": "#N/A",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "Div0": "#DIV/0!",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
}


def open_workbook(path: Path, fmt: XlsxFormat) -> Table:
    """Open one sheet of a workbook.

    Numbers come as their shortest text (`12345`, `1.5`; below 1e-9 as 0), dates as `YYYY-MM-DD HH:MM:SS`, error
    cells as Excel shows them (`#N/A`); nothing is guessed, so a text `007` stays `007`.

    Raises:
        RefusedError: the archive is damaged, the sheet is missing or has no header row.
    """
    cells = _read_sheet(path, fmt)
    at = fmt.header_row - 1
    if cells.num_rows <= at:
        raise RefusedError(f"{path.name}: there is no header row {fmt.header_row}; the sheet ends before it")
    header = [(column[at].as_py() or "") for column in cells.columns]
    while header and not header[-1].strip(BLANKS) and not _holds_values(cells.columns[len(header) - 1], at):
        header.pop()
    return Table(header, data_rows(_batches(cells, at + 1, len(header)), fmt.totals, fmt.skip_end))


def _holds_values(column: pa.StringArray, header_at: int) -> bool:
    """Whether there is anything below the header."""
    below = column.slice(header_at + 1)
    return bool(below.null_count < len(below))


def _read_sheet(path: Path, fmt: XlsxFormat) -> pa.RecordBatch:
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        if "assword" in str(error):
            raise RefusedError(f"{path.name}: protected by a password; save it without one") from None
        raise RefusedError(
            f"{path.name}: the workbook is damaged or cut off; ask the sender to deliver it again"
        ) from None
    sheet = fmt.sheet if isinstance(fmt.sheet, str) else fmt.sheet - 1
    names = book.sheet_names
    if (isinstance(sheet, str) and sheet not in names) or (isinstance(sheet, int) and sheet >= len(names)):
        raise RefusedError(f"{path.name}: there is no sheet {fmt.sheet!r}; found are: {', '.join(names)}")
    try:
        cells, errors = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string").to_arrow_with_errors()
        columns = _with_all_digits(cells.columns, book, sheet)
    except fastexcel.FastExcelError as error:
        raise RefusedError(
            f"{path.name}: sheet {fmt.sheet!r} cannot be read ({str(error).splitlines()[0]}); "
            "ask the sender to deliver it again"
        ) from None
    _put_error_text(columns, errors.errors if errors else [])
    return pa.RecordBatch.from_arrays(columns, names=cells.schema.names)


def _with_all_digits(columns: list[pa.StringArray], book: Any, sheet: str | int) -> list[pa.StringArray]:
    """fastexcel rounds numbers to nine decimals when it writes them as text; where it may have, ask for the numbers."""
    rounded = [pc.match_substring_regex(column, r"^-?\d+\.\d{9}$") for column in columns]
    wanted = [at for at, hits in enumerate(rounded) if pc.any(hits).as_py()]
    if not wanted:
        return columns
    exact = book.load_sheet(
        sheet, header_row=None, skip_rows=0, use_columns=wanted, dtypes=dict.fromkeys(wanted, "float")
    ).to_arrow_with_errors()[0]
    result = list(columns)
    for at, numbers in zip(wanted, exact.columns, strict=True):
        texts = [None if number is None else f"{Decimal(repr(number)):f}" for number in numbers.to_pylist()]
        known = pc.and_(pc.fill_null(rounded[at], False), pc.is_valid(numbers))
        result[at] = pc.if_else(known, pa.array(texts, pa.string()), columns[at])
    return result


def _put_error_text(columns: list[pa.StringArray], errors: list[Any]) -> None:
    """Put the text of error cells where calamine leaves nothing, so that validation can name them."""
    by_column: dict[int, dict[int, str]] = {}
    for error in errors:
        row, column = error.offset_position
        kind = error.detail.rpartition("Error(")[2].rstrip(")'")
        by_column.setdefault(column, {})[row] = _ERROR_TEXT.get(kind, "#ERROR!")
    for position, texts in by_column.items():
        values = columns[position].to_pylist()
        for row, text in texts.items():
            values[row] = text
        columns[position] = pa.array(values, pa.string())


def _batches(cells: pa.RecordBatch, first: int, width: int) -> Iterator[Batch]:
    for start in range(first, cells.num_rows, _BATCH_ROWS):
        part = cells.slice(start, _BATCH_ROWS)
        rows = pa.array(range(start + 1, start + 1 + part.num_rows), pa.int64())
        yield Batch(part.columns[:width], rows)

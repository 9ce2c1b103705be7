"""Workbooks, read by calamine (through fastexcel) with every cell as text."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loader.contracts import WorkbookFormat
from loader.errors import RefusedError
from loader.readers.container import damaged, refuse_no_workbook
from loader.readers.table import BLANKS, Batch, Table, data_rows, join_header

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


def open_workbook(path: Path, fmt: WorkbookFormat) -> Table:
    """Open one sheet of a workbook.

    Numbers come as their shortest text (`12345`, `1.5`; below 1e-9 as 0), dates as `YYYY-MM-DD HH:MM:SS` (`.ods`: ISO
    8601), error cells as Excel shows them (`#N/A`); nothing is guessed, so a text `007` stays `007`.

    Raises:
        RefusedError: the file is no workbook of its ending or damaged, the sheet is missing or has no header row.
    """
    refuse_no_workbook(path)
    if path.suffix.lower() == ".ods":
        _refuse_silent_errors(path)
    cells = _read_sheet(path, fmt)
    above = fmt.last_header_row
    if cells.num_rows < above:
        raise RefusedError(f"{path.name}: there is no header row {above}; the sheet ends before it")
    rows = [[column[at].as_py() or "" for column in cells.columns] for at in range(fmt.header_row - 1, above)]
    header = rows[0] if fmt.header_rows == 1 else join_header(rows)
    while header and not header[-1].strip(BLANKS) and not _holds_values(cells.columns[len(header) - 1], above):
        header.pop()
    return Table(header, data_rows(_batches(cells, above, len(header)), fmt.totals, fmt.skip_end))


def _refuse_silent_errors(path: Path) -> None:
    """LibreOffice writes an error as an empty text with a mark of its own, so that calamine takes it for nothing."""
    mark, rest = b'calcext:value-type="error"', b""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
            while part := content.read(1 << 20):
                if mark in rest + part:
                    raise RefusedError(
                        f"{path.name}: a formula in it ends in an error, and .ods does not tell in which cell; "
                        "correct it, or save the workbook as .xlsx"
                    )
                rest = part[-len(mark) :]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise damaged(path) from None


def _holds_values(column: pa.StringArray, first: int) -> bool:
    """Whether there is anything below the header."""
    below = column.slice(first)
    return bool(below.null_count < len(below))


def _read_sheet(path: Path, fmt: WorkbookFormat) -> pa.RecordBatch:
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        if "assword" in str(error):
            raise RefusedError(f"{path.name}: protected by a password; save it without one") from None
        raise damaged(path) from None
    try:
        sheet = _sheet(path, book, fmt)
        cells, errors = sheet.to_arrow_with_errors()
        columns = _with_all_digits(cells.columns, book, sheet.name)
    except fastexcel.FastExcelError as error:
        raise RefusedError(
            f"{path.name}: its sheet cannot be read ({str(error).splitlines()[0]}); ask the sender to deliver it again"
        ) from None
    _put_error_text(columns, errors.errors if errors else [])
    return pa.RecordBatch.from_arrays(columns, names=cells.schema.names)


def _sheet(path: Path, book: Any, fmt: WorkbookFormat) -> Any:
    """The sheet that the contract means, with its cells as text. Hidden ones are found by their name only."""
    if isinstance(fmt.sheet, str):
        if fmt.sheet not in book.sheet_names:
            raise RefusedError(f"{path.name}: there is no sheet {fmt.sheet!r}; found are: {_names(book)}")
        return _load(book, fmt.sheet)
    if fmt.sheet_pattern is not None:
        found = list(_shown(book, [name for name in book.sheet_names if re.search(fmt.sheet_pattern, name)]))
        if len(found) == 1:
            return found[0]
        fits = f"{len(found)} sheets fit ({', '.join(sheet.name for sheet in found)})" if found else "no sheet fits"
        raise RefusedError(f"{path.name}: {fits} the pattern {fmt.sheet_pattern!r}; found are: {_names(book)}")
    position = fmt.sheet or 1
    sheet = next(islice(_shown(book, book.sheet_names), position - 1, None), None)
    if sheet is None:
        raise RefusedError(f"{path.name}: there is no sheet {position} that is not hidden; found are: {_names(book)}")
    return sheet


def _shown(book: Any, names: list[str]) -> Iterator[Any]:
    """The sheets of those names that are not hidden; whether one is, is known when it is read only."""
    return (sheet for sheet in (_load(book, name) for name in names) if sheet.visible == "visible")


def _load(book: Any, name: str) -> Any:
    return book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")


def _names(book: Any) -> str:
    return ", ".join(book.sheet_names)


def _with_all_digits(columns: list[pa.StringArray], book: Any, sheet: str) -> list[pa.StringArray]:
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

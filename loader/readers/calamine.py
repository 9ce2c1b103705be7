"""The cells of one sheet, read by calamine (through fastexcel); made for a process apart, so it imports little."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loader.errors import RefusedError
from loader.readers.isolated import GaveUpError
from loader.readers.signatures import damaged, locked

_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384
"""The size of a sheet in every spreadsheet program; calamine reads cells beyond it."""
_ERROR_TEXT = {
    "NA": "#N/A",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "Div0": "#DIV/0!",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
}


def read_sheet(path: Path, sheet: str | int | None, pattern: str | None) -> tuple[str, pa.RecordBatch]:
    """The name of the sheet that the contract means and its cells as text, from its first row and column on.

    Raises:
        RefusedError: the workbook is damaged, or there is no such sheet.
        GaveUpError: a cell lies outside any sheet.
    """  # noqa: DOC501 (`damaged` makes a RefusedError)
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
        if not book.sheet_names:
            raise damaged(path)
        found = _sheet(path, book, sheet, pattern)
        if found.total_height > _MOST_ROWS or found.width > _MOST_COLUMNS:
            raise GaveUpError
        cells, errors = found.to_arrow_with_errors()
        columns = _with_all_digits(cells.columns, book, found.name)
    except fastexcel.FastExcelError as error:
        raise (locked(path) if "assword" in str(error) else damaged(path)) from None
    _put_error_text(columns, errors.errors if errors else [])
    return found.name, pa.RecordBatch.from_arrays(columns, names=cells.schema.names)


def _sheet(path: Path, book: Any, sheet: str | int | None, pattern: str | None) -> Any:
    """The sheet that the contract means, with its cells as text. Hidden ones are found by their name only."""
    if isinstance(sheet, str):
        if sheet not in book.sheet_names:
            raise RefusedError(f"{path.name}: there is no sheet {sheet!r}; found are: {_names(book)}")
        return _load(book, sheet)
    if pattern is not None:
        found = list(_shown(book, [name for name in book.sheet_names if re.search(pattern, name)]))
        if len(found) == 1:
            return found[0]
        matching = (
            f"{len(found)} sheets match ({', '.join(one.name for one in found)})" if found else "no sheet matches"
        )
        raise RefusedError(f"{path.name}: {matching} the pattern {pattern!r}; found are: {_names(book)}")
    position = sheet or 1
    shown = next(islice(_shown(book, book.sheet_names), position - 1, None), None)
    if shown is None:
        raise RefusedError(f"{path.name}: there is no sheet {position} that is not hidden; found are: {_names(book)}")
    return shown


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

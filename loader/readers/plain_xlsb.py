"""An `.xlsb` read record by record ([MS-XLSB] 2.1.4).

calamine takes most of its dates for numbers, and loses the errors of formulas.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loader.errors import RefusedError
from loader.readers.choice import choose
from loader.readers.isolated import GaveUpError
from loader.readers.number_formats import Shows, built_in, shows
from loader.readers.plain_xlsx import (
    DAY_ZERO_1904,
    MOST_COLUMNS,
    MOST_ROWS,
    Book,
    SheetPart,
    moment,
    relations,
    sheet_batches,
)
from loader.readers.sheet_rows import ErrorText, Sheet
from loader.readers.signatures import damaged, explained
from loader.readers.table import Batch, letters

_ROW, _ROW_END = 0, 146
_RK, _ERROR, _BOOLEAN, _REAL, _TEXT, _SHARED = range(2, 8)
_FORMULAS = {8: _TEXT, 9: _REAL, 10: _BOOLEAN, 11: _ERROR}
"""Cells with a formula, each as the cell that has its result."""
_TEXT_ITEM, _FORMAT, _STYLE, _STYLES, _STYLES_END = 19, 44, 47, 617, 618
_PROPERTIES, _SHEET, _CALCULATION = 153, 156, 157
_ALL_STYLES_END = 279
"""The end of the sheet of styles."""
ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}


def read_plain_xlsb(path: Path, sheet: str | int | None, pattern: str | None, above: int) -> Iterator[Sheet | Batch]:
    """The sheet that the contract means, then its rows in batches: those down to the end of the header, then others.

    Raises:
        RefusedError: the workbook is damaged, or there is no such sheet.
        GaveUpError: a cell lies outside any sheet.
    """  # noqa: DOC501 (`damaged` makes a RefusedError)
    with explained(path), zipfile.ZipFile(path) as archive:
        try:
            book = _read_book(archive)
            name = choose(path, {name: one.is_shown for name, one in book.sheets.items()}, sheet, pattern)
            if book.sheets[name].kind == "chartsheet":
                raise RefusedError(f"{path.name}: the sheet {name!r} is a chart; name the one that has the table")
            items = _records(archive.read(book.strings), {_TEXT_ITEM}) if book.strings else ()
            strings = [_wide(data, 1) for _, data in items]
            rows, formulas = _cells(archive.read(book.sheets[name].member), book, strings, above)
        except (IndexError, KeyError, struct.error):
            raise damaged(path) from None
    yield from sheet_batches(name, book, rows, formulas, above)


def _records(content: bytes, wanted: set[int]) -> Iterator[tuple[int, memoryview]]:
    """(type, data) of the records of those types, in their order."""
    view, at, end = memoryview(content), 0, len(content)
    while at < end:
        kind = content[at]
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (content[at] & 0x7F) << 7
            at += 1
        size, shift = 0, 0
        while True:
            byte = content[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80 or shift == 28:
                break
        if at + size > end:
            raise IndexError
        if kind in wanted:
            yield kind, view[at : at + size]
        at += size


def _wide(data: memoryview, at: int) -> str:
    """A text with its length before it."""
    (count,) = struct.unpack_from("<I", data, at)
    if at + 4 + 2 * count > len(data):
        raise IndexError
    return str(data[at + 4 : at + 4 + 2 * count], "utf-16-le", "replace")


def _read_book(archive: zipfile.ZipFile) -> Book:
    book = Book()
    related = {key: (target, kind) for key, target, kind in relations(archive, "xl/_rels/workbook.bin.rels", "xl")}
    for record, data in _records(archive.read("xl/workbook.bin"), {_PROPERTIES, _SHEET, _CALCULATION}):
        if record == _PROPERTIES and data[0] & 1:
            book.day_zero = DAY_ZERO_1904
        elif record == _CALCULATION:
            book.must_calculate = bool(data[24] & 1)
        elif record == _SHEET:
            relation = _wide(data, 8)
            name = _wide(data, 12 + len(relation.encode("utf-16-le")))
            member, kind = related.get(relation, ("", ""))
            book.sheets[name] = SheetPart(member, data[0] & 3 == 0, kind)
    by_kind = {kind: target for target, kind in related.values()}
    book.strings = by_kind.get("sharedStrings", "")
    codes: dict[int, str] = {}
    if "styles" not in by_kind:
        return book
    is_cell, record = False, 0
    for record, data in _records(
        archive.read(by_kind["styles"]), {_FORMAT, _STYLES, _STYLES_END, _STYLE, _ALL_STYLES_END}
    ):
        if record == _FORMAT:
            codes[struct.unpack_from("<H", data)[0]] = _wide(data, 2)
        elif record == _STYLE and is_cell:
            (number,) = struct.unpack_from("<H", data, 2)
            book.styles.append(shows(codes[number]) if number in codes else built_in(number))
        else:
            is_cell = record == _STYLES
    if record != _ALL_STYLES_END:
        raise IndexError
    return book


def _cells(content: bytes, book: Book, strings: list[str], above: int) -> tuple[dict[int, list[Any]], dict[int, str]]:
    rows: dict[int, list[Any]] = {}
    formulas: dict[int, str] = {}
    row, cells = 0, []
    for record, data in _records(content, {_ROW, _ROW_END, *range(_RK, _SHARED + 1), *_FORMULAS}):
        if record == _ROW_END:
            break
        if record == _ROW:
            (row,) = struct.unpack_from("<I", data)
            row += 1
            cells = rows.setdefault(row, [])
            continue
        column, style = struct.unpack_from("<II", data)
        if row > MOST_ROWS or column >= MOST_COLUMNS:
            raise GaveUpError
        if record in _FORMULAS and row > above:
            formulas.setdefault(column, f"{letters(column)}{row}")
        value = _value(_FORMULAS.get(record, record), data, strings)
        if isinstance(value, float):
            shown = book.styles[style & 0xFFFFFF] if style & 0xFFFFFF < len(book.styles) else Shows.NUMBER
            value = value if shown is Shows.NUMBER else moment(value, shown, book.day_zero)
        cells.extend([""] * (column + 1 - len(cells)))
        cells[column] = value
    return rows, formulas


def _value(kind: int, data: memoryview, strings: list[str]) -> Any:
    if kind == _SHARED:
        return strings[struct.unpack_from("<I", data, 8)[0]]
    if kind == _RK:
        return rk_number(struct.unpack_from("<i", data, 8)[0])
    if kind == _REAL:
        return float(struct.unpack_from("<d", data, 8)[0])
    if kind == _TEXT:
        return _wide(data, 8)
    return bool(data[8]) if kind == _BOOLEAN else ErrorText(ERRORS.get(data[8], "#ERROR!"))


def rk_number(packed: int) -> float:
    """A number in four bytes ([MS-XLSB] 2.5.122)."""
    number: float
    if packed & 2:
        number = float(packed >> 2)
    else:
        (number,) = struct.unpack("<d", struct.pack("<Ii", 0, packed & ~3))
    return number / 100 if packed & 1 else number

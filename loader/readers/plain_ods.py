"""An `.ods` read with nothing but an XML parser (OpenDocument 1.3, part 3, chapter 9).

calamine loses line breaks, errors, formulas without a result, and whether a time is one of day.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loader.readers.choice import choose
from loader.readers.isolated import GaveUpError
from loader.readers.plain_xlsx import MOST_COLUMNS, MOST_ROWS, is_empty, uncalculated
from loader.readers.sheet_rows import DateText, ErrorText, Row, Sheet, batches
from loader.readers.signatures import damaged, explained, locked
from loader.readers.table import DAY_ZERO, Batch, letters
from loader.readers.xml_events import parse

_MOST_REPEATED = 20_000_000
"""Filled cells that repetitions may stand for; people do not repeat as much."""
_CELLS = ("table-cell", "covered-table-cell")
_TEXT_PARTS = {"p", "span", "a", "s", "tab", "line-break", "h"}
"""What text in a cell consists of; notes, drawings and the like are none of it."""
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!)|Err:[0-9]+")
_BLANKS = re.compile("[ \t\r\n]+")
_DAY = dt.timedelta(days=1)
_END_OF_FRACTION = re.compile(r"(?<=\.[0-9]{6})[0-9]+$")
_DURATION = re.compile(r"(-?)P(?:([0-9]+)D)?T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:[.,][0-9]+)?)S)?")


def read_plain_ods(path: Path, sheet: str | int | None, pattern: str | None, above: int) -> Iterator[Sheet | Batch]:
    """The sheet that the contract means, then its rows in batches: those down to the end of the header, then others.

    Raises:
        RefusedError: the workbook is damaged, there is no such sheet, or a formula in it was never calculated.
        GaveUpError: a cell lies outside any sheet.
    """  # noqa: DOC501 (`damaged` makes a RefusedError)
    with explained(path), zipfile.ZipFile(path) as archive:
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise locked(path)
        first = _Tables()
        with archive.open("content.xml") as file:
            parse(file, first.start)
        name = choose(path, first.tables, sheet, pattern)
        cells = _SheetCells(path, name, first)
        with archive.open("content.xml") as file:
            parse(file, cells.start, cells.end, cells.text)
    left = min((row.first for row in cells.rows if row.cells), default=0)
    width = max((len(row.cells) for row in cells.rows), default=0) - left
    yield Sheet(name, left, first.day_zero)
    yield from batches(_rows(cells.rows, left, width), above, max(width, 0))


@dataclass
class _Row:
    cells: list[Any]
    """Down to the last one that is filled."""
    first: int
    times: int


def _rows(rows: list[_Row], left: int, width: int) -> Iterator[Row]:
    blank = [""] * width
    last = max((at for at, row in enumerate(rows) if row.cells), default=-1)
    for row in rows[: last + 1]:
        cells = row.cells[left:]
        for _ in range(row.times):
            yield cells + blank[len(cells) :]


class _Tables:
    """Takes what stands around the cells: the sheets, whether they are shown, and which styles are of durations."""

    def __init__(self) -> None:
        self.tables: dict[str, bool] = {}
        self.day_zero: dt.date = DAY_ZERO
        self.of_durations: set[str] = set()
        self._style = ""
        self._hidden: set[str] = set()
        self._long: set[str] = set()
        self._is_content = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "time-style" and attributes.get("number:truncate-on-overflow") == "false":
            self._long.add(attributes.get("style:name", ""))
        elif name == "style":
            self._style = attributes.get("style:name", "")
            if attributes.get("style:data-style-name") in self._long:
                self.of_durations.add(self._style)
        elif name == "table-properties" and attributes.get("table:display") == "false":
            self._hidden.add(self._style)
        elif name == "null-date":
            self.day_zero = dt.date.fromisoformat(attributes.get("table:date-value", str(DAY_ZERO)))
        elif name == "spreadsheet":
            self._is_content = True
        elif name == "table" and self._is_content and "table:name" in attributes:
            self.tables.setdefault(attributes["table:name"], attributes.get("table:style-name") not in self._hidden)


class _SheetCells:
    """Takes the events of a document, and keeps the cells of one sheet."""

    def __init__(self, path: Path, name: str, book: _Tables) -> None:
        self.rows: list[_Row] = []
        self._path, self._name, self._book = path, name, book
        self._depth = 0
        """Of tables within that of the sheet, which is the first; 0 outside of it."""
        self._is_over = False
        self._number = 0
        self._repeated = 0
        self._row: list[Any] = []
        self._of_row: dict[str, str] = {}
        self._at = 0
        self._columns: list[str] = []
        self._cell: dict[str, str] | None = None
        self._aside = 0
        """Elements that are open in the cell and are none of its text."""
        self._paragraphs: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table":
            is_it = not self._is_over and attributes.get("table:name") == self._name
            self._depth += bool(self._depth or is_it)
        elif self._depth != 1:
            return
        elif self._cell is not None:
            self._start_in_cell(name, attributes)
        elif name in _CELLS:
            self._cell, self._paragraphs, self._aside = attributes, [], 0
        elif name == "table-row":
            self._row, self._of_row, self._at = [], attributes, 0
        elif name == "table-column":
            style = attributes.get("table:default-cell-style-name", "")
            self._columns += [style] * min(_times(attributes, "columns"), MOST_COLUMNS)

    def _start_in_cell(self, name: str, attributes: dict[str, str]) -> None:
        if self._aside or name not in _TEXT_PARTS:
            self._aside += 1
        elif name in ("p", "h"):
            self._paragraphs.append("")
        elif self._paragraphs:
            spaces = " " * min(int(attributes.get("text:c", "1")), 32_767) if name == "s" else ""
            self._paragraphs[-1] += {"tab": "\t", "line-break": "\n"}.get(name, spaces)

    def text(self, text: str) -> None:
        if self._cell is not None and not self._aside and self._paragraphs:
            self._paragraphs[-1] += _BLANKS.sub(" ", text)

    def end(self, name: str) -> None:
        if name == "table" and self._depth:
            self._depth -= 1
            self._is_over = not self._depth
        elif self._depth != 1:
            return
        elif self._aside:
            self._aside -= 1
        elif name in _CELLS and self._cell is not None:
            self._take(self._cell)
            self._cell = None
        elif name == "table-row":
            self._end_row()

    def _take(self, cell: dict[str, str]) -> None:
        times = _times(cell, "columns")
        value = self._value(cell)
        if not is_empty(value):
            if self._at + times > MOST_COLUMNS:
                raise GaveUpError
            self._row += [""] * (self._at - len(self._row)) + [value] * times
        self._at += times

    def _end_row(self) -> None:
        times = _times(self._of_row, "rows")
        if self._row:
            self._repeated += (times - 1) * len(self._row)
            if self._number + times > MOST_ROWS or self._repeated > _MOST_REPEATED:
                raise GaveUpError
        first = next((at for at, value in enumerate(self._row) if not is_empty(value)), 0)
        self.rows.append(_Row(self._row, first, times))
        self._number += times

    def _value(self, cell: dict[str, str]) -> Any:
        kind, shown = cell.get("office:value-type", ""), "\n".join(self._paragraphs)
        has_formula = "table:formula" in cell
        if cell.get("calcext:value-type") == "error" or (has_formula and _ERROR.fullmatch(shown)):
            return ErrorText(shown or "#ERROR!")
        if kind == "" and has_formula:
            raise uncalculated(self._path, f"{letters(self._at)}{self._number + 1}")
        if kind in ("float", "percentage", "currency"):
            return self._number_of(cell.get("office:value", ""))
        if kind == "date":
            return DateText(_END_OF_FRACTION.sub("", cell.get("office:date-value", "")))
        if kind == "time":
            return self._time(cell.get("office:time-value", ""), cell)
        if kind == "boolean":
            return cell.get("office:boolean-value", "").lower() == "true"
        return cell.get("office:string-value", shown) if kind == "string" else ""

    def _number_of(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise damaged(self._path) from None

    def _time(self, text: str, cell: dict[str, str]) -> Any:
        found = _DURATION.fullmatch(text)
        if found is None:
            raise damaged(self._path)
        sign, days, hours, minutes, seconds = found.groups()
        size = dt.timedelta(
            days=int(days or 0),
            hours=int(hours or 0),
            minutes=int(minutes or 0),
            seconds=float((seconds or "0").replace(",", ".")),
        )
        column = self._columns[self._at] if self._at < len(self._columns) else ""
        style = cell.get("table:style-name") or self._of_row.get("table:default-cell-style-name") or column
        if sign or size >= _DAY or style in self._book.of_durations:
            return -size if sign else size
        return (dt.datetime(1, 1, 1) + size).time()


def _times(attributes: dict[str, str], what: str) -> int:
    return max(int(attributes.get(f"table:number-{what}-repeated", "1")), 1)

"""An `.xlsx` read with nothing but an XML parser: slower than calamine, and right where that is not.

It reads what the standard says (ECMA-376 part 1, 18.3), names the cell that it cannot read, and sees formulas, which
calamine does not tell of. The tests hold calamine against it.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loader.errors import RefusedError
from loader.readers.choice import choose
from loader.readers.isolated import GaveUpError
from loader.readers.number_formats import Shows, built_in, shows
from loader.readers.sheet_rows import DateText, ErrorText, Row, Sheet, batches
from loader.readers.signatures import damaged, explained
from loader.readers.table import DAY_ZERO, Batch, letters
from loader.readers.xml_events import attribute, parse

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
"""The size of a sheet in every spreadsheet program."""
DAY_ZERO_1904 = dt.date(1904, 1, 1)
_MOST_CELLS = 200_000_000
"""Of the area of a table; more of them take more memory than there may be."""
_MOST_DAYS = 2_957_004
"""Until some day of the year 9999 in either date system; what is more is shown as no date."""
_DAY = 86_400_000
"""Milliseconds; programs show no less of a time."""
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_PLACE = re.compile("([A-Za-z]{1,7})([0-9]{1,10})")
_TRUE_FALSE = {"1": True, "true": True, "0": False, "false": False}


def read_plain_xlsx(path: Path, sheet: str | int | None, pattern: str | None, above: int) -> Iterator[Sheet | Batch]:
    """The sheet that the contract means, then its rows in batches: those down to the end of the header, then others.

    Raises:
        RefusedError: the workbook is damaged, there is no such sheet, or a cell cannot be read.
        GaveUpError: a cell lies outside any sheet.
    """
    with explained(path), zipfile.ZipFile(path) as archive:
        book = read_book(archive)
        name = choose(path, {name: one.is_shown for name, one in book.sheets.items()}, sheet, pattern)
        if book.sheets[name].kind == "chartsheet":
            raise RefusedError(f"{path.name}: the sheet {name!r} is a chart; name the one that has the table")
        strings = _strings(archive, book)
        cells = _SheetCells(path, name, book, strings, above)
        with archive.open(book.sheets[name].member) as file:
            parse(file, cells.start, cells.end, cells.text)
    yield from sheet_batches(name, book, cells.rows, cells.formulas, above)


def sheet_batches(
    name: str, book: Book, rows: dict[int, list[Any]], formulas: dict[int, str], above: int
) -> Iterator[Sheet | Batch]:
    """What a reader yields of the rows of a sheet, each a list from column A on, by their number."""
    firsts = (next((at for at, value in enumerate(row) if not is_empty(value)), len(row)) for row in rows.values())
    width = max(map(len, rows.values()), default=0)
    first = min(firsts, default=0)
    if max(rows, default=0) * width > _MOST_CELLS:
        raise GaveUpError
    asked = {at - first: place for at, place in formulas.items()} if book.must_calculate else {}
    yield Sheet(name, first, book.day_zero, asked)
    yield from batches(_rows(rows, first, width - first), above, width - first)


def is_empty(value: Any) -> bool:
    """Whether a cell is empty."""
    return isinstance(value, str) and value == ""


def _rows(rows: dict[int, list[Any]], first: int, width: int) -> Iterator[Row]:
    blank = [""] * width
    for number in range(1, max(rows, default=0) + 1):
        row = rows.pop(number, None)
        if row is None:
            yield blank
        else:
            cells = row[first:]
            yield cells + blank[len(cells) :]


@dataclass(frozen=True)
class SheetPart:
    """Where a sheet is, and what it is."""

    member: str
    is_shown: bool
    kind: str
    """`worksheet`, `chartsheet`, `dialogsheet` or `xlMacrosheet`."""


@dataclass
class Book:
    """What a workbook says of itself."""

    sheets: dict[str, SheetPart] = field(default_factory=dict)
    day_zero: dt.date = DAY_ZERO
    must_calculate: bool = False
    """Whether programs have to calculate every formula when they open it: what is stored may be old, or no result."""
    strings: str = ""
    styles: list[Shows] = field(default_factory=list)
    """What each style of a cell shows."""
    formats: dict[int, str] = field(default_factory=dict)
    """The codes of the number formats that the styles use, by number; empty where one is built in."""


def read_book(archive: zipfile.ZipFile) -> Book:
    """What the parts of an `.xlsx` say besides its sheets; raises KeyError and ExpatError where they are damaged."""
    root = next(
        (target for _, target, kind in relations(archive, "_rels/.rels", "") if kind == "officeDocument"),
        "xl/workbook.xml",
    )
    folder, file_name = posixpath.split(root)
    related = {
        key: (target, kind) for key, target, kind in relations(archive, f"{folder}/_rels/{file_name}.rels", folder)
    }
    book = Book()

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            member, kind = related.get(attribute(attributes, "id") or "", ("", ""))
            is_shown = attributes.get("state", "visible") == "visible"
            book.sheets[attributes.get("name", "")] = SheetPart(member, is_shown, kind)
        elif name == "workbookPr" and attributes.get("date1904") in ("1", "true", "on"):
            book.day_zero = DAY_ZERO_1904
        elif name == "calcPr":
            book.must_calculate = attributes.get("fullCalcOnLoad") in ("1", "true", "on")

    with archive.open(root) as file:
        parse(file, start)
    by_kind = {kind: target for target, kind in related.values()}
    book.strings = by_kind.get("sharedStrings", "")
    if by_kind.get("styles", "") in archive.namelist():
        _read_styles(archive, by_kind["styles"], book)
    return book


def relations(archive: zipfile.ZipFile, member: str, folder: str) -> list[tuple[str, str, str]]:
    """(id, member that is meant, kind) of each relation of a part."""
    found: list[tuple[str, str, str]] = []
    members = {name.replace("\\", "/").lower(): name for name in archive.namelist()}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
            kind = attributes.get("Type", "").rpartition("/")[2]
            found.append((attributes.get("Id", ""), members.get(target.lower(), target), kind))

    if member.lower() in members:
        with archive.open(members[member.lower()]) as file:
            parse(file, start)
    return found


def _read_styles(archive: zipfile.ZipFile, member: str, book: Book) -> None:
    codes: dict[int, str] = {}
    numbers: list[int] = []
    inside = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if name == "numFmt":
            codes[int(attributes.get("numFmtId", "-1"))] = attributes.get("formatCode", "")
        elif name == "xf" and inside == "cellXfs":
            numbers.append(int(attributes.get("numFmtId", "0")))
        elif name in ("cellXfs", "cellStyleXfs", "dxfs"):
            inside = name

    with archive.open(member) as file:
        parse(file, start)
    book.styles = [shows(codes[number]) if number in codes else built_in(number) for number in numbers]
    book.formats = {number: codes.get(number, "") for number in numbers}


def _strings(archive: zipfile.ZipFile, book: Book) -> list[str]:
    if book.strings not in archive.namelist():
        return []
    strings: list[str] = []
    reader = _RichText()

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            reader.begin()
        else:
            reader.start(name, attributes)

    def end(name: str) -> None:
        if name == "si":
            strings.append(reader.text())
        else:
            reader.end(name)

    with archive.open(book.strings) as file:
        parse(file, start, end, reader.characters)
    return strings


class _RichText:
    """A text in pieces of different looks; what is there for the pronunciation is none of it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._piece: list[str] | None = None
        self._is_kept = False
        self._phonetic = 0

    def begin(self) -> None:
        self._parts, self._piece, self._phonetic = [], None, 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "rPh":
            self._phonetic += 1
        elif name == "t" and not self._phonetic:
            self._piece, self._is_kept = [], attributes.get("xml:space") == "preserve"

    def end(self, name: str) -> None:
        if name == "rPh":
            self._phonetic -= 1
        elif name == "t" and self._piece is not None:
            text = "".join(self._piece)
            self._parts.append(unescaped(text if self._is_kept else text.strip(" \t\r\n")))
            self._piece = None

    def characters(self, text: str) -> None:
        if self._piece is not None:
            self._piece.append(text)

    def text(self) -> str:
        return "".join(self._parts)


def unescaped(text: str) -> str:
    """A text with the characters that XML cannot hold, which are written like `_x000D_` (part 1, 22.9.2.19)."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _SheetCells:
    """Takes the events of a sheet, and keeps the values of its cells by row."""

    def __init__(self, path: Path, name: str, book: Book, strings: list[str], above: int) -> None:
        self.rows: dict[int, list[Any]] = {}
        self.formulas: dict[int, str] = {}
        self._path, self._name, self._book, self._strings, self._above = path, name, book, strings, above
        self._row, self._column = 0, 0
        self._cell: dict[str, str] | None = None
        self._has_formula = self._has_value = False
        self._value: list[str] = []
        self._is_value = False
        self._inline: _RichText | None = None
        self._rich = _RichText()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._cell = attributes
            self._has_formula = self._has_value = self._is_value = False
            self._value, self._inline = [], None
            self._go_to(attributes.get("r"))
        elif name == "v" and self._cell is not None:
            self._has_value = self._is_value = True
        elif name == "f" and self._cell is not None:
            self._has_formula = True
        elif name == "is" and self._cell is not None:
            self._inline = self._rich
            self._rich.begin()
        elif self._inline is not None:
            self._inline.start(name, attributes)
        elif name == "row":
            self._row = int(attributes.get("r") or self._row + 1)
            self._column = 0

    def end(self, name: str) -> None:
        if name == "v":
            self._is_value = False
        elif name == "c" and self._cell is not None:
            self._take(self._cell)
            self._cell = self._inline = None
            self._column += 1
        elif self._inline is not None:
            self._inline.end(name)

    def text(self, text: str) -> None:
        if self._is_value:
            self._value.append(text)
        elif self._inline is not None:
            self._inline.characters(text)

    def _go_to(self, place: str | None) -> None:
        if place is not None:
            found = _PLACE.fullmatch(place)
            if found is None or found[2] == "0":
                raise damaged(self._path)
            self._column = 0
            for letter in found[1].upper():
                self._column = self._column * 26 + ord(letter) - ord("A") + 1
            self._column -= 1
            self._row = int(found[2])
        if not 1 <= self._row <= MOST_ROWS or self._column >= MOST_COLUMNS:
            raise GaveUpError

    @property
    def _place(self) -> str:
        return f"{letters(self._column)}{self._row}"

    def _take(self, cell: dict[str, str]) -> None:
        kind, raw = cell.get("t", ""), "".join(self._value)
        if self._has_formula:
            if not (raw or self._inline or (kind == "str" and self._has_value)):
                raise uncalculated(self._path, self._place)
            if self._row > self._above:
                self.formulas.setdefault(self._column, self._place)
        value = self._inline.text() if self._inline is not None else self._read(kind, raw, cell)
        if is_empty(value):
            return
        row = self.rows.setdefault(self._row, [])
        row.extend([""] * (self._column + 1 - len(row)))
        row[self._column] = value

    def _read(self, kind: str, raw: str, cell: dict[str, str]) -> Any:
        value: Any = ""
        if raw == "" or kind == "inlineStr":
            pass
        elif kind == "s":
            value = self._shared(raw)
        elif kind == "b":
            value = _TRUE_FALSE.get(raw)
            if value is None:
                raise self._unreadable("it is neither true nor false")
        elif kind in ("", "n"):
            value = self._number(kind, raw, int(cell.get("s") or 0))
        elif kind in _AS_WRITTEN:
            value = _AS_WRITTEN[kind](raw)
        else:
            raise self._unreadable("nobody knows its type")
        return value

    def _shared(self, raw: str) -> str:
        if raw.isascii() and raw.isdecimal() and int(raw) < len(self._strings):
            return self._strings[int(raw)]
        raise self._unreadable("its text is not in the list of texts")

    def _number(self, kind: str, raw: str, style: int) -> Any:
        try:
            number = float(raw)
        except ValueError:
            if kind == "":
                return raw
            raise self._unreadable("it is not a number") from None
        shown = self._book.styles[style] if style < len(self._book.styles) else Shows.NUMBER
        return number if shown is Shows.NUMBER else moment(number, shown, self._book.day_zero)

    def _unreadable(self, why: str) -> RefusedError:
        return RefusedError(
            f"{self._path.name}: the cell {self._place} of the sheet {self._name!r} cannot be read: {why}; correct it "
            "in a spreadsheet program, save the workbook and deliver it again"
        )


def uncalculated(path: Path, place: str) -> RefusedError:
    """The error for a formula without a result."""
    return RefusedError(
        f"{path.name}: the formula in cell {place} was never calculated; open the workbook in a spreadsheet "
        "program, save it and deliver it again"
    )


def moment(serial: float, shown: Shows, day_zero: dt.date) -> Any:
    """What a number is that is shown as a date, a time or a duration; a `DateText` when it is in no calendar."""
    if not abs(serial) < _MOST_DAYS:
        return serial
    size = dt.timedelta(milliseconds=int(abs(serial) * _DAY + 0.5))
    if shown is Shows.DURATION:
        return size if serial >= 0 else -size
    if 0 <= serial < 1 and shown is not Shows.DATE and size.days == 0:
        return (dt.datetime(1, 1, 1) + size).time()
    if serial < 1 or (day_zero == DAY_ZERO and 60 <= serial < 61):  # the 29 February 1900, which never was
        return DateText(serial)
    before_march_1900 = day_zero == DAY_ZERO and serial < 60
    found = dt.datetime.combine(day_zero, dt.time()) + size + dt.timedelta(days=before_march_1900)
    return found.date() if serial == int(serial) else found


def iso_moment(text: str) -> Any:
    """A date, a time, or both in ISO 8601; the text itself when it is none, or has a zone."""
    for kind in ("T" in text and dt.datetime, ":" in text and dt.time, dt.date):
        if kind:
            try:
                found = kind.fromisoformat(text)
            except ValueError:
                return text
            return text if getattr(found, "tzinfo", None) else found
    return text


_AS_WRITTEN: dict[str, Callable[[str], Any]] = {"str": unescaped, "e": ErrorText, "d": iso_moment}
"""By type of the cell what its text becomes."""

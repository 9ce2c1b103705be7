"""What calamine does not tell of an `.xls`: errors, formulas, midnights, and the day it counts from ([MS-XLS] 2.4)."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from loader.errors import RefusedError
from loader.readers.number_formats import Shows, built_in, shows
from loader.readers.plain_xlsb import ERRORS
from loader.readers.plain_xlsx import DAY_ZERO_1904
from loader.readers.table import DAY_ZERO, letters

_FREE = 0xFFFFFFFA
"""Numbers of sectors from there on mean something else."""
_BOF, _EOF, _DATE_MODE, _BOUND_SHEET, _BOOLEAN_OR_ERROR = {0x009, 0x209, 0x409, 0x809}, 0x00A, 0x022, 0x085, 0x205
_NUMBER, _RK, _RKS = 0x203, 0x27E, 0x0BD
_FORMAT, _STYLE = 0x41E, 0x0E0
_BIFF_8 = 0x600
"""Of the versions that a workbook begins with; in those before, texts have one byte a letter."""
_FORMULA = {0x006, 0x206, 0x406}
_ZERO, _BLANK = bytes(8), bytes.fromhex("030000000000ffff")
"""What programs write for the result of a formula that they do not calculate; the second is an empty text, too."""
_ERROR_RESULT = 2
"""Of the results of a formula that are no numbers."""
_ON_LOAD = 2
"""Of the flags of a formula: it has to be calculated when the workbook is opened."""


@dataclass
class Remarks:
    """Rows and columns are counted from 0."""

    day_zero: dt.date = DAY_ZERO
    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    """By row and column."""
    below_zero: dict[int, set[int]] = field(default_factory=dict)
    """The columns of the numbers below zero by row."""
    midnights: dict[int, set[int]] = field(default_factory=dict)
    """The columns of the zeros that are shown with a time by row: that of a day's beginning, and not the day 0."""
    leap_days: dict[int, set[int]] = field(default_factory=dict)
    """The columns of the numbers from 60 up to 61 by row: the 29 February 1900, which never was."""
    timed: set[int] = field(default_factory=set)
    """The styles, from 0, that show a time, with a date or without."""
    formulas: dict[int, str] = field(default_factory=dict)
    """The first cell by column of the formulas with nothing but a placeholder for their result."""
    is_calculated: bool = False
    """Whether a formula has another result; the placeholders are results then, too."""

    def take_error(self, row: int, column: int, code: int) -> None:
        """Take a cell with an error."""
        self.errors.setdefault(row, {})[column] = ERRORS.get(code, "#ERROR!")

    def take_formula(self, data: bytes, above: int) -> None:
        """Take the record of a formula; those above the row `above` are no matter."""
        row, column, style, result, flags = struct.unpack_from("<HHH8sH", data)
        if result[6:] != b"\xff\xff":
            self._take_number(row, column, style, *struct.unpack("<d", result))
        elif result[0] == _ERROR_RESULT:
            self.take_error(row, column, result[2])
        if result == _BLANK or (result == _ZERO and flags & _ON_LOAD):
            if row >= above:
                self.formulas.setdefault(column, f"{letters(column)}{row + 1}")
        else:
            self.is_calculated = True

    def take_numbers(self, kind: int, data: bytes) -> None:
        """Take a record with one number or several."""
        row, column = struct.unpack_from("<HH", data)
        if kind == _NUMBER:
            self._take_number(row, column, *struct.unpack_from("<Hd", data, 4))
            return
        for number, at in enumerate(range(4, 5 if kind == _RK else len(data) - 2, 6)):
            style, packed = struct.unpack_from("<HI", data, at)
            self._take_number(row, column + number, style, _unpacked(packed))

    def _take_number(self, row: int, column: int, style: int, number: float) -> None:
        if number < 0:
            self.below_zero.setdefault(row, set()).add(column)
        elif number == 0 and style in self.timed:
            self.midnights.setdefault(row, set()).add(column)
        elif 60 <= number < 61 and self.day_zero == DAY_ZERO:
            self.leap_days.setdefault(row, set()).add(column)


def _unpacked(packed: int) -> float:
    """A number in four bytes ([MS-XLS] 2.5.217): the two lowest bits tell how the others are packed."""
    if packed & 2:
        whole: float = (packed >> 2) - (1 << 30 if packed >> 31 else 0)
    else:
        (whole,) = struct.unpack("<d", struct.pack("<II", 0, packed & ~3))
    return whole / 100 if packed & 1 else whole


def remarks(path: Path, position: int, above: int) -> Remarks:
    """What is to be known of the sheet at a position, from 0.

    Raises:
        RefusedError: another workbook is embedded in it, which calamine would read.
        IndexError: the file is damaged.
        struct.error: the file is damaged.
    """
    stream = _workbook(path)
    found = Remarks()
    found.timed = _timed(stream)
    sheets = []
    for kind, at, _ in _records(stream, 0):
        if kind == _BOUND_SHEET:
            sheets.append(struct.unpack_from("<I", stream, at)[0])
        elif kind == _DATE_MODE and stream[at]:
            found.day_zero = DAY_ZERO_1904
    for kind, at, size in _records(stream, sheets[position]):
        if kind == _BOOLEAN_OR_ERROR and stream[at + 7]:
            row, column = struct.unpack_from("<HH", stream, at)
            found.take_error(row, column, stream[at + 6])
        elif kind in _FORMULA:
            found.take_formula(stream[at : at + size], above)
        elif kind in (_NUMBER, _RK, _RKS):
            found.take_numbers(kind, stream[at : at + size])
    if found.is_calculated:
        found.formulas.clear()
    return found


def _timed(stream: bytes) -> set[int]:
    """The styles, from 0, that show a time."""
    (version,) = struct.unpack_from("<H", stream, 4)
    styles, codes = [], {}
    for kind, at, size in _records(stream, 0):
        if kind == _STYLE:
            styles.append(struct.unpack_from("<H", stream, at + 2)[0])
        elif kind == _FORMAT:
            number, code = _format(stream[at : at + size], version)
            codes[number] = code
    shown = (shows(codes[number]) if number in codes else built_in(number) for number in styles)
    return {style for style, one in enumerate(shown) if one in (Shows.TIME, Shows.MOMENT)}


def _format(data: bytes, version: int) -> tuple[int, str]:
    """The number and the code of a number format; of its letters, only those of ASCII matter."""
    (number,) = struct.unpack_from("<H", data)
    if version < _BIFF_8:
        return number, data[3 : 3 + data[2]].decode("latin-1")
    length, is_wide = struct.unpack_from("<HB", data, 2)
    if is_wide & 1:
        return number, data[5 : 5 + 2 * length].decode("utf-16-le", "replace")
    return number, data[5 : 5 + length].decode("latin-1")


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """(type, place of its data, their size) of the records of a substream; those of charts within it are left out."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind in _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield kind, at + 4, size
        at += 4 + size


def _workbook(path: Path) -> bytes:
    """The stream of the workbook in a compound file ([MS-CFB])."""
    content = path.read_bytes()
    if not content.startswith(bytes.fromhex("d0cf11e0a1b11ae1")):
        return content  # before Excel 5 there was no container
    shift, mini_shift = struct.unpack_from("<HH", content, 30)
    directory_at, cutoff, mini_at, tables_at = (struct.unpack_from("<I", content, at)[0] for at in (48, 56, 60, 68))
    size = 1 << shift

    def sector(number: int) -> bytes:
        return content[(number + 1) * size : (number + 2) * size]

    numbers = list(struct.unpack_from("<109I", content, 76))
    while tables_at < _FREE:
        *more, tables_at = struct.unpack(f"<{size // 4}I", sector(tables_at))
        numbers += more
        if len(numbers) > len(content) // 4:
            raise IndexError
    table = b"".join(sector(number) for number in numbers if number < _FREE)
    following = struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])

    def chain(first: int, follow: tuple[int, ...] = following) -> Iterator[int]:
        count = 0
        while first < _FREE:
            yield first
            first, count = follow[first], count + 1
            if count > len(follow):
                raise IndexError

    directory = b"".join(map(sector, chain(directory_at)))
    entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
    start, length = struct.unpack_from("<II", _entry(path, entries), 116)
    if length >= cutoff:
        return b"".join(map(sector, chain(start)))[:length]
    (root_at,) = struct.unpack_from("<I", entries[0], 116)
    small = b"".join(map(sector, chain(root_at)))
    minis = b"".join(map(sector, chain(mini_at)))
    mini, follow = 1 << mini_shift, struct.unpack(f"<{len(minis) // 4}I", minis)
    return b"".join(small[one * mini : (one + 1) * mini] for one in chain(start, follow))[:length]


def _entry(path: Path, entries: list[bytes]) -> bytes:
    """The entry of the workbook's stream; raises RefusedError where calamine would take that of an embedded one."""
    entry = _of_workbook([*_in_root(entries)])
    if entry is None:
        raise IndexError
    if entry is not _of_workbook(entries):
        raise RefusedError(
            f"{path.name}: a workbook is embedded in this one, and the two cannot be told apart in an .xls; save it as "
            ".xlsx and deliver it again"
        )
    return entry


def _of_workbook(entries: list[bytes]) -> bytes | None:
    """The first stream that a workbook may be in, as calamine looks for it."""
    return next((entry for name in (b"workbook", b"book") for entry in entries if _name(entry) == name), None)


def _in_root(entries: list[bytes]) -> Iterator[bytes]:
    """The streams of the root: what is embedded in a workbook may be one too."""
    numbers, seen = [struct.unpack_from("<I", entries[0], 76)[0]], set()
    while numbers:
        number = numbers.pop()
        if number < len(entries) and number not in seen:
            seen.add(number)
            yield entries[number]
            numbers += struct.unpack_from("<II", entries[number], 68)


def _name(entry: bytes) -> bytes:
    return entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].replace(b"\0", b"").lower()

"""The cells of one sheet, read by calamine or by a reader of ours; made for a process apart, so it imports little."""

from __future__ import annotations

import datetime as dt
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loader.readers.choice import choose
from loader.readers.isolated import GaveUpError
from loader.readers.plain_ods import read_plain_ods
from loader.readers.plain_xlsb import read_plain_xlsb
from loader.readers.plain_xlsx import MOST_COLUMNS, MOST_ROWS, read_book, read_plain_xlsx
from loader.readers.sheet_rows import DateText, ErrorText, Row, Sheet, batches
from loader.readers.signatures import damaged, explained, locked
from loader.readers.table import Batch, CellKind
from loader.readers.xls_records import Remarks, remarks

_MIDNIGHT = dt.time()
_LEAP_DAY = "1900-02-28"
"""What calamine makes of the 29 February 1900 of Excel, too."""


class _NotSureError(Exception):
    """calamine cannot read a workbook, or cannot tell what a cell in it is."""


def read_sheet(
    path: Path, sheet: str | int | None, pattern: str | None, above: int, *, plainly: bool = False
) -> Iterator[Sheet | Batch]:
    """The sheet that the contract means, then its rows in batches: those down to the end of the header, then others.

    `plainly`: not by calamine where there is another reader.

    Raises:
        RefusedError: the workbook is damaged, there is no such sheet, or a cell cannot be read.
        GaveUpError: a cell lies outside any sheet.
    """  # noqa: DOC501 (`damaged` makes a RefusedError)
    given = (path, sheet, pattern, above)
    match path.suffix.lower():
        case ".ods":
            yield from read_plain_ods(*given)
        case ".xlsb":
            yield from read_plain_xlsb(*given)
        case ".xls":
            try:
                yield from _calamine(*given)
            except _NotSureError:
                raise damaged(path) from None
        case _:
            yield from read_plain_xlsx(*given) if plainly else _read_xlsx(*given)


def _read_xlsx(path: Path, sheet: str | int | None, pattern: str | None, above: int) -> Iterator[Sheet | Batch]:
    done = 0
    try:
        for item in _calamine(path, sheet, pattern, above):
            if isinstance(item, Batch) and _is_doubtful(item):
                break
            yield item
            done += 1
        else:
            return
    except _NotSureError:
        pass
    # both readers give the same as far as calamine came
    for number, item in enumerate(read_plain_xlsx(path, sheet, pattern, above)):
        if number >= done:
            yield item


def _is_doubtful(batch: Batch) -> bool:
    """Whether calamine may have taken days of no calendar for others.

    It makes a time of -0.25, and the 28 February 1900 of the day after that, which never was.
    """
    return any(_has_doubtful(*batch.column(at)) for at in batch.kinds)


def _has_doubtful(text: pa.StringArray, kinds: pa.Int8Array) -> bool:
    if pc.any(pc.equal(kinds, int(CellKind.TIME))).as_py():
        return True
    is_date = pc.equal(kinds, int(CellKind.DATE))
    return bool(pc.any(is_date).as_py() and pc.any(pc.and_(is_date, pc.starts_with(text, _LEAP_DAY))).as_py())


def _calamine(path: Path, sheet: str | int | None, pattern: str | None, above: int) -> Iterator[Sheet | Batch]:
    import python_calamine as calamine

    is_old = path.suffix.lower() == ".xls"
    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            shown = {one.name: one.visible == calamine.SheetVisibleEnum.Visible for one in book.sheets_metadata}
            name = choose(path, shown, sheet, pattern)
            found = book.get_sheet_by_name(name)
        known = remarks(path, list(shown).index(name), above) if is_old else Remarks(_day_zero(path))
    except calamine.PasswordError:
        raise locked(path) from None
    except (calamine.CalamineError, IndexError, struct.error):
        raise _NotSureError from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # PyO3's, of a panic in calamine
            raise _NotSureError from None
        raise
    first, end = (found.start or (0, 0))[1], found.end or (-1, -1)
    if end[0] >= MOST_ROWS or end[1] >= MOST_COLUMNS:
        raise GaveUpError
    yield Sheet(name, first, known.day_zero, {at - first: place for at, place in known.formulas.items()})
    rows = found.iter_rows() if found.start is not None else iter(())
    width = end[1] + 1 - first if found.start is not None else 0
    yield from batches(_told(rows, known, first) if is_old else rows, above, width)


def _day_zero(path: Path) -> dt.date:
    with explained(path), zipfile.ZipFile(path) as archive:
        return read_book(archive).day_zero


def _told(rows: Iterator[list[Any]], known: Remarks, first: int) -> Iterator[Row]:
    """The rows of an `.xls` with its errors, and with days before any calendar, of which calamine makes times."""
    for number, row in enumerate(rows):
        for at, text in known.errors.get(number, {}).items():
            row[at - first] = ErrorText(text)
        for at in known.leap_days.get(number, ()):
            if isinstance(row[at - first], dt.date):
                row[at - first] = DateText("60")
        below, midnights = known.below_zero.get(number, ()), known.midnights.get(number, ())
        if dt.time in map(type, row):
            for at, value in enumerate(row):
                if type(value) is not dt.time or at + first in midnights:
                    continue
                if value == _MIDNIGHT or at + first in below:
                    row[at] = DateText("0" if value == _MIDNIGHT else "-1")
        yield row

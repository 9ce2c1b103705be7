"""What every reader returns: a header, and batches of cells with their row in the file.

A cell is a text, and in a workbook of a kind too: a number is another thing there than a text of digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum, IntEnum, StrEnum
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loader.contracts import Format

BLANKS = (
    " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\u00a0\u00ad\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""What people cannot see at the ends of a cell: spaces of any width, line breaks, zero-width characters."""


class Remark(StrEnum):
    """What a reader says of a row that it neither gives nor gives as it stands; the value is its name in the lists."""

    HEADER = "header again, left out"
    QUOTES = "stray quotes, kept as letters"
    PADDED = "empty cells added at the end"
    TOTALS = "totals row, ends the data"
    BELOW = "below the totals row, left out"
    ABSENT = "optional column not in the file, NULL"
    NO_TOTALS = "fits totals, but valid rows follow: a row"


class Fault(Enum):
    """Why nobody can tell which cell of a row belongs to which column."""

    CELLS = "it has too few or too many"
    QUOTES = "its quotes do not match"
    DELIMITER = "a quote in it is a letter, or a delimiter before it was lost"


@dataclass(frozen=True)
class Noted:
    """A row of which something is to be told; it is no rejected row."""

    source_row: int
    what: Remark
    text: str = ""
    """What of the row is shown in the list of the rejects."""


@dataclass
class Tally:
    """How many rows a file has below its header, and how many of them are left out before they are checked.

    It is complete when the last batch was read. Then `rows` is the rows of all batches, those of the wrong length among
    them, and `blank`, `headers`, `totals` and `skipped`.
    """

    rows: int = 0
    """All rows below the header, blank ones among them."""
    blank: int = 0
    """Rows without a filled cell; in a text file, comments among them."""
    headers: int = 0
    """Rows that hold the header again."""
    totals: int = 0
    """The totals row that ended the data, and the filled rows below it; known when all rows were checked."""
    skipped: int = 0
    """The filled rows at the end that `skip_end` leaves out."""


DAY_ZERO = date(1899, 12, 30)
"""Day 0 of the 1900 date system as it counts from March 1900 on (ECMA-376 part 1, 18.17.4.1)."""
FIRST_KNOWN = datetime(1900, 3, 1)
"""From the day 0 to it programs count days in different ways: the 1900 date system has a 29 February 1900."""


class CellKind(IntEnum):
    """What a cell of a workbook is; the cells of a text file are texts."""

    TEXT = 0
    NUMBER = 1
    DATE = 2
    """A date, with its time or without."""
    TIME = 3
    """A time of day, without a date."""
    DURATION = 4
    BOOLEAN = 5
    ERROR = 6


class Cells(NamedTuple):
    """The cells of a column."""

    text: pa.StringArray
    """As they are written: numbers with the fewest digits that tell them and without exponent, dates and times in
    ISO 8601, `true` and `false`, errors as Excel shows them; null where a cell is empty."""
    kinds: pa.Int8Array | None = None
    """The `CellKind` of each; None when all are texts."""

    def is_a(self, kind: CellKind) -> pa.BooleanArray | pa.BooleanScalar:
        """Which filled cells are of that kind."""
        if self.kinds is None:
            return pc.is_valid(self.text) if kind is CellKind.TEXT else pa.scalar(False)
        return pc.and_(pc.equal(self.kinds, pa.scalar(kind, pa.int8())), pc.is_valid(self.text))


@dataclass(frozen=True)
class ShortRow:
    """A row whose cells nobody can tell apart, or that has too few or too many of them."""

    source_row: int
    found: int
    expected: int
    cells: tuple[str, ...]
    """Of a row whose quotes are at fault its whole line, as one."""
    fault: Fault = Fault.CELLS

    @property
    def shown(self) -> str:
        """What the list of the rejects shows of it."""
        return f"{self.found} cells" if self.fault is Fault.CELLS else self.cells[0]

    @property
    def start(self) -> str:
        """The first filled cell; empty when the row is."""
        return next((cell.strip(BLANKS) for cell in self.cells if cell.strip(BLANKS)), "")


@dataclass(frozen=True)
class Batch:
    """`cells`: n rows of text, one string column per header cell; `source_rows`: n row numbers, from 1."""

    cells: list[pa.Array]
    source_rows: pa.Int64Array
    misshapen: list[ShortRow] = field(default_factory=list)
    doubtful: dict[int, pa.BooleanArray] = field(default_factory=dict)
    """By column the cells whose value nobody knows."""
    noted: list[Noted] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    """The numbers of the rows that fit the contract's `totals`; whether one ends the data, its checks tell."""
    kinds: Mapping[int, pa.Int8Array] = field(default_factory=dict)
    """By position of the column the `CellKind` of each cell, where not all of them are texts."""

    def column(self, at: int) -> Cells:
        """The cells of a column with their kinds."""
        return Cells(self.cells[at], self.kinds.get(at))

    @property
    def rows(self) -> list[int]:
        """The numbers of all rows, those of the wrong length among them."""
        return sorted([*self.source_rows.to_pylist(), *(row.source_row for row in self.misshapen)])

    def take(self, mask: pa.BooleanArray) -> Batch:
        """The rows where `mask` is true; misshapen rows stay."""
        return replace(
            self,
            cells=[c.filter(mask) for c in self.cells],
            source_rows=self.source_rows.filter(mask),
            doubtful={at: cells.filter(mask) for at, cells in self.doubtful.items()},
            kinds={at: of_column.filter(mask) for at, of_column in self.kinds.items()},
        )

    def before(self, source_row: int) -> Batch:
        """The rows above that one."""
        return self._where(pc.less(self.source_rows, source_row), lambda row: row < source_row)

    def since(self, source_row: int) -> Batch:
        """That row and the rows below it."""
        return self._where(pc.greater_equal(self.source_rows, source_row), lambda row: row >= source_row)

    def _where(self, mask: pa.BooleanArray, is_in: Callable[[int], bool]) -> Batch:
        return replace(
            self.take(mask),
            misshapen=[row for row in self.misshapen if is_in(row.source_row)],
            noted=[row for row in self.noted if is_in(row.source_row)],
            totals=[row for row in self.totals if is_in(row)],
        )


@dataclass(frozen=True)
class Table:
    """An open delivery: the header cells as they are written, and the rows below them."""

    header: list[str]
    """Without the empty cells at its end, below which a batch may have columns too."""
    batches: Iterator[Batch]
    tally: Tally = field(default_factory=Tally)
    """The counts of the reader; complete when the last batch was read."""
    first_column: int | None = None
    """Of a sheet: its column, from 0, in which the header begins. None where columns have no letters."""
    day_zero: date = DAY_ZERO
    """Of a workbook: the day that it counts dates from."""
    formulas: Mapping[int, str] = field(default_factory=dict)
    """The first cell with a formula by position of the column, when the workbook asks for all to be calculated."""

    def place(self, at: int) -> str:
        """What people call a column: by its letters in a sheet, else by its number."""
        return f"column {at + 1 if self.first_column is None else letters(self.first_column + at)}"


def letters(column: int) -> str:
    """The letters of a column of a sheet, counted from 0."""
    before, last = divmod(column, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + last)


def join_header(rows: Sequence[Sequence[str]]) -> list[str]:
    """The header of each column from the rows of a header, joined by a space.

    A cell above the last one of a column that is empty is taken from the left: it belongs to a merged cell. It is not
    looked for across the border of a cell further up.
    """
    width = max(map(len, rows))
    own = [[cell.strip(BLANKS) for cell in [*row, *[""] * (width - len(row))]] for row in rows]
    return [_joined(own, at) for at in range(width)]


def _joined(own: list[list[str]], at: int) -> str:
    deepest = max((level for level, row in enumerate(own) if row[at]), default=-1)
    parts, left = [], 0
    for row in own[:deepest]:
        found = next((column for column in range(at, left - 1, -1) if row[column]), None)
        if found is not None:
            parts.append(row[found])
            left = found
    return " ".join([*parts, own[deepest][at]]) if deepest >= 0 else ""


def data_table(header: list[str], header_rows: Sequence[Sequence[str]], batches: Iterator[Batch], fmt: Format) -> Table:
    """The table of these batches, without what is no data: blank rows, the header again, `skip_end` rows.

    `header_rows` are the rows of the header as they stand in the file.
    """
    tally = Tally()
    again = {_tidied(row) for row in header_rows} - {()}
    filled = _with_totals(_filled(batches, again, tally), fmt.totals)
    return Table(header, filled if fmt.skip_end == 0 else _without_last(filled, fmt.skip_end, tally), tally)


_Filled = Iterator[tuple[Batch, pa.StringArray]]
"""Batches, each with the first filled cell of its rows."""


def _filled(batches: Iterator[Batch], again: set[tuple[str, ...]], tally: Tally) -> _Filled:
    """Without blank rows and without the header again, which files have that were put together."""
    starts = {next(cell for cell in row if cell) for row in again}
    for batch in batches:
        first = _first_filled(batch)
        misshapen = [row for row in batch.misshapen if row.start]
        tally.rows += len(first) + len(batch.misshapen)
        tally.blank += first.null_count + len(batch.misshapen) - len(misshapen)
        if len(misshapen) < len(batch.misshapen):
            batch = replace(batch, misshapen=misshapen)  # noqa: PLW2901
        if first.null_count:
            is_filled = pc.is_valid(first)
            batch, first = batch.take(is_filled), first.filter(is_filled)  # noqa: PLW2901
        for start in starts:
            maybe = pc.equal(first, start)
            if pc.any(maybe).as_py():
                is_data = _is_no_header(batch, maybe, again, tally)
                batch, first = batch.take(is_data), first.filter(is_data)  # noqa: PLW2901
        yield batch, first


def _is_no_header(batch: Batch, maybe: pa.BooleanArray, again: set[tuple[str, ...]], tally: Tally) -> pa.BooleanArray:
    """Which rows do not hold what a row of the header holds; those that do are noted."""
    is_data = np.ones(len(maybe), bool)
    for at in pc.indices_nonzero(maybe).to_pylist():
        if _tidied([cells[at].as_py() or "" for cells in batch.cells]) in again:
            is_data[at] = False
            batch.noted.append(Noted(batch.source_rows[at].as_py(), Remark.HEADER))
            tally.headers += 1
    return pa.array(is_data)


def _tidied(row: Sequence[str]) -> tuple[str, ...]:
    """The cells without blanks around them, and without empty ones at the end."""
    cells = [cell.strip(BLANKS) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)


def _first_filled(batch: Batch) -> pa.StringArray:
    """The first filled cell of each row, null where there is none."""
    first = pa.nulls(len(batch.source_rows), pa.string())
    for cells in batch.cells:
        if not first.null_count:
            break
        trimmed = pc.utf8_trim(cells, characters=BLANKS)
        first = pc.coalesce(first, pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed))
    return first


def _with_totals(filled: _Filled, totals: str | None) -> Iterator[Batch]:
    """The batches, each with the rows that look like a totals row."""
    if totals is None:
        yield from (batch for batch, _ in filled)
        return
    pattern = re.compile(totals)
    for batch, first in filled:
        hits = batch.source_rows.filter(pc.match_substring_regex(first, totals)).to_pylist()
        hits += [row.source_row for row in batch.misshapen if pattern.search(row.start)]
        yield replace(batch, totals=sorted(hits)) if hits else batch


def _without_last(batches: Iterator[Batch], count: int, tally: Tally) -> Iterator[Batch]:
    held: list[Batch] = []
    for batch in batches:
        held.append(batch)
        while sum(len(later.rows) for later in held[1:]) >= count:
            yield held.pop(0)
    rows = [row for batch in held for row in batch.rows]
    tally.skipped = min(count, len(rows))
    if len(rows) > count:
        for batch in held:
            yield batch.before(rows[-count])

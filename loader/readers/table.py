"""What every reader returns: a header, and batches of cells with their row in the file.

A cell is a text, and in a workbook of a kind too: a number is another thing there than a text of digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

BLANKS = (
    " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\u00a0\u00ad\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""What people cannot see at the ends of a cell: spaces of any width, line breaks, zero-width characters."""


DAY_ZERO = date(1899, 12, 30)
"""Day 0 of the 1900 date system as it counts from March 1900 on (ECMA-376 part 1, 18.17.4.1)."""


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
    """A row with too few or too many cells."""

    source_row: int
    found: int
    expected: int
    cells: tuple[str, ...]

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
        kinds = {at: of_column.filter(mask) for at, of_column in self.kinds.items()}
        return replace(
            self, cells=[c.filter(mask) for c in self.cells], source_rows=self.source_rows.filter(mask), kinds=kinds
        )

    def before(self, source_row: int) -> Batch:
        """The rows above that one."""
        misshapen = [row for row in self.misshapen if row.source_row < source_row]
        return replace(self.take(pc.less(self.source_rows, source_row)), misshapen=misshapen)


@dataclass(frozen=True)
class Table:
    """An open delivery: the header cells as they are written, and the rows below them."""

    header: list[str]
    """Without the empty cells at its end, below which a batch may have columns too."""
    batches: Iterator[Batch]
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


def data_rows(batches: Iterator[Batch], totals: str | None, skip_end: int) -> Iterator[Batch]:
    """Leave out empty rows, everything from the first totals row on, and the last `skip_end` filled rows."""
    filled = _until_totals((_without_blank_rows(batch) for batch in batches), totals)
    return filled if skip_end == 0 else _without_last(filled, skip_end)


def _without_blank_rows(batch: Batch) -> Batch:
    first = _first_filled(batch)
    return batch.take(pc.is_valid(first)) if first.null_count else batch


def _first_filled(batch: Batch) -> pa.StringArray:
    """The first filled cell of each row, null where there is none."""
    first = pa.nulls(len(batch.source_rows), pa.string())
    for cells in batch.cells:
        if not first.null_count:
            break
        trimmed = pc.utf8_trim(cells, characters=BLANKS)
        first = pc.coalesce(first, pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed))
    return first


def _until_totals(batches: Iterator[Batch], totals: str | None) -> Iterator[Batch]:
    if totals is None:
        yield from batches
        return
    pattern = re.compile(totals)
    for batch in batches:
        hits = batch.source_rows.filter(pc.match_substring_regex(_first_filled(batch), totals)).to_pylist()
        hits += [row.source_row for row in batch.misshapen if pattern.search(row.start)]
        if hits:
            yield batch.before(min(hits))
            return
        yield batch


def _without_last(batches: Iterator[Batch], count: int) -> Iterator[Batch]:
    held: list[Batch] = []
    for batch in batches:
        held.append(batch)
        while sum(len(later.rows) for later in held[1:]) >= count:
            yield held.pop(0)
    rows = [row for batch in held for row in batch.rows]
    if len(rows) > count:
        for batch in held:
            yield batch.before(rows[-count])

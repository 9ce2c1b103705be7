"""What every reader returns: a header, and batches of text cells with their row in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

BLANKS = (
    " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\u00a0\u00ad\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""What people cannot see at the ends of a cell: spaces of any width, line breaks, zero-width characters."""


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

    @property
    def rows(self) -> list[int]:
        """The numbers of all rows, those of the wrong length among them."""
        return sorted([*self.source_rows.to_pylist(), *(row.source_row for row in self.misshapen)])

    def take(self, mask: pa.BooleanArray) -> Batch:
        """The rows where `mask` is true; misshapen rows stay."""
        return Batch([c.filter(mask) for c in self.cells], self.source_rows.filter(mask), self.misshapen)

    def before(self, source_row: int) -> Batch:
        """The rows above that one."""
        misshapen = [row for row in self.misshapen if row.source_row < source_row]
        return replace(self.take(pc.less(self.source_rows, source_row)), misshapen=misshapen)


@dataclass(frozen=True)
class Table:
    """An open delivery: the header cells as they are written, and the rows below them."""

    header: list[str]
    batches: Iterator[Batch]


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

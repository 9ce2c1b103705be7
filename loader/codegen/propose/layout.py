"""Where the table stands in a file: which rows are its header, and how it ends. Found from cells as they stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from loader.codegen.propose.common_words import NOTES, TOTALS
from loader.contracts import plain_header
from loader.readers.table import BLANKS

Rows = Sequence[Sequence[str]]

_SHARE = 0.6
"""Share of the table's columns that a header row names at least."""
_VALUE = re.compile(
    r"[(+\u2212-]?\s*(?:[$€£¥]|[A-Z]{2,3}\s)?\s*[0-9][0-9.,'\u2019 \u00a0]*(?:[eE][+-]?[0-9]+)?"
    r"\s*(?:[%€$£)-]|[A-Z]{3})?"
    r"|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[ T].*)?|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
)
_YEAR = re.compile("(?:19|20)[0-9]{2}")


@dataclass(frozen=True)
class Top:
    """The header of a table, by its rows from 1; `first` is 0 when the file has none."""

    first: int
    rows: int
    why: str
    asks: tuple[str, ...] = ()


def find_header(rows: Rows) -> Top:
    """Which of the first rows of a file are its header.

    It is the first row that names most columns of the table and holds no numbers or dates. A title names one; a row of
    numbers is data, unless these are years.
    """
    cells = [[cell.strip(BLANKS) for cell in row] for row in rows]
    filled = [sum(map(bool, row)) for row in cells]
    if not any(filled):
        return Top(1, 1, "no row is filled")
    width = _width(filled)
    wide = [at for at, count in enumerate(filled) if count >= max(1, _SHARE * width)]
    first = wide[0]
    found = next((at for at in wide if not _is_data(cells[at])), None)
    if found is None or (found != first and _alike(cells[first], cells, first + 1)):
        return Top(0, 0, f"row {first + 1} looks like the rows below it", ("the file seems to have no header",))
    at = found
    above = _row_above(cells, at)
    if above is not None:
        return Top(
            above + 1, 2, f"rows {above + 1} and {at + 1} name the columns together", ("the header takes two rows",)
        )
    if _goes_on(cells, at, width):
        return Top(at + 1, 2, f"rows {at + 1} and {at + 2} name the columns together", ("the header takes two rows",))
    return Top(at + 1, 1, f"row {at + 1} names {filled[at]} of {width} columns and holds no numbers")


def _width(filled: Sequence[int]) -> int:
    """The columns of the table: what most rows fill, those that fill more counting more."""
    counts = Counter(count for count in filled if count)
    return max(counts, key=lambda count: (counts[count] * count, count))


def _is_data(row: Sequence[str]) -> bool:
    present = [cell for cell in row if cell]
    values = [cell for cell in present if _VALUE.fullmatch(cell)]
    years = [cell for cell in values if _YEAR.fullmatch(cell)]
    if len(years) > 1 and len(years) == len(values) and len(set(years)) == len(years):
        return False
    return len(values) > 0.2 * len(present)


def _alike(row: Sequence[str], rows: Rows, below: int) -> bool:
    """Whether a row has values in the columns in which the rows below it have them."""
    following = [one for one in rows[below : below + 20] if any(one)]
    if not following:
        return False
    columns = range(len(row))
    ours = {at for at in columns if _VALUE.fullmatch(row[at])}
    theirs = {
        at
        for at in columns
        if sum(bool(_VALUE.fullmatch(one[at])) for one in following if at < len(one) and one[at]) * 2 > len(following)
    }
    return bool(ours) and ours <= theirs | {
        at for at in ours if all(at >= len(one) or not one[at] for one in following)
    }


def _row_above(rows: Rows, at: int) -> int | None:
    """The row above the header that tells columns of one name apart."""
    named = [plain_header(cell) for cell in rows[at] if cell]
    if at == 0 or len(set(named)) == len(named):
        return None
    above = rows[at - 1]
    return at - 1 if sum(map(bool, above)) > 1 and not _is_data(above) else None


def _goes_on(rows: Rows, at: int, width: int) -> bool:
    """Whether the next row names the columns that the header leaves empty, as below a cell that spans several."""
    if at + 2 >= len(rows):
        return False
    header, below = rows[at], rows[at + 1]
    gaps = [column for column, cell in enumerate(below) if cell and (column >= len(header) or not header[column])]
    without = [column for column, cell in enumerate(header) if cell and (column >= len(below) or not below[column])]
    return (
        bool(gaps)
        and bool(without)
        and not _is_data(below)
        and sum(map(bool, header)) < width <= len(gaps) + sum(map(bool, header))
    )


@dataclass(frozen=True)
class End:
    """What stands below the data: `row` is the first row, from 1, that is none."""

    row: int | None = None
    totals: str = ""
    skip: int = 0
    why: str = ""
    asks: tuple[str, ...] = ()


def find_end(tail: Sequence[tuple[int, Sequence[str]]], width: int) -> End:
    """What the last filled rows of a file are, each with its number: `width` is that of the table."""
    rows = [(number, [cell.strip(BLANKS) for cell in row]) for number, row in tail]
    starts = [(number, next((cell for cell in row if cell), ""), sum(map(bool, row))) for number, row in rows]
    below: list[tuple[int, str]] = []
    for number, start, filled in reversed(starts):
        if (
            TOTALS.match(start)
            or NOTES.match(start)
            or (width > 2 and filled == 1 and len(start) > 15 and not _VALUE.fullmatch(start))
        ):
            below.append((number, start))
        else:
            break
    if not below or len(below) == len(starts):
        return End()
    row, start = below[-1]
    word = TOTALS.match(start) or NOTES.match(start)
    if word:
        return End(row, f"^{re.escape(word[0])}", 0, f"row {row} begins so, and no row of data follows")
    asks = ("the last rows look like notes; are there always as many?",)
    return End(row, "", len(below), f"rows from {row} on fill one cell each", asks)

"""The rejects of a delivery as a workbook to send back: the rejected rows as they came, with what is wrong marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loader.contracts import Contract, Period
from loader.files import replacing
from loader.readers.table import Table
from loader.validation import rejects_wording as reasons
from loader.validation.rejects import Flaw, Rejected
from loader.validation.rules import Kind

MOST_CELLS = 100_000
"""Of both sheets: more than somebody will correct by hand, and writing them costs little beside the cleaning."""
_MOST_LINES = 20
"""Lines of the summary beside those of the rules."""
_Row = tuple[int, list[str | None], list[Flaw]]
"""Its number in the file, its cells, what is wrong with it."""
SUMMARY, ROWS = "Summary", "Rejected rows"
BAD_CELL, BAD_ROW = "FFFFC7CE", "FFFFEB9C"
"""Light red, light yellow."""
_HEADER = "FFD9E1F2"
_WIDEST, _NARROWEST = 40, 8
"""Characters of a column's width."""
_MOST_COLUMNS = 16_384
"""Columns of a sheet; a row of the wrong length may have more cells."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")

_HOW_TO = (
    f"The sheet '{ROWS}' shows these rows as they were delivered; in front of each stands its row in your file.",
    "What has to be corrected is coloured. The note of a coloured cell says why; for a whole row, that of its number.",
    "Please correct it where the data comes from, and deliver the whole file again.",
)


def write_rejects_workbook(
    path: Path,
    file_name: str,
    contract: Contract,
    period: Period,
    rejected: Rejected,
    counts: tuple[int, int, int],
    reopen: Callable[[], Table],
) -> None:
    """Write a summary, and the first rejected rows in at most `MOST_CELLS` cells; the file appears when it is complete.

    `counts` are the rows of the delivery, those that were rejected and those that were dropped; `reopen` opens the
    delivery again. Every value is written as text: a cell that begins with `=` is no formula.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    words = _Words(contract, period, rejected)
    summary, rows = book.create_sheet(SUMMARY), book.create_sheet(ROWS)
    shown = _write_rows(_Sheet(rows), words, reopen)
    _write_summary(_Sheet(summary), words, file_name, (*counts, shown), path.with_suffix(".csv").name)
    with replacing(path) as unfinished:
        book.save(unfinished)


@dataclass(frozen=True)
class _Words:
    """What the sender calls his columns, and what is to be said of them."""

    contract: Contract
    period: Period
    rejected: Rejected

    def header(self, column: str) -> str:
        return " ".join(self.rejected.header[self.rejected.positions[column]].split())

    def reason(self, flaw: Flaw) -> str:
        match flaw.rule.kind:
            case Kind.UNIQUE_KEY:
                return reasons.of_key([self.header(column) for column in flaw.columns], flaw.rows)
            case Kind.DUPLICATE:
                return reasons.of_duplicate([self.header(column) for column in flaw.columns], flaw.rows)
            case Kind.ROW_RULE:
                return reasons.of_row(flaw.rule, self.contract)
            case Kind.CELLS:
                return reasons.of_length(len(self.rejected.header), flaw.found)
            case Kind.QUOTES | Kind.DELIMITER:
                return reasons.of_quotes(flaw.rule)
            case _:
                return reasons.of_cell(flaw.rule, self.contract.column(flaw.columns[0]), self.contract, self.period)


class _Sheet:
    """A sheet that is written row by row. Cells that look the same are one cell, which is filled again and again."""

    def __init__(self, sheet: Any) -> None:
        self.sheet = sheet
        self._cells: dict[tuple[str, str | None, bool], Any] = {}

    def widths(self, widths: Iterable[int]) -> None:
        """Those of the columns, in characters."""
        from openpyxl.utils import get_column_letter

        for at, width in enumerate(widths, start=1):
            self.sheet.column_dimensions[get_column_letter(at)].width = width

    def append(self, cells: Iterable[Any]) -> None:
        """Write a row. Each cell is made when the one before it is written."""
        self.sheet.append(cell for cell in cells)

    def text(self, value: str | None, colour: str | None = None, *, bold: bool = False) -> Any:
        """A cell that stays text, in every program and when it is edited."""
        cell = self._cell("@", colour, bold)
        cell.value = None if value is None else _printable(value)
        cell.data_type = "n" if value is None else "s"
        return cell

    def number(self, value: int, colour: str | None = None) -> Any:
        cell = self._cell("General", colour, bold=False)
        cell.value = value
        return cell

    def noted(self, cell: Any, why: Sequence[str]) -> Any:
        """A cell like `cell` with a note."""
        from openpyxl.comments import Comment

        text = "\n".join(dict.fromkeys(why))
        lines = sum(len(line) // 45 + 1 for line in text.splitlines())
        noted = copy(cell)
        noted.comment = Comment(_printable(text), "Almanac", height=20 + 18 * lines, width=320)
        return noted

    def _cell(self, form: str, colour: str | None, bold: bool) -> Any:
        looks = (form, colour, bold)
        if looks in self._cells:
            return self._cells[looks]
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font, PatternFill

        cell = self._cells[looks] = WriteOnlyCell(self.sheet)
        cell.number_format = form
        if bold:
            cell.font = Font(bold=True)
        if colour is not None:
            cell.fill = PatternFill("solid", fgColor=colour)
        return cell


def _write_summary(
    sheet: _Sheet, words: _Words, file_name: str, counts: tuple[int, int, int, int], csv_name: str
) -> None:
    sheet.widths((28, 100, 10))
    read, rejected, dropped, shown = counts
    how_to, listed = [*_HOW_TO], rejected + dropped
    if listed > shown:
        how_to.insert(1, f"It shows the first {shown:,}; {listed - shown:,} more are listed in {csv_name}.")
    sheet.append([sheet.text("Rows that could not be taken", bold=True)])
    for name, value in (
        ("File", file_name),
        ("Contents", words.contract.title),
        ("Period", words.period.name),
        ("Rows in the file", f"{read:,}"),
        ("Rejected rows", f"{rejected:,}"),
        *([("Dropped duplicates", f"{dropped:,}")] if dropped else []),
    ):
        sheet.append([name, sheet.text(value)])
    for at, line in enumerate(how_to):
        sheet.append(["What to do" if at == 0 else None, line])
    sheet.append([])
    sheet.append(sheet.text(title, _HEADER, bold=True) for title in ("Column", "What is wrong", "How often"))
    for (columns, rule), count in words.rejected.counts.most_common():
        where = " + ".join(words.header(column) for column in columns) or "(the whole row)"
        title = (where, words.reason(Flaw(columns, rule)))
        sheet.append(count if text is None else sheet.text(text) for text in (*title, None))


def _write_rows(sheet: _Sheet, words: _Words, reopen: Callable[[], Table]) -> int:
    """Write the first rejected rows, as many as there is room for; returns their number."""
    header = ["Row", *words.rejected.header]
    rows = [*_with_room(words.rejected.look_up(reopen), MOST_CELLS - len(header) - _cells_of_summary(words.rejected))]
    sheet.sheet.freeze_panes = "B2"
    longest = [max((_length(cells, at) for _, cells, _ in rows), default=0) for at in range(len(header) - 1)]
    wanted = [max(len(name), most, _NARROWEST) for name, most in zip(header, [0, *longest], strict=True)]
    sheet.widths(min(width, _WIDEST) + 2 for width in wanted)
    sheet.append(sheet.text(name, _HEADER, bold=True) for name in header)
    for row, cells, flaws in rows:
        comments: dict[int, list[str]] = {}  # by position in the sheet; the row's number is at 0
        for flaw in flaws:
            for at in [words.rejected.positions[column] + 1 for column in flaw.columns] or [0]:
                comments.setdefault(at, []).append(words.reason(flaw))
        sheet.append(_written(sheet, row, cells, comments))
    return len(rows)


def _written(sheet: _Sheet, row: int, cells: Sequence[str | None], comments: dict[int, list[str]]) -> Iterator[Any]:
    """The cells of a rejected row, one after the other."""
    plain = BAD_ROW if 0 in comments else None
    number = sheet.number(row, plain)
    yield sheet.noted(number, comments[0]) if 0 in comments else number
    for at, value in enumerate(cells, start=1):
        yield sheet.noted(sheet.text(value, BAD_CELL), comments[at]) if at in comments else sheet.text(value, plain)


def _with_room(rows: Iterable[_Row], room: int) -> Iterator[_Row]:
    """The first rows, as a sheet can hold them, until there is no room for the cells of another."""
    for row, delivered, flaws in rows:
        cells = delivered[: _MOST_COLUMNS - 1]
        room -= len(cells) + 1
        if room < 0:
            return
        yield row, cells, flaws


def _cells_of_summary(rejected: Rejected) -> int:
    return 3 * (_MOST_LINES + len(rejected.counts))


def _length(cells: Sequence[str | None], at: int) -> int:
    return len(cells[at] or "") if at < len(cells) else 0


def _printable(text: str) -> str:
    """Text that XML can hold: control characters are shown by their pictures."""
    if text.isprintable():
        return text
    shown = _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])), text)
    return _NO_XML.sub("\ufffd", shown)

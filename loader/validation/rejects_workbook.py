"""The rejects of a delivery as a workbook to send back: the rejected rows as they came, with what is wrong marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loader.contracts import Contract, Period
from loader.files import replacing
from loader.readers.table import Table
from loader.validation import rejects_wording as reasons
from loader.validation.rejects import MOST_ROWS, Flaw, Rejected
from loader.validation.rules import Kind

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
    counts: tuple[int, int],
    reopen: Callable[[], Table],
) -> None:
    """Write a summary, and the first `MOST_ROWS` rejected rows; the file appears when it is complete.

    `counts` are the rows of the delivery and those that were rejected; `reopen` opens the delivery again. Every value
    is written as text: a cell that begins with `=` is no formula.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    words = _Words(contract, period, rejected)
    _write_summary(book.create_sheet(SUMMARY), words, file_name, counts, path.with_suffix(".csv").name)
    _write_rows(book.create_sheet(ROWS), words, reopen)
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
            case Kind.ROW_RULE:
                return reasons.of_row(flaw.rule, self.contract)
            case Kind.CELLS:
                return reasons.of_length(len(self.rejected.header), flaw.found)
            case _:
                return reasons.of_cell(flaw.rule, self.contract.column(flaw.columns[0]), self.contract, self.period)


def _write_summary(sheet: Any, words: _Words, file_name: str, counts: tuple[int, int], csv_name: str) -> None:
    for letter, width in (("A", 28), ("B", 100), ("C", 10)):
        sheet.column_dimensions[letter].width = width
    read, rejected = counts
    how_to = [*_HOW_TO]
    if rejected > MOST_ROWS:
        how_to.insert(1, f"It shows the first {MOST_ROWS:,}; {rejected - MOST_ROWS:,} more are listed in {csv_name}.")
    sheet.append([_text(sheet, "Rows that could not be taken", bold=True)])
    sheet.append(["File", _text(sheet, file_name)])
    sheet.append(["Contents", _text(sheet, words.contract.title)])
    sheet.append(["Period", _text(sheet, words.period.name)])
    sheet.append(["Rows in the file", _text(sheet, f"{read:,}")])
    sheet.append(["Rejected rows", _text(sheet, f"{rejected:,}")])
    for at, line in enumerate(how_to):
        sheet.append(["What to do" if at == 0 else None, line])
    sheet.append([])
    sheet.append([_text(sheet, said, _HEADER, bold=True) for said in ("Column", "What is wrong", "How often")])
    for (columns, rule), count in words.rejected.counts.most_common():
        where = " + ".join(words.header(column) for column in columns) or "(the whole row)"
        sheet.append([_text(sheet, where), _text(sheet, words.reason(Flaw(columns, rule))), count])


def _write_rows(sheet: Any, words: _Words, reopen: Callable[[], Table]) -> None:
    from openpyxl.utils import get_column_letter

    rows = [*words.rejected.look_up(reopen)]
    header = ["Row", *words.rejected.header]
    sheet.freeze_panes = "B2"
    for at, name in enumerate(header):
        longest = max((_length(cells, at - 1) for _, cells, _ in rows), default=0) if at else 0
        width = min(max(len(name), longest, _NARROWEST), _WIDEST) + 2
        sheet.column_dimensions[get_column_letter(at + 1)].width = width
    sheet.append([_text(sheet, name, _HEADER, bold=True) for name in header])
    for row, delivered, flaws in rows:
        cells = delivered[: _MOST_COLUMNS - 1]
        said: dict[int, list[str]] = {}  # by position in the sheet; the row's number is at 0
        for flaw in flaws:
            for at in [words.rejected.positions[column] + 1 for column in flaw.columns] or [0]:
                said.setdefault(at, []).append(words.reason(flaw))
        plain = BAD_ROW if 0 in said else None
        written = [_number(sheet, row, plain), *(_text(sheet, cell, plain) for cell in cells)]
        for at, why in said.items():
            _mark(written[at], why, None if at == 0 else BAD_CELL)
        sheet.append(written)


def _length(cells: Sequence[str | None], at: int) -> int:
    return len(cells[at] or "") if at < len(cells) else 0


def _text(sheet: Any, value: str | None, colour: str | None = None, *, bold: bool = False) -> Any:
    """A cell that stays text, in every program and when it is edited."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, None if value is None else _printable(value))
    if value is not None:
        cell.data_type = "s"
    cell.number_format = "@"
    if bold:
        cell.font = Font(bold=True)
    _fill(cell, colour)
    return cell


def _number(sheet: Any, value: int, colour: str | None) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    _fill(cell, colour)
    return cell


def _fill(cell: Any, colour: str | None) -> None:
    from openpyxl.styles import PatternFill

    if colour is not None:
        cell.fill = PatternFill("solid", fgColor=colour)


def _mark(cell: Any, why: Sequence[str], colour: str | None) -> None:
    from openpyxl.comments import Comment

    text = "\n".join(dict.fromkeys(why))
    lines = sum(len(line) // 45 + 1 for line in text.splitlines())
    cell.comment = Comment(_printable(text), "Almanac", height=20 + 18 * lines, width=320)
    _fill(cell, colour)


def _printable(text: str) -> str:
    """Text that XML can hold: control characters are shown by their pictures."""
    shown = _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])), text)
    return _NO_XML.sub("\ufffd", shown)

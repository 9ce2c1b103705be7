"""Matches the header of a delivery with its contract; both an unknown and a missing column refuse the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from loader.contracts import Contract, Period, plain_header
from loader.contracts.acceptance import accept, lines_of, refuse_lasting
from loader.errors import RefusedError
from loader.readers.table import Table
from loader.text import listed

_MOST_CELLS = 40


class HeaderRefusedError(RefusedError):
    """A header does not match its contract; says in which headers and columns."""

    def __init__(self, message: str, unknown: list[str], missing: list[str], twice: list[str]) -> None:
        super().__init__(message)
        self.unknown = unknown
        self.missing = missing
        self.twice = twice


def match_header(file_name: str, header: list[str], contract: Contract, period: Period) -> dict[str, int]:
    """Position (from 0) of every column that a delivery of `period` has, whatever their order in the file.

    Headers are compared without regard to case, line breaks and repeated or no-break blanks. Headers that the contract
    ignores are left out, and optional columns may be lacking. Columns without any header are left to validation, which
    refuses them only when they hold values.

    Raises:
        HeaderRefusedError: unknown, missing or duplicate columns; lists what was found and what was expected.
        RefusedError: the row is no header at all.
    """
    headers = contract.headers(period)
    expected = {plain_header(text): column for column, texts in headers.items() for text in texts}
    wanted = _shown([" or ".join(texts) for texts in headers.values()])
    found = [plain_header(cell) for cell in header]
    named = [cell for cell in found if cell]
    known = sum(cell in expected for cell in named)
    # the row may well hold data: its cells are not shown
    is_doubtful = known < min(len(named), len(headers)) / 2 and any(column.personal for column in contract.columns)
    if not known or is_doubtful:
        raise RefusedError(
            f"{file_name}: row {contract.format.last_header_row} holds no header of '{contract.name}' for {period}; "
            f"is the header missing, or in another row? Expected: {wanted}"
        )
    times = Counter(expected[cell] for cell in named if cell in expected)
    not_read = [cell for cell, text in zip(header, found, strict=True) if text and text not in expected]
    unknown = [cell for cell in not_read if not contract.ignores(cell)]
    missing = [name for name in headers if name not in times and not contract.column(name).optional]
    twice = [cell for cell in dict.fromkeys(named) if times[expected.get(cell, "")] > 1]
    cells_by_fault = [
        ("unknown", unknown),
        ("missing", [" or ".join(headers[name]) for name in missing]),
        ("twice", twice),
    ]
    differences = [f"{word}: {_shown(cells)}" for word, cells in cells_by_fault if cells]
    if differences:
        raise HeaderRefusedError(
            f"{file_name}: the header does not match the contract of '{contract.name}' for {period}: "
            f"{'; '.join(differences)}. Found: {_shown(header)}. Expected: {wanted}"
            f"{_way_out(contract, period, unknown, missing, twice)}",
            unknown,
            missing,
            twice,
        )
    return {expected[text]: position for position, text in enumerate(found) if text in expected}


def _way_out(contract: Contract, period: Period, unknown: list[str], missing: list[str], twice: list[str]) -> str:
    """The words by which the contract would take the header; empty where it cannot be told."""
    if twice or max(len(unknown), len(missing)) > _MOST_CELLS:
        return ""
    accepted = accept(contract, period, unknown, missing)
    if accepted.undecided:
        return ". If it is right, `loader accept-header` changes the contract, once it is told which of them is which"
    try:
        refuse_lasting(contract, accepted.gone)
    except RefusedError:
        return ""
    return f". If it is right, this takes it (`loader accept-header` writes it): {lines_of(accepted.changes, contract)}"


def lacking(contract: Contract, period: Period, positions: Mapping[str, int]) -> list[str]:
    """The optional columns that a delivery of `period` could have and has not."""
    return [name for name in contract.headers(period) if name not in positions]


def refuse_uncalculated(file_name: str, table: Table, positions: Mapping[str, int]) -> None:
    """Raise RefusedError when a column of the contract has formulas that the workbook asks to be calculated."""
    for column, at in positions.items():
        if at in table.formulas:
            raise RefusedError(
                f"{file_name}: the formulas in column '{column}' were never calculated, as the workbook says (the "
                f"first is in cell {table.formulas[at]}); open it in a spreadsheet program, save it and deliver it "
                "again, or take what is stored by 'formulas: as_stored' in the contract"
            )


def _shown(cells: list[str]) -> str:
    return listed((" ".join(cell.split())[:60] or "(empty)" for cell in cells), _MOST_CELLS)

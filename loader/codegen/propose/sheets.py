"""Which sheet of a workbook holds the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loader.contracts import WorkbookFormat
from loader.errors import RefusedError
from loader.readers.signatures import refuse_no_workbook
from loader.readers.workbook import open_sheet

_MOST_SHEETS = 12
_TOP_ROWS = 100


@dataclass(frozen=True)
class Chosen:
    """The sheet that was taken, and how the contract names it."""

    word: str | int | None
    top_rows: list[list[str]]
    why: str = ""
    asks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Seen:
    name: str
    rows: list[list[str]]

    @property
    def size(self) -> int:
        """How much of a table the first rows are: those that fill two cells and more, by how many they fill."""
        filled = sorted(count for row in self.rows if (count := sum(bool(cell.strip()) for cell in row)) > 1)
        return len(filled) * filled[len(filled) // 2] if filled else 0


def find_sheet(path: Path, wanted: str | int | None) -> Chosen:
    """The sheet that a person wanted, or that with the largest table.

    Raises:
        RefusedError: the file is no workbook or damaged, or there is no such sheet.
    """
    refuse_no_workbook(path)
    if wanted is not None:
        return Chosen(wanted, _look(path, wanted).rows, "as --sheet says")
    seen = [_look(path, 1)]
    while len(seen) < _MOST_SHEETS:
        try:
            seen.append(_look(path, len(seen) + 1))
        except RefusedError:
            break
    best = max(seen, key=lambda sheet: sheet.size)
    others = [sheet.name for sheet in seen if sheet is not best and sheet.size * 3 > best.size]
    asks = (f"other sheets hold tables too: {', '.join(others)}",) if others else ()
    if best is seen[0]:
        why = f"the first of {len(seen)} sheets, {best.name}" if len(seen) > 1 else ""
        return Chosen(None, best.rows, why, asks)
    return Chosen(best.name, best.rows, f"the largest table of {len(seen)} sheets; the first holds less", asks)


def _look(path: Path, sheet: str | int) -> _Seen:
    found, batches = open_sheet(path, WorkbookFormat(type="workbook", sheet=sheet, formulas="as_stored"))
    rows: list[list[str]] = []
    for batch in batches:
        columns: Sequence[list[str | None]] = [cells.slice(0, _TOP_ROWS).to_pylist() for cells in batch.cells]
        rows += [[cell or "" for cell in row] for row in zip(*columns, strict=True)]
        if len(rows) >= _TOP_ROWS:
            break
    return _Seen(found.name, rows[:_TOP_ROWS])

"""Workbooks: looked through and meanwhile read in a process apart, given as a table of cells with their kinds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import cast

from loader.contracts import WorkbookFormat
from loader.errors import RefusedError
from loader.readers.calamine import read_sheet
from loader.readers.isolated import MOST_MEMORY, GaveUpError, Limits, stream_apart
from loader.readers.sheet_rows import Sheet
from loader.readers.signatures import is_zip, refuse_no_workbook
from loader.readers.table import BLANKS, Batch, Table, data_table, join_header
from loader.readers.workbook_members import Findings, book_of, is_for_plain_reader, look_through

_XLSX = (".xlsx", ".xlsm")


def open_workbook(path: Path, fmt: WorkbookFormat) -> Table:
    """Open one sheet of a workbook; its rows are read while those before them are used.

    Nothing is guessed: a text `007` stays a text, and a number is one whatever it looks like.

    Raises:
        RefusedError: the file is not a workbook of its extension or is damaged, the sheet is missing or has no
            header row, a formula was never calculated, or a cell cannot be read.
    """
    refuse_no_workbook(path)
    sheet, batches = open_sheet(path, fmt)
    above = fmt.last_header_row
    top = next(batches, None)
    if top is None or len(top.source_rows) < above:
        raise RefusedError(f"{path.name}: there is no header row {above}; the sheet ends before it")
    rows = [[column[at].as_py() or "" for column in top.cells] for at in range(fmt.header_row - 1, above)]
    header = rows[0] if fmt.header_rows == 1 else join_header(rows)
    while header and not header[-1].strip(BLANKS):
        header.pop()
    formulas = {} if fmt.formulas == "as_stored" else sheet.formulas
    table = data_table(header, rows, batches, fmt)
    return replace(table, first_column=sheet.first_column, day_zero=sheet.day_zero, formulas=formulas)


def open_sheet(path: Path, fmt: WorkbookFormat) -> tuple[Sheet, Iterator[Batch]]:
    """What is known of the sheet that the contract means, and its rows."""
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look_through, path) if is_zip(path) else None
        limits = Limits(_seconds(path), lambda: looking is None or _went_well(looking))
        is_xlsx = path.suffix.lower() in _XLSX
        try:
            try:
                sheet, items = _begin(path, fmt, limits, plainly=False)
                plainly = looking is not None and is_xlsx and _is_for_plain_reader(path, looking, sheet, fmt)
            except GaveUpError:
                plainly = looking is not None and is_xlsx and looking.exception() is None
                if not plainly:
                    raise
            if plainly:
                sheet, items = _begin(path, fmt, limits, plainly=True)
        except (GaveUpError, RefusedError) as error:
            if looking is not None:
                looking.result()
            raise (error if isinstance(error, RefusedError) else _gave_up(path)) from None
        if looking is not None:
            looking.result()
    return sheet, _explained(path, items)


def _begin(path: Path, fmt: WorkbookFormat, limits: Limits, *, plainly: bool) -> tuple[Sheet, Iterator[Batch]]:
    """The sheet and its rows, of which the first ones are there already."""
    items = stream_apart(limits, read_sheet, path, fmt.sheet, fmt.sheet_pattern, fmt.last_header_row, plainly=plainly)
    sheet = cast("Sheet", next(items))
    batches = cast("Iterator[Batch]", items)
    first = next(batches, None)
    return sheet, batches if first is None else chain([first], batches)


def _is_for_plain_reader(path: Path, looking: Future[Findings], sheet: Sheet, fmt: WorkbookFormat) -> bool:
    found = looking.result()
    return is_for_plain_reader(book_of(path), found, sheet.name, as_stored=fmt.formulas == "as_stored")


def _explained(path: Path, batches: Iterator[Batch]) -> Iterator[Batch]:
    try:
        yield from batches
    except GaveUpError:
        raise _gave_up(path) from None


def _gave_up(path: Path) -> RefusedError:
    return RefusedError(
        f"{path.name}: the workbook is damaged, or a cell lies so far from its table that reading takes more "
        f"than {MOST_MEMORY >> 30} GiB of memory; clear what lies apart, save it anew and deliver it again"
    )


def _went_well(looking: Future[Findings]) -> bool | None:
    return looking.exception() is None if looking.done() else None


def _seconds(path: Path) -> float:
    """Of work that reading may take: thirty times what it takes here, and time for a small file that holds much."""
    return 30 + 3e-6 * path.stat().st_size

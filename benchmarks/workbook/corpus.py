"""Workbooks that others collected, sheet by sheet: what is refused that another reader opens, what readers differ in.

`python -m benchmarks.workbook.corpus FOLDER` prints a line for each that is not as it should be, and counts.
"""

from __future__ import annotations

import datetime as dt
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Cells = dict[tuple[int, int], tuple[int, str]]
"""Kind and text by row and column, both from 0."""


def main(folder: Path) -> None:
    """Read every workbook below a folder, in every way that there is."""
    from loader.readers.signatures import WORKBOOKS

    counts: Counter[str] = Counter()
    for path in sorted(one for one in folder.rglob("*") if one.suffix.lower() in WORKBOOKS):
        counts["workbooks"] += 1
        for what in _judged(path):
            counts[what.partition(":")[0]] += 1
            if ":" in what:
                print(f"{path.relative_to(folder)}: {what}", flush=True)
    print(*(f"{count:,} {what}" for what, count in counts.most_common()), sep="\n")


def _judged(path: Path) -> Iterator[str]:
    """What is to be counted of a workbook; what is to be shown has a colon."""
    names = _apart(sheet_names, path)
    if names is None:
        yield "opened by no reader"
        return
    for name in names:
        found = _loaded(path, name)
        if isinstance(found, str):
            yield f"refused: {name}: {found}"
            continue
        yield "sheets read"
        for reader in (plain_cells, calamine_cells):
            other = _apart(reader, path, name)
            if other is not None:
                yield "sheets compared"
                yield from _differences(name, found, other)


def _apart(function: Callable[..., Iterator[Any]], *args: Any) -> Any:
    """What a function yields in a process apart; None when it fails, whatever the reason."""
    from loader.readers.isolated import GaveUpError, Limits, stream_apart

    try:
        return next(stream_apart(Limits(120, lambda: True), function, *args), None)
    except (GaveUpError, Exception):  # noqa: BLE001 - a reader that fails is no reader
        return None


def sheet_names(path: Path) -> Iterator[list[str]]:
    """The sheets with cells that another reader finds."""
    import openpyxl
    import python_calamine

    warnings.simplefilter("ignore")
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            kinds = (python_calamine.SheetTypeEnum.WorkSheet, python_calamine.SheetTypeEnum.MacroSheet)
            yield [one.name for one in book.sheets_metadata if one.typ in kinds]
    except python_calamine.CalamineError:
        yield openpyxl.load_workbook(path, read_only=True).sheetnames


def _loaded(path: Path, name: str) -> Cells | str:
    """As a delivery is read."""
    from loader.contracts import WorkbookFormat
    from loader.errors import RefusedError
    from loader.readers.workbook import open_sheet

    try:
        sheet, batches = open_sheet(path, WorkbookFormat(type="workbook", sheet=name))
        return _cells([sheet, *batches])
    except RefusedError as error:
        return error.message.partition(": ")[2]


def plain_cells(path: Path, name: str) -> Iterator[Cells]:
    """What our reader gives of an `.xlsx`."""
    from loader.readers.plain_xlsx import read_plain_xlsx

    if path.suffix.lower() in (".xlsx", ".xlsm"):
        yield _cells(read_plain_xlsx(path, name, None, 1))


def calamine_cells(path: Path, name: str) -> Iterator[Cells]:
    """What calamine gives of `.ods` and `.xlsb`, which others of ours read."""
    import python_calamine

    from loader.readers.sheet_rows import Sheet, batches

    if path.suffix.lower() in (".ods", ".xlsb"):
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            sheet = book.get_sheet_by_name(name)
        first = sheet.start[1] if sheet.start else 0
        yield _cells([Sheet(name, first), *(batches(sheet.iter_rows(), 1, sheet.width) if sheet.start else ())])


def _cells(items: Any) -> Cells:
    from loader.readers.sheet_rows import Sheet
    from loader.readers.table import CellKind

    found: Cells = {}
    first = 0
    for item in items:
        if isinstance(item, Sheet):
            first = item.first_column
            continue
        for at in range(len(item.cells)):
            text, kinds = item.column(at)
            of = kinds.to_pylist() if kinds is not None else [int(CellKind.TEXT)] * len(text)
            for row, value, kind in zip(item.source_rows.to_pylist(), text.to_pylist(), of, strict=True):
                if value is not None:
                    found[row - 1, first + at] = kind, value
    return found


def _differences(name: str, ours: Cells, theirs: Cells) -> Iterator[str]:
    from loader.readers.table import letters

    for row, column in sorted({*ours, *theirs}):
        one, other = ours.get((row, column)), theirs.get((row, column))
        if one is None or other is None or (one[0], _same(one[1])) != (other[0], _same(other[1])):
            yield f"differs: {name} {letters(column)}{row + 1}: {one} is {other}"


def _same(text: str) -> str:
    try:
        return dt.datetime.fromisoformat(text).isoformat()
    except ValueError:
        return text


if __name__ == "__main__":
    main(Path(sys.argv[1]))

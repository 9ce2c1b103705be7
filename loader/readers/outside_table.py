"""What a delivery holds outside of its table: one cell of a workbook, or the lines above the header."""

from __future__ import annotations

import re
from pathlib import Path

from loader.contracts import CsvFormat, Format, WorkbookFormat
from loader.errors import RefusedError
from loader.readers.csv_file import lines_above_header
from loader.readers.signatures import refuse_no_workbook
from loader.readers.table import BLANKS, CellKind, letters
from loader.readers.workbook import open_sheet


def read_cell(path: Path, fmt: WorkbookFormat, cell: str) -> tuple[CellKind, str]:
    """What a cell such as `B2` is, and its text as readers give it; without blanks around it, empty when it is empty.

    Raises:
        RefusedError: the workbook cannot be read, there is no such sheet, or the cell holds a formula that the workbook
            asks to be calculated.
    """
    refuse_no_workbook(path)
    column, number = re.fullmatch(r"([A-Z]+)([0-9]+)", cell).groups()  # type: ignore[union-attr]
    row = int(number)
    # as if the cell were the first below a header, so that the first formula of its column is the cell itself
    about, batches = open_sheet(path, fmt.model_copy(update={"header_row": row - 1, "header_rows": 1}))
    for batch in batches:
        at = next((at for at in range(len(batch.cells)) if letters(about.first_column + at) == column), None)
        if at is None:
            break
        if len(batch.source_rows) and row <= batch.source_rows[-1].as_py():
            if fmt.formulas != "as_stored" and about.formulas.get(at) == cell:
                raise RefusedError(
                    f"{path.name}: cell {cell} holds a formula that the workbook asks to be calculated when it is "
                    "opened; open and save it, or say 'formulas: as_stored' in the contract"
                )
            text, kinds = batch.column(at)
            position = row - batch.source_rows[0].as_py()
            kind = CellKind.TEXT if kinds is None else CellKind(kinds[position].as_py())
            return kind, (text[position].as_py() or "").strip(BLANKS)
    return CellKind.TEXT, ""


def lines_above(path: Path, fmt: Format) -> list[str]:
    """The lines above the header, without what stands around them: those of a text file, or cells that are texts.

    Raises:
        RefusedError: the file cannot be read.
    """
    if isinstance(fmt, CsvFormat):
        return [line.strip(BLANKS + fmt.delimiter + fmt.quote) for line in lines_above_header(path, fmt)]
    refuse_no_workbook(path)
    _, batches = open_sheet(path, fmt)
    top = next(batches, None)
    found = []
    for row in range(min(fmt.header_row - 1, len(top.source_rows)) if top else 0):
        for text, kinds in (top.column(at) for at in range(len(top.cells))):  # type: ignore[union-attr]
            if text[row].is_valid and (kinds is None or kinds[row].as_py() == CellKind.TEXT):
                found.append(text[row].as_py().strip(BLANKS))
    return found

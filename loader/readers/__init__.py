"""One module per file format; each yields the cells of a delivery as text, in Arrow batches.

Readers know files, not datasets: types, headers and rules are the business of the steps that call them.
"""

from __future__ import annotations

from pathlib import Path

from loader.contracts import Contract, CsvFormat
from loader.errors import RefusedError
from loader.readers.table import Table

_ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def open_table(path: Path, contract: Contract) -> Table:
    """Open a delivery for reading.

    Raises:
        RefusedError: the file is empty, damaged, protected by a password, or not what its ending says.
    """
    _refuse_impostors(path, contract)
    if isinstance(contract.format, CsvFormat):
        from loader.readers.csv_file import open_csv

        return open_csv(path, contract.format)
    from loader.readers.workbook import open_workbook

    return open_workbook(path, contract.format)


def _refuse_impostors(path: Path, contract: Contract) -> None:
    """Compare the first bytes with the ending, so that the message names the real trouble."""
    with path.open("rb") as file:
        start = file.read(8)
    name = path.name
    if not start:
        raise RefusedError(f"{name}: the file is empty (0 bytes); ask the sender to deliver it again")
    if contract.format.type == "csv":
        if start.startswith((_ZIP, _OLE)):
            raise RefusedError(f"{name}: this is a workbook or an archive, not a text file; save it as CSV")
        return
    if start.startswith(_OLE):
        raise RefusedError(
            f"{name}: protected by a password, or a workbook of the old .xls kind; "
            "save it without password as .xlsx and deliver it again"
        )
    if not start.startswith(_ZIP):
        raise RefusedError(f"{name}: this is no .xlsx workbook whatever its ending says; save it as .xlsx")

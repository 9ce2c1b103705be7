"""One module per file format; each yields the cells of a delivery as text, in Arrow batches.

Readers know files, not datasets: types, headers and rules are the business of the steps that call them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loader.contracts import Format
    from loader.readers.table import Table

READER_REVISION = 2
"""Raise it by one with each change after which the loader may get other values, or other rejected rows, out of the same
bytes under the same contract: in readers, conversion, cleaning or checks, or in a package that they use. Loads remember
it, and `loader recheck` reads those of an earlier one again. Say so in CHANGELOG.md. A file that was refused and now is
read, or the other way round, needs no new revision: a refused file is looked at again anyway. A period that is found
within a file, or not found, needs one: that is remembered too."""


def open_table(path: Path, fmt: Format, names: Sequence[str] = ()) -> Table:
    """Open a delivery for reading; `names` are its columns when the file has no header.

    Raises:
        RefusedError: the file is empty, damaged, protected by a password, not what its extension says, cannot be
            decoded, or lacks its sheet or its header row.
    """
    if fmt.type == "csv":
        from loader.readers.csv_file import open_csv

        return open_csv(path, fmt, names)
    from loader.readers.workbook import open_workbook

    return open_workbook(path, fmt)

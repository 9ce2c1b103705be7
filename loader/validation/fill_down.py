"""Columns in which an empty cell means the one above it, as merged cells do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loader.contracts import Contract
from loader.readers.table import Batch
from loader.validation.conversion import tidy


class FillDown:
    """Fills the batches of one delivery, which come in the order of the file.

    What counts is the cell as delivered, whatever becomes of its row. In a row of the wrong length nobody knows which
    cell belongs to which column: an empty cell below it is doubtful until one is filled again.
    """

    def __init__(self, contract: Contract, positions: Mapping[str, int]) -> None:
        filled = [column.name for column in contract.columns if column.fill_down and column.name in positions]
        self._above: dict[int, tuple[str | None, int]] = {positions[name]: (None, 0) for name in filled}
        """By position the last filled cell and its row."""
        self._misshapen = 0
        """The last row of the wrong length."""

    def __call__(self, batch: Batch) -> Batch:
        """The batch with its empty cells filled."""
        if not self._above:
            return batch
        misshapen = np.array([self._misshapen, *(row.source_row for row in batch.misshapen)])
        self._misshapen = int(misshapen.max())
        rows = batch.source_rows.to_numpy()
        before = misshapen[np.searchsorted(misshapen, rows) - 1] if len(rows) else rows
        cells, doubtful = list(batch.cells), dict(batch.doubtful)
        for at, (text, row) in self._above.items():
            delivered = tidy(batch.cells[at])
            filled_in = pc.if_else(pc.is_valid(delivered), batch.source_rows, pa.scalar(None, pa.int64()))
            since = pc.coalesce(pc.fill_null_forward(filled_in), pa.scalar(row, pa.int64()))
            filled = pc.coalesce(pc.fill_null_forward(delivered), pa.scalar(text, pa.string()))
            doubtful[at] = pc.and_(pc.is_null(delivered), pc.greater(pa.array(before, pa.int64()), since))
            cells[at] = pc.if_else(doubtful[at], pa.scalar(None, pa.string()), filled)
            if len(rows):
                self._above[at] = (filled[-1].as_py(), since[-1].as_py())
        return replace(batch, cells=cells, doubtful=doubtful)

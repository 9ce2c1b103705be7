"""Columns in which an empty cell means the one above it, as merged cells do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loader.contracts import Contract
from loader.readers.table import Batch, CellKind
from loader.validation.texts import tidy


class FillDown:
    """Fills the batches of one delivery, which come in the order of the file.

    What counts is the cell as delivered, whatever becomes of its row. In a row of the wrong length nobody knows which
    cell belongs to which column: an empty cell below it is doubtful until one is filled again.
    """

    def __init__(self, contract: Contract, positions: Mapping[str, int]) -> None:
        filled = [column.name for column in contract.columns if column.fill_down and column.name in positions]
        self._above: dict[int, tuple[str | None, int, int]] = {
            positions[name]: (None, 0, CellKind.TEXT) for name in filled
        }
        """By position the last filled cell, its row and its kind."""
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
        cells, doubtful, kinds = list(batch.cells), dict(batch.doubtful), dict(batch.kinds)
        for at, (text, row, kind) in self._above.items():
            delivered = tidy(batch.cells[at])
            filled_in = pc.if_else(pc.is_valid(delivered), batch.source_rows, pa.scalar(None, pa.int64()))
            since = pc.coalesce(pc.fill_null_forward(filled_in), pa.scalar(row, pa.int64()))
            filled = pc.coalesce(pc.fill_null_forward(delivered), pa.scalar(text, pa.string()))
            doubtful[at] = pc.and_(pc.is_null(delivered), pc.greater(pa.array(before, pa.int64()), since))
            cells[at] = pc.if_else(doubtful[at], pa.scalar(None, pa.string()), filled)
            if at in kinds or kind != CellKind.TEXT:
                kinds[at] = _filled_kinds(delivered, kinds.get(at), kind)
            if len(rows):
                last = kinds[at][-1].as_py() if at in kinds else CellKind.TEXT
                self._above[at] = (filled[-1].as_py(), since[-1].as_py(), last)
        return replace(batch, cells=cells, doubtful=doubtful, kinds=kinds)


def _filled_kinds(delivered: pa.StringArray, kinds: pa.Int8Array | None, above: int) -> pa.Int8Array:
    """A cell that is filled is of the kind of the cell that fills it."""
    text = pa.scalar(int(CellKind.TEXT), pa.int8())
    of_filled = pc.if_else(pc.is_valid(delivered), text if kinds is None else kinds, pa.scalar(None, pa.int8()))
    return pc.coalesce(pc.fill_null_forward(of_filled), pa.scalar(above, pa.int8()))

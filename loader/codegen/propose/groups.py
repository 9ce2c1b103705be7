"""Columns of groups: a value stands in the first row of its group, and the cells below it are empty, as when merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loader.codegen.propose.family import FamilyColumn
from loader.readers.table import Cells

_FEWEST_ROWS = 4
_FEWEST_EMPTY = 0.3
"""Share of the cells that are empty at least."""


def fill_groups(columns: Sequence[FamilyColumn]) -> list[FamilyColumn]:
    """The columns, with those of groups filled down.

    These are the first columns, before one that is filled in every row. In each file the first cell is filled; a value
    stands once, or once within the group of the column before; and where that one begins a group, this one does.
    """
    found: list[FamilyColumn] = []
    above: list[FamilyColumn] = []
    for at, column in enumerate(columns):
        if not any(other.is_filled and other.is_everywhere for other in columns[at + 1 :]):
            break
        if not column.is_everywhere or not _is_of_groups(column, above):
            break
        above.append(column)
        empty = sum(part.text.null_count for part in column.parts if part is not None)
        parts = tuple(None if part is None else _filled(part) for part in column.parts)
        found.append(replace(column, parts=parts, filled_down=empty))
    return [*found, *columns[len(found) :]]


def _is_of_groups(column: FamilyColumn, above: Sequence[FamilyColumn]) -> bool:
    every = [[part.text for one in (*above, column) if (part := one.parts[at])] for at in range(len(column.parts))]
    return all(_stands_once(texts[-1], texts[:-1]) for texts in every)


def _stands_once(text: pa.StringArray, above: Sequence[pa.StringArray]) -> bool:
    filled = pc.is_valid(text).to_numpy(zero_copy_only=False)
    if len(text) < _FEWEST_ROWS or not filled[0] or filled.sum() < 2 or (~filled).sum() < _FEWEST_EMPTY * len(text):
        return False
    if any((pc.is_valid(one).to_numpy(zero_copy_only=False) & ~filled).any() for one in above):
        return False
    rows = pa.array(np.flatnonzero(filled))
    values = [pc.fill_null_forward(one).take(rows).to_pylist() for one in (*above, text)]
    return len(set(zip(*values, strict=True))) == len(rows)


def _filled(cells: Cells) -> Cells:
    if cells.kinds is None:
        return Cells(pc.fill_null_forward(cells.text))
    kinds = pc.if_else(pc.is_valid(cells.text), cells.kinds, pa.scalar(None, pa.int8()))
    return Cells(pc.fill_null_forward(cells.text), pc.fill_null_forward(kinds))

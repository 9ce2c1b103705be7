"""Text cells to declared types. Types are never guessed: what does not match the declared type is invalid.

Every function takes a string array and returns an array of the same length with the valid values (null elsewhere);
a cell that was filled and came out null is invalid. The common case is one vectorised cast; only columns in which
it fails are looked at more closely.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loader.archive.parquet import arrow_type
from loader.contracts import ColumnType, Notation
from loader.validation.moments import as_moments, as_times
from loader.validation.numbers import as_numbers
from loader.validation.texts import by_distinct


def convert(cells: pa.StringArray, declared: ColumnType, notation: Notation) -> pa.Array:
    """Tidy cells as `arrow_type(declared)`; null where the cell is null or invalid."""
    target = arrow_type(declared)
    stated, cells = mapped(cells, target, notation)
    values = _read(cells, target, notation)
    return values if stated is None else pc.coalesce(stated, values)


def mapped(cells: pa.StringArray, target: pa.DataType, notation: Notation) -> tuple[pa.Array | None, pa.StringArray]:
    """The values of texts that the contract states (None when it states none), and the other texts."""
    if not notation.map:
        return None, cells
    texts, values = zip(*notation.map, strict=True)
    at = pc.index_in(cells, pa.array(texts, pa.string()))
    stated = pa.array([arrow_value(value, target) for value in values], target).take(at)
    return stated, pc.if_else(pc.is_valid(at), pa.scalar(None, pa.string()), cells)


def arrow_value(value: Any, target: pa.DataType) -> Any:
    """A value of a contract as Arrow takes it for that type."""
    if pa.types.is_decimal(target):
        return Decimal(str(value))
    if pa.types.is_timestamp(target) and isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time())
    return value


def _read(cells: pa.StringArray, target: pa.DataType, notation: Notation) -> pa.Array:
    if pa.types.is_string(target):
        return cells
    if pa.types.is_boolean(target):
        return _booleans(cells, target, notation)
    if pa.types.is_time(target):
        return as_times(cells, target)
    if pa.types.is_temporal(target):
        return as_moments(cells, target, notation)
    return as_numbers(cells, target, notation)


def _booleans(cells: pa.StringArray, target: pa.DataType, notation: Notation) -> pa.Array:
    values = {word.lower(): True for word in notation.true_values} | {
        word.lower(): False for word in notation.false_values
    }
    return by_distinct(cells, target, lambda text: values.get(text.lower()))

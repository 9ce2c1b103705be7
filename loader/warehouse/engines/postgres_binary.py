"""Rows in the binary format of PostgreSQL's COPY, made column by column.

A row is the number of its fields, then for each the length of its value and the value as its type's `recv` function
takes it: https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS-BINARY-FORMAT. It says NULL by a
length of -1, so that no text can be taken for it, and there is nothing to quote. Half of the server's work with CSV is
reading numbers, dates and quotes.
"""

from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_NULL = pa.scalar(b"\xff\xff\xff\xff", pa.binary())
_NOTHING = pa.scalar(b"", pa.binary())
_FIXED = {
    pa.bool_(): (pa.int8(), "i1", 0),
    pa.int32(): (pa.int32(), ">i4", 0),
    pa.int64(): (pa.int64(), ">i8", 0),
    pa.float64(): (pa.float64(), ">f8", 0),
    pa.date32(): (pa.int32(), ">i4", -10_957),
    pa.time64("us"): (pa.int64(), ">i8", 0),
    pa.timestamp("us"): (pa.int64(), ">i8", -946_684_800_000_000),
}
"""By type: the numbers behind it, how they are sent, and what is added: days and microseconds begin in 2000."""


def binary_rows(rows: pa.RecordBatch, constants: pa.RecordBatch) -> bytes:
    """A whole COPY of `rows`, each followed by the same `constants` (one row).

    Types are those of a contract: what the table has in other types must be cast before.
    """
    fields = pa.scalar(struct.pack(">h", rows.num_columns + constants.num_columns), pa.binary())
    values = [part for column in rows.columns for part in _parts(column)]
    same = [part for column in constants.columns for part in _parts(column)]
    joined = pc.binary_join_element_wise(fields, *values, pc.binary_join_element_wise(*same, _NOTHING)[0], _NOTHING)
    _, offsets, data = joined.buffers()
    start, *_, end = np.frombuffer(offsets, np.int32)[joined.offset : joined.offset + len(joined) + 1]
    return b"".join((_HEADER, data[start:end], _TRAILER))


def _parts(column: pa.Array) -> tuple[pa.Array, ...]:
    """What stands in each row for one of its values: arrays of bytes, to be joined row by row."""
    if pa.types.is_string(column.type):
        lengths = pc.fill_null(pc.binary_length(column), -1)
        return _packed(lengths.to_numpy().astype(">i4")), pc.fill_null(column.cast(pa.binary()), b"")
    numbers = pc.fill_null(column, False if pa.types.is_boolean(column.type) else 0)
    packed = _packed(_numerics(numbers) if pa.types.is_decimal(column.type) else _fixed(numbers))
    return (pc.if_else(pc.is_valid(column), packed, _NULL) if column.null_count else packed,)


def _packed(values: NDArray[np.generic]) -> pa.BinaryArray:
    """The bytes of each element of a numpy array."""
    offsets = np.arange(len(values) + 1, dtype=np.int32) * np.int32(values.dtype.itemsize)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.binary(), len(values), buffers)


def _fixed(numbers: pa.Array) -> NDArray[np.generic]:
    plain, sent_as, shift = _FIXED[numbers.type]
    values = np.empty(len(numbers), [("length", ">i4"), ("value", sent_as)])
    values["length"] = values.dtype["value"].itemsize
    values["value"] = numbers.cast(plain).to_numpy(zero_copy_only=False) + shift
    return values


def _numerics(numbers: pa.Decimal128Array) -> NDArray[np.generic]:
    """`numeric` is sent as digits to the base of 10,000, which begin and end at the decimal point."""
    precision, scale = numbers.type.precision, numbers.type.scale
    before, after = -(-(precision - scale) // 4), -(-scale // 4)
    unscaled = pa.Array.from_buffers(
        pa.decimal128(38, 0), len(numbers), [None, numbers.buffers()[1]], offset=numbers.offset
    ).cast(pa.string())
    digits = pc.binary_join_element_wise(pc.ascii_ltrim(unscaled, "-"), "0" * (4 * after - scale), "")
    padded = pc.ascii_lpad(digits, 4 * (before + after), "0")
    figures = np.frombuffer(padded.buffers()[2], np.uint8)[: len(padded) * 4 * (before + after)] - np.uint8(ord("0"))
    values = np.empty(
        len(numbers),
        [
            ("length", ">i4"),
            ("digits", ">i2"),
            ("weight", ">i2"),
            ("sign", ">u2"),
            ("scale", ">i2"),
            ("values", ">i2", (before + after,)),
        ],
    )
    values["length"] = values.dtype.itemsize - 4
    values["digits"], values["weight"], values["scale"] = before + after, before - 1, scale
    values["sign"] = np.where(pc.starts_with(unscaled, "-").to_numpy(zero_copy_only=False), 0x4000, 0)
    values["values"] = figures.reshape(len(numbers), -1, 4).astype(np.int16) @ np.array([1000, 100, 10, 1], np.int16)
    return values

"""Rows of Python values, as the readers of workbooks find them, to batches of cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loader.readers.table import DAY_ZERO, Batch, CellKind

_BATCH_ROWS, _BLOCK_ROWS = 64_000, 2_000

Row = Sequence[Any]
"""By column a str, float, int, bool, date, datetime, time, timedelta, `DateText` or `ErrorText`; `''` for nothing."""


class DateText(str):
    """A date cell as it is written: in ISO 8601, or the number of a day that is in no calendar."""

    __slots__ = ()


class ErrorText(str):
    """A cell with an error, as spreadsheet programs show it."""

    __slots__ = ()


class Sheet(NamedTuple):
    """What is known of a sheet before its rows."""

    name: str
    first_column: int = 0
    """The column, from 0, in which its rows begin."""
    day_zero: dt.date = DAY_ZERO
    formulas: dict[int, str] = {}  # noqa: RUF012 - never changed
    """The first cell with a formula by position of the column, when the workbook asks for all to be calculated."""


_KINDS: dict[type, CellKind] = {
    str: CellKind.TEXT,
    float: CellKind.NUMBER,
    int: CellKind.NUMBER,
    bool: CellKind.BOOLEAN,
    dt.date: CellKind.DATE,
    dt.datetime: CellKind.DATE,
    DateText: CellKind.DATE,
    dt.time: CellKind.TIME,
    dt.timedelta: CellKind.DURATION,
    ErrorText: CellKind.ERROR,
}
_MIDNIGHT = dt.time()


def batches(rows: Iterable[Row], above: int, width: int) -> Iterator[Batch]:
    """The rows of a sheet, from its first one on: the `above` ones of the header in a batch of their own, if any."""
    remaining = iter(rows)
    row, size = 1, above or _BATCH_ROWS
    while (batch := _batch(remaining, size, row, width)) is not None:
        yield batch
        row, size = row + len(batch.source_rows), _BATCH_ROWS


def _batch(rows: Iterator[Row], size: int, first: int, width: int) -> Batch | None:
    """The next rows, at most `size`; None when there are none.

    Made block by block: what a processor keeps at hand is turned from rows to columns in a third of the time, and
    Python's values take ten times the room of those of Arrow.
    """
    count, blocks = 0, []
    while part := list(islice(rows, min(_BLOCK_ROWS, size - count))):
        count += len(part)
        blocks.append([_column(column) for column in zip(*part, strict=True)] if width else [])
    if not count:
        return None
    cells: list[pa.StringArray] = []
    kinds: dict[int, pa.Int8Array] = {}
    for at, parts in enumerate(zip(*blocks, strict=True)):
        cells.append(pa.concat_arrays([text for text, _ in parts]))
        if any(of is not None for _, of in parts):
            kinds[at] = pa.concat_arrays([_all_texts(len(text)) if of is None else of for text, of in parts])
    return Batch(cells, pa.array(range(first, first + count), pa.int64()), kinds=kinds)


def _all_texts(count: int) -> pa.Int8Array:
    return pa.array(np.full(count, CellKind.TEXT, np.int8))


def _column(values: tuple[Any, ...]) -> tuple[pa.StringArray, pa.Int8Array | None]:
    types = set(map(type, values))
    if types == {str}:
        return _filled(pa.array(values, pa.string())), None
    found = np.fromiter(map(_KINDS.__getitem__, map(type, values)), np.int8, len(values))
    present = {_KINDS[one] for one in types}
    if len(present) == 1:
        return _TEXTS[present.pop()](values), pa.array(found)
    text = pa.nulls(len(values), pa.string())
    for kind in present:
        mask = found == kind
        of_kind = [values[at] for at in np.flatnonzero(mask)]
        text = pc.replace_with_mask(text, pa.array(mask), _TEXTS[kind](of_kind))
    return text, pa.array(found)


def _filled(text: pa.StringArray) -> pa.StringArray:
    empty = pc.equal(text, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), text) if pc.any(empty).as_py() else text


def _strings(values: Sequence[str]) -> pa.StringArray:
    return _filled(pa.array(values, pa.string()))


def _numbers(values: Sequence[float]) -> pa.StringArray:
    """The fewest digits that tell each number, without an exponent."""
    numbers = pa.array(values, pa.float64())
    text = pc.cast(pc.add(numbers, 0.0), pa.string())  # no -0
    long = pc.match_substring(text, "e")
    if not pc.any(long).as_py():
        return text
    plain = [f"{Decimal(one):f}" for one in text.filter(long).to_pylist()]
    return pc.replace_with_mask(text, long, pa.array(plain, pa.string()))


def _dates(values: Sequence[Any]) -> pa.StringArray:
    if set(map(type, values)) == {dt.date}:
        return pc.binary_join_element_wise(pc.cast(pa.array(values, pa.date32()), pa.string()), " 00:00:00", "")
    return pa.array([_date_text(value) for value in values], pa.string())


def _date_text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, _MIDNIGHT)
    return moment.isoformat(" ").removesuffix("000") if moment.microsecond else moment.isoformat(" ")


def _times(values: Sequence[dt.time]) -> pa.StringArray:
    return pa.array([value.isoformat() for value in values], pa.string())


def _durations(values: Sequence[dt.timedelta]) -> pa.StringArray:
    return pa.array([_duration_text(value) for value in values], pa.string())


def _duration_text(value: dt.timedelta) -> str:
    sign, size = ("-", -value) if value < dt.timedelta() else ("", value)
    minutes, seconds = divmod(size.days * 86_400 + size.seconds, 60)
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _booleans(values: Sequence[bool]) -> pa.StringArray:
    return pc.cast(pa.array(values, pa.bool_()), pa.string())


_TEXTS: dict[CellKind, Callable[[Sequence[Any]], pa.StringArray]] = {
    CellKind.TEXT: _strings,
    CellKind.NUMBER: _numbers,
    CellKind.DATE: _dates,
    CellKind.TIME: _times,
    CellKind.DURATION: _durations,
    CellKind.BOOLEAN: _booleans,
    CellKind.ERROR: _strings,
}

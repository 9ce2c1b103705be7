"""Cells of a workbook to declared types, by what each cell is; those of text are read as in a text file.

Which kind of cell goes into which type is told in the contract reference; what does not is invalid, which is null here.
"""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from loader.archive.parquet import arrow_type
from loader.contracts import Column, ColumnType, Notation
from loader.readers.table import DAY_ZERO, FIRST_KNOWN, CellKind, Cells
from loader.validation.conversion import convert, mapped
from loader.validation.moments import times_of_day
from loader.validation.texts import by_distinct

_EXACT = 2.0**53
"""From there on a double stands for several whole numbers."""
_MANY_DIGITS = Context(prec=80)
_ISO = r"^[0-9]{4}-[01][0-9]-[0-3][0-9](?:[ T][0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?)?$"
_DAY = 86_400_000
"""Milliseconds; programs show no less of a time."""


def values_of(cells: Cells, column: Column, notation: Notation, day_zero: dt.date = DAY_ZERO) -> pa.Array:
    """Tidy cells as `arrow_type(column.type)`; null where a cell is null or invalid."""
    if cells.kinds is None:
        return convert(cells.text, column.type, notation)
    target = arrow_type(column.type)
    stated, text = mapped(cells.text, target, notation)
    read = _by_kind(Cells(text, cells.kinds), column, notation, day_zero)
    return read if stated is None else pc.coalesce(stated, read)


def _by_kind(cells: Cells, column: Column, notation: Notation, day_zero: dt.date) -> pa.Array:
    kinds = (
        pc.unique(pc.if_else(pc.is_valid(cells.text), cells.kinds, pa.scalar(None, pa.int8()))).drop_null().to_pylist()
    )
    found = pa.nulls(len(cells.text), arrow_type(column.type))
    for kind in map(CellKind, kinds):
        text = cells.text if len(kinds) == 1 else pc.if_else(cells.is_a(kind), cells.text, pa.scalar(None, pa.string()))
        values = convert(text, column.type, notation) if kind is CellKind.TEXT else _read(kind, text, column, day_zero)
        if values is not None:
            found = values if len(kinds) == 1 else pc.coalesce(found, values)
    return found


def has_too_many_digits(cells: Cells, declared: ColumnType) -> pa.BooleanArray | None:
    """Which numbers are whole ones that have lost digits in the workbook; None when there can be none.

    A double is what it is.
    """
    if cells.kinds is None or declared.name == "double":
        return None
    long = pc.and_(pc.match_substring_regex(cells.text, "^-?[0-9]{16}"), cells.is_a(CellKind.NUMBER))
    if not pc.any(long).as_py():
        return None
    return pc.invert(_is_exact(pc.if_else(long, cells.text, _nothing()), long))


def _read(  # noqa: PLR0911 - a field of the table each
    kind: CellKind, text: pa.StringArray, column: Column, day_zero: dt.date
) -> pa.Array | None:
    """The values of cells of one kind; None when the type takes none of them."""
    target, declared = arrow_type(column.type), column.type.name
    is_date = declared in ("date", "timestamp")
    match kind, declared:
        case (CellKind.NUMBER, "varchar"):
            return _exact(text)
        case (CellKind.NUMBER, "boolean"):
            return pc.cast(pc.if_else(pc.is_in(text, pa.array(["0", "1"])), text, _nothing()), target)
        case (CellKind.NUMBER, "integer" | "bigint" | "decimal" | "double"):
            return _numbers(text if declared == "double" else _exact(text), target)
        case (CellKind.NUMBER, _) if is_date and column.serials:
            return _of_moments(by_distinct(text, pa.timestamp("us"), lambda one: _serial(one, day_zero)), target)
        case (CellKind.DATE, "varchar"):
            return pc.if_else(pc.invert(_is_between_systems(text)), text, _nothing())
        case (CellKind.DATE, _) if is_date:
            return _dates(text, target)
        case (CellKind.TIME, "time"):
            return times_of_day(text, target)
        case (CellKind.BOOLEAN, "varchar"):
            return text
        case (CellKind.BOOLEAN, "boolean"):
            return pc.cast(text, target)
    return None


@cache
def _nothing() -> pa.StringScalar:
    """Not made on import: it would import pandas."""
    return pa.scalar(None, pa.string())


def _exact(text: pa.StringArray) -> pa.StringArray:
    """Numbers but those that are whole and have lost digits, are infinite, or none."""
    odd = pc.match_substring_regex(text, "^-?[0-9]{16}|[an]")
    return pc.if_else(_is_exact(text, odd), text, _nothing()) if pc.any(odd).as_py() else text


def _is_exact(text: pa.StringArray, odd: pa.BooleanArray) -> pa.BooleanArray:
    return pc.if_else(odd, pc.less(pc.abs(pc.cast(text, pa.float64())), _EXACT), True)


def _numbers(text: pa.StringArray, target: pa.DataType) -> pa.Array:
    if pa.types.is_floating(target):
        numbers = pc.cast(text, target)
        return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, target))
    if not pc.any(pc.match_substring_regex(text, ".{39}")).as_py():  # as a decimal, more overflow without a word
        try:
            return pc.cast(text, target)
        except pa.ArrowInvalid:
            pass
    return by_distinct(text, target, lambda one: _number(one, target))


def _number(text: str, target: pa.DataType) -> int | Decimal | None:
    """A number when it has no more decimals than the type, or does not show them.

    A sum such as 0.30000000000000004 is stored with more digits than the 15 that a program shows of it. They are those
    of the double, not of its shortest decimal, which may lie on the other side of a half.
    """
    scale = target.scale if pa.types.is_decimal(target) else 0
    whole = (_of_scale(digits, scale) for digits in (Decimal(text), Decimal(f"{float(text):.15g}")))
    rounded = next((number for number in whole if number is not None), None)
    if rounded is None:
        return None
    if pa.types.is_decimal(target):
        return rounded if rounded.copy_abs() < Decimal(10) ** (target.precision - scale) else None
    bits = target.bit_width - 1
    return int(rounded) if -(2**bits) <= rounded < 2**bits else None


def _of_scale(number: Decimal, scale: int) -> Decimal | None:
    """A number with that many decimals; None when it has more of them, or is too large for any type."""
    if number.adjusted() >= 40:
        return None
    rounded = number.quantize(Decimal(1).scaleb(-scale), context=_MANY_DIGITS)
    return rounded if rounded == number else None


def _serial(text: str, day_zero: dt.date) -> dt.datetime | None:
    """The day and time that a number stands for."""
    serial = float(text)
    if not 0 <= serial < 3_000_000:
        return None
    try:
        moment = dt.datetime.combine(day_zero, dt.time()) + dt.timedelta(milliseconds=int(serial * _DAY + 0.5))
    except OverflowError:
        return None
    return moment if moment >= FIRST_KNOWN else None


def _is_between_systems(text: pa.StringArray) -> pa.BooleanArray:
    """Which dates are none, or lie where programs do not agree on the day."""
    day = pc.utf8_slice_codeunits(text, 0, 10)
    unclear = pc.and_(pc.greater_equal(day, str(DAY_ZERO)), pc.less(day, f"{FIRST_KNOWN:%Y-%m-%d}"))
    return pc.or_(unclear, pc.invert(pc.match_substring_regex(text, _ISO)))


def _dates(text: pa.StringArray, target: pa.DataType) -> pa.Array:
    fits = pc.match_substring_regex(text, _ISO)
    if not pc.all(fits).as_py():
        text = pc.if_else(fits, text, _nothing())
    try:
        moments = pc.cast(text, pa.timestamp("us"))
    except pa.ArrowInvalid:  # a day that never was, which no program writes
        moments = by_distinct(text, pa.timestamp("us"), _moment)
    known = pc.greater_equal(moments, pa.scalar(FIRST_KNOWN, moments.type))
    return _of_moments(pc.if_else(known, moments, pa.scalar(None, moments.type)), target)


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _of_moments(moments: pa.TimestampArray, target: pa.DataType) -> pa.Array:
    """Dates are moments at midnight."""
    if not pa.types.is_date(target):
        return moments
    midnight = pc.equal(pc.floor_temporal(moments, unit="day"), moments)
    return pc.cast(pc.if_else(midnight, moments, pa.scalar(None, moments.type)), target)

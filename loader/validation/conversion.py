"""Text cells to declared types. Types are never guessed: what does not match the declared type is invalid.

Every function takes a string array and returns an array of the same length with the valid values (null elsewhere);
a cell that was filled and came out null is invalid. The common case is one vectorised cast; only columns in which
it fails are looked at more closely.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loader.archive.parquet import arrow_type
from loader.contracts import ColumnType, Format
from loader.readers.table import BLANKS

EXCEL_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#ERROR!")
_TRUE = {"true", "t", "yes", "y", "1"}
_FALSE = {"false", "f", "no", "n", "0"}
_DAY_ZERO = dt.datetime(1899, 12, 30)
"""Day 0 of Excel's 1900 date system as it counts from March 1900 on (ECMA-376 part 1, 18.17.4.1)."""

_UNIX_ZERO = dt.datetime(1970, 1, 1)

_DIGITS = {"%d": "(0[1-9]|[12][0-9]|3[01])", "%m": "(0[1-9]|1[0-2])", "%Y": "([1-9][0-9]{3})"}
_ISO = "[1-9][0-9]{3}-[01][0-9]-[0-3][0-9](?:[ T][0-2][0-9]:[0-5][0-9]:[0-5][0-9])?"

_MANY_DIGITS, _EXCEL = Context(prec=80), Context(prec=15)


def tidy(cells: pa.StringArray) -> pa.StringArray:
    """Without surrounding spaces of any kind, in Unicode NFC; a cell of spaces only is null."""
    if pc.all(pc.string_is_ascii(cells)).as_py() is not False:
        cells = pc.ascii_trim_whitespace(cells)
    else:
        cells = pc.utf8_normalize(pc.utf8_trim(cells, characters=BLANKS), form="NFC")
    empty = pc.equal(cells, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), cells) if pc.any(empty).as_py() else cells


def convert(cells: pa.StringArray, declared: ColumnType, fmt: Format) -> pa.Array:
    """Tidy cells as `arrow_type(declared)`; null where the cell is null or invalid."""
    target = arrow_type(declared)
    if declared.name == "varchar":
        return cells
    if declared.name == "boolean":
        return _by_distinct(cells, target, _boolean)
    if declared.name in ("date", "timestamp"):
        return _moments(cells, target, fmt)
    return _numbers(cells, target, fmt)


def _numbers(cells: pa.StringArray, target: pa.DataType, fmt: Format) -> pa.Array:
    plain = _plain(cells, fmt)
    # Arrow reads 0x1f and nan, nobody else; as a decimal, more than 38 digits overflow without a word, and an exponent
    # such as e-999999999 ends the process
    strange = "[xXnN]" if pa.types.is_floating(target) else "[eExXnN]|.{39}"
    if not pc.any(pc.match_substring_regex(plain, strange)).as_py():
        try:
            return pc.cast(plain, target)
        except pa.ArrowInvalid:
            pass
    return _by_distinct(plain, target, lambda text: _number(text, target, fmt))


def _plain(cells: pa.StringArray, fmt: Format) -> pa.StringArray:
    """Numbers in the sender's notation with a point, without money and thousands separators; null where invalid."""
    if fmt.currency:
        cells = _where(
            pc.match_substring(cells, fmt.currency), cells, lambda money: _without_money(money, fmt.currency)
        )
    if fmt.thousands:
        if fmt.thousands == " ":
            cells = pc.replace_substring_regex(cells, "[\u00a0\u2009\u202f]", " ")
        cells = _where(pc.match_substring(cells, fmt.thousands), cells, lambda grouped: _ungrouped(grouped, fmt))
    if fmt.decimal == ",":
        # a workbook mixes numbers (always with a point) and text in the sender's notation
        pointed = fmt.type == "csv" and pc.match_substring(cells, ".")
        cells = pc.if_else(pointed, pa.scalar(None, pa.string()), pc.replace_substring(cells, ",", "."))
    return cells


def _where(mask: pa.BooleanArray, cells: pa.StringArray, change: Callable[[Any], pa.StringArray]) -> pa.StringArray:
    """The cells with those of the mask changed; regular expressions cost by the cell, and few cells need them."""
    mask = pc.fill_null(mask, False)
    return pc.replace_with_mask(cells, mask, change(cells.filter(mask))) if pc.any(mask).as_py() else cells


def _without_money(cells: pa.StringArray, currency: str) -> pa.StringArray:
    """Without the sign of money, which stands once and on either side; a sign of the number before it stays."""
    money, blanks = re.escape(currency), f"[{BLANKS}]*"
    before, after = rf"^([+-]?){blanks}{money}{blanks}", rf"^(.*?){blanks}{money}$"
    return pc.if_else(
        pc.match_substring_regex(cells, before),
        pc.replace_substring_regex(cells, before, r"\1"),
        pc.replace_substring_regex(cells, after, r"\1"),
    )


def _ungrouped(cells: pa.StringArray, fmt: Format) -> pa.StringArray:
    """Without thousands separators where they are in place: in `12,34` the sender, or the contract, is wrong."""
    thousands, decimal = re.escape(str(fmt.thousands)), re.escape(fmt.decimal)
    grouped = pc.match_substring_regex(cells, rf"^[+-]?\d{{1,3}}(?:{thousands}\d{{3}})+(?:{decimal}\d*)?$")
    return pc.if_else(grouped, pc.replace_substring(cells, fmt.thousands, ""), cells)


def _number(text: str, target: pa.DataType, fmt: Format) -> int | float | Decimal | None:
    """One plain number; None when it is not a number, does not match the type or would lose digits."""
    if text.strip("+-.0123456789eE"):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if pa.types.is_floating(target):
        return float(number)
    scale = target.scale if pa.types.is_decimal(target) else 0
    rounded = number.quantize(Decimal(1).scaleb(-scale), context=_MANY_DIGITS) if number.adjusted() < 40 else None
    # A workbook stores doubles: 99999999999.99 arrives as 99999999999.990005493; Excel itself shows 15 digits.
    as_shown = fmt.type == "workbook" and rounded is not None and _EXCEL.plus(rounded) == _EXCEL.plus(number)
    if rounded is None or not (rounded == number or as_shown):
        return None
    if pa.types.is_decimal(target):
        return rounded if rounded.copy_abs() < Decimal(10) ** (target.precision - scale) else None
    bits = target.bit_width - 1
    return int(rounded) if -(2**bits) <= rounded < 2**bits else None


def _moments(cells: pa.StringArray, target: pa.DataType, fmt: Format) -> pa.Array:
    if fmt.dates[0] == "%Y-%m-%d":  # else the contract may read the same text otherwise, for example by %Y-%d-%m
        try:
            return pc.cast(cells, target)
        except pa.ArrowInvalid:
            pass
    moments = _usual_moments(cells, fmt)
    if moments.null_count > cells.null_count:
        rest = pc.if_else(pc.is_valid(moments), pa.scalar(None, pa.string()), cells)
        moments = pc.coalesce(moments, _by_distinct(rest, pa.timestamp("us"), lambda text: _moment(text, fmt)))
    if pa.types.is_date(target):
        midnight = pc.equal(pc.floor_temporal(moments, unit="day"), moments)
        moments = pc.if_else(midnight, moments, pa.scalar(None, moments.type))
        return pc.cast(moments, target)
    return moments


def _usual_moments(cells: pa.StringArray, fmt: Format) -> pa.TimestampArray:
    """What `_moment` returns, by column, for dates of numbers with all their digits; null for others.

    All null where one of them is in no calendar, since Arrow's cast fails as a whole, or where the contract knows
    other forms, since these may fit the same texts.
    """
    iso = pa.nulls(len(cells), pa.string())
    shapes = [_shape(form) for form in fmt.dates]
    if None in shapes:
        return pa.nulls(len(cells), pa.timestamp("us"))
    for shape, order in [*filter(None, shapes), (_ISO, r"\0")]:
        fits = pc.fill_null(pc.and_(pc.is_null(iso), pc.match_substring_regex(cells, f"^{shape}$")), False)
        if pc.any(fits).as_py():
            texts = cells.filter(fits)
            is_iso = order == r"\0"
            texts = texts if is_iso else pc.replace_substring_regex(texts, f"^{shape}$", order)
            iso = pc.replace_with_mask(iso, fits, texts)
    try:
        moments = pc.cast(iso, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return pa.nulls(len(cells), pa.timestamp("us"))
    # a form without separators may fit digits that look like a serial number
    serials = fmt.type == "workbook" and all(re.sub("%[dmY]", "", form) for form in fmt.dates)
    return pc.coalesce(moments, _serial_days(cells)) if serials else moments


@cache
def _shape(form: str) -> tuple[str, str] | None:
    """The texts that a form of day, month and year takes as a regular expression, and its groups as ISO 8601."""
    parts = re.split("(%[dmY])", form)
    if sorted(parts[1::2]) != ["%Y", "%d", "%m"] or "%" in "".join(parts[::2]):
        return None
    shape = "".join(_DIGITS.get(part, re.escape(part)) for part in parts)
    order = "-".join(rf"\{1 + parts[1::2].index(part)}" for part in ("%Y", "%m", "%d"))
    return shape, r"\0" if form == "%Y-%m-%d" else order


def _serial_days(cells: pa.StringArray) -> pa.TimestampArray:
    """Whole days as Excel counts them, of up to six digits; null for others."""
    serial = pc.match_substring_regex(cells, "^[1-9][0-9]{1,5}$")
    days = pc.cast(pc.if_else(serial, cells, pa.scalar(None, pa.string())), pa.int32())
    days = pc.if_else(pc.greater(days, 60), days, pa.scalar(None, pa.int32()))
    since_1970 = pc.add(days, pa.scalar((_DAY_ZERO - _UNIX_ZERO).days, pa.int32()))
    return pc.cast(pc.cast(since_1970, pa.date32()), pa.timestamp("us"))


def _moment(text: str, fmt: Format) -> dt.datetime | None:
    """One date or time as people write it: the contract's forms, ISO 8601, or a serial number in a workbook."""
    for form in fmt.dates:
        try:
            return dt.datetime.strptime(text, form)  # noqa: DTZ007 - no zone is meant
        except ValueError:
            continue
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.replace(tzinfo=None) if moment.tzinfo is None else None
    except ValueError:
        pass
    if fmt.type == "workbook":
        try:
            serial = float(text)
        except ValueError:
            return None
        if 60 < serial < 2_958_466:  # from 1900-03-01 to 9999-12-31; day 60 never was
            return _DAY_ZERO + dt.timedelta(seconds=round(serial * 86_400))
    return None


def _boolean(text: str) -> bool | None:
    word = text.lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _by_distinct(cells: pa.StringArray, target: pa.DataType, read: Callable[[str], object]) -> pa.Array:
    """Apply a Python function once per distinct text."""
    encoded = pc.dictionary_encode(cells)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = pa.array([read(text) for text in encoded.dictionary.to_pylist()], target)
    return values.take(encoded.indices)

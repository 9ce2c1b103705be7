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
from loader.contracts import ColumnType, Notation
from loader.contracts.notation import zone_of
from loader.readers.table import BLANKS

EXCEL_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#ERROR!")
_UNIX_ZERO = dt.datetime(1970, 1, 1)
_CALENDAR = ((dt.date.min - _UNIX_ZERO.date()).days, (dt.date.max - _UNIX_ZERO.date()).days + 1)
"""Days since 1970 of the first day of year 1, and of the day after the last of year 9999."""

_DIGITS = {"%d": "(0[1-9]|[12][0-9]|3[01])", "%m": "(0[1-9]|1[0-2])", "%Y": "([1-9][0-9]{3})"}
_ISO = "[1-9][0-9]{3}-[01][0-9]-[0-3][0-9](?:[ T][0-2][0-9]:[0-5][0-9]:[0-5][0-9])?"
_ISO_TIME = "[1-9][0-9]{3}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,6})?)?"
_ISO_ANY = re.compile(r"[0-9]{4}(-?)(?:[0-9]{2}\1[0-9]{2}|W[0-9]{2}\1[0-9])(?:[ T](?!24).+)?")
"""ISO 8601 down to the day: Python takes any character before the time, and a week for its Monday."""
_MORE_THAN_MICROSECONDS = re.compile("[.,][0-9]{6}[0-9]*[1-9]")
"""Digits that Python would drop."""
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_RUN_TOGETHER = re.compile("%[dmyYHIMSj]%[dmyYHIMSj]")

_QUARTER = dt.timedelta(minutes=15)
"""No zone changes its offset twice in that time."""
_NEGATIVE = {"trailing": "^([^+-].*)-$", "parentheses": r"^\(([^+-].*)\)$", "minus_sign": "^\u2212(.+)$"}
_GROUPED = {
    "thousands": "[1-9][0-9]{{0,2}}(?:{0}[0-9]{{3}})+",
    "indian": "[1-9][0-9]?(?:{0}[0-9]{{2}})*{0}[0-9]{{3}}",
}
_VARIANTS = {" ": "[\u00a0\u2009\u202f]", "'": "\u2019"}
"""Other characters that stand for a thousands separator."""

_TIME = "^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$"
_MANY_DIGITS = Context(prec=80)


def tidy(cells: pa.StringArray) -> pa.StringArray:
    """Without surrounding spaces of any kind, in Unicode NFC; a cell of spaces only is null."""
    if pc.all(pc.string_is_ascii(cells)).as_py() is not False:
        cells = pc.ascii_trim_whitespace(cells)
    else:
        cells = pc.utf8_normalize(pc.utf8_trim(cells, characters=BLANKS), form="NFC")
    empty = pc.equal(cells, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), cells) if pc.any(empty).as_py() else cells


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
        return _times(cells, target)
    if pa.types.is_temporal(target):
        return _moments(cells, target, notation)
    return _numbers(cells, target, notation)


def _numbers(cells: pa.StringArray, target: pa.DataType, notation: Notation) -> pa.Array:
    plain = _plain(cells, notation)
    # Arrow reads 0x1f and nan, nobody else; as a decimal, more than 38 digits overflow without a word, and an exponent
    # such as e-999999999 ends the process
    strange = "[xXnN]" if pa.types.is_floating(target) else "[eExXnN]|.{39}"
    if not pc.any(pc.match_substring_regex(plain, strange)).as_py():
        try:
            return _without_vanished(pc.cast(plain, target), plain)
        except pa.ArrowInvalid:
            pass
    return by_distinct(plain, target, lambda text: _number(text, target))


def _without_vanished(values: pa.Array, plain: pa.StringArray) -> pa.Array:
    """Null where a number is so near to zero that no double but 0 is as near."""
    if not pa.types.is_floating(values.type):
        return values
    zero = pc.equal(values, 0)
    if not pc.any(zero).as_py():
        return values
    vanished = pc.and_(zero, pc.match_substring_regex(plain, "^[^eE]*[1-9]"))
    return pc.if_else(vanished, pa.scalar(None, values.type), values)


def _plain(cells: pa.StringArray, notation: Notation) -> pa.StringArray:
    """Numbers in the sender's notation with a point and a sign before them, nothing else; null where invalid."""
    if notation.percent:
        signed = pc.fill_null(pc.match_substring(cells, "%"), False)
        cells = pc.if_else(signed, _without_sign(cells, "%"), pa.scalar(None, pa.string()))
    if notation.currency:
        money = notation.currency
        cells = _where(pc.match_substring(cells, money), cells, lambda found: _without_sign(found, money))
    for form in notation.negative:
        cells = pc.replace_substring_regex(cells, _NEGATIVE[form], r"-\1")
    if notation.thousands:
        if notation.thousands in _VARIANTS:
            cells = pc.replace_substring_regex(cells, _VARIANTS[notation.thousands], notation.thousands)
        grouped = pc.match_substring(cells, notation.thousands)
        cells = _where(grouped, cells, lambda found: _ungrouped(found, notation))
    if notation.decimal == ",":
        pointed = pc.match_substring(cells, ".")
        cells = pc.if_else(pointed, pa.scalar(None, pa.string()), pc.replace_substring(cells, ",", "."))
    return pc.binary_join_element_wise(cells, "e-2", "") if notation.percent else cells


def _where(mask: pa.BooleanArray, cells: pa.StringArray, change: Callable[[Any], pa.StringArray]) -> pa.StringArray:
    """The cells with those of the mask changed; regular expressions cost by the cell, and few cells need them."""
    mask = pc.fill_null(mask, False)
    return pc.replace_with_mask(cells, mask, change(cells.filter(mask))) if pc.any(mask).as_py() else cells


def _without_sign(cells: pa.StringArray, sign: str) -> pa.StringArray:
    """Without the sign of money or percent, which stands once and on either side, within the mark of a negative."""
    sign, blanks = re.escape(sign), f"[{BLANKS}]*"
    before, after = rf"^([+(\x{{2212}}-]?){blanks}{sign}{blanks}", rf"^(.*?){blanks}{sign}([)-]?)$"
    return pc.if_else(
        pc.match_substring_regex(cells, before),
        pc.replace_substring_regex(cells, before, r"\1"),
        pc.replace_substring_regex(cells, after, r"\1\2"),
    )


def _ungrouped(cells: pa.StringArray, notation: Notation) -> pa.StringArray:
    """Without thousands separators where they are in place: in `12,34` the sender, or the contract, is wrong."""
    thousands, decimal = re.escape(notation.thousands), re.escape(notation.decimal)
    whole = _GROUPED[notation.grouping].format(thousands)
    grouped = pc.match_substring_regex(cells, rf"^[+-]?{whole}(?:{decimal}[0-9]*)?$")
    return pc.if_else(grouped, pc.replace_substring(cells, notation.thousands, ""), cells)


def _number(text: str, target: pa.DataType) -> int | float | Decimal | None:
    """One plain number; None when it is not a number, does not match the type or would lose digits."""
    # 1e3 is a code more likely than a count
    exponent = "" if pa.types.is_integer(target) else "eE"
    if text.strip(f"+-.0123456789{exponent}"):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if pa.types.is_floating(target):
        nearest = float(number)
        return nearest if nearest or not number else None
    scale = target.scale if pa.types.is_decimal(target) else 0
    rounded = number.quantize(Decimal(1).scaleb(-scale), context=_MANY_DIGITS) if number.adjusted() < 40 else None
    if rounded is None or rounded != number:
        return None
    if pa.types.is_decimal(target):
        return rounded if rounded.copy_abs() < Decimal(10) ** (target.precision - scale) else None
    bits = target.bit_width - 1
    return int(rounded) if -(2**bits) <= rounded < 2**bits else None


def _moments(cells: pa.StringArray, target: pa.DataType, notation: Notation) -> pa.Array:
    if notation.dates[0] == "%Y-%m-%d":  # else the contract may read the same text otherwise, for example by %Y-%d-%m
        try:
            return _in_calendar(pc.cast(cells, target))
        except pa.ArrowInvalid:
            pass
    moments = _usual_moments(cells, notation)
    zone = zone_of(notation.zone) if pa.types.is_timestamp(target) else None
    if zone is not None:
        moments = pc.coalesce(moments, _local_times(_instants(cells, notation), zone))
    if moments.null_count > cells.null_count:
        rest = pc.if_else(pc.is_valid(moments), pa.scalar(None, pa.string()), cells)
        read = by_distinct(rest, pa.timestamp("us"), lambda text: _moment(text, notation, zone))
        moments = pc.coalesce(moments, read)
    if pa.types.is_date(target):
        midnight = pc.equal(pc.floor_temporal(moments, unit="day"), moments)
        moments = pc.if_else(midnight, moments, pa.scalar(None, moments.type))
        return pc.cast(moments, target)
    return moments


def _in_calendar(moments: pa.Array) -> pa.Array:
    """Null for the year 0 and for those after 9999, which Arrow knows and engines do not."""
    first, beyond = (pa.scalar(days, pa.int32()).cast(pa.date32()).cast(moments.type) for days in _CALENDAR)
    known = pc.and_(pc.greater_equal(moments, first), pc.less(moments, beyond))
    return moments if pc.all(known).as_py() is not False else pc.if_else(known, moments, pa.scalar(None, moments.type))


def _usual_moments(cells: pa.StringArray, notation: Notation) -> pa.TimestampArray:
    """What `_moment` returns, by column, for dates of numbers with all their digits; null for others.

    All null where one of them is in no calendar, since Arrow's cast fails as a whole, or where the contract knows
    other forms, since these may fit the same texts.
    """
    iso = pa.nulls(len(cells), pa.string())
    shapes = [_shape(form) for form in notation.dates]
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
    return moments


def _instants(cells: pa.StringArray, notation: Notation) -> pa.TimestampArray:
    """Moments in UTC, by column, of ISO 8601 with an offset; null for others, or for all as above."""
    none = pa.nulls(len(cells), pa.timestamp("us"))
    if None in (_shape(form) for form in notation.dates):
        return none
    fits = pc.match_substring_regex(cells, f"^{_ISO_TIME}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})$")
    if not pc.any(fits).as_py():
        return none
    try:
        instants = pc.cast(pc.if_else(fits, cells, pa.scalar(None, pa.string())), pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return none
    return _in_calendar(pc.cast(instants, pa.timestamp("us")))


def _local_times(instants: pa.TimestampArray, zone: dt.tzinfo) -> pa.TimestampArray:
    """What `_local` returns, by quarters of an hour; null for those in which its answer is not the same all along."""
    if zone is dt.UTC or instants.null_count == len(instants):
        return instants
    quarters = pc.dictionary_encode(pc.floor_temporal(instants, _QUARTER.seconds // 60, unit="minute"))
    offsets = [None if quarter is None else _offset(quarter, zone) for quarter in quarters.dictionary.to_pylist()]
    return pc.add(instants, pa.array(offsets, pa.duration("us")).take(quarters.indices))


def _offset(quarter: dt.datetime, zone: dt.tzinfo) -> dt.timedelta | None:
    """How far a zone is from UTC throughout a quarter of an hour; None where that changes or a time occurs twice."""
    ends = (quarter, quarter + _QUARTER - dt.timedelta.resolution)
    first, last = (_local(end.replace(tzinfo=dt.UTC), zone) for end in ends)
    if first is None or last is None or last - first != ends[1] - ends[0]:
        return None
    return first - quarter


@cache
def _shape(form: str) -> tuple[str, str] | None:
    """The texts that a form of day, month and year takes as a regular expression, and its groups as ISO 8601."""
    parts = re.split("(%[dmY])", form)
    if sorted(parts[1::2]) != ["%Y", "%d", "%m"] or "%" in "".join(parts[::2]):
        return None
    shape = "".join(_DIGITS.get(part, re.escape(part)) for part in parts)
    order = "-".join(rf"\{1 + parts[1::2].index(part)}" for part in ("%Y", "%m", "%d"))
    return shape, r"\0" if form == "%Y-%m-%d" else order


def _moment(text: str, notation: Notation, zone: dt.tzinfo | None) -> dt.datetime | None:
    """One date or time as people write it: the contract's forms, or ISO 8601.

    One with an offset becomes the local time of `zone`; where there is none, it is invalid.
    """
    if _FOREIGN_DIGIT.search(text):
        return None
    read = (_by_form(text, form) for form in notation.dates)
    moment = next((found for found in read if found is not None), None) or _by_iso(text)
    return moment if moment is None or moment.tzinfo is None else _local(moment, zone)


def _by_form(text: str, form: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.strptime(text, form)  # noqa: DTZ007 - a zone is meant only where the form has one
    except ValueError:
        return None
    if _RUN_TOGETHER.search(form):
        # strptime takes 1112025 for %d%m%Y: without anything between them, only all digits tell where a number ends
        written = moment.strftime(re.split("%[fz]", form)[0])
        return moment if text[: len(written)].casefold() == written.casefold() else None
    return moment


def _by_iso(text: str) -> dt.datetime | None:
    if not _ISO_ANY.fullmatch(text) or _MORE_THAN_MICROSECONDS.search(text):
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _local(moment: dt.datetime, zone: dt.tzinfo | None) -> dt.datetime | None:
    """The local time of a zone; None in an hour that occurs twice, since nobody could tell which it was."""
    if zone is None:
        return None
    try:
        here = moment.astimezone(zone)
    except OverflowError:
        return None
    is_twice = here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset()
    return None if is_twice else here.replace(tzinfo=None)


def _times(cells: pa.StringArray, target: pa.DataType) -> pa.Array:
    """Times of day, as `HH:MM` or `HH:MM:SS`."""
    return times_of_day(pc.if_else(pc.match_substring_regex(cells, _TIME), cells, pa.scalar(None, pa.string())), target)


def times_of_day(texts: pa.StringArray, target: pa.DataType) -> pa.Array:
    """Texts in ISO 8601 as times of day, for which Arrow has no cast."""
    return pc.cast(pc.cast(pc.binary_join_element_wise("1970-01-01", texts, " "), pa.timestamp("us")), target)


def _booleans(cells: pa.StringArray, target: pa.DataType, notation: Notation) -> pa.Array:
    values = {word.lower(): True for word in notation.true_values} | {
        word.lower(): False for word in notation.false_values
    }
    return by_distinct(cells, target, lambda text: values.get(text.lower()))


def by_distinct(cells: pa.StringArray, target: pa.DataType, read: Callable[[str], object]) -> pa.Array:
    """What a Python function makes of each text; it is called once per distinct one."""
    encoded = pc.dictionary_encode(cells)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = pa.array([read(text) for text in encoded.dictionary.to_pylist()], target)
    return values.take(encoded.indices)

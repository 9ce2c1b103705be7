"""Texts to dates, timestamps and times of day: in the forms of the contract, or in ISO 8601."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from loader.contracts import Notation
from loader.contracts.notation import zone_of
from loader.validation.texts import by_distinct

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
_TIME = "^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$"

_QUARTER = dt.timedelta(minutes=15)
"""No zone changes its offset twice in that time."""


def as_moments(cells: pa.StringArray, target: pa.DataType, notation: Notation) -> pa.Array:
    """Tidy cells as dates or timestamps; null where the cell is null or invalid."""
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


def as_times(cells: pa.StringArray, target: pa.DataType) -> pa.Array:
    """Times of day, as `HH:MM` or `HH:MM:SS`."""
    return times_of_day(pc.if_else(pc.match_substring_regex(cells, _TIME), cells, pa.scalar(None, pa.string())), target)


def times_of_day(texts: pa.StringArray, target: pa.DataType) -> pa.Array:
    """Texts in ISO 8601 as times of day, for which Arrow has no cast."""
    return pc.cast(pc.cast(pc.binary_join_element_wise("1970-01-01", texts, " "), pa.timestamp("us")), target)

"""Periods: half-open intervals with a short name.

A name is all that is written to `_data_period`; start and end follow from it:

=========  ====================  ==================
grain      name                  length of the name
=========  ====================  ==================
year       ``2025``              7
quarter    ``2025-Q2``           7
month      ``2025-06``           7
week       ``2025-W03``          10
day        ``2025-06-14``        10
fiscal     ``FY2025-P03``        10
window     ``2025-06-14T02:00``  16
=========  ====================  ==================

The length is that of the column; names of a grain are of one length, and sort by time. Weeks are those of ISO 8601:
they begin on Monday, and the year of a week is that of its Thursday.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from loader.contracts.calendars import CALENDAR_MONTHS, FiscalYear
from loader.text import plural


class Grain(StrEnum):
    """How long a period of a dataset is."""

    YEAR = "year"
    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    FISCAL = "fiscal"
    WINDOW = "window"

    @property
    def name_length(self) -> int:
        """The width of `_data_period`, in characters."""
        return {Grain.YEAR: 7, Grain.QUARTER: 7, Grain.MONTH: 7, Grain.WINDOW: 16}.get(self, 10)

    @property
    def example(self) -> str:
        """The name of a period of this grain, for messages."""
        return _NAMES[self][1]

    @property
    def parts(self) -> tuple[str, ...]:
        """What the name of a period is made of, from the largest to the smallest."""
        return tuple(re.compile(_NAMES[self][0]).groupindex)


_NAMES: dict[Grain, tuple[str, str, str]] = {
    Grain.YEAR: ("(?P<year>[0-9]{4})", "2025", "{year:04}"),
    Grain.QUARTER: ("(?P<year>[0-9]{4})-Q(?P<quarter>[1-4])", "2025-Q2", "{year:04}-Q{quarter}"),
    Grain.MONTH: ("(?P<year>[0-9]{4})-(?P<month>[0-9]{2})", "2025-06", "{year:04}-{month:02}"),
    Grain.WEEK: ("(?P<year>[0-9]{4})-W(?P<week>[0-9]{2})", "2025-W03", "{year:04}-W{week:02}"),
    Grain.DAY: (
        "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})",
        "2025-06-14",
        "{year:04}-{month:02}-{day:02}",
    ),
    Grain.FISCAL: (
        "FY(?P<year>[0-9]{4})-P(?P<fiscal_period>[0-9]{2})",
        "FY2025-P03",
        "FY{year:04}-P{fiscal_period:02}",
    ),
    Grain.WINDOW: (
        "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})",
        "2025-06-14T02:00",
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}",
    ),
}
"""The form of a name, an example, and how it is written."""


@dataclass(frozen=True, order=True)
class Period:
    """A half-open interval `[start, end)`; `start` and `end` are naive datetimes (UTC for windows)."""

    start: datetime
    end: datetime
    name: str

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(
        cls, name: str, grain: Grain, window: timedelta = timedelta(hours=2), fiscal: FiscalYear = CALENDAR_MONTHS
    ) -> Period:
        """The period called `name`; `window` is the length of a window, `fiscal` the year of grain `fiscal`.

        >>> quarter = Period.parse("2025-Q2", Grain.QUARTER)
        >>> print(quarter.start, quarter.end)
        2025-04-01 00:00:00 2025-07-01 00:00:00

        Raises:
            ValueError: the name has not the form of its grain, or names no real date.
        """
        parts = parts_of(name, grain)
        if grain is Grain.FISCAL and parts and fiscal.is_special(parts["fiscal_period"]):
            raise ValueError(
                f"'{name}' is a special period: it has no time of its own, and so no place in a history; deliver its "
                f"rows with those of period {fiscal.count}"
            )
        bounds = _bounds(grain, parts, window, fiscal) if parts else None
        if bounds is None:
            raise ValueError(f"'{name}' is not a {grain} period; write it like {grain.example}")
        if grain is Grain.WINDOW and (bounds[0] - bounds[0].replace(hour=0, minute=0)) % window:
            hours = int(window / timedelta(hours=1))
            raise ValueError(
                f"'{name}' is not a {grain} period: one begins every {plural(hours, 'hour')} from midnight"
            )
        return cls(*bounds, name)


def parts_of(name: str, grain: Grain) -> dict[str, int] | None:
    """The numbers in a name by what they are; None when it has not the form of its grain.

    >>> parts_of("2025-W03", Grain.WEEK)
    {'year': 2025, 'week': 3}
    """
    match = re.fullmatch(_NAMES[grain][0], name)
    return {part: int(text) for part, text in match.groupdict().items()} if match else None


def name_of(grain: Grain, parts: Mapping[str, int]) -> str:
    """The name that has these parts; whether there is such a period is the affair of `Period.parse`.

    >>> name_of(Grain.WEEK, {"year": 2025, "week": 3})
    '2025-W03'
    """
    return _NAMES[grain][2].format(**parts)


def name_of_holding(
    moment: datetime, grain: Grain, window: timedelta = timedelta(hours=2), fiscal: FiscalYear = CALENDAR_MONTHS
) -> str:
    """The name of the period that holds a moment.

    >>> name_of_holding(datetime(2024, 12, 31), Grain.WEEK)
    '2025-W01'

    Raises:
        ValueError: it lies at the end of the calendar, where no period ends any more.
    """
    if grain is Grain.FISCAL:
        years = (moment.year + offset for offset in (-1, 0, 1))
        for year, number in ((year, number) for year in years for number in range(1, fiscal.count + 1)):
            start, end = fiscal.interval(year, number)
            if start <= moment < end:
                return name_of(grain, {"year": year, "fiscal_period": number})
        raise ValueError(f"no fiscal period holds {moment}")
    if grain is Grain.WEEK:
        year, week, _ = moment.isocalendar()
        return name_of(grain, {"year": year, "week": week})
    if grain is Grain.WINDOW:
        moment -= (moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)) % window
    parts = {part: getattr(moment, part) for part in ("year", "month", "day", "hour", "minute")}
    return name_of(grain, {**parts, "quarter": (moment.month + 2) // 3})


def without_colon(name: str) -> str:
    """The name of a period as files have it: a colon is no character of a file name everywhere."""
    return name.replace(":", "")


def with_colon(name: str) -> str:
    """The name of a period that a file name may tell without its colon."""
    return re.sub(r"(T[0-9]{2})([0-9]{2})$", r"\1:\2", name)


def _bounds(
    grain: Grain, parts: dict[str, int], window: timedelta, fiscal: FiscalYear
) -> tuple[datetime, datetime] | None:
    """Start and end; None when there is no such date."""
    try:
        return _interval(grain, list(parts.values()), window, fiscal)
    except (ValueError, OverflowError):
        return None


def _interval(grain: Grain, parts: list[int], window: timedelta, fiscal: FiscalYear) -> tuple[datetime, datetime]:
    if grain is Grain.YEAR:
        return datetime(parts[0], 1, 1), datetime(parts[0] + 1, 1, 1)
    if grain is Grain.QUARTER:
        return _months(parts[0], 3 * parts[1] - 2, 3)
    if grain is Grain.MONTH:
        return _months(parts[0], parts[1], 1)
    if grain is Grain.FISCAL:
        return fiscal.interval(parts[0], parts[1])
    if grain is Grain.WEEK:
        start = datetime.fromisocalendar(parts[0], parts[1], 1)
        return start, start + timedelta(weeks=1)
    start = datetime(*parts)  # type: ignore[arg-type]
    return start, start + (timedelta(days=1) if grain is Grain.DAY else window)


def _months(year: int, month: int, count: int) -> tuple[datetime, datetime]:
    start = datetime(year, month, 1)
    years, month0 = divmod(month - 1 + count, 12)
    return start, datetime(year + years, month0 + 1, 1)

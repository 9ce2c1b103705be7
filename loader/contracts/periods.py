"""Periods: half-open intervals with a short name.

A name is all that is written to `_data_period`; start and end follow from it:

=========  ====================  ==================
grain      name                  length of the name
=========  ====================  ==================
year       ``2025``              7
quarter    ``2025-Q2``           7
month      ``2025-06``           7
day        ``2025-06-14``        10
window     ``2025-06-14T02:00``  16
=========  ====================  ==================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Grain(StrEnum):
    """How long a period of a dataset is."""

    YEAR = "year"
    QUARTER = "quarter"
    MONTH = "month"
    DAY = "day"
    WINDOW = "window"

    @property
    def name_length(self) -> int:
        """The width of `_data_period`, in characters."""
        return {Grain.DAY: 10, Grain.WINDOW: 16}.get(self, 7)

    @property
    def example(self) -> str:
        """The name of a period of this grain, for messages."""
        return _SHAPES[self][1]


_SHAPES: dict[Grain, tuple[re.Pattern[str], str]] = {
    Grain.YEAR: (re.compile(r"([0-9]{4})"), "2025"),
    Grain.QUARTER: (re.compile(r"([0-9]{4})-Q([1-4])"), "2025-Q2"),
    Grain.MONTH: (re.compile(r"([0-9]{4})-([0-9]{2})"), "2025-06"),
    Grain.DAY: (re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"), "2025-06-14"),
    Grain.WINDOW: (re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})"), "2025-06-14T02:00"),
}


@dataclass(frozen=True, order=True)
class Period:
    """A half-open interval `[start, end)`; `start` and `end` are naive datetimes (UTC for windows)."""

    start: datetime
    end: datetime
    name: str

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, name: str, grain: Grain, window: timedelta = timedelta(hours=2)) -> Period:
        """The period called `name`; `window` is the length of a window, and used for no other grain.

        >>> quarter = Period.parse("2025-Q2", Grain.QUARTER)
        >>> print(quarter.start, quarter.end)
        2025-04-01 00:00:00 2025-07-01 00:00:00

        Raises:
            ValueError: the name has not the form of its grain, or names no real date.
        """
        shape, example = _SHAPES[grain]
        match = shape.fullmatch(name)
        bounds = _bounds(grain, [int(part) for part in match.groups()], window) if match else None
        if bounds is None:
            raise ValueError(f"'{name}' is not a {grain} period; write it like {example}")
        return cls(*bounds, name)


def _bounds(grain: Grain, parts: list[int], window: timedelta) -> tuple[datetime, datetime] | None:
    """Start and end; None when there is no such date."""
    try:
        return _interval(grain, parts, window)
    except (ValueError, OverflowError):
        return None


def _interval(grain: Grain, parts: list[int], window: timedelta) -> tuple[datetime, datetime]:
    if grain is Grain.YEAR:
        return datetime(parts[0], 1, 1), datetime(parts[0] + 1, 1, 1)
    if grain is Grain.QUARTER:
        return _months(parts[0], 3 * parts[1] - 2, 3)
    if grain is Grain.MONTH:
        return _months(parts[0], parts[1], 1)
    start = datetime(*parts)  # type: ignore[arg-type]
    return start, start + (timedelta(days=1) if grain is Grain.DAY else window)


def _months(year: int, month: int, count: int) -> tuple[datetime, datetime]:
    start = datetime(year, month, 1)
    years, month0 = divmod(month - 1 + count, 12)
    return start, datetime(year + years, month0 + 1, 1)

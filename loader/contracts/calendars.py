"""Fiscal years: where they begin and end, and how they are cut into periods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from loader.contracts.model import Mistake, Model, tell

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_QUARTERS = {"4-4-5": [4, 4, 5], "4-5-4": [4, 5, 4], "5-4-4": [5, 4, 4]}
_LAST_SPECIAL = 16
"""Ledgers have up to 16 periods: those beyond the regular ones are for entries after the end of the year."""


class FiscalYear(Model):
    """The fiscal year of a dataset of grain `fiscal`; with periods of weeks it has 52 weeks, or 53."""

    periods: Literal["months", "4-4-5", "4-5-4", "5-4-4", "13x4"] = Field(examples=["4-4-5"])
    """How the year is cut: into months, into quarters of 4, 4 and 5 weeks (or in that order), or 13 times 4 weeks."""
    first_month: Annotated[int, Field(ge=1, le=12, examples=[10])]
    """The month with which the year begins. A year of weeks ends around the last day of the month before it."""
    named_by: Literal["start", "end"] | None = Field(None, examples=["end"])
    """The calendar year that names the fiscal year: that of its first month, or that of its last. Required unless the
    first month is January, with which they are the same. Days by which a year of weeks ends early or late do not
    count."""
    ends_on: Weekday | None = Field(None, examples=["saturday"])
    """Of a year of weeks: the day of the week on which it ends."""
    end_is: Literal["last", "nearest"] | None = Field(None, examples=["last"])
    """Of a year of weeks: `last`: it ends on the last such day of its last month; `nearest`: on the one nearest to the
    last day of that month, which may be up to three days later."""
    extra_week_in: int | None = Field(None, ge=1, le=13, examples=[12])
    """Of a year of weeks: the period that has a week more in a year of 53 weeks; the last one when nothing is said."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        tell(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[Mistake]:
        if self.named_by is None and self.first_month != 1:
            yield Mistake("'named_by' is required: the calendar year of the first month (start) or of the last (end)")
        for word in ("ends_on", "end_is"):
            if (getattr(self, word) is None) == self.is_of_weeks:
                belongs = "is required: the year has" if self.is_of_weeks else "belongs to"
                yield Mistake(f"'{word}' {belongs} periods of weeks")
        if self.extra_week_in is not None and not self.is_of_weeks:
            yield Mistake("'extra_week_in' belongs to periods of weeks", ("extra_week_in",))
        if self.extra_week_in is not None and self.extra_week_in > self.count:
            yield Mistake(
                f"'extra_week_in: {self.extra_week_in}': the year has {self.count} periods", ("extra_week_in",)
            )

    @property
    def is_of_weeks(self) -> bool:
        """Whether its periods are weeks, not months."""
        return self.periods != "months"

    @property
    def count(self) -> int:
        """How many periods a year has."""
        return 13 if self.periods == "13x4" else 12

    def is_special(self, number: int) -> bool:
        """Whether ledgers have a period of this number that is no part of the year."""
        return self.count < number <= _LAST_SPECIAL

    def interval(self, year: int, number: int) -> tuple[datetime, datetime]:
        """Start and end of a period of a fiscal year, half-open.

        >>> FiscalYear(periods="months", first_month=10, named_by="end").interval(2025, 3)
        (datetime.datetime(2024, 12, 1, 0, 0), datetime.datetime(2025, 1, 1, 0, 0))

        Raises:
            ValueError: there is no such period.
        """
        if not 1 <= number <= self.count:
            raise ValueError(f"a fiscal year has {self.count} periods")
        if not self.is_of_weeks:
            begins = self._first_calendar_year(year)
            return _first_of(begins, self.first_month + number - 1), _first_of(begins, self.first_month + number)
        begins_on, next_begins_on = self._end_of_weeks(year - 1), self._end_of_weeks(year)
        weeks = [4] * 13 if self.periods == "13x4" else _QUARTERS[self.periods] * 4
        weeks[(self.extra_week_in or self.count) - 1] += (next_begins_on - begins_on).days // 7 - 52
        start = begins_on + timedelta(weeks=sum(weeks[: number - 1]))
        return start, start + timedelta(weeks=weeks[number - 1])

    def _first_calendar_year(self, year: int) -> int:
        return year - 1 if self.named_by == "end" and self.first_month != 1 else year

    def _end_of_weeks(self, year: int) -> datetime:
        """The day after the last one of a year of weeks, which is the first of the next."""
        last = _first_of(self._first_calendar_year(year) + 1, self.first_month) - timedelta(days=1)
        around = last if self.end_is == "last" else last + timedelta(days=3)
        weekday = _WEEKDAYS.index(self.ends_on or "")
        return around - timedelta(days=(around.weekday() - weekday) % 7) + timedelta(days=1)


CALENDAR_MONTHS = FiscalYear(periods="months", first_month=1)
"""A fiscal year that is the calendar's."""


def _first_of(year: int, month: int) -> datetime:
    """Midnight of the first day of a month; months beyond 12 are those of the next year."""
    return datetime.combine(date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1), datetime.min.time())

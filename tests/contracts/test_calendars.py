"""Fiscal years, against calendars that were published, against pandas, and as a whole."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from loader.contracts import Grain, Period
from loader.contracts.calendars import FiscalYear

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

RETAIL = FiscalYear(periods="4-5-4", first_month=2, named_by="start", ends_on="saturday", end_is="nearest")
"""That of the National Retail Federation: it ends on the Saturday nearest to the end of January."""
GOVERNMENT = FiscalYear(periods="months", first_month=10, named_by="end")
"""That of the United States: fiscal year 2025 began on 1 October 2024."""
SEPTEMBER = FiscalYear(periods="13x4", first_month=10, named_by="end", ends_on="saturday", end_is="last")
"""13 periods of weeks, to the last Saturday of September."""


@pytest.mark.parametrize(
    ("fiscal", "name", "start", "end"),
    [
        (GOVERNMENT, "FY2025-P01", datetime(2024, 10, 1), datetime(2024, 11, 1)),
        (GOVERNMENT, "FY2025-P12", datetime(2025, 9, 1), datetime(2025, 10, 1)),
        # the federation's calendars: 2023 has 53 weeks, so February 2024 begins on the 4th
        (RETAIL, "FY2023-P01", datetime(2023, 1, 29), datetime(2023, 2, 26)),
        (RETAIL, "FY2023-P12", datetime(2023, 12, 31), datetime(2024, 2, 4)),
        (RETAIL, "FY2024-P01", datetime(2024, 2, 4), datetime(2024, 3, 3)),
        (RETAIL, "FY2024-P02", datetime(2024, 3, 3), datetime(2024, 4, 7)),
        (RETAIL, "FY2024-P12", datetime(2025, 1, 5), datetime(2025, 2, 2)),
        # a company that reports to the last Saturday of September: 2023 began on 2022-09-25 and had 53 weeks
        (SEPTEMBER, "FY2023-P01", datetime(2022, 9, 25), datetime(2022, 10, 23)),
        (SEPTEMBER, "FY2023-P13", datetime(2023, 8, 27), datetime(2023, 10, 1)),
        (SEPTEMBER, "FY2024-P13", datetime(2024, 9, 1), datetime(2024, 9, 29)),
    ],
)
def test_periods_are_those_that_were_published(fiscal: FiscalYear, name: str, start: datetime, end: datetime) -> None:
    assert Period.parse(name, Grain.FISCAL, fiscal=fiscal) == Period(start, end, name)


@pytest.mark.parametrize("number", [13, 14, 15, 16])
def test_a_special_period_has_no_time(number: int) -> None:
    reason = f"'FY2025-P{number}' is a special period: it has no time of its own, and so no place in a history"
    with pytest.raises(ValueError, match=re.escape(reason)):
        Period.parse(f"FY2025-P{number}", Grain.FISCAL, fiscal=GOVERNMENT)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"periods": "months", "first_month": 4}, "'named_by' is required"),
        ({"periods": "4-4-5", "first_month": 1}, "'ends_on' is required: the year has periods of weeks"),
        ({"periods": "months", "first_month": 1, "end_is": "last"}, "'end_is' belongs to periods of weeks"),
        ({"periods": "months", "first_month": 1, "extra_week_in": 3}, "'extra_week_in' belongs to periods of weeks"),
        (
            {"periods": "4-4-5", "first_month": 1, "ends_on": "friday", "end_is": "last", "extra_week_in": 13},
            "'extra_week_in: 13': the year has 12 periods",
        ),
        ({"periods": "4-4-4", "first_month": 1}, "'4-5-4'"),
        ({"periods": "months", "first_month": 13}, "less than or equal to 12"),
    ],
)
def test_a_year_that_is_not_whole_is_refused(words: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(reason)):
        FiscalYear(**words)


@st.composite
def fiscal_years(draw: st.DrawFn) -> FiscalYear:
    """Any fiscal year that a contract can declare."""
    periods = draw(st.sampled_from(["months", "4-4-5", "4-5-4", "5-4-4", "13x4"]))
    words = {
        "periods": periods,
        "first_month": draw(st.integers(1, 12)),
        "named_by": draw(st.sampled_from(["start", "end"])),
    }
    if periods != "months":
        words["ends_on"] = draw(st.sampled_from(WEEKDAYS))
        words["end_is"] = draw(st.sampled_from(["last", "nearest"]))
        words["extra_week_in"] = draw(st.none() | st.integers(1, 13 if periods == "13x4" else 12))
    return FiscalYear(**words)


@settings(deadline=None)
@given(fiscal_years(), st.integers(1000, 9000))
def test_the_periods_of_years_follow_each_other_and_so_do_their_names(fiscal: FiscalYear, year: int) -> None:
    count = 13 if fiscal.periods == "13x4" else 12
    names = [f"FY{one:04}-P{number:02}" for one in range(year, year + 7) for number in range(1, count + 1)]
    found = [Period.parse(name, Grain.FISCAL, fiscal=fiscal) for name in names]
    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]
    assert sorted(names) == names
    assert {len(name) for name in names} == {10}
    for one in found:
        days = (one.end - one.start).days
        assert days in ((28, 29, 30, 31) if fiscal.periods == "months" else (28, 35, 42))
    named = {"start": found[0], "end": found[count - 1]}[fiscal.named_by or "start"]
    middle = named.start + (named.end - named.start) / 2
    assert middle.year == year  # that of its first month or of its last, wherever its days begin and end


@settings(deadline=None)
@given(fiscal_years().filter(lambda fiscal: "-" in fiscal.periods), st.integers(1700, 2200))
def test_quarters_of_weeks_are_those_of_pandas(fiscal: FiscalYear, year: int) -> None:
    quarters = [
        Period.parse(f"FY{year}-P{3 * quarter + 1:02}", Grain.FISCAL, fiscal=fiscal).start for quarter in range(4)
    ]
    pandas = pd.offsets.FY5253Quarter(
        weekday=WEEKDAYS.index(fiscal.ends_on or ""),
        startingMonth=(fiscal.first_month - 2) % 12 + 1,
        qtr_with_extra_week=((fiscal.extra_week_in or 12) + 2) // 3,
        variation=fiscal.end_is or "last",
    )
    for start, after in pairwise(quarters):
        last = pd.Timestamp(start - timedelta(days=1))
        assert pandas.is_on_offset(last)  # the last day of the quarter before
        assert (last + pandas).to_pydatetime() + timedelta(days=1) == after

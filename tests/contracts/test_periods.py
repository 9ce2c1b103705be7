"""Names of periods: what they mean, and what is no name."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.contracts import Grain, Period


@pytest.mark.parametrize(
    ("grain", "name", "start", "end"),
    [
        (Grain.YEAR, "2025", datetime(2025, 1, 1), datetime(2026, 1, 1)),
        (Grain.QUARTER, "2025-Q1", datetime(2025, 1, 1), datetime(2025, 4, 1)),
        (Grain.QUARTER, "2025-Q4", datetime(2025, 10, 1), datetime(2026, 1, 1)),
        (Grain.MONTH, "2025-06", datetime(2025, 6, 1), datetime(2025, 7, 1)),
        (Grain.MONTH, "2025-12", datetime(2025, 12, 1), datetime(2026, 1, 1)),
        (Grain.WEEK, "2020-W53", datetime(2020, 12, 28), datetime(2021, 1, 4)),
        (Grain.WEEK, "2025-W01", datetime(2024, 12, 30), datetime(2025, 1, 6)),
        (Grain.FISCAL, "FY2025-P03", datetime(2025, 3, 1), datetime(2025, 4, 1)),
        (Grain.DAY, "2024-02-29", datetime(2024, 2, 29), datetime(2024, 3, 1)),
        (Grain.DAY, "2025-12-31", datetime(2025, 12, 31), datetime(2026, 1, 1)),
        (Grain.WINDOW, "2025-06-14T22:00", datetime(2025, 6, 14, 22), datetime(2025, 6, 15)),
    ],
)
def test_a_name_is_a_half_open_interval(grain: Grain, name: str, start: datetime, end: datetime) -> None:
    assert Period.parse(name, grain) == Period(start, end, name)
    assert len(name) <= grain.name_length


def test_a_window_is_as_long_as_the_contract_says() -> None:
    period = Period.parse("2025-06-14T06:00", Grain.WINDOW, timedelta(hours=6))
    assert period.end == datetime(2025, 6, 14, 12)
    with pytest.raises(ValueError, match="one begins every 6 hours from midnight"):
        Period.parse("2025-06-14T02:00", Grain.WINDOW, timedelta(hours=6))


@pytest.mark.parametrize(
    ("grain", "name"),
    [
        (Grain.YEAR, "0000"),
        (Grain.YEAR, "25"),
        (Grain.YEAR, "2025-01"),
        (Grain.QUARTER, "2025-Q0"),
        (Grain.QUARTER, "2025-Q5"),
        (Grain.QUARTER, "2025-q1"),
        (Grain.QUARTER, "2025-03"),
        (Grain.MONTH, "2025-00"),
        (Grain.MONTH, "2025-13"),
        (Grain.MONTH, "2025-6"),
        (Grain.MONTH, "2025-06-01"),
        (Grain.MONTH, "2025-06\n"),
        (Grain.MONTH, "٢٠٢٥-٠٦"),
        (Grain.MONTH, ""),
        (Grain.WEEK, "2024-W53"),
        (Grain.WEEK, "2025-W00"),
        (Grain.WEEK, "2025-W3"),
        (Grain.FISCAL, "FY2025-P00"),
        (Grain.FISCAL, "FY2025-P17"),
        (Grain.FISCAL, "2025-P01"),
        (Grain.DAY, "2025-02-29"),
        (Grain.DAY, "20250228"),
        (Grain.WINDOW, "2025-06-14T24:00"),
        (Grain.WINDOW, "2025-06-14 02:00"),
    ],
)
def test_what_is_no_name_is_told_the_form(grain: Grain, name: str) -> None:
    with pytest.raises(ValueError, match=f"is not a {grain} period; write it like {grain.example}"):
        Period.parse(name, grain)


@pytest.mark.parametrize("grain", Grain)
def test_the_example_of_a_grain_is_one_of_its_names(grain: Grain) -> None:
    assert Period.parse(grain.example, grain).name == grain.example


def named_after(grain: Grain, day: date) -> str:
    """The name of the period in which a day lies; of a window that of its first one."""
    if grain is Grain.QUARTER:
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{day:{FORMS[grain]}}"


FORMS = {
    Grain.YEAR: "%Y",
    Grain.MONTH: "%Y-%m",
    Grain.WEEK: "%G-W%V",
    Grain.DAY: "%Y-%m-%d",
    Grain.FISCAL: "FY%Y-P%m",
    Grain.WINDOW: "%Y-%m-%dT00:00",
}


@settings(deadline=None)
@given(st.sampled_from([*Grain]), st.dates(date(1000, 1, 1), date(9990, 12, 31)))
def test_periods_follow_each_other_and_so_do_their_names(grain: Grain, day: date) -> None:
    moment = datetime(day.year, day.month, day.day)
    period = Period.parse(named_after(grain, day), grain)
    assert period.start <= moment < period.end
    assert len(period.name) <= grain.name_length
    if grain is not Grain.WINDOW:
        after = Period.parse(named_after(grain, period.end.date()), grain)
        assert after.start == period.end
        assert after.name > period.name
        assert len(after.name) == len(period.name)


@settings(deadline=None)
@given(st.sampled_from([*Grain]), st.text(max_size=17))
def test_any_text_is_a_name_of_plain_digits_or_refused(grain: Grain, text: str) -> None:
    try:
        period = Period.parse(text, grain)
    except ValueError:
        return
    assert period.name == text
    assert text.isascii()
    assert period.start < period.end


def test_periods_sort_by_time() -> None:
    names = ["2025-02", "2024-12", "2025-01"]
    found = sorted(Period.parse(name, Grain.MONTH) for name in names)
    assert [period.name for period in found] == ["2024-12", "2025-01", "2025-02"]

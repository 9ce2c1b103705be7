"""How the names of files tell their periods: what can be said, what is refused, and that what was written is read."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from loader.contracts import Contract
from loader.contracts.file_names import told_by
from loader.contracts.month_names import month_names
from tests.conftest import REPOSITORY

YEAR = {"fiscal_year": {"periods": "months", "first_month": 10, "named_by": "end"}}


def contract(file_name: str, grain: str = "month", **words: Any) -> Contract:
    of_grain = YEAR if grain == "fiscal" else {}
    column = {"type": "integer", "description": "Number.", "required": True}
    return Contract.model_validate(
        {
            "name": "sales",
            "title": "Sales",
            "description": "Sales.",
            "file_name": file_name,
            "format": {"type": "csv"},
            "grain": grain,
            "kind": "full",
            "key": "number",
            "columns": {"number": column},
            **of_grain,
            **words,
        }
    )


def period_in(declared: Contract, name: str) -> str:
    """The period that a file of this name is of."""
    found = declared.match(*name.split("/"))
    assert found is not None, f"{name} does not match"
    return declared.period(declared.spelling.name(told_by(found))).name


@pytest.mark.parametrize(
    ("file_name", "words", "name", "period"),
    [
        (r"s_(?P<period>\w+ \d+)", {"period_format": "Month YYYY", "language": "de"}, "s_MÄRZ 2025", "2025-03"),
        (r"s_(?P<period>\w+\.? \d+)", {"period_format": "Month YYYY", "language": "de"}, "s_Mär. 2025", "2025-03"),
        (r"s_(?P<year>\d+)_(?P<month>\w+)", {"language": "pl"}, "s_2025_września", "2025-09"),
        (r"s_(?P<year>\d+)_(?P<month>\w+)", {"language": "pl"}, "s_2025_wrzesień", "2025-09"),
        (r"s_(?P<year>\d+)_(?P<month>\w+)", {"language": "ja"}, "s_2025_11月", "2025-11"),
        (r"s_(?P<year>\d+)_(?P<month>\w+)", {"language": "pt_BR"}, "s_2025_mar", "2025-03"),
        (r"s_(?P<year>\d\d)(?P<month>\d\d)", {"century": 1970}, "s_7001", "1970-01"),
        (r"s_(?P<year>\d\d)(?P<month>\d\d)", {"century": 1970}, "s_6912", "2069-12"),
        (r"s_(?P<year>\d{4})(?P<month>\d{1,2})", {}, "s_20251", "2025-01"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_of_months_and_short_years(file_name: str, words: Any, name: str, period: str, form: Any) -> None:
    assert period_in(contract(file_name, **words), unicodedata.normalize(form, name)) == period


@pytest.mark.parametrize(
    ("grain", "file_name", "words", "name", "reason"),
    [
        # what strptime takes
        ("month", r"s_(?P<period>\d+)", {"period_format": "YYYYMM"}, "s_20251", "'20251' is not written YYYYMM"),
        ("week", r"s_(?P<period>.+)", {}, "s_2024-W53", "'2024-W53' is not a week period; write it like 2025-W03"),
        ("week", r"s_(?P<year>\d+)_(?P<week>\d+)", {}, "s_2024_53", "'2024-W53' is not a week period"),
        ("month", r"s_(?P<period>.+)", {"period_format": "YYYY_M"}, "s_2025_01", "'2025_01' is not written YYYY_M"),
        ("month", r"s_(?P<period>.+)", {"period_format": "YYYYMM"}, "s_٢٠٢٥٠١", "is not written YYYYMM"),
        ("month", r"s_(?P<year>\d+)-(?P<month>\d+)", {}, "s_٢٠٢٥-1", "is not a number, which the year is"),
        ("month", r"s_(?P<year>\d+)-(?P<month>\d+)", {}, "s_2025-13", "'2025-13' is not a month period"),
        ("day", r"s_(?P<period>.+)", {"period_format": "DDMMYYYY"}, "s_30022025", "'2025-02-30' is not a day period"),
        ("fiscal", r"s_(?P<period>.+)", {"period_format": "ppp.YYYY"}, "s_013.2025", "is a special period"),
        ("window", r"s_(?P<period>.+)", {}, "s_2025-06-14T0130", "is not a window period: one begins every 2 hours"),
        # what would have to be guessed
        ("month", r"s_(?P<year>\d+)-(?P<month>\d+)", {}, "s_25-01", "'25' is a year of two digits: 'century' must say"),
        ("month", r"s_(?P<year>\d+)-(?P<month>\w+)", {}, "s_2025-Mai", "'Mai' is not a number: 'language' must say"),
        ("month", r"s_(?P<year>\d+)-(?P<month>\w+)", {"language": "de"}, "s_2025-May", "'May' is not the name of one"),
        (
            "day",
            r"s_(?P<year>\d{4})(?P<month>\d{1,2})(?P<day>\d{1,2})",
            {},
            "s_2025111",
            "nobody can tell where the month ends and the day begins in 's_2025111'",
        ),
        # what is said twice
        ("month", r"(?P<year>\d+)/s_(?P<period>.+)", {}, "2024/s_2025-01", "it tells 2025-01, and also the year 2024"),
        (
            "month",
            r"(?P<year>\d+)/(?P<month>\d+)/s_(?P<year>\d{4})(?P<month>\d\d)",
            {},
            "2025/01/s_202502",
            "it tells the month 1, and also 2",
        ),
        (
            "month",
            r"(?P<year>\d+)/Q(?P<quarter>\d)/s_(?P<month>\d\d)",
            {},
            "2025/Q1/s_04",
            "it tells the month 4, and also the quarter 1",
        ),
        ("month", r"s(?:_(?P<year>\d+))?_(?P<month>\d+)", {}, "s_01", "it tells no year"),
    ],
)
def test_a_name_that_tells_no_period_or_two_is_refused(
    grain: str, file_name: str, words: Any, name: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        period_in(contract(file_name, grain, **words), name)


@pytest.mark.parametrize(
    ("grain", "file_name", "words", "word", "reason"),
    [
        ("month", r"s_(?P<year>\d+)", {}, "file_name", "or for a month the groups year, month"),
        ("week", r"s_(?P<year>\d+)(?P<month>\d+)", {}, "file_name", "the group 'month' tells nothing of a week"),
        (
            "month",
            r"s_(?P<year>\d+)(?P<period>.+)",
            {},
            "file_name",
            "either the group 'period' or groups of its parts",
        ),
        ("month", r"(?P<period>.+)/s_(?P<period>.+)", {}, "file_name", "the group 'period' stands there twice"),
        ("month", r"(a/b)_(?P<period>.+)", {}, "file_name", "between slashes stands the pattern of one folder each"),
        ("month", r"s_(?P<period>.+)", {"period_format": "yyyy-MM"}, "period_format", "says no year, which a month"),
        (
            "month",
            r"s_(?P<period>.+)",
            {"period_format": "YYYYmm"},
            "period_format",
            "'mm' is the minute, which a month",
        ),
        (
            "week",
            r"s_(?P<period>.+)",
            {"period_format": "YYYY-WW"},
            "period_format",
            "says no week, which a week needs",
        ),
        ("day", r"s_(?P<period>.+)", {"period_format": "YYYYMD"}, "period_format", "nobody can tell where 'M' ends"),
        ("month", r"s_(?P<period>.+)", {"period_format": "YYYYMMM"}, "period_format", "says the month twice"),
        ("month", r"s_(?P<period>.+)", {"period_format": "MonthYYYY"}, "period_format", "'language' must say"),
        ("month", r"s_(?P<period>.+)", {"period_format": "MMYY"}, "period_format", "'century' is required"),
        (
            "day",
            r"s_(?P<period>.+)",
            {"period_format": "YYYYMonthD", "language": "ja"},
            "period_format",
            "nobody can tell where 'Month' ends and 'D' begins",
        ),
        (
            "month",
            r"s_(?P<year>\d+)-(?P<month>\d+)",
            {"period_format": "YYYYMM"},
            "period_format",
            "is about the group 'period', which neither file_name nor 'period' has",
        ),
        ("month", r"s_(?P<period>.+)", {"language": "de"}, "language", "is about names of months"),
        ("month", r"s_(?P<month>.+)-(?P<year>\d+)", {"language": "german"}, "language", "'german' is not a known"),
        ("month", r"s_(?P<period>.+)", {"century": 2000}, "century", "is about years of two digits"),
    ],
)
def test_what_cannot_be_told_is_a_mistake_of_the_contract(
    grain: str, file_name: str, words: Any, word: str, reason: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(reason)) as refused:
        contract(file_name, grain, **words)
    assert word in {place for mistake in refused.value.errors() for place in mistake["loc"]}


@pytest.mark.parametrize("grain", ["month", "fiscal"])
def test_a_fiscal_grain_and_its_year_belong_together(grain: str) -> None:
    words = {"fiscal_year": None} if grain == "fiscal" else YEAR
    with pytest.raises(ValidationError, match="'fiscal_year' belongs to 'grain: fiscal', which needs one"):
        contract("s_(?P<period>.+)", grain, **words)


def test_languages_share_no_names() -> None:
    """What babel knows of a language hangs on which was asked for before: it writes into data that they share."""
    month_names.cache_clear()
    alone = month_names("fr")
    month_names.cache_clear()
    month_names("ja")
    assert month_names("fr") == alone
    assert "1月" not in alone


WRITTEN = {
    "year": {"YYYY": "{year:04}", "YY": "{short:02}"},
    "month": {"MM": "{month:02}", "M": "{month}", "Month": "{name}"},
    "quarter": {"q": "{quarter}"},
    "week": {"ww": "{week:02}", "w": "{week}"},
    "day": {"DD": "{day:02}", "D": "{day}"},
    "fiscal_period": {"ppp": "{fiscal_period:03}", "pp": "{fiscal_period:02}", "p": "{fiscal_period}"},
    "hour": {"hh": "{hour:02}"},
    "minute": {"mm": "{minute:02}"},
}
"""How each word of a form writes a part of a period."""
PARTS = {
    "year": ["year"],
    "quarter": ["year", "quarter"],
    "month": ["year", "month"],
    "week": ["year", "week"],
    "day": ["year", "month", "day"],
    "fiscal": ["year", "fiscal_period"],
    "window": ["year", "month", "day", "hour", "minute"],
}
NAMED = {
    "year": "{year:04}",
    "quarter": "{year:04}-Q{quarter}",
    "month": "{year:04}-{month:02}",
    "week": "{year:04}-W{week:02}",
    "day": "{year:04}-{month:02}-{day:02}",
    "fiscal": "FY{year:04}-P{fiscal_period:02}",
    "window": "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}",
}
ENGLISH = [f"{date(2001, number, 1):%B}" for number in range(1, 13)]


@settings(deadline=None)
@given(st.data(), st.sampled_from(sorted(PARTS)), st.dates(date(1970, 1, 5), date(2069, 12, 20)))
def test_a_period_that_was_written_is_read_again(data: st.DataObject, grain: str, day: date) -> None:
    week = day.isocalendar()
    numbers: dict[str, Any] = {
        "year": week.year if grain == "week" else day.year,
        "month": day.month,
        "name": data.draw(st.sampled_from([str.lower, str.upper, lambda name: f"{name[:3]}."]))(ENGLISH[day.month - 1]),
        "quarter": (day.month + 2) // 3,
        "week": week.week,
        "day": day.day,
        "fiscal_period": day.month,
        "hour": 2 * data.draw(st.integers(0, 11)),
        "minute": 0,
    }
    numbers["short"] = numbers["year"] % 100
    parts = data.draw(st.permutations(PARTS[grain]))
    words = [data.draw(st.sampled_from(sorted(WRITTEN[part]))) for part in parts]
    between = data.draw(
        st.lists(st.sampled_from(["-", "_", " ", ".", "W", "Q"]), min_size=len(words), max_size=len(words))
    )
    joined = dict(zip(words, between, strict=True))
    form = "".join(f"{word}{mark}" for word, mark in joined.items())
    text = "".join(
        f"{WRITTEN[part][word].format(**numbers)}{mark}"
        for part, (word, mark) in zip(parts, joined.items(), strict=True)
    )
    expected = NAMED[grain].format(**numbers)
    spoken = {"century": 1970} if "YY" in words else {}
    spoken |= {"language": "en"} if "Month" in words else {}
    assert (
        period_in(contract(r"s_(?P<period>.+)\.csv", grain, period_format=form, **spoken), f"s_{text}.CSV") == expected
    )
    # the same by groups, each part in a folder of its own
    patterns = "/".join(f"(?P<{part}>.+)" for part in parts)
    spoken = {"century": 1970, "language": "en"} if "month" in parts else {"century": 1970}
    named = "/".join(WRITTEN[part][word].format(**numbers) for part, word in zip(parts, words, strict=True))
    assert period_in(contract(patterns, grain, **spoken), named) == expected
    # and by its own name, without the colon of a window
    assert period_in(contract("s_(?P<period>.+)", grain), f"s_{expected.replace(':', '')}".lower()) == expected


@settings(deadline=None)
@given(st.sampled_from(sorted(PARTS)), st.text(max_size=12))
def test_any_text_is_a_period_of_its_form_or_refused(grain: str, text: str) -> None:
    form = {"year": "YYYY", "quarter": "YYYY-q", "month": "M.YYYY", "week": "YYYYww", "day": "YYYYMMDD"}
    form |= {"fiscal": "ppp.YYYY", "window": "YYYYMMDDhh"}
    declared = contract("(?P<period>.*)", grain, period_format=form[grain])
    try:
        name = declared.spelling.read(text)
    except ValueError:
        return
    assert text.isascii()
    assert len(name) <= declared.grain.name_length


def test_a_day_of_any_week_is_in_it() -> None:
    """The year of a week is that of ISO 8601, which differs from the calendar's around New Year."""
    declared = contract(r"s_(?P<year>\d+)KW(?P<week>\d+)", "week")
    for number in range(-400, 400):
        day = date(2020, 12, 31) + timedelta(days=number)
        name = period_in(declared, f"s_{day:%G}kw{day:%V}")
        period = declared.period(name)
        assert period.start.date() <= day < period.end.date()


SPELLINGS = re.findall(
    r"^\| `(.+?)` \| `(.+?)` \| `(.+?)` \| `(.+?)` \|$",
    (REPOSITORY / "docs" / "use" / "names.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


@pytest.mark.parametrize(("name", "file_name", "words", "period"), SPELLINGS)
def test_the_spellings_of_the_documentation(name: str, file_name: str, words: str, period: str) -> None:
    assert period_in(contract(file_name, **{"fiscal_year": None, **yaml.safe_load(f"{{{words}}}")}), name) == period


def test_the_documentation_shows_every_grain_and_every_word_of_a_form() -> None:
    words = " ".join(words for _, _, words, _ in SPELLINGS)
    assert {f"grain: {grain}" for grain in PARTS} <= set(re.findall(r"grain: \w+", words))
    assert len(SPELLINGS) >= 25

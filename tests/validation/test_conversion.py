"""Text cells to declared types: what is read, what is refused, and that neighbours do not matter."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loader.archive.parquet import arrow_type
from loader.contracts import ColumnType, Notation
from loader.readers.table import BLANKS
from loader.validation.conversion import convert
from loader.validation.texts import tidy

CSV = Notation()
GERMAN = Notation(decimal=",", thousands=".", dates=("%d.%m.%Y",))
GERMAN_SPACES = Notation(decimal=",", thousands=" ", dates=("%d.%m.%Y",))
DOLLARS = Notation(thousands=",", currency="$")
EUROS = Notation(decimal=",", thousands=".", currency="€")
APOSTROPHES = Notation(thousands="'", currency="Fr.")
INDIAN = Notation(thousands=",", grouping="indian")
LEDGER = Notation(thousands=",", currency="$", negative=("trailing", "parentheses", "minus_sign"))
PERCENT = Notation(decimal=",", thousands=".", percent=True, negative=("trailing", "parentheses"))
FRANCS = Notation(thousands="'", currency="Fr.")
UNFIT = {
    "integer": "some",
    "decimal": "some",
    "double": "some",
    "date": "then",
    "timestamp": "then",
    "boolean": "so",
    "time": "then",
}


def read(text: str | None, declared: str, notation: Notation = CSV) -> Any:
    """The value of one cell; the same alone and next to a cell that does not fit, which is read in another way."""
    kind = ColumnType.parse(declared)
    alone = convert(tidy(pa.array([text], pa.string())), kind, notation)
    assert alone.type == arrow_type(kind)
    unfit = UNFIT.get(kind.name.replace("bigint", "integer"), "any")
    beside = convert(tidy(pa.array([text, unfit], pa.string())), kind, notation)
    assert alone[0].as_py() == beside[0].as_py(), f"{text!r} depends on its neighbours"
    return alone[0].as_py()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("007", 7),
        ("-7", -7),
        ("+7", 7),
        ("7.0", 7),
        ("1e3", None),  # a code more likely than a count
        ("1E3", None),
        ("2147483647", 2147483647),
        ("-2147483648", -2147483648),
        ("2147483648", None),
        ("7.5", None),
        ("1,234", None),
        ("0x1F", None),
        ("1_000", None),
        ("٣", None),
        ("seven", None),
        ("nan", None),
        ("true", None),
        ("-", None),
        (None, None),
    ],
)
def test_integers(text: str | None, expected: int | None) -> None:
    assert read(text, "integer") == expected


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        ("12.5", "decimal(8,2)", Decimal("12.50")),
        ("12.50", "decimal(8,2)", Decimal("12.50")),
        ("12.500", "decimal(8,2)", Decimal("12.50")),
        ("12.505", "decimal(8,2)", None),
        ("999999.99", "decimal(8,2)", Decimal("999999.99")),
        ("1000000", "decimal(8,2)", None),
        ("1E+2", "decimal(8,2)", Decimal("100.00")),
        ("1e99", "decimal(8,2)", None),
        ("nan", "decimal(8,2)", None),
        ("123456789012345678901234567890.12", "decimal(38,2)", Decimal("123456789012345678901234567890.12")),
        ("9" * 38, "decimal(38,0)", Decimal("9" * 38)),
        ("9" * 39, "decimal(38,0)", None),
        ("9223372036854775807", "bigint", 9223372036854775807),
        ("9223372036854775808", "bigint", None),
        ("0.1", "double", 0.1),
        ("1e-300", "double", 1e-300),
        ("5e-324", "double", 5e-324),
        ("0e-400", "double", 0.0),
        ("-0.000", "double", 0.0),
        ("1e-400", "double", None),  # no 0
        ("-0.1e-2000000", "double", None),
        ("1,5", "double", None),
        ("inf", "double", None),
    ],
)
def test_numbers_fit_their_type_or_are_refused(text: str, declared: str, expected: object) -> None:
    assert read(text, declared) == expected


@pytest.mark.parametrize(
    ("text", "notation", "expected"),
    [
        ("1.234,50", GERMAN, Decimal("1234.50")),
        ("1.234.567,5", GERMAN, Decimal("1234567.50")),
        ("1.234", GERMAN, Decimal("1234.00")),
        ("1234,5", GERMAN, Decimal("1234.50")),
        ("1.5", GERMAN, None),  # a point that is no thousands sign is a mistake, not 15
        ("12.34", GERMAN, None),
        ("1,234.50", GERMAN, None),
        ("1,5,0", GERMAN, None),
        ("1.5", Notation(decimal=","), None),
        ("1,5", Notation(decimal=","), Decimal("1.50")),
        ("1,234.50", Notation(thousands=","), Decimal("1234.50")),
        ("12,34", Notation(thousands=","), None),  # no 1234
        ("1,2345", Notation(thousands=","), None),
        ("1'234.5", Notation(thousands="'"), Decimal("1234.50")),
        ("1\u2019234\u2019567.5", Notation(thousands="'"), Decimal("1234567.50")),
        ("1\u2019234.5", Notation(thousands=","), None),
        ("0,123", Notation(thousands=","), None),  # a decimal comma in a contract of English numbers
        ("0.123", GERMAN, None),
        ("001,234", Notation(thousands=","), None),
        ("12,34,567.5", INDIAN, Decimal("1234567.50")),
        ("1,23,456", INDIAN, Decimal("123456.00")),
        ("12,345", INDIAN, Decimal("12345.00")),
        ("123,456", INDIAN, None),
        ("1,234,567", INDIAN, None),
        ("1,23,45", INDIAN, None),
        ("123456", INDIAN, Decimal("123456.00")),
        ("1 234", Notation(thousands=" "), Decimal("1234.00")),
        ("1\u00a0234", Notation(thousands=" "), Decimal("1234.00")),
        ("-1\u202f234\u202f567.8", Notation(thousands=" "), Decimal("-1234567.80")),
        ("1 23", Notation(thousands=" "), None),
        ("1,5", GERMAN_SPACES, Decimal("1.50")),
        ("1 234,5", GERMAN_SPACES, Decimal("1234.50")),
        ("1,234,5", GERMAN_SPACES, None),
        ("1.234,5", replace(GERMAN_SPACES, thousands="."), Decimal("1234.50")),
        ("1.234.567", replace(GERMAN_SPACES, thousands="."), Decimal("1234567.00")),
        ("1.234,5", GERMAN_SPACES, None),
    ],
)
def test_signs_are_those_of_the_contract(text: str, notation: Notation, expected: Decimal | None) -> None:
    assert read(text, "decimal(10,2)", notation) == expected


def test_a_text_is_never_rounded() -> None:
    assert read("0.30000000000000004", "decimal(10,2)", CSV) is None


@pytest.mark.parametrize(
    ("text", "notation", "expected"),
    [
        ("2025-02-03", CSV, dt.date(2025, 2, 3)),
        ("2025-02-03 00:00:00", CSV, dt.date(2025, 2, 3)),
        ("2025-02-03T00:00:00", CSV, dt.date(2025, 2, 3)),
        ("2025-02-03 10:30:00", CSV, None),
        ("2025-02-30", CSV, None),
        ("2025-02-03T00:00:00Z", CSV, None),
        ("0000-00-00", CSV, None),
        ("0000-01-01", CSV, None),
        ("2025-W03", CSV, None),  # a week is no day
        ("2025-W03-1", CSV, dt.date(2025, 1, 13)),
        ("03.02.2025", CSV, None),
        ("45000", CSV, None),
        ("3.2.2025", GERMAN, dt.date(2025, 2, 3)),
        ("31.02.2025", GERMAN, None),
        ("29.02.1900", GERMAN, None),
        ("2025-02-03", GERMAN, dt.date(2025, 2, 3)),  # ISO 8601 is understood everywhere
        ("02/03/2025", GERMAN, None),
        ("2025-02-03", Notation(dates=("%Y-%d-%m",)), dt.date(2025, 3, 2)),
        ("02/03/2025", Notation(dates=("%m/%d/%Y", "%d/%m/%Y")), dt.date(2025, 2, 3)),
        ("13/03/2025", Notation(dates=("%m/%d/%Y", "%d/%m/%Y")), dt.date(2025, 3, 13)),
        ("01112025", Notation(dates=("%d%m%Y",)), dt.date(2025, 11, 1)),
        ("1112025", Notation(dates=("%d%m%Y",)), None),  # 1 November or 11 January
        ("3Feb2025", Notation(dates=("%d%b%Y",)), dt.date(2025, 2, 3)),
        ("03FEB2025", Notation(dates=("%d%b%Y",)), dt.date(2025, 2, 3)),
        ("3. 2. 2025", Notation(dates=("%d. %m. %Y",)), dt.date(2025, 2, 3)),
        ("\u0663.02.2025", GERMAN, None),
        ("-5", CSV, None),
        ("nan", CSV, None),
        ("tomorrow", CSV, None),
    ],
)
def test_dates(text: str, notation: Notation, expected: dt.date | None) -> None:
    assert read(text, "date", notation) == expected


@pytest.mark.parametrize(
    ("text", "notation", "expected"),
    [
        ("2025-02-03", CSV, dt.datetime(2025, 2, 3)),
        ("2025-02-03 10:30", CSV, dt.datetime(2025, 2, 3, 10, 30)),
        ("2025-02-03T10:30:59.250", CSV, dt.datetime(2025, 2, 3, 10, 30, 59, 250000)),
        ("2025-02-03 10:30:00.1234560", CSV, dt.datetime(2025, 2, 3, 10, 30, 0, 123456)),
        ("2025-02-03 10:30:00.1234567", CSV, None),  # no engine keeps the last digit
        ("2025-02-03 10:30:00,5", CSV, dt.datetime(2025, 2, 3, 10, 30, 0, 500000)),
        ("2025-02-03x10:30:00", CSV, None),
        ("20250203103059123", Notation(dates=("%Y%m%d%H%M%S%f",)), dt.datetime(2025, 2, 3, 10, 30, 59, 123000)),
        ("2025020310305", Notation(dates=("%Y%m%d%H%M%S",)), None),
        ("20250203T103059Z", Notation(dates=("%Y%m%dT%H%M%S%z",)), dt.datetime(2025, 2, 3, 10, 30, 59)),
        ("20250203 103000", CSV, dt.datetime(2025, 2, 3, 10, 30)),
        ("20250203100", CSV, None),
        ("2025-02-03T24:00:00", CSV, None),
        ("0000-01-01 10:00:00", CSV, None),
        ("03.02.2025", GERMAN, dt.datetime(2025, 2, 3)),
        ("noon", CSV, None),
    ],
)
def test_timestamps(text: str, notation: Notation, expected: dt.datetime | None) -> None:
    assert read(text, "timestamp", notation) == expected


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2025-02-03 10:30:00+01:00", "UTC", dt.datetime(2025, 2, 3, 9, 30)),
        ("2025-02-03T10:30Z", "UTC", dt.datetime(2025, 2, 3, 10, 30)),
        ("2025-02-03T10:30:00.5-0330", "UTC", dt.datetime(2025, 2, 3, 14, 0, 0, 500000)),
        ("2025-02-03T10:30Z", "Europe/Berlin", dt.datetime(2025, 2, 3, 11, 30)),
        ("2025-07-03T10:30Z", "Europe/Berlin", dt.datetime(2025, 7, 3, 12, 30)),
        ("2025-07-03T10:30", "Europe/Berlin", dt.datetime(2025, 7, 3, 10, 30)),
        # on 30 March two o'clock is left out, on 26 October it occurs twice
        ("2025-03-30T00:59:59Z", "Europe/Berlin", dt.datetime(2025, 3, 30, 1, 59, 59)),
        ("2025-03-30T01:00:00Z", "Europe/Berlin", dt.datetime(2025, 3, 30, 3)),
        ("2025-10-25T23:59:59Z", "Europe/Berlin", dt.datetime(2025, 10, 26, 1, 59, 59)),
        ("2025-10-26T00:00:00Z", "Europe/Berlin", None),
        ("2025-10-26T01:59:59Z", "Europe/Berlin", None),
        ("2025-10-26T02:30:00+02:00", "Europe/Berlin", None),
        ("2025-10-26T02:00:00Z", "Europe/Berlin", dt.datetime(2025, 10, 26, 3)),
        ("2025-10-26T02:30:00", "Europe/Berlin", dt.datetime(2025, 10, 26, 2, 30)),  # as it is
        ("0001-01-01T00:00:00+01:00", "UTC", None),
        ("9999-12-31T23:59:59-01:00", "UTC", None),
        ("2025-02-03T10:30+25:00", "UTC", None),
        ("2025-02-03 10:30 CET", "UTC", None),
    ],
)
def test_an_offset_leads_to_the_local_time_of_the_zone(text: str, zone: str, expected: dt.datetime | None) -> None:
    assert read(text, "timestamp", Notation(zone=zone)) == expected
    assert read(text, "timestamp", Notation(zone=zone, dates=("%d.%m.%Y", "%Y-%m-%d"))) == expected
    assert read(text, "timestamp", Notation(zone=zone, dates=("%d.%m.%Y %H:%M",))) == expected


def test_a_form_may_have_an_offset_of_its_own() -> None:
    notation = Notation(dates=("%d.%m.%Y %H:%M %z",), zone="Europe/Berlin")
    assert read("03.07.2025 10:30 +0000", "timestamp", notation) == dt.datetime(2025, 7, 3, 12, 30)
    assert read("03.07.2025 00:00 +0200", "date", notation) is None


@settings(deadline=None)
@given(
    st.lists(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)), min_size=1, max_size=4),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_any_offset_is_undone(moments: list[dt.datetime], minutes: int, zone: str) -> None:
    """A moment in the zone, written with another offset: it is found again, unless its hour occurs twice."""
    here, there = ZoneInfo(zone), dt.timezone(dt.timedelta(minutes=minutes))
    sent = [moment.replace(tzinfo=dt.UTC) for moment in moments]
    found = convert(
        pa.array([moment.astimezone(there).isoformat() for moment in sent]),
        ColumnType.parse("timestamp"),
        Notation(zone=zone),
    ).to_pylist()
    for moment, local in zip(sent, found, strict=True):
        readings = {moment + dt.timedelta(minutes=step) for step in range(-180, 181, 15)}
        wall = moment.astimezone(here).replace(tzinfo=None)
        same = [other for other in readings if other.astimezone(here).replace(tzinfo=None) == wall]
        assert local == (wall if same == [moment] else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("07:30", dt.time(7, 30)),
        ("23:59:59", dt.time(23, 59, 59)),
        ("00:00", dt.time()),
        ("24:00", None),
        ("7:30", None),
        ("07:30:00.5", None),
        ("07:30 pm", None),
        ("0730", None),
        ("2024-01-02 07:30", None),
    ],
)
def test_times_of_day(text: str, expected: dt.time | None) -> None:
    assert read(text, "time") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("YES", True), ("1", True), ("f", False), ("No", False), ("0", False), ("2", None), ("ja", None)],
)
def test_booleans(text: str, expected: bool | None) -> None:
    assert read(text, "boolean") is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("ja", True), ("JA", True), ("x", True), ("nein", False), ("true", None), ("0", None)]
)
def test_booleans_in_words_of_the_sender(text: str, expected: bool | None) -> None:
    assert read(text, "boolean", Notation(true_values=("Ja", "x"), false_values=("nein",))) is expected


@pytest.mark.parametrize(
    ("declared", "mapped", "cells", "expected"),
    [
        ("boolean", {"ja": True, "nein": False}, ["ja", "nein", "true", "JA"], [True, False, True, None]),
        ("integer", {"none": 0, "1": 100}, ["none", "1", "2", None], [0, 100, 2, None]),
        ("decimal(5,2)", {"half": 0.5, "ten": 10}, ["half", "ten", "1,50"], [Decimal("0.50"), 10, Decimal("1.50")]),
        ("double", {"half": 0.5}, ["half", "2,5"], [0.5, 2.5]),
        ("varchar(9)", {"D": "Germany"}, ["D", "d", "Germany"], ["Germany", "d", "Germany"]),
        ("date", {"start": dt.date(2025, 1, 1)}, ["start", "2024-01-01"], [dt.date(2025, 1, 1), dt.date(2024, 1, 1)]),
        ("timestamp", {"start": dt.date(2025, 1, 1)}, ["start"], [dt.datetime(2025, 1, 1)]),
    ],
)
def test_texts_that_stand_for_a_value(
    declared: str, mapped: dict[str, Any], cells: list[str | None], expected: list[Any]
) -> None:
    notation = Notation(decimal=",", map=tuple(mapped.items()))
    assert convert(pa.array(cells, pa.string()), ColumnType.parse(declared), notation).to_pylist() == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("  a b ", "a b"),
        ("\u00a0a\u00a0", "a"),
        ("\ufeffa\u200b", "a"),
        ("\u2009\u3000a\u2003\t\r\n", "a"),
        ("a\u00a0b", "a\u00a0b"),
        ("Mu\u0308ller", "Müller"),
        (" \u00a0\u2007 ", None),
        ("", None),
        (None, None),
    ],
)
def test_cells_are_tidied(cell: str | None, expected: str | None) -> None:
    assert tidy(pa.array([cell], pa.string())).to_pylist() == [expected]
    assert tidy(pa.array([cell, "ü"], pa.string())).to_pylist() == [expected, "ü"]


def test_leading_zeros_of_text_stay() -> None:
    assert read("007", "varchar(3)") == "007"


@settings(deadline=None)
@given(st.integers(-(2**31), 2**31 - 1))
def test_any_integer_is_read_as_it_is_written(number: int) -> None:
    assert read(str(number), "integer") == number
    assert read(f"{number:,}", "integer", Notation(thousands=",")) == number
    assert read(f"{number:,}".replace(",", "."), "integer", GERMAN) == number


@settings(deadline=None)
@given(st.decimals(-(10**16) + 1, 10**16 - 1, places=2))
def test_any_decimal_is_read_to_the_last_digit(number: Decimal) -> None:
    assert read(f"{number:f}", "decimal(18,2)") == number
    german = f"{number:,f}".translate(str.maketrans(",.", ".,"))
    assert read(german, "decimal(18,2)", GERMAN) == number


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_double_is_read_as_python_writes_it(number: float) -> None:
    assert read(repr(number), "double") == number


@settings(deadline=None)
@given(st.dates(dt.date(1000, 1, 1)))
def test_any_date_is_read_in_every_notation(day: dt.date) -> None:
    assert read(day.isoformat(), "date") == day
    assert read(f"{day:%d.%m.%Y}", "date", GERMAN) == day


FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y%m%d", "%Y-%d-%m", "%d.%m.%y", "%d %b %Y")
NUMBERS = {"y": st.sampled_from([1, 999, 1988, 2024]), "m": st.integers(0, 14), "d": st.integers(0, 32)}
WRITTEN = ("{y:04}-{m:02}-{d:02}", "{d:02}.{m:02}.{y}", "{d}.{m}.{y}", "{d:02}/{m:02}/{y}", "{y:04}{m:02}{d:02}")
WRITTEN += ("{y:04}-{m:02}-{d:02} {d:02}:{m:02}:00", "{y:04}-{m:02}-{d:02}T00:00:00", "{d}{m}{y}", "{y}", "{m}", "x")
dates = st.builds(lambda form, **numbers: form.format(**numbers), st.sampled_from(WRITTEN), **NUMBERS)


def naive_moment(text: str, notation: Notation) -> dt.datetime | None:
    """The first form that fits, else ISO 8601."""
    for form in notation.dates:
        if form == "%Y%m%d" and len(text) != 8:
            continue
        try:
            return dt.datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError:
            continue
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


@settings(deadline=None)
@given(
    st.lists(dates, min_size=1, max_size=6),
    st.lists(st.sampled_from(FORMS), min_size=1, max_size=3, unique=True),
    st.just(CSV),
)
def test_a_column_of_dates_is_read_as_each_of_them_would_be(
    texts: list[str], forms: list[str], plain: Notation
) -> None:
    notation = replace(plain, dates=tuple(forms))
    found = convert(pa.array(texts), ColumnType.parse("timestamp"), notation)
    assert found.to_pylist() == [naive_moment(text, notation) for text in texts]


moments = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["2024-02-29", "2023-02-29", "20240229", "2024-0229", "2024-W09-4", "2024-W09", "0000-01-01"]),
    st.sampled_from(["", " ", "T", "x"]),
    st.sampled_from(["", "10:30", "10:30:59", "103059", "24:00", "10:3", "00:00:00"]),
    st.sampled_from(["", ".5", ",5", ".1234567", ".1234560"]),
    st.sampled_from(["", "Z", "+02:00", "-0330", "+02", "+25:00", " +02:00"]),
)


@settings(deadline=None)
@given(
    st.lists(moments, min_size=1, max_size=4),
    st.sampled_from(["date", "timestamp"]),
    st.sampled_from([CSV, GERMAN, Notation(dates=("%Y%m%d",)), Notation(zone="Europe/Berlin")]),
)
def test_a_column_of_moments_is_read_as_each_alone(texts: list[str], declared: str, notation: Notation) -> None:
    found = convert(tidy(pa.array(texts)), ColumnType.parse(declared), notation).to_pylist()
    assert found == [read(text, declared, notation) for text in texts]


NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@settings(deadline=None)
@given(st.one_of(st.text(max_size=12), st.text(alphabet="0123456789+-.eE, '\u00a0xnainf_", max_size=12)))
@example("1.")
@example(".5")
@example("+")
@example("--1")
@example("1e")
def test_any_text_is_the_number_that_it_shows_or_nothing(text: str) -> None:
    found = read(text, "decimal(12,4)")
    cell = tidy(pa.array([text], pa.string()))[0].as_py()
    if found is not None:
        assert NUMBER.fullmatch(cell)
        assert found == Decimal(cell)
    elif cell is not None and re.fullmatch(r"[+-]?[0-9]{1,8}(\.[0-9]{1,4})?", cell):
        raise AssertionError(f"{cell!r} is a number")


@pytest.mark.parametrize(
    ("text", "notation", "expected"),
    [
        ("$4,500 ", DOLLARS, "4500.00"),
        ("1,234.50", DOLLARS, "1234.50"),
        ("$ 12", DOLLARS, "12.00"),
        ("-$12.5", DOLLARS, "-12.50"),
        ("$-12.5", DOLLARS, "-12.50"),
        ("12.50$", DOLLARS, "12.50"),
        ("$12$", DOLLARS, None),
        ("$$12", DOLLARS, None),
        ("1$2", DOLLARS, None),
        ("-$-12", DOLLARS, None),
        ("$", DOLLARS, None),
        ("$45,00", DOLLARS, None),
        ("€12", DOLLARS, None),
        ("$12", CSV, None),
        ("1.234,50\u00a0€", EUROS, "1234.50"),
        ("€ 1.234", EUROS, "1234.00"),
        ("Fr. 1'234.50", FRANCS, "1234.50"),
        ("1234.5", FRANCS, "1234.50"),
    ],
)
def test_money_may_stand_with_its_sign_once(text: str, notation: Notation, expected: str | None) -> None:
    assert read(text, "decimal(12,2)", notation) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "notation", "expected"),
    [
        ("100-", LEDGER, "-100"),
        ("1,234.50-", LEDGER, "-1234.50"),
        ("(100)", LEDGER, "-100"),
        ("(1,234.50)", LEDGER, "-1234.50"),
        ("\u2212100", LEDGER, "-100"),
        ("-100", LEDGER, "-100"),
        ("($100)", LEDGER, "-100"),
        ("$(100)", LEDGER, "-100"),
        ("\u2212$100", LEDGER, "-100"),
        ("100 $-", LEDGER, "-100"),
        ("100- $", LEDGER, "-100"),
        ("-100-", LEDGER, None),
        ("(-100)", LEDGER, None),
        ("(100-)", LEDGER, None),
        ("(100", LEDGER, None),
        ("100)", LEDGER, None),
        ("((100))", LEDGER, None),
        ("\u2212\u2212100", LEDGER, None),
        ("()", LEDGER, None),
        ("-", LEDGER, None),
        ("100-", DOLLARS, None),
        ("(100)", DOLLARS, None),
        ("\u2212100", DOLLARS, None),
        ("($100)", DOLLARS, None),
        ("15,5 %", PERCENT, "0.155"),
        ("15,5%", PERCENT, "0.155"),
        ("-15,5 %", PERCENT, "-0.155"),
        ("%15,5", PERCENT, "0.155"),
        ("(15,5 %)", PERCENT, "-0.155"),
        ("15,5- %", PERCENT, "-0.155"),
        ("1.250\u00a0%", PERCENT, "12.5"),
        ("100 %", PERCENT, "1"),
        ("0 %", PERCENT, "0"),
        ("0,01 %", PERCENT, "0.0001"),
        ("0,001 %", PERCENT, None),  # more digits than decimal(12,4) has
        ("15,5", PERCENT, None),  # 15.5 or 0.155
        ("15,5 %%", PERCENT, None),
        ("%", PERCENT, None),
        ("1e1 %", PERCENT, None),
        ("15.5 %", CSV, None),
    ],
)
def test_negatives_and_percentages_are_those_of_the_contract(
    text: str, notation: Notation, expected: str | None
) -> None:
    assert read(text, "decimal(12,4)", notation) == (None if expected is None else Decimal(expected))
    assert read(text, "double", notation) == (None if expected is None else float(expected)) or text == "0,001 %"


def test_an_exponent_beyond_a_double_is_not_finite() -> None:
    assert read("1e400", "double") == read("-1e2000000", "double") * -1 == float("inf")


def grouped(digits: str, notation: Notation) -> str:
    """Digits with the separators of a notation between them, from the right."""
    groups, size = [], 3
    while digits:
        groups.insert(0, digits[-size:])
        digits, size = digits[:-size], 2 if notation.grouping == "indian" else 3
    return notation.thousands.join(groups)


notations = st.builds(
    lambda signs, grouping, negative, currency, percent: Notation(
        decimal=signs[0], thousands=signs[1], grouping=grouping, negative=negative, currency=currency, percent=percent
    ),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'")]),
    st.sampled_from(["thousands", "indian"]),
    st.lists(st.sampled_from(["trailing", "parentheses", "minus_sign"]), unique=True).map(tuple),
    st.sampled_from(["", "$", "CHF", "Fr."]),
    st.booleans(),
)


@settings(deadline=None)
@given(notations, st.lists(st.decimals(-(10**12), 10**12, places=4), min_size=1, max_size=5), st.data())
def test_any_number_is_read_as_it_is_written(notation: Notation, numbers: list[Decimal], data: st.DataObject) -> None:
    marks = {"usual": "-{}", "trailing": "{}-", "parentheses": "({})", "minus_sign": "\u2212{}"}

    def written(number: Decimal) -> str:
        whole, _, places = f"{abs(number):.4f}".partition(".")
        text = grouped(whole, notation) if data.draw(st.booleans()) else whole
        text += notation.decimal + places
        for sign in (notation.currency, "%" if notation.percent else ""):
            if sign:
                text = data.draw(
                    st.sampled_from([f"{sign}{text}", f"{sign} {text}", f"{text}{sign}", f"{text}\u00a0{sign}"])
                )
        return marks[data.draw(st.sampled_from(["usual", *notation.negative]))].format(text) if number < 0 else text

    found = convert(pa.array([written(number) for number in numbers]), ColumnType.parse("decimal(24,6)"), notation)
    assert found.to_pylist() == [number / 100 if notation.percent else number for number in numbers]


def slowly(text: str, notation: Notation) -> Decimal | None:
    """One amount of decimal(12,2), read sign by sign as the contract reference says."""
    if notation.currency and notation.currency in text:
        sign = text[0] if text[0] in "+-" else ""
        rest = text[len(sign) :].lstrip(BLANKS)
        if rest.startswith(notation.currency):
            text = sign + rest.removeprefix(notation.currency).lstrip(BLANKS)
        elif text.endswith(notation.currency):
            text = text.removesuffix(notation.currency).rstrip(BLANKS)
    text = text.replace("\u2019", "'") if notation.thousands == "'" else text
    sign = text[0] if text[:1] in ("+", "-") else ""
    whole, decimal, places = text[len(sign) :].partition(notation.decimal)
    first, *others = whole.split(notation.thousands)
    if others and 1 <= len(first) <= 3 and not first.startswith("0") and all(len(group) == 3 for group in others):
        text = sign + first + "".join(others) + decimal + places
    elif others:
        return None
    if notation.decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    if not NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    # compared as texts are: the rounding of `abs` and `quantize` has limits of its own
    fits = number.is_zero() or (number.adjusted() < 10 and number == number.quantize(Decimal("0.01")))
    return number if fits else None


amounts = st.lists(
    st.one_of(
        st.text(alphabet="0123456789", min_size=1, max_size=4),
        st.sampled_from(
            ["$", "€", "Fr.", ",", ".", "'", "-", "+", " ", "\u00a0", ",000", ".000", ",50", ".50", "1e2", "x"]
        ),
    ),
    min_size=1,
    max_size=6,
).map("".join)
written = st.builds(
    "{}{}{:,.2f}{}".format,
    st.sampled_from(["", "-", "+"]),
    st.sampled_from(["", "$", "$ ", "€", "Fr. "]),
    st.decimals(0, 10**9, places=2),
    st.sampled_from(["", "$", " €", "\u00a0€"]),
)


@settings(deadline=None)
@given(
    st.lists(st.one_of(amounts, written, st.none()), min_size=1, max_size=8),
    st.sampled_from([DOLLARS, EUROS, APOSTROPHES]),
)
@example(["$1,256.63", "12.00", "1,234.50", None, "$45,00", "$", "x"], DOLLARS)
@example(["1e2000000", "1e-2000000"], DOLLARS)
def test_a_column_of_money_is_read_as_each_amount_would_be(texts: list[str | None], notation: Notation) -> None:
    cells = tidy(pa.array(texts, pa.string()))
    found = convert(cells, ColumnType.parse("decimal(12,2)"), notation)
    assert found.to_pylist() == [None if cell is None else slowly(cell, notation) for cell in cells.to_pylist()]

"""What holds for every rule and any text."""

from typing import Any

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.cleaning import RULES
from loader.cleaning.phone_rules import WORTH_PATTERNS, plain_to_e164, to_e164
from tests.support.effort import effort

from .columns import clean, column

EVERY_RULE: list[Any] = [
    "trim",
    "collapse_blanks",
    "nfc",
    "upper",
    "lower",
    {"zero_pad": {"width": 9}},
    "digits_only",
    "person_name",
    "email",
    {"phone": {"region": "DE"}},
    {"phone": {"region": "US"}},
    "street",
    "house_number",
    *[{"postal_code": {"country": country}} for country in ["AT", "CH", "DE", "FR", "GB", "NL", "PL", "US"]],
]

# any text, and text of the pieces that the rules look at
pieces = st.sampled_from(
    [
        *[
            "str",
            "Str.",
            "STR",
            "strasse",
            "van",
            "DE LA",
            "Mc",
            "MAC",
            "DONALD",
            "'",
            "\u2019",
            "-",
            "/",
            ".",
        ],
        *["@", "<", ">", " ", "mailto:", "a", "B", "ß", "Ü", "u\u0308", "12", "0", "7", "+49", "D-"],
        *["\u00a0", "\u200b", "\u00ad", "\u0301", "\u0149"],
    ]
)
texts = st.one_of(
    st.text(max_size=12),
    st.lists(pieces, max_size=6).map("".join),
    st.lists(pieces, max_size=6).map(" ".join),
)
columns = st.lists(st.one_of(st.none(), texts), max_size=20)


def test_every_rule_is_tested() -> None:
    assert {rule if isinstance(rule, str) else next(iter(rule)) for rule in EVERY_RULE} == set(RULES)


@pytest.mark.parametrize("rule", EVERY_RULE, ids=str)
@settings(max_examples=effort(25, 500), deadline=None)
@given(values=columns)
def test_cleaning_keeps_the_shape_and_is_idempotent(rule: Any, values: list[str | None]) -> None:
    arrived = column(values)
    once, invalid = clean(rule, values)

    assert once.index.equals(arrived.index)
    assert (once.name, once.dtype) == (arrived.name, arrived.dtype)
    assert once[arrived.isna()].isna().all()
    assert not (once == "").any()
    if invalid is not None:
        assert invalid.index.equals(arrived.index)
        assert invalid.dtype == bool
        assert not invalid[arrived.isna()].any()
        assert once[invalid].equals(arrived[invalid])

    kept = [None if missing else value for value, missing in zip(once, once.isna(), strict=True)]
    twice, invalid_again = clean(rule, kept)
    assert twice.equals(once)
    assert (invalid is None) == (invalid_again is None)
    if invalid is not None and invalid_again is not None:
        assert invalid_again.equals(invalid)


REGIONS = ["AT", "CH", "DE", "FR", "GB", "IT", "NL", "PL", "US"]


@st.composite
def plain_numbers(draw: st.DrawFn, region: str) -> str:
    """Digits with marks between them, most of them near a real number of the region."""
    code = phonenumbers.country_code_for_region(region)
    kinds = [phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE]
    example = phonenumbers.example_number_for_type(region, draw(st.sampled_from(kinds)))
    real = phonenumbers.national_significant_number(example)
    kept = draw(st.integers(0, len(real)))
    national = draw(st.sampled_from([real, real[:kept] + draw(st.text("0123456789", max_size=12))]))
    prefixes = ["", "0", "1", "00", "+", f"+{code}", f"+{code}0", f"00{code}", f"011{code}", str(code)]
    prefix = draw(st.sampled_from(["", "", "Tel. ", "x", "Mobil: ("])) + draw(st.sampled_from(prefixes))
    marks = st.sampled_from(["", "", "", " ", "-", "/", ".", "(", ")", "(0)", " (", ") "])
    extension = draw(st.sampled_from(["", "", "", " ext. 12", ", x 4711", "Ext:1", "ext"]))
    return prefix + "".join(digit + draw(marks) for digit in national) + extension


@pytest.mark.parametrize("region", REGIONS)
@settings(max_examples=effort(25, 500), deadline=None)
@given(data=st.data())
def test_the_fast_path_of_phones_equals_libphonenumber(region: str, data: st.DataObject) -> None:
    numbers = data.draw(st.lists(plain_numbers(region), min_size=1, max_size=12))
    fast = plain_to_e164(pa.array(numbers, pa.large_string()), region).to_pylist()
    for number, written in zip(numbers, fast, strict=True):
        if written is not None:
            assert written == to_e164(number, region)


@settings(max_examples=effort(25, 500), deadline=None)
@given(data=st.data())
def test_the_fast_path_of_phones_of_other_countries_equals_libphonenumber(data: st.DataObject) -> None:
    others = st.sampled_from([*REGIONS, "CZ", "DK", "VA", "GG", "RU", "KZ", "CA", "BR", "SM"]).flatmap(plain_numbers)
    numbers = data.draw(st.lists(others, min_size=1, max_size=12))
    fast = plain_to_e164(pa.array(numbers * WORTH_PATTERNS, pa.large_string()), "DE").to_pylist()
    for number, written in zip(numbers, fast[: len(numbers)], strict=True):
        if written is not None:
            assert written == to_e164(number, "DE")


@pytest.mark.parametrize("region", ["AT", "CH", "CZ", "DE", "FR", "NL", "PL", "US"])
def test_the_fast_path_takes_numbers_of_other_countries(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    written = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    fast = plain_to_e164(
        pa.array([written, f"Tel.: {written}", f"{written} ext. 12"] * WORTH_PATTERNS, pa.large_string()), "DE"
    )
    assert set(fast.to_pylist()) == {e164}


@pytest.mark.parametrize("region", REGIONS)
def test_the_fast_path_takes_the_common_notations(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    notations = [
        phonenumbers.format_number(example, notation)
        for notation in (
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.NATIONAL,
        )
    ]
    assert set(plain_to_e164(pa.array(notations, pa.large_string()), region).to_pylist()) == {notations[0]}


@settings(max_examples=effort(25, 500), deadline=None)
@given(numbers=st.lists(st.one_of(st.none(), plain_numbers("DE"), texts), max_size=12))
def test_phones_by_column_equal_phones_one_by_one(numbers: list[str | None]) -> None:
    values, invalid = clean({"phone": {"region": "DE"}}, numbers)
    tidy, _ = clean("collapse_blanks", numbers)
    assert invalid is not None
    for arrived, value, rejected, text in zip(numbers, values, invalid, tidy, strict=True):
        if arrived is None or not isinstance(text, str):
            assert not isinstance(value, str)
            assert not rejected
        else:
            expected = to_e164(text, "DE")
            assert rejected == (expected is None)
            assert value == (arrived if rejected else expected)

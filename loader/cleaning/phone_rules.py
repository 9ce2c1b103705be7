"""Rules for telephone numbers."""

import re
from collections import Counter
from string import ascii_letters
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from loader.cleaning.series import map_distinct, series_rule
from loader.cleaning.text_rules import tidied

if TYPE_CHECKING:
    import pyarrow as pa

Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]

MARKS = " ()/.-"
LABEL = f"{ascii_letters}.: "
EXTENSION = r"[ ,]*(?:[eE]xt|x)[:.]?[ ,-]*[0-9]{1,9}$"
# digits with the usual marks between them, perhaps a word before and an extension behind: no second number
PLAIN = rf"^(?:[A-Za-z][{LABEL}]{{0,20}})?\(?\+?[0-9][0-9{MARKS}]{{2,40}}(?:$|{EXTENSION})"
WORTH_PATTERNS = 50
"""Numbers from which on the patterns of a country cost less than libphonenumber."""


@series_rule
def phone(values: "pa.Array", *, region: Region) -> "tuple[pa.Array, pa.Array]":
    """A telephone number in the form of ITU-T E.164 ('+493511234567'); rejects what is not a valid number.

    `region` (ISO 3166-1 alpha-2) is the country in which a number without country code is dialled. Parsing
    and validity are those of Google's libphonenumber (package `phonenumbers`): `parse`, then
    `is_valid_number`, then the format E164, which has no room for an extension. Raises ValueError for a
    region that libphonenumber does not know.
    """
    import phonenumbers
    import pyarrow.compute as pc

    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"phone: libphonenumber knows no region {region!r}; use an ISO country code such as DE")
    text = tidied(values)
    written = plain_to_e164(text, region)
    rest = pc.and_(pc.is_null(written), pc.not_equal(text, ""))
    numbers = map_distinct(pc.coalesce(written, text), rest, lambda number: to_e164(number, region))
    return pc.coalesce(numbers, text), pc.is_valid(numbers)


def to_e164(number: str, region: str) -> str | None:
    """E.164 of one number by libphonenumber; None when it is not valid."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def plain_to_e164(text: "pa.Array", region: str) -> "pa.Array":
    """What `to_e164` returns, by column, for plain numbers of the region's own country and of others; else null.

    libphonenumber takes some 25 microseconds a number. Its steps for a plain number are few, and its metadata
    are regular expressions, so Arrow can follow them for a whole column: take the digits, read the
    international prefix and the country code, drop the national prefix, compare with the patterns of fixed
    and mobile numbers. Where a step could go two ways the number is left to libphonenumber.
    """
    import phonenumbers
    import pyarrow as pa
    import pyarrow.compute as pc

    home: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    nothing = pa.nulls(len(text), pa.large_string())
    if not _is_simple(region, home):
        return nothing

    plain = pc.fill_null(pc.match_substring_regex(text, PLAIN), False)
    dialled = pc.replace_substring_regex(pc.ascii_ltrim(text.filter(plain), characters=LABEL), EXTENSION, "")
    for mark in MARKS:  # faster than one regular expression
        dialled = pc.replace_substring(dialled, mark, "")
    dialled = pc.replace_substring_regex(dialled, rf"^(?:{home.international_prefix})([1-9])", r"+\1")

    # without '+', leading digits like those of the country code or the international prefix are ambiguous
    ambiguous = pc.match_substring_regex(dialled, rf"^(?:\+|{home.country_code}|{home.international_prefix})")
    e164 = _national_to_e164(dialled, pc.invert(ambiguous), home)
    for code, main_region in _countries(dialled, home.country_code):
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(main_region)
        if _is_simple(main_region, metadata):
            there = pc.starts_with(dialled, f"+{code}")
            national = pc.utf8_slice_codeunits(dialled.filter(there), len(f"+{code}"))
            valid = _national_to_e164(national, pa.repeat(pa.scalar(True), len(national)), metadata)
            e164 = pc.replace_with_mask(e164, there, valid)
    return pc.replace_with_mask(nothing, plain, e164)


def _countries(dialled: "pa.Array", home: int) -> "list[tuple[str, str]]":
    """Country code and main region of the numbers that name one, when they are enough to pay for their patterns."""
    import phonenumbers
    import pyarrow.compute as pc

    main_regions = {str(code): regions[0] for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()}
    found: Counter[str] = Counter()
    for start in pc.value_counts(
        pc.utf8_slice_codeunits(dialled.filter(pc.starts_with(dialled, "+")), 1, 4)
    ).to_pylist():
        found.update({start["values"][:length]: start["counts"] for length in (1, 2, 3)})
    return [
        (code, main_regions[code])
        for code, count in found.items()
        if code in main_regions and (code == str(home) or count >= WORTH_PATTERNS)
    ]


def _national_to_e164(national: "pa.Array", readable: "pa.Array", metadata: Any) -> "pa.Array":
    """National numbers of one country, with or without national prefix, in E.164; null where not known to be valid."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if metadata.national_prefix_for_parsing:
        national = pc.replace_substring_regex(national, f"^(?:{metadata.national_prefix_for_parsing})", "")
    valid = pc.and_(readable, _matches(national, metadata.general_desc))
    valid = pc.and_(valid, pc.or_(_matches(national, metadata.fixed_line), _matches(national, metadata.mobile)))
    e164 = pc.utf8_replace_slice(national, start=0, stop=0, replacement=f"+{metadata.country_code}")
    return pc.if_else(valid, e164, pa.scalar(None, pa.large_string()))


def _is_simple(region: str, metadata: Any) -> bool:
    """Whether its own metadata decide alone: the main country of its code, no prefix that is rewritten."""
    import phonenumbers

    if metadata is None:  # a code of no country, such as +800
        return False
    main_region = phonenumbers.region_code_for_country_code(metadata.country_code)
    prefixes = (metadata.national_prefix_for_parsing or "", metadata.international_prefix or "")
    return (
        region == main_region
        and metadata.leading_digits is None
        and metadata.national_prefix_transform_rule is None
        and metadata.international_prefix is not None
        and all(re.compile(prefix).groups == 0 for prefix in prefixes)
    )


def _matches(national: "pa.Array", description: Any) -> "pa.Array":
    """Whether national numbers have a possible length and match the pattern of a kind of number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if description is None or not description.national_number_pattern:
        return pa.repeat(pa.scalar(False), len(national))
    matching = pc.match_substring_regex(national, f"^(?:{description.national_number_pattern})$")
    if not description.possible_length:
        return matching
    lengths = pa.array(description.possible_length, pa.int32())
    return pc.and_(matching, pc.is_in(pc.cast(pc.utf8_length(national), pa.int32()), value_set=lengths))

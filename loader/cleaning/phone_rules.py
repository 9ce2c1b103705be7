"""Rules for telephone numbers."""

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from loader.cleaning.series import map_distinct, series_rule
from loader.cleaning.text_rules import tidied

if TYPE_CHECKING:
    import pyarrow as pa

Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]

MARKS = " ()/.-"
# digits with the usual marks between them: no letters, no extension, no second number
PLAIN = rf"^\(?\+?[0-9][0-9{MARKS}]{{2,40}}$"


@series_rule
def phone(values: "pa.Array", *, region: Region) -> "tuple[pa.Array, pa.Array]":
    """A telephone number in the form of ITU-T E.164 ('+493511234567'); rejects what is no valid number.

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
    """What `to_e164` gives, by column, for plain numbers of the region's own country; null for all others.

    libphonenumber takes some 75 microseconds a number. Its steps for a plain number are few, and its metadata
    are regular expressions, so Arrow can follow them for a whole column: take the digits, read the
    international prefix and the country code, drop the national prefix, compare with the patterns of fixed
    and mobile numbers. Where a step could go two ways the number is left to libphonenumber.
    """
    import phonenumbers
    import pyarrow as pa
    import pyarrow.compute as pc

    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    nothing = pa.nulls(len(text), pa.large_string())
    if not _is_simple(region, metadata):
        return nothing
    code = f"+{metadata.country_code}"

    plain = pc.fill_null(pc.match_substring_regex(text, PLAIN), False)
    dialled = text.filter(plain)
    for mark in MARKS:  # faster than one regular expression
        dialled = pc.replace_substring(dialled, mark, "")
    dialled = pc.replace_substring_regex(dialled, rf"^(?:{metadata.international_prefix})([1-9])", r"+\1")

    with_code = pc.starts_with(dialled, code)
    # without '+', leading digits like those of the country code or the international prefix are ambiguous
    ambiguous = pc.match_substring_regex(dialled, rf"^(?:\+|{code[1:]}|{metadata.international_prefix})")
    readable = pc.or_(with_code, pc.invert(ambiguous))
    national = pc.if_else(with_code, pc.utf8_slice_codeunits(dialled, len(code)), dialled)
    if metadata.national_prefix_for_parsing:
        national = pc.replace_substring_regex(national, f"^(?:{metadata.national_prefix_for_parsing})", "")

    valid = pc.and_(readable, _matches(national, metadata.general_desc))
    valid = pc.and_(valid, pc.or_(_matches(national, metadata.fixed_line), _matches(national, metadata.mobile)))
    e164 = pc.utf8_replace_slice(national, start=0, stop=0, replacement=code)
    e164 = pc.if_else(valid, e164, pa.scalar(None, pa.large_string()))
    return pc.replace_with_mask(nothing, plain, e164)


def _is_simple(region: str, metadata: Any) -> bool:
    """Whether its own metadata decide alone: the main country of its code, no prefix that is rewritten."""
    import phonenumbers

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

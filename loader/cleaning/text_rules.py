"""Rules for any text: blanks, Unicode form, letter case, digits.

Blank means every character with the Unicode property White_Space (Unicode Character Database, PropList.txt),
so NBSP, thin spaces, tabs and line breaks are blanks; the information separators U+001C to U+001F count too,
as in Python. Zero-width characters carry no text: ZWSP U+200B, word joiner U+2060, BOM U+FEFF and soft hyphen
U+00AD. The zero-width (non-)joiner U+200C/U+200D shapes letters in some scripts, so it goes at the ends only.
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from loader.cleaning.series import series_rule

if TYPE_CHECKING:
    import pyarrow as pa

# classes of RE2, the regular expressions of Arrow, whose \s knows ASCII only
BLANK = r"\t-\r\x{1c}-\x{1f}\x{85}\p{Z}"
ZERO_WIDTH = r"\x{ad}\x{200b}\x{2060}\x{feff}"
STRAY = BLANK + ZERO_WIDTH + r"\x{200c}\x{200d}"


def trimmed(values: "pa.Array") -> "pa.Array":
    """Arrow core of `trim`, for other rules."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(values, f"^[{STRAY}]+|[{STRAY}]+$", "")


def tidied(values: "pa.Array") -> "pa.Array":
    """NFC, no zero-width characters, single inner blanks, none at the ends: where every other rule starts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # most values are tidy already: the costly replacements see only the others
    untidy = pc.fill_null(pc.match_substring_regex(values, r"[^\x{20}-\x{7e}]|^ | $|  "), False)
    if not pc.any(untidy).as_py():
        return values
    rest = pc.utf8_normalize(values.filter(untidy), form="NFC")
    rest = pc.replace_substring_regex(rest, f"[{ZERO_WIDTH}]+", "")
    rest = trimmed(pc.replace_substring_regex(rest, f"[{BLANK}]+", " "))
    # taking out a zero-width character can bring a letter and its accent together
    rest = pc.utf8_normalize(rest, form="NFC")
    return pc.replace_with_mask(values, untidy, rest.cast(pa.large_string()))


@series_rule
def trim(values: "pa.Array") -> "pa.Array":
    """Remove blanks and zero-width characters at both ends."""
    return trimmed(values)


@series_rule
def collapse_blanks(values: "pa.Array") -> "pa.Array":
    """Trim, NFC, drop zero-width characters, and make each run of inner blanks one plain space."""
    return tidied(values)


@series_rule
def nfc(values: "pa.Array") -> "pa.Array":
    """Unicode Normalization Form C (Unicode Standard Annex #15): one code point sequence for one text."""
    import pyarrow.compute as pc

    return pc.utf8_normalize(values, form="NFC")


@series_rule
def upper(values: "pa.Array") -> "pa.Array":
    """Upper case, letter by letter (simple case mapping, so the length stays): meant for codes."""
    import pyarrow.compute as pc

    return pc.utf8_upper(values)


@series_rule
def lower(values: "pa.Array") -> "pa.Array":
    """Lower case, letter by letter (simple case mapping, so the length stays): meant for codes."""
    import pyarrow.compute as pc

    return pc.utf8_lower(values)


@series_rule
def zero_pad(values: "pa.Array", *, width: Annotated[int, Field(ge=1, le=4000)]) -> "pa.Array":
    """Give back leading zeros that a spreadsheet dropped: '1234' with width 9 becomes '000001234'.

    Only values of ASCII digits are padded (after a trim); others stay for the contract's pattern to judge.
    """
    import pyarrow.compute as pc

    text = trimmed(values)
    digits = pc.match_substring_regex(text, "^[0-9]+$")
    return pc.if_else(digits, pc.utf8_lpad(text, width=width, padding="0"), text)


@series_rule
def digits_only(values: "pa.Array") -> "pa.Array":
    """Keep ASCII digits only: '12-34 56' becomes '123456'."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(values, "[^0-9]+", "")

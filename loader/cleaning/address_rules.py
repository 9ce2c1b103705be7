"""Rules for the parts of a street address."""

from typing import TYPE_CHECKING, Literal

from loader.cleaning.series import series_rule
from loader.cleaning.text_rules import tidied

if TYPE_CHECKING:
    import pyarrow as pa

# per country: pattern and what is written instead
ABBREVIATIONS = {
    "DE": [
        (r"([Ss])tr(?:asse|\.)?([ ,-]|$)", r"\1traße\2"),
        (r"STR\.?([ ,-]|$)", r"STRASSE\1"),
    ],
}
DASHES = r"[\x{2010}-\x{2014}]"  # hyphen, no-break hyphen, figure dash, en dash, em dash
HOUSE_NUMBER = r"^[0-9]+ ?[A-Za-z]?(?:[-/+][0-9]* ?[A-Za-z]?)*$"


@series_rule
def street(values: "pa.Array", *, country: Literal["DE"] = "DE") -> "pa.Array":
    """One spelling for a street: NFC, single blanks, and for DE the abbreviation of 'Straße' written out.

    'Prager Str.' becomes 'Prager Straße', 'Hauptstr.' and 'Hauptstrasse' become 'Hauptstraße', in capitals
    'HAUPTSTR.' becomes 'HAUPTSTRASSE'. Other abbreviations are too many and too uncertain ('Pl.',
    'Dr.', 'St.') and stay.
    """
    import pyarrow.compute as pc

    text = tidied(values)
    for pattern, written in ABBREVIATIONS[country]:
        text = pc.replace_substring_regex(text, pattern, written)
    return text


@series_rule
def house_number(values: "pa.Array") -> "pa.Array":
    """One spelling for a house number: '12 A' becomes '12a', '12 - 14' '12-14', '3 / 5' '3/5'.

    What does not look like a number with letters and additions is only trimmed.
    """
    import pyarrow.compute as pc

    text = pc.replace_substring_regex(tidied(values), DASHES, "-")
    joined = pc.replace_substring_regex(text, r" *([-/+]) *", r"\1")
    plain = pc.match_substring_regex(joined, HOUSE_NUMBER)
    return pc.if_else(plain, pc.ascii_lower(pc.replace_substring(joined, " ", "")), text)

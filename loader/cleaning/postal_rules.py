"""Rules for postal codes.

Sources: the addressing sheets of the Universal Postal Union (POST*CODE) for each country.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

from loader.cleaning.series import series_rule
from loader.cleaning.text_rules import tidied

if TYPE_CHECKING:
    import pyarrow as pa

Country = Literal["AT", "CH", "DE", "FR", "GB", "NL", "PL", "US"]


class PostalFormat(NamedTuple):
    """How one country writes its postal codes; patterns see capitals without blanks, dots and hyphens.

    prefix: the country code that some write before the code (D-01067); dropped before a digit
    lost_zeros: the code as a spreadsheet leaves it when it takes it for a number; padded to `width`
    pattern, layout: what is accepted, and how it is written
    """

    prefix: str
    lost_zeros: str
    width: int
    pattern: str
    layout: str


NOTHING = r"^[^\s\S]$"

FORMATS: dict[str, PostalFormat] = {
    "AT": PostalFormat("A|AT", NOTHING, 4, r"^([1-9][0-9]{3})$", r"\1"),
    "CH": PostalFormat("CH", NOTHING, 4, r"^([1-9][0-9]{3})$", r"\1"),
    "DE": PostalFormat("D|DE", r"^[1-9][0-9]{3}$", 5, r"^((?:0[1-9]|[1-9][0-9])[0-9]{3})$", r"\1"),
    "FR": PostalFormat("F|FR", r"^[1-9][0-9]{3}$", 5, r"^((?:0[1-9]|[1-9][0-9])[0-9]{3})$", r"\1"),
    "GB": PostalFormat("GB", NOTHING, 0, r"^([A-Z]{1,2}[0-9][0-9A-Z]?)([0-9][A-Z]{2})$", r"\1 \2"),
    "NL": PostalFormat("NL", NOTHING, 0, r"^([1-9][0-9]{3})([A-Z]{2})$", r"\1 \2"),
    "PL": PostalFormat("PL", r"^[1-9][0-9]{2,3}$", 5, r"^([0-9]{2})([0-9]{3})$", r"\1-\2"),
    "US": PostalFormat("US", r"^[1-9][0-9]{2,3}$", 5, r"^([0-9]{5})([0-9]{4})?$", r"\1-\2"),
}


@series_rule
def postal_code(values: "pa.Array", *, country: Country) -> "tuple[pa.Array, pa.Array]":
    """One spelling for the postal code of a country; rejects what has not its form.

    DE '1067' becomes '01067', NL '1234ab' becomes '1234 AB', US '021394307' becomes '02139-4307'. Whether the
    code is in use is not asked.
    """
    import pyarrow.compute as pc

    form = FORMATS[country]
    code = pc.replace_substring_regex(pc.utf8_upper(tidied(values)), r"[ .\x{2010}-\x{2015}-]+", "")
    code = pc.replace_substring_regex(code, rf"^(?:{form.prefix})([0-9])", r"\1")
    code = pc.if_else(
        pc.match_substring_regex(code, form.lost_zeros),
        pc.utf8_lpad(code, width=form.width, padding="0"),
        code,
    )
    accepted = pc.match_substring_regex(code, form.pattern)
    written = pc.replace_substring_regex(code, form.pattern, form.layout)
    written = pc.replace_substring_regex(written, "-$", "")  # a US code of five digits
    return written, accepted

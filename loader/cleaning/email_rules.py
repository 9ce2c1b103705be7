"""Rules for e-mail addresses."""

from typing import TYPE_CHECKING

from loader.cleaning.series import series_rule
from loader.cleaning.text_rules import tidied

if TYPE_CHECKING:
    import pyarrow as pa

ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL = r"[\p{L}\p{Nd}](?:[\p{L}\p{M}\p{Nd}-]*[\p{L}\p{M}\p{Nd}])?"
TOP_LABEL = r"(?:\p{L}[\p{L}\p{M}]+|[Xx][Nn]--[A-Za-z0-9-]*[A-Za-z0-9])"
ADDRESS = rf"^{ATOM}(?:\.{ATOM})*@(?:{LABEL}\.)+{TOP_LABEL}$"


@series_rule
def email(values: "pa.Array") -> "tuple[pa.Array, pa.Array]":
    """One spelling for an e-mail address; rejects what cannot be one.

    Takes the address out of 'mailto:' and '<...>' and writes the domain in lower case. The local part keeps
    its case: RFC 5321 section 2.4 leaves its meaning to the receiving host.

    Accepted is the subset that people type: a dot-atom (RFC 5322 section 3.2.3, ASCII) of at most 64 octets
    (RFC 5321 section 4.5.3.1.1), '@', and two or more domain labels of at most 63 characters (RFC 1035
    section 2.3.4) from letters of any script, digits and hyphens, the last one alphabetic (RFC 1123 section
    2.1) or xn--; 254 octets in all (RFC 3696 erratum 1690). Quoted local parts, comments, address literals
    and several addresses in one cell are rejected. Whether the mailbox exists is not asked.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = tidied(values)
    text = pc.replace_substring_regex(text, r"^[^<>]*< *([^<>]*?) *>$", r"\1")
    text = pc.replace_substring_regex(text, r"^(?i:mailto): *", "")

    parts = pc.extract_regex(text, r"^(?P<local>[^@]*)@(?P<domain>[^@]*)$")
    local, domain = pc.struct_field(parts, "local"), pc.utf8_lower(pc.struct_field(parts, "domain"))
    address = pc.coalesce(pc.binary_join_element_wise(local, domain, pa.scalar("@", text.type)), text)

    fits = pc.and_(pc.less_equal(pc.binary_length(local), 64), pc.less_equal(pc.binary_length(address), 254))
    long_label = pc.match_substring_regex(domain, r"[^.]{64}")
    well_formed = pc.match_substring_regex(address, ADDRESS)
    return address, pc.and_(well_formed, pc.and_(fits, pc.invert(long_label)))

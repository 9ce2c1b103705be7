"""Names in a contract: those that are taken, and how a header is compared."""

from __future__ import annotations

import re
import unicodedata

from loader.contracts.reserved import RESERVED

LINEAGE = ("_data_period", "_load_id", "_loaded_at", "_source_file_id", "_source_row")
"""Columns that every stage table carries next to the data columns."""


INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
"""Characters without width, which Python takes for no blanks."""


_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


def portable(kind: str, name: str) -> str:
    """The name itself, when it works as a name on every engine without quotes.

    Names that begin with _ are those of the lineage and of what SQL of loader and macros works out beside the columns.

    >>> portable("column", "birth_date")
    'birth_date'

    Raises:
        ValueError: it has other characters, or is a reserved word of an engine; `kind` says in the message whose it is.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{kind} name '{name}': lower case letters, digits and _, at most 50, a letter first")
    if name in RESERVED:
        raise ValueError(f"{kind} name '{name}' is a word of SQL; take another, such as '{name}_code'")
    return name


def plain_header(cell: str) -> str:
    r"""A header as it is compared: without regard to case, line breaks, repeated, no-break or invisible blanks.

    >>> plain_header("Date of\n BIRTH")
    'date of birth'
    """
    return " ".join(INVISIBLE.sub("", unicodedata.normalize("NFKC", cell)).split()).casefold()

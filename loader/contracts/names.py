"""Names in a contract: those that are taken, and how a header is compared."""

from __future__ import annotations

import re
import unicodedata

LINEAGE = ("_data_period", "_load_id", "_loaded_at", "_source_file_id", "_source_row")
"""Columns that every stage table carries next to the data columns."""


INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
"""Characters without width, which Python takes for no blanks."""


_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


# fmt: off
RESERVED = frozenset({
    "all", "alter", "and", "any", "as", "asc", "between", "both", "by", "case", "cast", "check", "column",
    "constraint", "create", "cross", "current", "default", "delete", "desc", "distinct", "drop", "else", "end",
    "except", "exists", "false", "fetch", "for", "foreign", "from", "full", "grant", "group", "having", "in",
    "index", "inner", "insert", "intersect", "into", "is", "join", "key", "left", "like", "limit", "merge",
    "natural", "not", "null", "offset", "on", "or", "order", "outer", "plan", "primary", "references", "right",
    "select", "set", "table", "then", "to", "top", "true", "union", "unique", "update", "user", "using",
    "values", "view", "when", "where", "window", "with",
})
# fmt: on
"""Words of SQL that some engine or dbt's own tests trip over when they stand as a name without quotes."""


def portable(kind: str, name: str) -> str:
    """The name itself, when it works as a name on every engine without quotes.

    >>> portable("column", "birth_date")
    'birth_date'

    Raises:
        ValueError: it has other characters, or is a reserved word of SQL; `kind` says in the message whose name it is.
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

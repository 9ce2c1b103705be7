"""What may be told where personal values are about: names and counts, never a value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_ALIAS = re.compile(r'\bas\s+"?(?P<name>\w+)"?', re.IGNORECASE)
_NAME = re.compile(r"\{batch\}|[a-z_]\w*(?![\w.])", re.IGNORECASE)
"""A name, or a table's alias that stands for its whole row (`b`, not the `b` of `b.city`)."""
_COUNT = re.compile(r"\s*(?:select\s+(?:distinct\s+)?)?count\s*\([^()]*\)\s*", re.IGNORECASE)
_VALUE = re.compile(r"""['"(]|(?<![\w.])\d[\w.:,-]*""")
_CLOSING = {"'": "'", '"': '"', "(": ")"}
_ERROR_CLASS = re.compile(r"^\([\w.]+\) ")


def hidden_columns(query: str, result: Collection[str], table: Collection[str], personal: Collection[str]) -> set[str]:
    """Columns of a query's `result` that may hold personal values of the `table` that it reads as `{batch}`.

    A column of the table is told by its name; any other must be an alias, written with `as`, whose definition has
    nothing personal in it. Numbers of rows (`count(…)`) may be shown.
    """
    if not set(personal).intersection(table):
        return set()
    tainted = {name.lower() for name in personal} | {"{batch}"}
    aliases = [(name, words) for name, words in _definitions(query)]
    while found := {name for name, words in aliases if name not in tainted and words & tainted}:
        tainted |= found
    known = {name.lower() for name in table} | {name for name, _ in aliases}
    return {name for name in result if name.lower() in tainted or name.lower() not in known}


def _definitions(query: str) -> Iterator[tuple[str, set[str]]]:
    """Each alias of a query, and the names in the words before it, back to a comma or an opening parenthesis."""
    for found in _ALIAS.finditer(query):
        at, depth = found.start(), 0
        while at > 0 and (depth > 0 or query[at - 1] not in "(,"):
            at -= 1
            depth += (query[at] == ")") - (query[at] == "(")
        definition = query[at : found.start()]
        words = set() if _COUNT.fullmatch(definition) else {word.lower() for word in _NAME.findall(definition)}
        yield found["name"].lower(), words


def without_values(message: str, names: Collection[str]) -> str:
    """A database's message up to the first thing that may be a value: a number, or a text in quotes or parentheses.

    What is among `names` is none, nor is the class of the error that SQLAlchemy puts in front.
    """
    kept, rest = "", _ERROR_CLASS.sub("", message)
    while (found := _VALUE.search(rest)) is not None:
        value, behind = found[0], rest[found.end() :]
        if value in _CLOSING:
            value, closing, behind = behind.partition(_CLOSING[value])
            value = value if closing else ""
        if value not in names:
            return f"{kept}{rest[: found.start()]}…"
        kept += rest[: len(rest) - len(behind)]
        rest = behind
    return kept + rest

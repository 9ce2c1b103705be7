"""How texts are written, once: for people the first line, a list, a number and a mask, for SQL its quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

MASK = "***"
"""Stands for a personal value."""


def first_lines(text: object, most: int = 1) -> list[str]:
    """The first lines of an error or of another text that are not empty."""
    return [line.strip() for line in str(text).splitlines() if line.strip()][:most]


def first_line(error: BaseException) -> str:
    """The first line of an error, of SQLAlchemy's that of the driver; the name of its class when it has none."""
    cause = getattr(error, "orig", None) or error
    return next(iter(first_lines(cause)), type(cause).__name__)


def listed(values: Iterable[object], most: int | None = None) -> str:
    """`a, b and 7 more` when more than `most` are given; `none` for nothing. Only what is shown is made text."""
    all_of_them = values if isinstance(values, Sequence) else [*values]
    shown = [str(value) for value in all_of_them[:most]]
    rest = f" and {len(all_of_them) - len(shown):,} more" if len(shown) < len(all_of_them) else ""
    return (", ".join(shown) or "none") + rest


def plural(number: int, word: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def number(value: object) -> str:
    """A value with its thousands apart, at most four decimals of a float, and nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        value = round(value, 4)
    return f"{value:,}" if isinstance(value, int | float | Decimal) else str(value)


def sql_text(value: str) -> str:
    """A text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def unbound(sql: str) -> str:
    """SQL without parameters, in which SQLAlchemy's `text` finds none either."""
    return re.sub("(?<!:):(?!:)", r"\:", sql)

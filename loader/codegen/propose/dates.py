"""How dates are written as text: forms of strptime that read a whole column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T].*)?")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S", " %H:%M:%S.%f")
_ORDERS = {
    "day, month, year, with points": ("%d.%m.%Y", "%d.%m.%y"),
    "day, month, year, with slashes": ("%d/%m/%Y", "%d/%m/%y"),
    "month, day, year, with slashes": ("%m/%d/%Y", "%m/%d/%y"),
    "year, month, day, with slashes": ("%Y/%m/%d",),
    "day, month, year, with hyphens": ("%d-%m-%Y", "%d-%m-%y"),
    "month, day, year, with hyphens": ("%m-%d-%Y", "%m-%d-%y"),
    "year, month, day, with points": ("%Y.%m.%d",),
    "names of months": (
        *(
            "%d %b %Y",
            "%d %B %Y",
            "%d-%b-%Y",
            "%d-%b-%y",
            "%b %d, %Y",
            "%B %d, %Y",
            "%b %d %Y",
            "%d/%b/%Y",
            "%d. %B %Y",
        ),
        *("%d%b%Y", "%a, %d %b %Y"),
    ),
}
"""Forms that one sender may mix, by what they have in common."""
MONTH_FIRST = "month, day"
_LIKELY = re.compile(
    r"[0-9]{1,4}[-./ ][0-9A-Za-z]{1,9}[-./ ,]+[0-9]{2,4}\b|[A-Za-z]{3,9}[ .,]+[0-9]{1,2},? [0-9]{4}|"
    r"[0-9]{1,2}[A-Z][a-z]{2}[0-9]{4}"
)


@dataclass(frozen=True)
class DateReading:
    """One way to read all texts of a column as dates or moments."""

    order: str
    """What its forms have in common; empty for ISO 8601, which needs no word."""
    forms: tuple[str, ...]
    has_times: bool
    """Whether a time other than midnight is among them."""
    has_offsets: bool = False

    @property
    def two_digits(self) -> bool:
        """Whether years have two digits."""
        return any("%y" in form for form in self.forms)


def date_readings(texts: Sequence[str]) -> list[DateReading]:
    """The ways to read these texts, all different; empty when they are no dates, more than one when nobody can tell."""
    if not texts or not all(_LIKELY.search(text) for text in texts[:50]):
        return []
    if all(_ISO.fullmatch(text) for text in texts):
        moments = [_iso(text) for text in texts]
        if None in moments:
            return []
        known = [moment for moment in moments if moment is not None]
        has_offsets = any(moment.tzinfo is not None for moment in known)
        return [DateReading("", (), any(map(_has_time, known)), has_offsets)]
    found = (_reading(order, forms, texts) for order, forms in _ORDERS.items())
    return [one for one in found if one is not None]


def _reading(order: str, forms: Sequence[str], texts: Sequence[str]) -> DateReading | None:
    used: dict[str, None] = {}
    has_times = False
    candidates = [form + time for time, form in product(_TIMES, forms)]
    for text in texts:
        form = next((form for form in [*used, *candidates] if _parsed(text, form) is not None), None)
        if form is None:
            return None
        used[form] = None
        moment = _parsed(text, form)
        has_times = has_times or (moment is not None and _has_time(moment))
    return DateReading(order, tuple(sorted(used, key=candidates.index)), has_times)


def _has_time(moment: datetime) -> bool:
    return bool(moment.hour or moment.minute or moment.second or moment.microsecond)


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - its form matters, and whether it has a time
    except ValueError:
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None

"""Names of months in the languages of the world, from the CLDR data that babel carries; no locale need be installed."""

from __future__ import annotations

import copy
import unicodedata
from functools import cache


@cache
def month_names(language: str) -> dict[str, int]:
    """The number of each month by its plain names: in full and abbreviated, as they stand in a date and alone.

    >>> month_names("de")["märz"], month_names("de")["mär"]
    (3, 3)

    Raises:
        ValueError: there is no such language.
    """
    from babel import Locale, UnknownLocaleError, localedata  # only who reads months needs it

    try:
        locale = str(Locale.parse(language.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        raise ValueError(f"'{language}' is not a known language; write it like de, fr or pt_BR") from None
    # a copy: babel writes what it resolves into data that languages share, so that one would get the names of another
    months = localedata.LocaleDataDict({"months": copy.deepcopy(localedata.load(locale)["months"])})["months"]
    found: dict[str, set[int]] = {}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in months[context][width].items():
                found.setdefault(plain_name(name), set()).add(number)
    return {name: min(numbers) for name, numbers in found.items() if len(numbers) == 1}


def plain_name(name: str) -> str:
    """A name as it is compared: without regard to case and a point at its end."""
    return folded(name).removesuffix(".")


def folded(text: str) -> str:
    """A text as it is compared: without regard to case and to how letters with marks are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())

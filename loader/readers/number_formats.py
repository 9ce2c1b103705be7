"""Number formats of spreadsheets: whether a cell that has one shows a date, a time of day, or a duration."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache


class Shows(Enum):
    """What a number format makes of a number."""

    NUMBER = 0
    DATE = 1
    TIME = 2
    MOMENT = 3
    """A date with a time of day."""
    DURATION = 4


_BUILT_IN = {
    **dict.fromkeys((*range(14, 18), *range(27, 32), 36, *range(50, 59)), Shows.DATE),
    **dict.fromkeys((*range(18, 22), *range(32, 36), 45, 47), Shows.TIME),
    22: Shows.MOMENT,
    46: Shows.DURATION,
}
"""By number of the format (ECMA-376 part 1, 18.8.30); those of 27 to 36 and of 50 to 58 are of East Asia."""
_LITERALS = re.compile(r'"[^"]*"?|[\\_*].|(?P<end>;)', re.DOTALL)
_CLOCK = re.compile(r"\[(h+|m+|s+)\]")
_BRACKETS = re.compile(r"\[[^\]]*\]?")
_NOON = re.compile(r"am/pm|a/p")
_DATE_LETTERS = set("ymd")
_TIME_LETTERS = set("hs")
_KNOWN_LETTERS = _DATE_LETTERS | _TIME_LETTERS | set("egb")


def built_in(number: int) -> Shows:
    """What a format shows that is known by its number alone."""
    return _BUILT_IN.get(number, Shows.NUMBER)


@cache
def shows(code: str) -> Shows:
    """What a format shows, by the first part of its code.

    Letters that stand for no part of a date, as in `Standard`, make it a number: so do those who wrote it.
    """
    plain = _plain(code)
    if _CLOCK.search(plain):
        return Shows.DURATION
    plain, noon = _NOON.subn("", _BRACKETS.sub("", plain))
    letters = set(re.findall("[a-z]", re.sub("[0#?]e[+-]", "", plain)))
    if letters - _KNOWN_LETTERS or {"y", "e"} <= letters or re.search(r"[#?]|(?<![s.0])[.0]*0", plain):
        return Shows.NUMBER
    has_time = bool(noon or letters & _TIME_LETTERS)
    has_date = bool(letters & {"y", "d", "e"} or ("m" in letters and not has_time))
    if has_date:
        return Shows.MOMENT if has_time else Shows.DATE
    return Shows.TIME if has_time else Shows.NUMBER


def is_misread(code: str) -> bool:
    """Whether calamine may take a format for that of a date that is none, or the other way round."""
    letters = set(re.findall("[a-z]", _BRACKETS.sub("", _plain(code)).replace("general", "")))
    is_date = shows(code) is not Shows.NUMBER
    if not is_date:
        return bool(letters & (_DATE_LETTERS | _TIME_LETTERS))
    return shows(code) is not Shows.DURATION and "a" in letters and not _NOON.search(_plain(code))


def _plain(code: str) -> str:
    """The first part of a code in small letters, without what it shows as it is."""
    parts, at = [], 0
    for found in _LITERALS.finditer(code):
        parts.append(code[at : found.start()])
        at = found.end()
        if found["end"]:
            break
    else:
        parts.append(code[at:])
    return "".join(parts).lower()

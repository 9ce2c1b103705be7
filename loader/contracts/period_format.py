"""`period_format`: how a sender writes periods, as a form of a few words.

======  ==========================  =======  ==========================
word    stands for                  word     stands for
======  ==========================  =======  ==========================
YYYY    the year                    q        the quarter, 1 to 4
YY      its last two digits         ww w     the week of ISO 8601
Month   the name of the month       ppp pp p the fiscal period
MM M    the month                   hh       the hour of a window
DD D    the day                     mm       its minute
======  ==========================  =======  ==========================

A word of several letters stands for as many digits, one of a single letter for a number without zeros before it. All
else stands for itself, and so does what is in single quotes; case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from loader.contracts.model import Mistake
from loader.contracts.month_names import folded, month_names, plain_name
from loader.contracts.periods import Grain

_WORDS = {
    "YYYY": "year",
    "YY": "year",
    "Month": "month",
    "MM": "month",
    "M": "month",
    "DD": "day",
    "D": "day",
    "q": "quarter",
    "ww": "week",
    "w": "week",
    "ppp": "fiscal_period",
    "pp": "fiscal_period",
    "p": "fiscal_period",
    "hh": "hour",
    "mm": "minute",
}
_TOKEN = re.compile(rf"(?P<word>{'|'.join(_WORDS)})|'(?P<quoted>[^']+)'|(?P<plain>FY(?=YY)|.)", re.DOTALL)
_OF_PART = {part: [word for word, of in _WORDS.items() if of == part] for part in _WORDS.values()}
OPTIONAL = frozenset({"minute"})
"""What a name may leave out: a window begins with an hour."""


def missing_parts(grain: Grain, told: Mapping[str, object] | set[str]) -> list[str]:
    """The parts of a name that are needed and not told."""
    return [part for part in grain.parts if part not in told and part not in OPTIONAL]


def _number(word: str) -> str:
    if word == "q":
        return "[1-4]"
    return "[1-9][0-9]?" if len(word) == 1 else f"[0-9]{{{len(word)}}}"


@dataclass(frozen=True)
class PeriodFormat:
    """A form as a contract says it, for periods of a grain; `language` is that of the names of months."""

    text: str
    grain: Grain
    language: str | None = None

    @cached_property
    def _tokens(self) -> list[re.Match[str]]:
        return list(_TOKEN.finditer(self.text))

    @property
    def words(self) -> list[str]:
        """Its words, in their order."""
        return [token["word"] for token in self._tokens if token["word"]]

    def mistakes(self) -> Iterator[Mistake]:
        """What is wrong with it."""
        place = ("period_format",)
        parts = [_WORDS[word] for word in self.words]
        for part in missing_parts(self.grain, set(parts)):
            forms = " or ".join(_OF_PART[part])
            reason = f"'{self.text}' says no {part.replace('_', ' ')}, which a {self.grain} needs: {forms}"
            yield Mistake(reason, place)
        for word, part in zip(self.words, parts, strict=True):
            if part not in self.grain.parts:
                yield Mistake(f"'{self.text}': '{word}' is the {part}, which a {self.grain} has not", place)
        for part in sorted({part for part in parts if parts.count(part) > 1}):
            yield Mistake(f"'{self.text}' says the {part} twice", place)
        if "Month" in self.words and self.language is None:
            yield Mistake(f"'{self.text}' has names of months: 'language' must say in which language", place)
        for one, other in zip(self._tokens, self._tokens[1:], strict=False):
            if self._runs_into(one["word"], other["word"]):
                yield Mistake(
                    f"'{self.text}': nobody can tell where '{one['word']}' ends and '{other['word']}' begins; put "
                    "something between them, or write two letters for two digits",
                    place,
                )

    def _runs_into(self, one: str | None, other: str | None) -> bool:
        if one is None or other is None:
            return False
        if "Month" in (one, other):
            return bool({one, other} & {"M", "D", "w", "p"}) and any(map(str.isdigit, "".join(self._months)))
        return "q" not in (one, other) and 1 in (len(one), len(other))

    @property
    def _months(self) -> dict[str, int]:
        return month_names(self.language) if self.language else {}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("".join(self._of(token) for token in self._tokens))

    def _of(self, token: re.Match[str]) -> str:
        word = token["word"]
        if word is None:
            return re.escape(folded(token["quoted"] or token["plain"]))
        names = sorted(self._months, key=len, reverse=True) if word == "Month" else []
        shape = rf"(?:{'|'.join(map(re.escape, names))})\.?" if word == "Month" else _number(word)
        return f"(?P<{_WORDS[word]}>{shape})"

    def read(self, text: str) -> dict[str, str]:
        """The parts of a period as they are written there.

        >>> PeriodFormat("Month YYYY", Grain.MONTH, "de").read("Mär. 2025")
        {'month': 'mär.', 'year': '2025'}

        Raises:
            ValueError: the text has another form.
        """
        found = self._pattern.fullmatch(folded(text))
        if found is None:
            raise ValueError(f"'{text}' is not written {self.text}")
        return found.groupdict()


@dataclass(frozen=True)
class Digits:
    """How parts of a period become numbers: the language of months, and the century of years of two digits."""

    language: str | None = None
    century: int | None = None

    def number(self, part: str, text: str) -> int:
        """The number that a part is written as.

        >>> Digits(language="fr", century=1950).number("year", "98")
        1998

        Raises:
            ValueError: it is written as none.
        """
        if text.isascii() and text.isdigit():
            return self._year(text) if part == "year" else int(text)
        if part == "month":
            return self._month(text)
        raise ValueError(f"'{text}' is not a number, which the {part.replace('_', ' ')} is")

    def _year(self, text: str) -> int:
        if len(text) == 4:
            return int(text)
        if len(text) != 2:
            raise ValueError(f"'{text}' is not a year of four or two digits")
        if self.century is None:
            raise ValueError(f"'{text}' is a year of two digits: 'century' must say in which hundred years it lies")
        return self.century + (int(text) - self.century) % 100

    def _month(self, text: str) -> int:
        if self.language is None:
            raise ValueError(f"'{text}' is not a number: 'language' must say in which language months are named")
        found = month_names(self.language).get(plain_name(text))
        if found is None:
            raise ValueError(f"'{text}' is not the name of one month in '{self.language}'")
        return found

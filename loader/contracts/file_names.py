"""What the name of a file tells: `file_name` is a regular expression for each folder and one for the name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from loader.contracts.model import Mistake
from loader.contracts.month_names import month_names
from loader.contracts.period_format import OPTIONAL, Digits, PeriodFormat, missing_parts
from loader.contracts.periods import Grain, name_of, parts_of, with_colon

PARTS = ("year", "quarter", "month", "week", "day", "fiscal_period", "hour", "minute")
"""Groups that tell a part of a period."""
_OF_ANY_WIDTH = ("month", "week", "day", "fiscal_period")
"""Those that may be written with one digit or two."""


@lru_cache(maxsize=1000)
def segments(file_name: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of the folders and of the name; case is ignored, as file systems do.

    Raises:
        ValueError: one of them is no regular expression.
    """
    found = []
    for part in unicodedata.normalize("NFC", file_name).split("/"):
        try:
            found.append(re.compile(part, re.IGNORECASE))
        except re.error as error:
            of_folder = "; between slashes stands the pattern of one folder each" if "/" in file_name else ""
            raise ValueError(f"file_name '{part}' is not a valid regular expression: {error}{of_folder}") from None
    return tuple(found)


def matched(pattern: re.Pattern[str], name: str) -> re.Match[str] | None:
    """The match of the name of a folder or file; letters with marks are equal however a file system writes them."""
    return pattern.fullmatch(unicodedata.normalize("NFC", name))


def matches(file_name: str, names: Sequence[str]) -> list[re.Match[str]] | None:
    """The matches of the names of folders and file; None when one does not match, or their number differs."""
    patterns = segments(file_name)
    if len(patterns) != len(names):
        return None
    found = [matched(pattern, name) for pattern, name in zip(patterns, names, strict=True)]
    return [match for match in found if match] if all(found) else None


Told = Sequence[tuple[str, str]]
"""Groups and what they matched; a group may stand in several folders."""


def told_by(found: Sequence[re.Match[str]]) -> Told:
    r"""What the groups matched, without those that matched nothing.

    >>> told_by(matches(r"(?P<year>\d{4})/sales_(?P<month>\d\d)\.csv", ["2025", "sales_01.csv"]))
    [('year', '2025'), ('month', '01')]

    Raises:
        ValueError: two numbers follow each other, and nobody can tell where one ends.
    """
    told = []
    for match in found:
        ends = {match.end(group): group for group in _OF_ANY_WIDTH if match.groupdict().get(group)}
        for group, text in match.groupdict().items():
            before = ends.get(match.start(group)) if group in _OF_ANY_WIDTH and text else None
            if before is not None and 1 in (len(text), len(match[before])):
                raise ValueError(f"nobody can tell where the {before} ends and the {group} begins in '{match[0]}'")
            if text is not None:
                told.append((group, text))
    return told


def mistakes_in_groups(
    patterns: Iterable[re.Pattern[str]],
    grain: Grain,
    place: tuple[str, ...] = ("file_name",),
    *,
    also: tuple[str, ...] = ("order",),
    needed: bool = True,
) -> Iterator[Mistake]:
    """What is wrong with the groups of expressions that tell periods of a grain.

    They stand at a `place` of the contract and may have groups that tell something else, `also`. `needed`: whether they
    have to tell a whole period.
    """
    groups = [[*pattern.groupindex] for pattern in patterns]
    every = [group for of_one in groups for group in of_one]
    parts = {group for group in every if group in PARTS}
    known = ("period", *also, *PARTS)
    for group in dict.fromkeys(group for group in every if group not in known):
        yield Mistake(f"a group '{group}' tells nothing; known are {', '.join(known)}", place)
    for group in ("period", *also):
        if every.count(group) > 1:
            yield Mistake(f"the group '{group}' stands there twice", place)
    for group in sorted(parts - set(parts_with_larger(grain))):
        yield Mistake(f"the group '{group}' tells nothing of a {grain}", place)
    if any("period" in of_one and set(of_one) & parts for of_one in groups):
        yield Mistake("either the group 'period' or groups of its parts, not both in one name", place)
    missing = missing_parts(grain, parts)
    if needed and "period" not in every and missing:
        words = [part for part in grain.parts if part not in OPTIONAL]
        yield Mistake(f"needs a named group (?P<period>…), or for a {grain} the groups {', '.join(words)}", place)


def parts_with_larger(grain: Grain) -> tuple[str, ...]:
    """The parts of a name of a grain, and what follows from them."""
    return (*grain.parts, "quarter") if "month" in grain.parts else grain.parts


@dataclass(frozen=True)
class Spelling:
    """How a file tells its period: the words of a contract that are about it."""

    grain: Grain
    digits: Digits
    form: PeriodFormat | None = None
    """Of the group `period`; None when it is the name of the period itself."""

    def mistakes(self, groups: set[str]) -> Iterator[Mistake]:
        """What is wrong with these words, beside the `groups` of file_name."""
        form, language, century = self.form, self.digits.language, self.digits.century
        words = form.words if form else []
        try:
            if language is not None:
                month_names(language)
        except ValueError as error:
            yield Mistake(str(error), ("language",))
            return
        yield from form.mistakes() if form else ()
        if form and "period" not in groups:
            yield Mistake(
                "'period_format' is about the group 'period', which neither file_name nor 'period' has",
                ("period_format",),
            )
        if form and "YY" in words and century is None:
            yield Mistake(
                f"period_format '{form.text}' has years of two digits: 'century' is required", ("period_format",)
            )
        if language is not None and "month" not in groups and "Month" not in words:
            yield Mistake(
                "'language' is about names of months; neither file_name nor period_format has any", ("language",)
            )
        if century is not None and "year" not in groups and "YY" not in words:
            yield Mistake(
                "'century' is about years of two digits; neither file_name nor period_format has any", ("century",)
            )

    def name(self, told: Told) -> str:
        """The name of the period that the groups of a file name tell.

        Raises:
            ValueError: they tell none, or more than one.
        """
        text = next((text for group, text in told if group == "period"), None)
        parts = self._numbers([pair for pair in told if pair[0] in PARTS])
        if text is None:
            if missing := missing_parts(self.grain, parts):
                raise ValueError(f"it tells no {' and no '.join(missing)}")
            return name_of(self.grain, {"minute": 0, **parts})
        name = self.read(text)
        for part, number in parts.items():
            whole = _with_quarter(parts_of(name, self.grain) or {})
            if whole.get(part, number) != number:
                raise ValueError(f"it tells {name}, and also the {part} {number}")
        return name

    def contradiction(self, name: str, told: Told) -> str | None:
        """What the groups of a file name tell that a period is not; None when they tell nothing, or the same.

        Raises:
            ValueError: they tell no period, though they have the group for it.
        """
        parts = self._numbers([pair for pair in told if pair[0] in PARTS])
        if "period" in dict(told) or (parts and not missing_parts(self.grain, parts)):
            other = self.name(told)
            return None if other == name else other
        whole = _with_quarter(parts_of(name, self.grain) or {})
        return next((f"the {part} {number}" for part, number in parts.items() if whole.get(part) != number), None)

    def read(self, text: str) -> str:
        """The name of the period that is written so; whether there is such a period is not asked.

        Raises:
            ValueError: the text has not the form that the contract says.
        """
        if self.form is None:
            return with_colon(text.upper())
        return name_of(self.grain, {"minute": 0, **self._numbers([*self.form.read(text).items()])})

    def _numbers(self, told: Told) -> dict[str, int]:
        found: dict[str, int] = {}
        for part, text in told:
            number = self.digits.number(part, text)
            if found.setdefault(part, number) != number:
                raise ValueError(f"it tells the {part} {found[part]}, and also {number}")
        whole = _with_quarter(found)
        if found.get("quarter", number := whole.get("quarter", 0)) != number:
            raise ValueError(f"it tells the month {found['month']}, and also the quarter {found['quarter']}")
        return found


def _with_quarter(parts: Mapping[str, int]) -> dict[str, int]:
    return {**parts, "quarter": (parts["month"] + 2) // 3} if "month" in parts else dict(parts)

"""How a period is written in the name of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from loader.contracts.month_names import month_names
from loader.contracts.periods import Grain, Period, name_of

_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "cs")
_CENTURY = 2000
_YEAR, _TWO = "(?P<year>(?:19|20)[0-9]{2})", "(?P<year>[0-9]{2})"
_MONTH, _NAME, _DAY = "(?P<month>0?[1-9]|1[0-2])", r"(?P<month>[^\W\d_]{3,}\.?)", "(?P<day>0?[1-9]|[12][0-9]|3[01])"
_MM, _DD = "(?P<month>0[1-9]|1[0-2])", "(?P<day>0[1-9]|[12][0-9]|3[01])"
_PERIOD = "(?P<fiscal_period>0[1-9]|1[0-3])"
_SIGN = "[-_. /]"


@dataclass(frozen=True)
class Form:
    """A form that a period may have; `is_name` when it is that of its name, which needs no parts."""

    grain: Grain
    pattern: re.Pattern[str]
    is_name: bool = False


def _form(grain: Grain, text: str, is_name: bool = False) -> Form:
    return Form(grain, re.compile(rf"(?<![0-9]){text}(?![0-9])", re.IGNORECASE), is_name)


FORMS = (
    _form(Grain.DAY, "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})", is_name=True),
    _form(Grain.DAY, f"{_YEAR}{_SIGN}{_MM}{_SIGN}{_DD}"),
    _form(Grain.DAY, f"{_YEAR}{_MM}{_DD}"),
    _form(Grain.DAY, f"{_DAY}{_SIGN}{_MONTH}{_SIGN}{_YEAR}"),
    _form(Grain.DAY, f"{_MONTH}{_SIGN}{_DAY}{_SIGN}{_YEAR}"),
    _form(Grain.DAY, f"{_DD}{_MM}{_YEAR}"),
    _form(Grain.DAY, f"{_MM}{_DD}{_YEAR}"),
    _form(Grain.DAY, f"{_DAY}{_SIGN}?{_NAME}{_SIGN}?{_YEAR}"),
    _form(Grain.DAY, f"{_NAME}{_SIGN}?{_DAY},?{_SIGN}{_YEAR}"),
    _form(Grain.WEEK, "(?P<year>[0-9]{4})-W(?P<week>[0-9]{2})", is_name=True),
    _form(Grain.WEEK, f"{_YEAR}{_SIGN}?(?:KW|CW|W|WK|week|Woche){_SIGN}?(?P<week>[0-5]?[0-9])"),
    _form(Grain.WEEK, f"(?<![a-z])(?:KW|CW|W|WK|week|Woche){_SIGN}?(?P<week>[0-5]?[0-9]){_SIGN}{_YEAR}"),
    _form(Grain.FISCAL, f"(?<![a-z])FY(?P<year>[0-9]{{4}})-P{_PERIOD}", is_name=True),
    _form(Grain.FISCAL, f"(?<![a-z])(?:FY|GJ){_SIGN}?{_YEAR}{_SIGN}?(?:P|PER|Period|Periode){_SIGN}?{_PERIOD}"),
    _form(Grain.FISCAL, f"(?<![a-z])(?:FY|GJ){_SIGN}?{_TWO}{_SIGN}?(?:P|PER|Period|Periode){_SIGN}?{_PERIOD}"),
    _form(Grain.FISCAL, f"(?<![a-z])(?:P|PER|Period|Periode){_SIGN}?{_PERIOD}{_SIGN}?(?:FY|GJ){_SIGN}?{_YEAR}"),
    _form(Grain.QUARTER, "(?P<year>[0-9]{4})-Q(?P<quarter>[1-4])", is_name=True),
    _form(Grain.QUARTER, f"{_YEAR}{_SIGN}?Q(?P<quarter>[1-4])"),
    _form(Grain.QUARTER, f"(?<![a-z])Q(?P<quarter>[1-4]){_SIGN}?{_YEAR}"),
    _form(Grain.QUARTER, f"(?P<quarter>[1-4])Q{_SIGN}?{_YEAR}"),
    _form(Grain.MONTH, "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})", is_name=True),
    _form(Grain.MONTH, f"{_YEAR}{_SIGN}{_MM}"),
    _form(Grain.MONTH, f"{_YEAR}{_MM}"),
    _form(Grain.MONTH, f"{_MONTH}{_SIGN}{_YEAR}"),
    _form(Grain.MONTH, f"{_MM}{_YEAR}"),
    _form(Grain.MONTH, rf"(?<![^\W\d_]){_NAME}{_SIGN}?{_YEAR}"),
    _form(Grain.MONTH, rf"{_YEAR}{_SIGN}?{_NAME}(?![^\W\d_])"),
    _form(Grain.MONTH, rf"(?<![^\W\d_]){_NAME}{_SIGN}?{_TWO}"),
    _form(Grain.YEAR, "(?P<year>(?:19|20)[0-9]{2})", is_name=True),
)
"""From the finest to the coarsest; of one grain the clearest first."""

_RUN_TOGETHER = next(form for form in FORMS if form.pattern.pattern.endswith(f"{_YEAR}{_MM}(?![0-9])"))
_RIVALS = {FORMS[3]: FORMS[4], FORMS[4]: FORMS[3], FORMS[5]: FORMS[6], FORMS[6]: FORMS[5]}
"""Forms of which no digit says which one it is when both read all names."""


@dataclass(frozen=True)
class PeriodText:
    """A period as the name of a file has it."""

    form: Form
    period: str
    """The name of the period."""
    spans: tuple[tuple[int, int], ...]
    """Where its groups stand in the name."""
    parts: tuple[str, ...]
    """What each group is."""
    texts: tuple[str, ...]
    """What each group is written as."""
    language: str = ""
    century: int | None = None
    asks: tuple[str, ...] = ()
    at: int = 0
    """Where it begins in the name."""

    @property
    def grain(self) -> str:
        """That of the period."""
        return str(self.form.grain)

    def groups(self, every: Sequence[Sequence[str]]) -> list[str]:
        """The groups of a regular expression that take these texts of all files."""
        return [
            f"(?P<{part}>{shape(self.form, part, [texts[at] for texts in every])})"
            for at, part in enumerate(self.parts)
        ]


_NAMES = {
    Grain.DAY: r"\d{4}-\d{2}-\d{2}",
    Grain.WEEK: r"\d{4}-W\d{2}",
    Grain.FISCAL: r"FY\d{4}-P\d{2}",
    Grain.QUARTER: r"\d{4}-Q[1-4]",
    Grain.MONTH: r"\d{4}-\d{2}",
    Grain.YEAR: r"\d{4}",
}


def shape(form: Form, part: str, texts: Sequence[str]) -> str:
    """A regular expression for a part of a period that is written so in the files."""
    if part == "period":
        return _NAMES[form.grain]
    if not texts[0].isdigit():
        return r"[^\W\d_]+\.?"
    if part == "quarter":
        return "[1-4]"
    lengths = sorted({len(text) for text in texts})
    return rf"\d{{{lengths[0]}}}" if len(lengths) == 1 and lengths[0] > 1 else r"\d{1,2}"


def find_period(form: Form, names: Sequence[str]) -> list[PeriodText] | None:
    """The period in each of the names, if all have it in this form; of several in one name the last."""
    found = [max(_read(form, name), key=lambda one: one.spans[-1], default=None) for name in names]
    if None in found:
        return None
    told = [one for one in found if one is not None]
    if len({one.language for one in told}) > 1:
        told = _in_one_language(form, names)
    rival = _RIVALS.get(form)
    others = find_rival(rival, names) if rival else None
    if told and others and [one.period for one in others] != [one.period for one in told]:
        order = "day, month" if form in (FORMS[3], FORMS[5]) else "month, day"
        told = [
            _with_ask(one, f"the name is read {order}; no day is above 12, so it may be the other order")
            for one in told
        ]
    if form is _RUN_TOGETHER:
        told = [_with_ask(one, "is it a month? A week, year and number, would look the same") for one in told]
    return told or None


def find_rival(form: Form, names: Sequence[str]) -> list[PeriodText] | None:
    """The same in another form; None when one of the names has it not."""
    found = [max(_read(form, name), key=lambda one: one.spans[-1], default=None) for name in names]
    return None if None in found else [one for one in found if one is not None]


def _with_ask(one: PeriodText, ask: str) -> PeriodText:
    return replace(one, asks=(*one.asks, ask))


def _in_one_language(form: Form, names: Sequence[str]) -> list[PeriodText]:
    for language in _LANGUAGES:
        found = [max(_read(form, name, (language,)), key=lambda one: one.spans[-1], default=None) for name in names]
        if None not in found:
            return [one for one in found if one is not None]
    return []


def _read(form: Form, name: str, languages: Sequence[str] = _LANGUAGES) -> Iterator[PeriodText]:
    for at in range(len(name)):
        match = form.pattern.match(name, at)
        found = _period(form, match, languages) if match else None
        if found is not None:
            yield found


def _period(form: Form, match: re.Match[str], languages: Sequence[str]) -> PeriodText | None:
    asks: list[str] = []
    numbers: dict[str, int] = {}
    language, century = "", None
    for part, text in match.groupdict().items():
        if text.isdigit():
            numbers[part] = int(text)
        else:
            language = next((one for one in languages if text.casefold().rstrip(".") in month_names(one)), "")
            if not language:
                return None
            numbers[part] = month_names(language)[text.casefold().rstrip(".")]
    if len(match["year"]) == 2:
        century = _CENTURY
        numbers["year"] += century
        asks.append(f"years of two digits are taken for those from {century} on")
    period = name_of(form.grain, numbers)
    try:
        if form.grain is not Grain.FISCAL:  # of which nobody knows the calendar yet
            Period.parse(period, form.grain)
    except ValueError:
        return None
    parts = sorted(match.groupdict(), key=match.start)
    spans = tuple(match.span(part) for part in parts)
    texts = tuple(match[part] for part in parts)
    if form.is_name:
        return PeriodText(form, period, (match.span(),), ("period",), (match[0],), at=match.start())
    return PeriodText(form, period, spans, tuple(parts), texts, language, century, tuple(asks), match.start())

"""What the names of files tell: the period, which version it is, and what the files are called apart from that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loader.contracts import Grain, Period
from loader.contracts.file_names import Spelling
from loader.contracts.period_format import Digits, PeriodFormat
from loader.errors import UsageError
from loader.text import listed


@dataclass(frozen=True)
class _Form:
    """A way to write periods; `text` is its period_format, empty for the names that they have anyway."""

    grain: Grain
    pattern: str
    text: str = ""

    def read(self, written: str) -> str:
        """The name of the period that is written so; raises ValueError when there is none, or in no year of today."""
        form = PeriodFormat(self.text, self.grain) if self.text else None
        name = Spelling(self.grain, Digits(), form).read(written)
        period = Period.parse(name, self.grain)
        if self.text and not 1900 <= period.start.year <= 2099:
            raise ValueError(name)
        return name


_FORMS = (  # the finest first
    _Form(Grain.DAY, r"\d{4}-\d{2}-\d{2}"),
    _Form(Grain.DAY, r"\d{2}\.\d{2}\.\d{4}", "DD.MM.YYYY"),
    _Form(Grain.DAY, r"\d{8}", "YYYYMMDD"),
    _Form(Grain.WEEK, r"\d{4}-W\d{2}"),
    _Form(Grain.WEEK, r"\d{4}W\d{2}", "YYYYWww"),
    _Form(Grain.QUARTER, r"\d{4}-Q[1-4]"),
    _Form(Grain.QUARTER, r"\d{4}Q[1-4]", "YYYYQq"),
    _Form(Grain.MONTH, r"\d{4}-\d{2}"),
    _Form(Grain.MONTH, r"\d{4}_\d{2}", "YYYY_MM"),
    _Form(Grain.MONTH, r"\d{2}-\d{4}", "MM-YYYY"),
    _Form(Grain.MONTH, r"\d{2}\.\d{4}", "MM.YYYY"),
    _Form(Grain.MONTH, r"\d{6}", "YYYYMM"),
    _Form(Grain.YEAR, r"\d{4}"),
)
_ORDER = r"(?:[ _-]?(?:v|ver|version|rev)\.?(?P<order>\d{1,3}))?"
_VERSION = re.compile(r"[ _-]?(?:v|ver|version|rev)\.?\d{1,3}(?=\.[A-Za-z]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class FileNames:
    """What the names of files tell, in words of a contract."""

    stem: str
    """What they are called without period, version and extension."""
    file_name: str
    grain: str
    why: str
    asks: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    """The period of each file; none when the names tell none."""
    period_format: str = ""
    """How they write the period, where it is not by its name."""


def read_names(paths: Sequence[Path]) -> FileNames:
    """What the names of these files have in common.

    Raises:
        UsageError: they are not called alike.
    """
    told = [_tell(path.name) for path in paths]
    shapes = {(form, before.casefold(), after.casefold()) for form, _, before, after in told}
    called = listed(path.name for path in paths)
    if len(shapes) > 1:
        raise UsageError(
            f"the names of these files differ in more than a period: {called}; propose from those of one dataset"
        )
    form, _, before, after = told[0]
    has_version = any(_VERSION.search(path.name) for path in paths)
    order = _ORDER if has_version else ""
    stem = re.sub(r"\.\w{1,5}(?:\.gz)?$", "", before + " " + after if form else before + after)
    if form is None:
        if len(paths) > 1:
            raise UsageError(
                f"the names of these files tell no period: {called}; propose from one of them, and say in 'file_name' "
                "where the period stands"
            )
        name, dot, extension = after.partition(".") if after.startswith(".") else (after, "", "")
        file_name = f"{_escaped(before + name)}_(?P<period>\\d{{4}}-\\d{{2}}){_escaped(dot + extension)}"
        ask = (
            "the name contains no period, or none that this proposal knows; where does it stand, and what is the grain?"
        )
        return FileNames(stem, file_name, "month", "", (ask,))
    file_name = f"{_escaped(before)}(?P<period>{form.pattern}){_with_order(after, order)}"
    asks = ("does the name tell a month? A week (YYYYww) would look the same",) if form.text == "YYYYMM" else ()
    why = f"{told[0][1]} is a {form.grain}"
    return FileNames(stem, file_name, form.grain, why, asks, tuple(period for _, period, _, _ in told), form.text)


_Told = tuple[_Form | None, str, str, str]


def _tell(name: str) -> _Told:
    """Form and name of the period in a file name, what stands before and after it; no form when there is none."""
    bare = _VERSION.sub("", name)
    for form in _FORMS:
        for found in re.finditer(rf"(?<!\d){form.pattern}(?!\d)", bare):
            with suppress(ValueError):
                return form, form.read(found[0]), bare[: found.start()], bare[found.end() :]
    dot = bare.find(".")
    return None, "", bare[:dot] if dot > 0 else bare, bare[dot:] if dot > 0 else ""


def _with_order(after: str, order: str) -> str:
    stem, dot, extension = after.rpartition(".") if not after.endswith(".gz") else after.partition(".")
    return f"{_escaped(stem)}{order}{_escaped(dot + extension)}"


def _escaped(text: str) -> str:
    """A regular expression for the text; a blank and a hyphen mean nothing in one."""
    return re.escape(text).replace("\\-", "-").replace("\\ ", " ")

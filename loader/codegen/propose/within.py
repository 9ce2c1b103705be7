"""The period that stands within a file whose name tells none: in a line above the header, or in a date cell."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loader.codegen.propose.common_words import BEFORE_PERIODS
from loader.codegen.propose.evidence import Word
from loader.codegen.propose.file_names import FileNames, named_alike
from loader.codegen.propose.period_texts import FORMS, PeriodText, find_period, shape
from loader.codegen.propose.sample import Sample
from loader.codegen.propose.writing import quoted
from loader.contracts import Grain, WorkbookFormat
from loader.errors import RefusedError
from loader.readers.outside_table import lines_above
from loader.readers.table import Batch, CellKind, letters
from loader.readers.workbook import open_sheet

_MOST_SHEETS = 12
_MOST_ROWS = 30
"""Rows of a sheet that may be a cover."""
_OF_ANY_FILE = "is each file called so? '.*' stands for what differs"
_OF_SINGLE_DATE = "a file tells a day; is it of that day, or of the month or the year in which it lies?"


def find_within(sample: Sample, names: FileNames) -> FileNames | None:
    """What the names of such files are, when one place of the sample tells its period; None when none or several do."""
    found = _in_lines(lines_above(sample.path, sample.format))
    if found is None and isinstance(sample.format, WorkbookFormat):
        found = _in_cells(sample.path, sample.format)
    if found is None:
        return None
    told = names if found.told is None else replace(names, language=found.told.language, century=found.told.century)
    return replace(
        told,
        file_name=named_alike(sample.path.name),
        grain=str(found.grain),
        why="",
        asks=(_OF_ANY_FILE, *(found.told.asks if found.told else ())),
        periods=(found.period,),
        within=found.word,
        asks_of_grain=(_OF_SINGLE_DATE,) if found.is_date else (),
    )


@dataclass(frozen=True)
class _Place:
    """A place that tells a period."""

    word: Word
    grain: Grain
    period: str
    is_date: bool
    """Whether it tells a day, which may stand for a longer period."""
    told: PeriodText | None = None


def _in_lines(lines: Sequence[str]) -> _Place | None:
    """A line with a period; of several the one in which a word such as `as of` stands before it."""
    found = [(line, told) for line in lines if (told := _told(line))]
    named = [one for one in found if BEFORE_PERIODS.search(one[0][: one[1].spans[0][0]])]
    chosen = named or found
    if len({told.period for _, told in chosen}) != 1 or len(chosen) > 1:
        return None
    line, told = chosen[0]
    grain, period = Grain(told.grain), told.period
    is_date = grain is Grain.DAY
    match = told.form.pattern.match(line, told.at)
    if match is None:
        return None
    if is_date and _is_last_of_month(dt.date.fromisoformat(period)):
        grain, period = Grain.MONTH, period[:7]
    pattern = _pattern(line, match, told, grain)
    why = f"it tells {period}"
    return _Place(Word("period", below=[Word("line", quoted(pattern), why)]), grain, period, is_date, told)


def _told(line: str) -> PeriodText | None:
    return next((told[0] for form in FORMS if (told := find_period(form, [line]))), None)


def _pattern(line: str, match: re.Match[str], told: PeriodText, grain: Grain) -> str:
    """A regular expression for the line, of which it shows the words before a period that many write, and no others."""
    before = BEFORE_PERIODS.search(line[: match.start()])
    parts = sorted(match.groupdict(), key=match.start)
    pattern = "(?:.*\\W)?" + (f"{re.escape(before[1])}[\\W_]+".replace("\\ ", " ") if before else "")
    at = match.start()
    for part in parts:
        text = shape(told.form, part, [match[part]])
        group = text if grain is Grain.MONTH and part == "day" else f"(?P<{part}>{text})"
        pattern += re.escape(line[at : match.start(part)]).replace("\\ ", " ").replace("\\-", "-") + group
        at = match.end(part)
    rest = line[match.end() :]
    return pattern + re.escape(line[at : match.end()]) + ("(?:\\W.*)?" if rest else "")


def _in_cells(path: Path, fmt: WorkbookFormat) -> _Place | None:
    """The one date cell above the table, or on another sheet with a few rows."""
    found = [("", cell, day) for cell, day in _date_cells(_Rows.above(path, fmt))]
    for position in range(1, _MOST_SHEETS + 1) if not found else ():
        try:
            rows = _Rows.of(path, WorkbookFormat(type="workbook", sheet=position, formulas="as_stored"), _MOST_ROWS + 1)
        except RefusedError:  # there are no more
            break
        if rows.count <= _MOST_ROWS and rows.sheet != fmt.sheet:
            found += [(rows.sheet, cell, day) for cell, day in _date_cells(rows)]
    if len(found) != 1:
        return None
    sheet, cell, day = found[0]
    is_month = day.day == 1 or _is_last_of_month(day)
    words = [Word("cell", cell, "the only date above the table, or on a sheet of a few rows")]
    words += [Word("sheet", quoted(sheet))] if sheet else []
    grain = Grain.MONTH if is_month else Grain.DAY
    return _Place(Word("period", below=words), grain, f"{day:%Y-%m}" if is_month else f"{day}", is_date=True)


@dataclass(frozen=True)
class _Rows:
    """The first rows of a sheet."""

    sheet: str
    first_column: int
    batches: list[Batch]

    @classmethod
    def of(cls, path: Path, fmt: WorkbookFormat, most: int) -> _Rows:
        about, batches = open_sheet(path, fmt)
        rows = cls(about.name, about.first_column, [])
        while rows.count < most and (batch := next(batches, None)) is not None:
            rows.batches.append(batch)
        return rows

    @classmethod
    def above(cls, path: Path, fmt: WorkbookFormat) -> _Rows:
        """Those above the header."""
        rows = cls.of(path, fmt, fmt.header_row - 1)
        return replace(rows, batches=[batch.before(fmt.header_row) for batch in rows.batches])

    @property
    def count(self) -> int:
        return sum(len(batch.source_rows) for batch in self.batches)


def _date_cells(rows: _Rows) -> Iterator[tuple[str, dt.date]]:
    """The date cells, each with its day."""
    for batch in rows.batches:
        for at in range(len(batch.cells)):
            cells = batch.column(at)
            is_date = cells.is_a(CellKind.DATE).to_pylist() if cells.kinds is not None else []
            for number, text, is_one in zip(
                batch.source_rows.to_pylist(), cells.text.to_pylist(), is_date, strict=False
            ):
                if is_one:
                    yield f"{letters(rows.first_column + at)}{number}", dt.date.fromisoformat(text[:10])


def _is_last_of_month(day: dt.date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]

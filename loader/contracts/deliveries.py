"""What the files of a dataset are: how they are called and written, and of which period each is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from loader.contracts.calendars import CALENDAR_MONTHS, FiscalYear
from loader.contracts.file_names import Spelling, matches, mistakes_in_groups, segments
from loader.contracts.formats import Format
from loader.contracts.model import Mistake, Model, tell
from loader.contracts.names import portable
from loader.contracts.period_format import Digits, PeriodFormat
from loader.contracts.period_within import PeriodWithin
from loader.contracts.periods import Grain, Period, name_of_holding


class Deliveries(Model):
    """The files of one dataset, before anybody looks at their rows."""

    name: SkipJsonSchema[str]
    title: str = Field(examples=["Registered citizens"])
    """A name for people."""
    description: str = Field(examples=["Everybody who is registered at the end of the month, one row per person."])
    """What one row is, and who sends it; goes to dbt docs."""
    file_name: str = Field(examples=[r"citizens_(?P<period>\d{4}-\d{2})(?:_v(?P<order>\d+))?\.xlsx"])
    """A regular expression for the whole name of the file. Its named groups tell the period: either `period`, or the
    parts `year`, `month` (a number or a name), `day`, `quarter`, `week`, `fiscal_period`, `hour` and `minute` that the
    grain needs; and, where a period may be delivered more than once, `order` (which of two is the later one). With
    slashes it is one for each folder below the landing folder, and one for the name of the file; what several tell must
    be the same."""
    period_format: str | None = Field(None, min_length=1, examples=["MM-YYYY"])
    """How the group `period` is written: `YYYY` or `YY`, `Month`, `MM` or `M`, `DD` or `D`, `q`, `ww` or `w`, `pp` or
    `p`, `hh`, `mm`, and what stands between them. When nothing is said it is the name of the period, like `2025-06`."""
    language: str | None = Field(None, examples=["de"])
    """The language in which the names of months are, in full or abbreviated."""
    century: int | None = Field(None, ge=1, le=9900, examples=[1970])
    """The first of the hundred years in which years of two digits lie."""
    period_within: PeriodWithin | Literal["by_hand"] | None = Field(None, alias="period", examples=["by_hand"])
    """Where in a delivery its period stands, when `file_name` does not tell it, or not all of it. `by_hand`: nowhere;
    whoever loads a file says it, by `loader load --file-path FILE --period PERIOD`."""
    format: Annotated[Format, Field(discriminator="type", examples=[{"type": "csv"}])]
    """How the sender writes his files."""
    grain: Grain = Field(examples=["month"])
    """How long a period is: `year`, `quarter`, `month`, `week` (of ISO 8601), `day`, `fiscal` (a period of a
    `fiscal_year`) or `window`."""
    fiscal_year: FiscalYear | None = None
    """Of the grain `fiscal`: where the year begins, and how it is cut. It never changes once something is loaded."""
    window_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = Field(2, examples=[6])
    """Of the grain `window`: the hours of one window, counted from midnight UTC."""

    @field_validator("name")
    @classmethod
    def _name_is_portable(cls, value: str) -> str:
        return portable("dataset", value)

    @model_validator(mode="after")
    def _file_name_tells_the_period(self) -> Self:
        tell(self._mistakes_of_names())
        return self

    def _mistakes_of_names(self) -> Iterator[Mistake]:
        try:
            groups = {group for pattern in segments(self.file_name) for group in pattern.groupindex}
        except ValueError as error:
            yield Mistake(str(error), ("file_name",))
            return
        within = self.period_within
        yield from mistakes_in_groups(segments(self.file_name), self.grain, needed=within is None)
        if isinstance(within, PeriodWithin):
            yield from within.mistakes(self.format, self.spelling)
            groups |= within.groups
        yield from self.spelling.mistakes(groups)

    @model_validator(mode="after")
    def _fiscal_has_a_year(self) -> Self:
        if (self.grain is Grain.FISCAL) != (self.fiscal_year is not None):
            raise ValueError("'fiscal_year' belongs to 'grain: fiscal', which needs one")
        return self

    def period(self, name: str) -> Period:
        """The period called `name` in this dataset's grain; raises ValueError."""
        window = timedelta(hours=self.window_hours)
        return Period.parse(name, self.grain, window, self.fiscal_year or CALENDAR_MONTHS)

    def period_at(self, moment: datetime) -> Period:
        """The period of this dataset's grain that holds a moment; raises ValueError when there is none."""
        window = timedelta(hours=self.window_hours)
        return self.period(name_of_holding(moment, self.grain, window, self.fiscal_year or CALENDAR_MONTHS))

    @cached_property
    def spelling(self) -> Spelling:
        """How its files tell their periods."""
        form = PeriodFormat(self.period_format, self.grain, self.language) if self.period_format else None
        return Spelling(self.grain, Digits(self.language, self.century), form)

    @property
    def depth(self) -> int:
        """How many names lead from the landing folder to a file: 1 when it lies in that folder itself."""
        return self.file_name.count("/") + 1

    def match(self, *names: str) -> list[re.Match[str]] | None:
        """The matches of the names of folders and file with `file_name`, as far from the landing folder as it says."""
        return matches(self.file_name, names)

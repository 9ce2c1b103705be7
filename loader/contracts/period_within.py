"""`period`: where in a delivery its period stands, when its name does not tell it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Self

from pydantic import Field, field_validator, model_validator

from loader.contracts.file_names import Spelling, mistakes_in_groups, told_by
from loader.contracts.formats import CsvFormat, Format
from loader.contracts.model import Mistake, Model


class PeriodWithin(Model):
    """The place within a delivery that tells its period: a cell, or a line above the header.

    What the name of the file tells besides must be the same.
    """

    cell: str | None = Field(None, pattern="^[A-Z]{1,3}[1-9][0-9]{0,6}$", examples=["B2"])
    """Of a workbook: the cell. A date cell tells the period that holds the date; a text or a number is written as
    `period_format` says, or is the name of the period. Any other cell tells none."""
    sheet: str | None = Field(None, min_length=1, examples=["Cover"])
    """The sheet of the cell; that of the data when nothing is said."""
    line: str | None = Field(None, examples=[r"As of (?P<month>\w+) (?P<year>\d{4})"])
    """A regular expression for the whole of a line above the header, with the groups that `file_name` may have besides
    `order`. In a text file, comments are lines too, and blanks, quotes and delimiters around a line do not count; in a
    workbook each cell that holds a text is a line."""

    @field_validator("line")
    @classmethod
    def _is_expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"line '{value}' is not a valid regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.cell is None) == (self.line is None):
            raise ValueError("'period' says either the 'cell' or the 'line' that tells it")
        if self.sheet is not None and self.cell is None:
            raise ValueError("'sheet' belongs to a 'cell'")
        return self

    @property
    def place(self) -> str:
        """What people call the place."""
        on = f" on sheet {self.sheet!r}" if self.sheet else ""
        return f"cell {self.cell}{on}" if self.cell else "the line above the header"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """That of a line; case is ignored, as in names of files."""
        return re.compile(unicodedata.normalize("NFC", self.line or ""), re.IGNORECASE)

    @property
    def groups(self) -> set[str]:
        """The groups that tell the period: a cell is all of it."""
        return {"period"} if self.cell else set(self.pattern.groupindex)

    def mistakes(self, fmt: Format, spelling: Spelling) -> Iterator[Mistake]:
        """What is wrong with it, beside the words on the format and on how periods are written."""
        is_text = isinstance(fmt, CsvFormat)
        if self.cell and is_text:
            yield Mistake("a text file has no cells outside its table: 'line' tells a period there", ("period", "cell"))
        if self.line is not None:
            yield from mistakes_in_groups([self.pattern], spelling.grain, ("period", "line"), also=())
        if self.line is not None and fmt.header_row == 1 and not (isinstance(fmt, CsvFormat) and fmt.comment):
            yield Mistake("no line is above the header, which is in row 1: 'header_row' says where it is", ("period",))

    def names_in(self, lines: Iterable[str], spelling: Spelling) -> list[str]:
        """The names of the periods that these lines tell, each once.

        Raises:
            ValueError: a line that matches tells none.
        """
        found = [self.pattern.fullmatch(unicodedata.normalize("NFC", line)) for line in lines]
        return list(dict.fromkeys(spelling.name(told_by([match])) for match in found if match))

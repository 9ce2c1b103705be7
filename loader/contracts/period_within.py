"""`period`: where in a delivery its period stands, when its name does not tell it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Self

from pydantic import Field, field_validator, model_validator

from loader.contracts.file_names import Spelling, mistakes_in_groups, told_by
from loader.contracts.formats import CsvFormat, Format, Sheet, WorkbookFormat
from loader.contracts.model import Mistake


class PeriodWithin(Sheet):
    """The place within a delivery that tells its period: a cell, or a line above the header.

    What the name of the file tells besides must be the same. The cell is on the sheet of the data when nothing is said.
    """

    cell: str | None = Field(None, pattern="^[A-Z]{1,3}[1-9][0-9]{0,6}$", examples=["B2"])
    """Of a workbook: the cell. A date cell tells the period that holds the date; a text or a number is written as
    `period_format` says, or is the name of the period. Any other cell tells none."""
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
        if self._names_sheet and self.cell is None:
            raise ValueError("'sheet' and 'sheet_pattern' belong to a 'cell'")
        return self

    @property
    def _names_sheet(self) -> bool:
        return (self.sheet, self.sheet_pattern) != (None, None)

    @property
    def place(self) -> str:
        """What people call the place."""
        if self.cell is None:
            return "the line above the header"
        of_pattern = f" on the sheet that matches '{self.sheet_pattern}'" if self.sheet_pattern else ""
        return f"cell {self.cell}" + (of_pattern if self.sheet is None else f" on sheet {self.sheet!r}")

    def format_of_cell(self, fmt: WorkbookFormat) -> WorkbookFormat:
        """The format by which the sheet of the cell is opened."""
        if not self._names_sheet:
            return fmt
        return fmt.model_copy(update={"sheet": self.sheet, "sheet_pattern": self.sheet_pattern})

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

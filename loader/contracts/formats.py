"""How a sender writes his files."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    field_validator,
    model_validator,
)

from loader.contracts.model import DateForm, Model, Regex

_PART_OF_NUMBER = re.compile("[0-9+,'-]")


class _Format(Model):
    """What can be said of text files and of workbooks."""

    header_row: Annotated[int, Field(ge=1, examples=[3])] = 1
    """Row of the header, from 1; the first of them when the header has several."""
    header_rows: Annotated[int, Field(ge=1, le=9, examples=[2])] = 1
    """Rows that the header takes. The header of a column is what stands above it in all of them, joined by a space;
    a cell that spans several columns (`Address` above `Street` and `City`) counts for each."""
    skip_end: Annotated[int, Field(ge=0, examples=[2])] = 0
    """Filled rows at the end that are not data."""
    totals: Regex | None = Field(None, examples=["^(Total|Sum)"])
    """A regular expression for the first filled cell of a totals row; from there on the file is not read."""
    decimal: Literal[".", ","] = Field(".", examples=[","])
    """The character before the decimals."""
    thousands: Literal["", ",", ".", " ", "'"] = Field("", examples=["."])
    """The character between groups of three digits."""
    currency: Annotated[str, Field(max_length=5, examples=["$"])] = ""
    """The sign or word of money that may stand before or after a number, such as `$`, `€` or `CHF`."""
    dates: tuple[DateForm, ...] = Field(("%Y-%m-%d",), examples=[["%d.%m.%Y", "%d.%m.%y"]])
    """The forms in which the sender writes dates, as of Python's strptime; ISO 8601 is always understood."""
    null_values: tuple[str, ...] = Field((), examples=[["-", "n/a"]])
    """What stands for nothing, such as `-` or `n/a`; an empty cell always does."""

    @property
    def last_header_row(self) -> int:
        """The row above the first row of data."""
        return self.header_row + self.header_rows - 1

    @field_validator("currency")
    @classmethod
    def _currency_is_no_number(cls, value: str) -> str:
        if value and (value.strip() != value or _PART_OF_NUMBER.search(value)):
            raise ValueError(f"currency '{value}' could be read as part of a number; write it like $, € or CHF")
        return value

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError(f"'decimal' and 'thousands' are both '{self.decimal}'")
        return self


class CsvFormat(_Format):
    """How the sender writes his text files. One whose name ends in `.gz` is unpacked (gzip) while it is read."""

    type: Literal["csv"] = Field(examples=["csv"])
    """`csv` for text files with a delimiter."""
    encoding: str = Field("utf-8", examples=["cp1252"])
    """The character encoding, such as `utf-8`, `cp1252`, `utf-16`."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1, examples=[";"])] = ","
    """The character between cells."""
    quote: Annotated[str, Field(max_length=1, examples=["'"])] = '"'
    """The character around cells that hold a delimiter or a line break; empty when the sender has none."""

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"encoding '{value}' is unknown; for example utf-8, cp1252, latin-1, utf-16") from None
        return value


class WorkbookFormat(_Format):
    """How the sender writes his workbooks: `.xlsx`, `.xlsm`, `.xlsb`, `.xls` or `.ods`, as their extension says."""

    type: Literal["workbook"] = Field(examples=["workbook"])
    """`workbook` for spreadsheets."""
    sheet: str | int | None = Field(None, examples=["Citizens"])
    """Name of the sheet, or its position among those that are not hidden, from 1. The first when nothing is said."""
    sheet_pattern: Regex | None = Field(None, examples=["^Report"])
    """A regular expression that the name of one sheet matches, of those that are not hidden; instead of `sheet`."""
    thousands: Literal["", ",", " ", "'"] = Field("", examples=[","])
    """The character between groups of three digits in cells of text. Not a point: `1.234` would look like the number
    1.234."""

    @field_validator("sheet", mode="before", json_schema_input_type=str | Annotated[int, Field(ge=1)])
    @classmethod
    def _name_or_position(cls, value: Any) -> Any:
        if isinstance(value, int) and value < 1:
            raise ValueError("sheets are counted from 1")
        if not isinstance(value, str | int | None) or isinstance(value, bool):
            raise ValueError("is the name of a sheet or its position; 'sheet_pattern' takes a regular expression")  # noqa: TRY004
        return value

    @model_validator(mode="after")
    def _one_way_to_the_sheet(self) -> Self:
        if self.sheet is not None and self.sheet_pattern is not None:
            raise ValueError("'sheet' and 'sheet_pattern' are two ways to say the same; take one")
        return self


Format = CsvFormat | WorkbookFormat

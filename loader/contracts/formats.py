"""How a sender writes his files."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    field_validator,
    model_validator,
)

from loader.contracts.model import DateForm, Model, Regex, tell
from loader.contracts.notation import (
    CellText,
    Currency,
    DecimalSign,
    Grouping,
    NegativeForm,
    Notation,
    ThousandsSign,
    Zone,
)


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
    decimal: DecimalSign = Field(".", examples=[","])
    """The character before the decimals."""
    thousands: ThousandsSign = Field("", examples=["."])
    """The character between groups of digits: a number that has it must have it everywhere, in `12,34` it is an error.
    A space stands for no-break and narrow ones too, `'` for the typographic apostrophe (U+2019)."""
    grouping: Grouping = Field("thousands", examples=["indian"])
    """`thousands` for groups of three digits; `indian` for a last group of three and groups of two before it, as in
    `1,23,45,678.90`."""
    negative: tuple[NegativeForm, ...] = Field((), examples=[["trailing", "parentheses"]])
    """What marks a negative number besides a `-` before it: `trailing` for `100-`, `parentheses` for `(100)`,
    `minus_sign` for the typographic minus sign (U+2212) before it."""
    currency: Currency = Field("", examples=["$"])
    """The sign or word of money that may stand before or after a number, such as `$`, `€` or `CHF`."""
    dates: tuple[DateForm, ...] = Field(("%Y-%m-%d",), min_length=1, examples=[["%d.%m.%Y", "%d.%m.%y"]])
    """The forms in which the sender writes dates, as of Python's strptime; the first that fits is taken. ISO 8601 is
    always understood, with a day."""
    zone: Zone = Field("UTC", examples=["Europe/Berlin"])
    """The time zone (IANA) of timestamps in stage: a text with an offset (`Z`, `+02:00`) becomes the local time there.
    In an hour that occurs twice it is rejected. A text without an offset stays as it is."""
    null_values: tuple[CellText, ...] = Field((), examples=[["-", "n/a"]])
    """What stands for nothing, such as `-` or `n/a`; an empty cell always does."""
    true_values: tuple[CellText, ...] = Field(("true", "t", "yes", "y", "1"), min_length=1, examples=[["ja", "j"]])
    """What stands for true in boolean columns, without regard to case."""
    false_values: tuple[CellText, ...] = Field(("false", "f", "no", "n", "0"), min_length=1, examples=[["nein", "n"]])
    """What stands for false in boolean columns, without regard to case."""

    @property
    def last_header_row(self) -> int:
        """The row above the first row of data."""
        return self.header_row + self.header_rows - 1

    @property
    def notation(self) -> Notation:
        """How values are written where a column says nothing else."""
        shared = {field.name for field in fields(Notation)} & set(type(self).model_fields)
        return Notation(**{name: getattr(self, name) for name in shared})

    @model_validator(mode="after")
    def _words_agree(self) -> Self:
        tell(self.notation.mistakes())
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

    formulas: Literal["calculated", "as_stored"] = Field("calculated", examples=["as_stored"])
    """What to do with formulas that the workbook asks to be calculated when it is opened: some programs write them
    with a placeholder for the result. `calculated`: refuse them in columns of the contract; `as_stored`: take what is
    stored. A formula without any result is always refused."""

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

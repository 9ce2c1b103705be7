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
    """Filled rows at the end of the file that are not data."""
    totals: Regex | None = Field(None, examples=["^(Total|Sum)"])
    """A regular expression for the first filled cell of a totals row. One that fits ends the data if no row below it is
    valid; otherwise it is a row. Either is told."""
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
    delimiter: Annotated[str, Field(min_length=1, max_length=10, examples=[";"])] = ","
    """The character between cells, or several of them, such as `||`. A first line `sep=;`, which Excel reads, has to
    name the same; it is left out, and `header_row` does not count it."""
    trailing_delimiter: bool = False
    """Whether each row of data ends with a delimiter behind its last cell; one that does not is rejected. The header
    may end with one, too."""
    quote: Annotated[str, Field(max_length=1, examples=["'"])] = '"'
    """The character around cells that hold a delimiter or a line break; empty when the sender has none. Within quotes,
    a quote stands twice. Within a cell that does not begin with one it is a letter (`24"`), unless a delimiter may have
    been lost before it, or a blank stands before it: a row that would have the right number of cells that way, too, is
    rejected."""
    stray_quotes: Literal["reject", "keep"] = Field("reject", examples=["keep"])
    """What becomes of a row whose quotes do not match. In a file in which no cell holds a line break, each line is a
    row: `reject` rejects such a row and reads the next line; `keep` takes it when its stray quotes, as letters, give
    the right number of cells in exactly one way, and lists it. A file with line breaks in its cells is refused, since
    nobody can tell where such a row ends."""
    escape: Annotated[str, Field(max_length=1, examples=["\\"])] = ""
    """The character that makes a letter of a quote, a delimiter or itself behind it. Before any other character it is a
    letter, so that `\\N` stays what it is."""
    comment: Annotated[str, Field(max_length=5, examples=["#"])] = ""
    """How lines begin that are no rows, outside of quotes. They are left out; `header_row` does not count them."""
    header: Literal["names", "none"] = Field("names", examples=["none"])
    """`none` when the file has no header: its columns are those of the contract, in that order, and each row has to
    have as many cells. The data begin with the first row, so that `header_row` and `header_rows` say nothing; a row of
    the columns' headers is left out all the same."""
    misshapen: Literal["reject", "pad"] = Field("reject", examples=["pad"])
    """What becomes of a row with fewer cells than columns. `pad` says that the sender leaves out empty cells at the end
    of a row, and nothing else: they are added, and the row is listed. Rows with more cells are rejected."""
    text_formulas: bool = False
    """Whether a cell `="00123"` is the text 00123, which some programs write to keep Excel from reading a number."""

    @property
    def last_header_row(self) -> int:
        """The row above the first row of data."""
        return 0 if self.header == "none" else super().last_header_row

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"encoding '{value}' is unknown; for example utf-8, cp1252, latin-1, utf-16") from None
        return value

    @field_validator("quote", "escape")
    @classmethod
    def _is_ascii(cls, value: str) -> str:
        if not value.isascii():
            raise ValueError(f"'{value}' is not a character of ASCII, as quotes and escapes have to be")
        return value

    @model_validator(mode="after")
    def _characters_differ(self) -> Self:
        words = {word: getattr(self, word) for word in ("delimiter", "quote", "escape", "comment")}
        for word, value in words.items():
            if value and not value.strip("\r\n\0"):
                raise ValueError(f"'{word}' cannot be the end of a line")
            others = [other for other, text in words.items() if other != word and text and value.startswith(text)]
            if others:
                raise ValueError(f"'{word}' and '{others[0]}' begin alike, so that nobody can tell them apart")
        if self.quote and self.quote in self.delimiter:
            raise ValueError("'delimiter' holds the quote, so that nobody can tell them apart")
        return self

    @model_validator(mode="after")
    def _header_has_rows(self) -> Self:
        if self.header == "none" and (self.header_row, self.header_rows) != (1, 1):
            raise ValueError("'header_row' and 'header_rows' belong to a file with a header, not to 'header: none'")
        return self


class Sheet(Model):
    """Which sheet of a workbook is meant."""

    sheet: str | int | None = Field(None, examples=["Citizens"])
    """Name of the sheet, or its position among those that are not hidden, from 1."""
    sheet_pattern: Regex | None = Field(None, examples=["^Report"])
    """A regular expression that the name of one sheet matches, of those that are not hidden; instead of `sheet`."""

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


class WorkbookFormat(_Format, Sheet):
    """How the sender writes his workbooks: `.xlsx`, `.xlsm`, `.xlsb`, `.xls` or `.ods`, as their extension says.

    When no sheet is named, the first one that is not hidden is read.
    """

    type: Literal["workbook"] = Field(examples=["workbook"])
    """`workbook` for spreadsheets."""
    formulas: Literal["calculated", "as_stored"] = Field("calculated", examples=["as_stored"])
    """What to do with formulas that the workbook asks to be calculated when it is opened: some programs write them
    with a placeholder for the result. `calculated`: refuse them in columns of the contract; `as_stored`: take what is
    stored. A formula without any result is always refused."""


Format = CsvFormat | WorkbookFormat

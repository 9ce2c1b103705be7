"""The contracts: what `datasets_config.yml` may say of a dataset.

One contract per dataset. The loader, the stage DDL, the dbt sources and the stage suite of Great Expectations
all follow from the models in this module; nothing else states a column, a type or a rule.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from loader.cleaning import Rule, parse_rules
from loader.periods import Grain, Period

LINEAGE = ("_data_period", "_load_id", "_loaded_at", "_source_file_id", "_source_row")
"""Columns that every stage table carries next to the data columns."""

_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_PART_OF_NUMBER = re.compile("[0-9+,'-]")
_TYPE = re.compile(r"(?P<name>[a-z]+)(?:\((?P<args>\d+(?:\s*,\s*\d+)?)\))?")


# fmt: off
RESERVED = frozenset({
    "all", "alter", "and", "any", "as", "asc", "between", "both", "by", "case", "cast", "check", "column",
    "constraint", "create", "cross", "current", "default", "delete", "desc", "distinct", "drop", "else", "end",
    "except", "exists", "false", "fetch", "for", "foreign", "from", "full", "grant", "group", "having", "in",
    "index", "inner", "insert", "intersect", "into", "is", "join", "key", "left", "like", "limit", "merge",
    "natural", "not", "null", "offset", "on", "or", "order", "outer", "plan", "primary", "references", "right",
    "select", "set", "table", "then", "to", "top", "true", "union", "unique", "update", "user", "using",
    "values", "view", "when", "where", "window", "with",
})
# fmt: on
"""Words of SQL that some engine or dbt's own tests trip over when they stand as a name without quotes."""


def _portable(kind: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{kind} name '{name}': lower case letters, digits and _, at most 50, a letter first")
    if name in RESERVED:
        raise ValueError(f"{kind} name '{name}' is a word of SQL; take another, such as '{name}_code'")
    return name


class Model(BaseModel):
    """Unknown words in a contract are mistakes, never ignored.

    The text below a word is what the contract reference and the JSON schema say of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def plain_header(cell: str) -> str:
    """A header as it is compared: without regard to case, line breaks, repeated, no-break or invisible blanks."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", cell)).split()).casefold()


def _named(value: Any) -> Any:
    """A mapping of names as a list of mappings that know their name."""
    if isinstance(value, list | tuple):
        return value
    if not isinstance(value, dict):
        raise ValueError("is a mapping of names, each with words of its own below it")  # noqa: TRY004
    return tuple(_with_name(name, spec) for name, spec in value.items())


def _with_name(name: Any, spec: Any) -> Any:
    if isinstance(spec, dict) and "name" in spec:
        raise ValueError(f"'{name}' has its name already; take out 'name: {spec['name']}'")
    return {"name": name, **spec} if isinstance(spec, dict) else spec or {"name": name}


def _regular_expression(value: str) -> str:
    """Checked by all who will use it: Python, and RE2 in Arrow and DuckDB, which has no look-around."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        re.compile(value)
        pc.match_substring_regex(pa.array([""]), value)
    except (re.error, pa.ArrowInvalid) as error:
        raise ValueError(f"'{value}' is no regular expression (of the RE2 kind): {error}") from None
    return value


def _date_form(value: str) -> str:
    """A form that does not give back the date that it wrote says no date."""
    day = datetime(2003, 2, 1)
    try:
        fits = datetime.strptime(day.strftime(value), value) == day  # noqa: DTZ007 - no zone is meant
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"'{value}' is no form of a date; write it like %d.%m.%Y")
    return value


Regex = Annotated[str, AfterValidator(_regular_expression)]
DateForm = Annotated[str, AfterValidator(_date_form)]


class ColumnType(Model):
    """A declared type: `varchar(n)`, `integer`, `bigint`, `decimal(p,s)`, `double`, `boolean`, `date`, `timestamp`."""

    name: Literal["varchar", "integer", "bigint", "decimal", "double", "boolean", "date", "timestamp"]
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    @classmethod
    def parse(cls, text: str) -> ColumnType:
        """Read `decimal(12,2)` and the like; raises ValueError with the known forms."""
        match = _TYPE.fullmatch(text.strip().lower())
        known = "varchar(n), integer, bigint, decimal(p,s), double, boolean, date, timestamp"
        if match is None:
            raise ValueError(f"type '{text}' is not understood; known are {known}")
        name = match["name"]
        args = [int(part) for part in (match["args"] or "").split(",") if part]
        wanted = {"varchar": 1, "decimal": 2}.get(name, 0)
        if name not in known.replace("(n)", "").replace("(p,s)", "").split(", ") or len(args) != wanted:
            raise ValueError(f"type '{text}' is not understood; known are {known}")
        if name == "varchar":
            if not 1 <= args[0] <= 4000:
                raise ValueError(f"type '{text}': a length is between 1 and 4000")
            return cls(name="varchar", length=args[0])
        if name == "decimal":
            precision, scale = args
            if not (1 <= precision <= 38 and scale <= precision):
                raise ValueError(f"type '{text}': precision is between 1 and 38, scale at most the precision")
            return cls(name="decimal", precision=precision, scale=scale)
        return cls(name=name)

    def __str__(self) -> str:
        if self.name == "varchar":
            return f"varchar({self.length})"
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        return self.name


class Header(Model):
    """A header of a column, and the periods (both ends included) in which the sender writes it so."""

    header: str = Field(examples=["Email address"])
    """The header, compared without regard to case, line breaks and repeated blanks."""
    from_period: str | None = Field(default=None, alias="from", examples=["2025-04"])
    """First period that has it."""
    until_period: str | None = Field(default=None, alias="until", examples=["2025-03"])
    """Last period that has it."""

    model_config = ConfigDict(populate_by_name=True)

    @field_validator("from_period", "until_period", mode="before", json_schema_input_type=str | int | None)
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | date) else value


Scalar = str | int | float | Decimal | date | datetime


class Column(Model):
    """One column of a dataset."""

    name: SkipJsonSchema[str]
    type: ColumnType = Field(examples=["decimal(12,2)"])
    """`varchar(n)`, `integer`, `bigint`, `decimal(p,s)`, `double`, `boolean`, `date` or `timestamp`."""
    description: str = Field(examples=["Date of birth."])
    """What the column means; goes to dbt docs."""
    header: tuple[Header, ...] = Field((), examples=[[{"header": "E-mail", "until": "2025-03"}, "Email address"]])
    """The header in the file; a list of headers with `from` and `until` when it changes over the years. The name of
    the column when nothing is said."""
    required: bool = False
    """Whether a cell must be filled."""
    allowed: tuple[str, ...] | None = Field(None, examples=[["F", "M", "X"]])
    """The values that a text may have, after cleaning."""
    pattern: Regex | None = Field(None, examples=["^[0-9]{5}$"])
    """A regular expression (RE2) that is found in every text, after cleaning; `^…$` for the whole of it."""
    min: Scalar | None = Field(None, examples=[0.5])
    """The smallest number or earliest date; `period_end` for the end of the delivery's period."""
    max: Scalar | None = Field(None, examples=["period_end"])
    """The largest number or latest date; `period_end` for the end of the delivery's period."""
    clean: tuple[Any, ...] = Field((), examples=[["trim", {"zero_pad": {"width": 9}}]])
    """Cleaning rules, in the order in which they run: a name, or a name with options."""
    tracked: bool = True
    """Whether a change starts a new version in history."""
    personal: bool = False
    """Whether values stay out of logs, plans, reports and published pages."""
    since: str | None = Field(None, examples=["2025-02"])
    """The first period in which the column exists; before it, it is absent from files and NULL in stage."""

    _rules: list[Rule] = PrivateAttr(default_factory=list)

    @field_validator("name")
    @classmethod
    def _name_is_portable(cls, value: str) -> str:
        if value.startswith("dbt_"):
            raise ValueError(f"column name '{value}': names that begin with dbt_ belong to the history")
        return _portable("column", value)

    @field_validator("type", mode="before", json_schema_input_type=str)
    @classmethod
    def _parse_type(cls, value: Any) -> Any:
        return value if isinstance(value, ColumnType) else ColumnType.parse(str(value))

    @field_validator("header", mode="before", json_schema_input_type=str | Header | list[str | Header])
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        items = value if isinstance(value, list) else [value]
        return tuple(item if isinstance(item, dict | Header) else {"header": item} for item in items)

    @field_validator("since", mode="before", json_schema_input_type=str | int | None)
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | date) else value

    @field_validator("allowed", mode="before")
    @classmethod
    def _allowed_is_text(cls, value: Any) -> Any:
        strange = [item for item in value if not isinstance(item, str)] if isinstance(value, list) else []
        if strange:
            raise ValueError(f"YAML reads {strange[0]!r} there, not text; write allowed values in quotes")
        return value

    @model_validator(mode="after")
    def _rules_fit_type(self) -> Self:
        text = self.type.name == "varchar"
        for rule in ("pattern", "allowed"):
            if getattr(self, rule) is not None and not text:
                raise ValueError(f"column '{self.name}': '{rule}' is for varchar columns, this one is {self.type}")
        if text and (self.min is not None or self.max is not None):
            raise ValueError(f"column '{self.name}': 'min' and 'max' are for numbers and dates, not {self.type}")
        for rule in ("min", "max"):
            if not _bound_fits(getattr(self, rule), self.type):
                raise ValueError(f"column '{self.name}': '{rule}: {getattr(self, rule)}' does not fit {self.type}")
        for header in self.header:
            if header.from_period and header.until_period and header.from_period > header.until_period:
                raise ValueError(f"column '{self.name}': header '{header.header}' ends before it begins")
        for bound in (self.min, self.max):
            if isinstance(bound, str) and not (bound == "period_end" and self.type.name in ("date", "timestamp")):
                raise ValueError(f"column '{self.name}': '{bound}' is no number or date (or period_end, for a date)")
        self._rules.extend(parse_rules(list(self.clean)))
        return self

    @property
    def rules(self) -> list[Rule]:
        """The cleaning rules, in the order in which they run."""
        return self._rules

    def header_at(self, period: Period, parse: Any) -> str | None:
        """The header that a delivery of `period` must have, or None when the column does not exist yet."""
        if self.since is not None and period.start < parse(self.since).start:
            return None
        for item in self.header:
            starts = item.from_period is None or parse(item.from_period).start <= period.start
            ends = item.until_period is None or period.start <= parse(item.until_period).start
            if starts and ends:
                return item.header
        return self.name if not self.header else None


def _bound_fits(bound: Scalar | None, declared: ColumnType) -> bool:
    if bound is None:
        return True
    if declared.name in ("date", "timestamp"):
        return isinstance(bound, date) or bound == "period_end"
    if declared.name in ("integer", "bigint"):
        return isinstance(bound, int)
    return declared.name in ("decimal", "double") and isinstance(bound, int | float | Decimal)


class _Format(Model):
    """What can be said of text files and of workbooks."""

    header_row: Annotated[int, Field(ge=1, examples=[3])] = 1
    """Row of the header, from 1; the first of them when the header has several."""
    header_rows: Annotated[int, Field(ge=1, le=9, examples=[2])] = 1
    """Rows that the header takes. The header of a column is what stands above it in all of them, joined by a blank;
    a cell that spans several columns (`Address` above `Street` and `City`) counts for each."""
    skip_end: Annotated[int, Field(ge=0, examples=[2])] = 0
    """Filled rows at the end that are no data."""
    totals: Regex | None = Field(None, examples=["^(Total|Sum)"])
    """A regular expression for the first filled cell of a totals row; from there on the file is not read."""
    decimal: Literal[".", ","] = Field(".", examples=[","])
    """The sign before the decimals."""
    thousands: Literal["", ",", ".", " ", "'"] = Field("", examples=["."])
    """The sign between groups of three digits."""
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
    """How letters are written, such as `utf-8`, `cp1252`, `utf-16`."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1, examples=[";"])] = ","
    """The sign between cells."""
    quote: Annotated[str, Field(max_length=1, examples=["'"])] = '"'
    """The sign around cells that hold a delimiter or a line break; empty when the sender has none."""

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"encoding '{value}' is unknown; for example utf-8, cp1252, latin-1, utf-16") from None
        return value


class WorkbookFormat(_Format):
    """How the sender writes his workbooks: `.xlsx`, `.xlsm`, `.xlsb`, `.xls` or `.ods`, as their ending says."""

    type: Literal["workbook"] = Field(examples=["workbook"])
    """`workbook` for spreadsheets."""
    sheet: str | int | None = Field(None, examples=["Citizens"])
    """Name of the sheet, or its position among those that are not hidden, from 1. The first when nothing is said."""
    sheet_pattern: Regex | None = Field(None, examples=["^Report"])
    """A regular expression that the name of one sheet fits, of those that are not hidden; instead of `sheet`."""
    thousands: Literal["", ",", " ", "'"] = Field("", examples=[","])
    """The sign between groups of three digits in cells of text. Not a point: `1.234` could not be told from the number
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


class EndMarker(Model):
    """The value by which a delta delivery says that a key has ended."""

    column: str = Field(examples=["state"])
    """The column that holds it; it is not tracked."""
    value: str = Field(examples=["closed"])
    """Its value, after cleaning."""


class RowRule(Model):
    """A condition across columns, in SQL; a row for which it is false is invalid (unknown is not false)."""

    name: str = Field(examples=["moved_in_after_birth"])
    """What the rule is called in rejects and messages."""
    check: str = Field(examples=["moved_in_on >= birth_date"])
    """The condition, in SQL of DuckDB, over the columns of the dataset."""
    description: str = Field(examples=["Nobody moves in before being born."])
    """Why it holds, for people."""


class InvalidRows(Model):
    """What happens to a delivery with invalid rows."""

    action: Literal["reject_file", "reject_rows"] = Field("reject_file", examples=["reject_rows"])
    """`reject_file`: one invalid row refuses the delivery; `reject_rows`: invalid rows are left out."""
    max_share: Annotated[float, Field(ge=0, le=1, examples=[0.02])] = 0.0
    """With `reject_rows`: the share of invalid rows above which the whole file is refused."""

    @model_validator(mode="after")
    def _share_belongs_to_rows(self) -> Self:
        if (self.action == "reject_rows") != (self.max_share > 0):
            raise ValueError("'max_share' belongs to 'action: reject_rows', which needs one above 0")
        return self


class Guard(Model):
    """Shares of the keys in force (0 to 1) that one delivery may end or change without being forced. With both at 1 a
    load is not compared at all, which suits a delta of many small deliveries: each is compared with all before it."""

    ended: Annotated[float, Field(ge=0, le=1, examples=[0.1])] = 0.2
    """Share of the keys that may end."""
    changed: Annotated[float, Field(ge=0, le=1, examples=[0.25])] = 0.5
    """Share of the keys whose tracked columns may change."""


def _sql_trouble(check: str, columns: Sequence[Column]) -> str | None:
    """What DuckDB, which will judge the rows, says of a condition; None when it understands it."""
    import duckdb

    row = ", ".join(f'cast(null as {column.type}) as "{column.name}"' for column in columns)
    with duckdb.connect() as connection:
        try:
            connection.execute(f"select not ({check}) from (select {row})")
        except duckdb.Error as error:
            return str(error).splitlines()[0]
    return None


class Contract(Model):
    """Everything that is agreed about one dataset."""

    name: SkipJsonSchema[str]
    title: str = Field(examples=["Registered citizens"])
    """A name for people."""
    description: str = Field(examples=["Everybody who is registered at the end of the month, one row per person."])
    """What one row is, and who sends it; goes to dbt docs."""
    file_name: str = Field(examples=[r"citizens_(?P<period>\d{4}-\d{2})(?:_v(?P<order>\d+))?\.xlsx"])
    """A regular expression for the whole name of the file, with the named group `period` and, where a period may be
    delivered more than once, `order` (which of two is the later one)."""
    format: Annotated[Format, Field(discriminator="type", examples=[{"type": "csv"}])]
    """How the sender writes his files."""
    grain: Grain = Field(examples=["month"])
    """How long a period is: `year`, `quarter`, `month`, `day` or `window`."""
    kind: Literal["full", "delta"] = Field(examples=["full"])
    """`full`: every file lists every live key, an absent key has ended; `delta`: changes only, with an `end_marker`."""
    key: tuple[str, ...] = Field(examples=[["office", "number"]])
    """The natural key: a column, or a list of them. It stands once in a delivery."""
    columns: Annotated[tuple[Column, ...], BeforeValidator(_named, json_schema_input_type=dict[str, Column])]
    """The columns by name; their order in a file does not matter."""
    end_marker: EndMarker | None = None
    """Of a delta: how it says that a key has ended."""
    window_hours: Annotated[int, Field(ge=1, le=24, examples=[6])] = 2
    """Of the grain `window`: the hours of one window, counted from midnight UTC."""
    row_rules: tuple[RowRule, ...] = ()
    """Conditions across columns."""
    invalid_rows: InvalidRows = InvalidRows()
    """What happens to invalid rows."""
    guard: Guard = Guard()
    """How much one delivery may end or change without being forced."""

    @field_validator("name")
    @classmethod
    def _name_is_portable(cls, value: str) -> str:
        return _portable("dataset", value)

    @field_validator("key", mode="before", json_schema_input_type=str | list[str])
    @classmethod
    def _key_is_list(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else (value,)

    @field_validator("file_name")
    @classmethod
    def _has_period(cls, value: str) -> str:
        try:
            groups = set(re.compile(value).groupindex)
        except re.error as error:
            raise ValueError(f"file_name '{value}' is no regular expression: {error}") from None
        if "period" not in groups or groups - {"period", "order"}:
            raise ValueError("file_name needs a named group (?P<period>…) and may have (?P<order>…), no other")
        return value

    @model_validator(mode="after")
    def _key_is_required(self) -> Self:
        names = [column.name for column in self.columns]
        if not self.key or len(set(self.key)) < len(self.key):
            raise ValueError("a dataset needs a natural key: its columns, each once")
        for column in self.key:
            if column not in names:
                raise ValueError(f"key column '{column}' is not among the columns")
            if not self.column(column).required:
                raise ValueError(f"key column '{column}' must be 'required: true'")
            if self.column(column).since is not None:
                raise ValueError(f"key column '{column}' cannot have a 'since': every delivery has its keys")
        return self

    @model_validator(mode="after")
    def _delta_has_end_marker(self) -> Self:
        if (self.kind == "delta") != (self.end_marker is not None):
            raise ValueError("'end_marker' belongs to 'kind: delta', and a delta needs one")
        if self.end_marker is None:
            return self
        marked = next((column for column in self.columns if column.name == self.end_marker.column), None)
        if marked is None or marked.name in self.key:
            raise ValueError(f"end_marker column '{self.end_marker.column}' is not among the columns besides the key")
        if marked.allowed is not None and self.end_marker.value not in marked.allowed:
            raise ValueError(f"end_marker value '{self.end_marker.value}' is not among the allowed values")
        return self

    @model_validator(mode="after")
    def _periods_have_the_grain(self) -> Self:
        for column in self.columns:
            for header in column.header:
                for name in (header.from_period, header.until_period):
                    if name is not None:
                        self.period(name)
            if column.since is not None:
                self.period(column.since)
        return self

    @model_validator(mode="after")
    def _headers_are_unique(self) -> Self:
        headers = [header for column in self.columns for header in column.header]
        begins = [*(header.from_period for header in headers), *(column.since for column in self.columns)]
        changes = {self.period(name).start for name in begins if name is not None}
        changes |= {self.period(header.until_period).end for header in headers if header.until_period is not None}
        for moment in (datetime(1, 1, 1), *sorted(changes)):
            columns: dict[str, str] = {}
            for name, header in self.headers(Period(moment, moment, "")).items():
                other = columns.setdefault(plain_header(header), name)
                if other != name:
                    raise ValueError(f"columns '{other}' and '{name}' have the same header '{header}'")
        return self

    @model_validator(mode="after")
    def _row_rules_are_sql(self) -> Self:
        for rule in self.row_rules:
            trouble = _sql_trouble(rule.check, self.columns)
            if trouble:
                raise ValueError(f"row rule '{rule.name}' is no condition on a row: {trouble}")
        return self

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def period(self, name: str) -> Period:
        """The period called `name` in this dataset's grain; raises ValueError."""
        return Period.parse(name, self.grain, timedelta(hours=self.window_hours))

    @property
    def tracked(self) -> tuple[str, ...]:
        """Columns whose change starts a new version: not the key, not the end marker."""
        marker = self.end_marker.column if self.end_marker else None
        return tuple(c.name for c in self.columns if c.tracked and c.name not in self.key and c.name != marker)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change when a delivery would be read, checked or typed differently.

        Words for people (titles, descriptions) and what only history or the guard uses are left out; so are defaults,
        so that a word that contracts learn later makes no file new.
        """
        left_out: dict[str, Any] = dict.fromkeys(("title", "description", "guard", "kind", "end_marker"), True)
        left_out["columns"] = {"__all__": {"description", "tracked", "personal"}}
        left_out["row_rules"] = {"__all__": {"description"}}
        said = self.model_dump(mode="json", exclude=left_out, exclude_defaults=True)
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def headers(self, period: Period) -> dict[str, str]:
        """Header by column name, of the columns that a delivery of `period` has."""
        found = {column.name: column.header_at(period, self.period) for column in self.columns}
        return {name: header for name, header in found.items() if header is not None}

    def match(self, file_name: str) -> re.Match[str] | None:
        """The match of a file name with this contract's pattern (case is ignored, as file systems do)."""
        return re.fullmatch(self.file_name, file_name, re.IGNORECASE)


class Contracts(Model):
    """The whole of `datasets_config.yml`, by dataset name."""

    datasets: Annotated[tuple[Contract, ...], BeforeValidator(_named, json_schema_input_type=dict[str, Contract])]
    """The contracts by name of the dataset, which is also that of its stage table."""

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.datasets)

    def get(self, name: str) -> Contract | None:
        return next((contract for contract in self.datasets if contract.name == name), None)


def config_path(project_dir: Path) -> Path:
    """Where the contracts of a project are written."""
    return project_dir / "datasets_config.yml"

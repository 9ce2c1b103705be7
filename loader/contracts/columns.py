"""Columns of a dataset: type, header, rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from loader.cleaning import Rule, parse_rules
from loader.contracts.formats import Format
from loader.contracts.model import DateForm, Mistake, Model, Regex, tell
from loader.contracts.names import portable
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
from loader.contracts.patterns import can_fit, unmatched
from loader.contracts.periods import Period
from loader.contracts.values import Bound, Scalar, Value, fits, in_order
from loader.text import listed

_TYPE = re.compile(r"(?P<name>[a-z]+)(?:\((?P<args>\d+(?:\s*,\s*\d+)?)\))?")


class ColumnType(Model):
    """A declared type, as `parse` knows them."""

    name: Literal["varchar", "integer", "bigint", "decimal", "double", "boolean", "date", "timestamp", "time"]
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    @classmethod
    def parse(cls, text: str) -> ColumnType:
        """Read `decimal(12,2)` and the like; raises ValueError with the known forms."""
        match = _TYPE.fullmatch(text.strip().lower())
        known = "varchar(n), integer, bigint, decimal(p,s), double, boolean, date, timestamp, time"
        if match is None:
            raise ValueError(f"type '{text}' is not understood; known are: {known}")
        name = match["name"]
        args = [int(part) for part in (match["args"] or "").split(",") if part]
        wanted = {"varchar": 1, "decimal": 2}.get(name, 0)
        if name not in known.replace("(n)", "").replace("(p,s)", "").split(", ") or len(args) != wanted:
            raise ValueError(f"type '{text}' is not understood; known are: {known}")
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

    @property
    def is_dated(self) -> bool:
        """Whether it counts in some periods only; then it goes before those without dates."""
        return bool(self.from_period or self.until_period)

    def is_valid(self, period: Period, parse: Any) -> bool:
        """Whether the sender writes it so in that period."""
        starts = self.from_period is None or parse(self.from_period).start <= period.start
        ends = self.until_period is None or period.start <= parse(self.until_period).start
        return bool(starts and ends)


_NUMBERS = ("integer", "bigint", "decimal", "double")
_OF_TYPES = {
    "allowed": ("varchar",),
    "pattern": ("varchar",),
    "min": (*_NUMBERS, "date", "timestamp"),
    "max": (*_NUMBERS, "date", "timestamp"),
    **dict.fromkeys(("decimal", "thousands", "grouping", "negative", "currency"), _NUMBERS),
    "percent": ("decimal", "double"),
    "dates": ("date", "timestamp"),
    "zone": ("timestamp",),
    "serials": ("date", "timestamp"),
    "true_values": ("boolean",),
    "false_values": ("boolean",),
}
"""The types of the columns that a word is about, where it is not about all."""


def _texts(value: Any) -> Any:
    """The keys of a mapping as they are written; YAML takes `yes`, `on` and `1` for something else."""
    strange = [key for key in value if not isinstance(key, str)] if isinstance(value, dict) else []
    if strange:
        raise ValueError(f"YAML reads {strange[0]!r} there, not text; write what a cell holds in quotes")
    return value


class Column(Model):
    """One column of a dataset."""

    name: SkipJsonSchema[str]
    type: ColumnType = Field(examples=["decimal(12,2)"])
    """`varchar(n)`, `integer`, `bigint`, `decimal(p,s)`, `double`, `boolean`, `date`, `timestamp` or `time` (of a
    day)."""
    description: str = Field(examples=["Date of birth."])
    """What the column means; goes to dbt docs."""
    header: tuple[Header, ...] = Field((), examples=[[{"header": "E-mail", "until": "2025-03"}, "Email address"]])
    """The header in the file; a list of headers with `from` and `until` when it changes over the years. Of several that
    are valid in a period a file has one; those without dates are valid where none with dates is. The name of the column
    when nothing is said."""
    required: bool = False
    """Whether a cell must be filled."""
    allowed: tuple[CellText, ...] | None = Field(None, min_length=1, examples=[["F", "M", "X"]])
    """The values that a text may have, after cleaning."""
    pattern: Regex | None = Field(None, examples=["^[0-9]{5}$"])
    """A regular expression (RE2) that is found in every text, after cleaning; `^…$` for the whole of it."""
    min: Bound | None = Field(None, examples=[0.5])
    """The smallest number or earliest date; `period_end` for the end of the delivery's period."""
    max: Bound | None = Field(None, examples=["period_end"])
    """The largest number or latest date; `period_end` for the end of the delivery's period."""
    clean: tuple[Any, ...] = Field((), examples=[["trim", {"zero_pad": {"width": 9}}]])
    """Cleaning rules, in the order in which they run: a name, or a name with options."""
    map: Annotated[dict[CellText, Value], BeforeValidator(_texts)] = Field({}, examples=[{"ja": True, "nein": False}])
    """Texts that stand for a value of the column's type, after cleaning; others are read as ever. Values are written as
    YAML writes them, not in the sender's notation."""
    fill_down: bool = False
    """Whether an empty cell takes the value of the cell above it, as in merged cells. Below a row of the wrong length
    nobody knows that value: such a cell is rejected."""
    decimal: DecimalSign | None = Field(None, examples=[","])
    """In place of `format.decimal`, for this column alone."""
    thousands: ThousandsSign | None = Field(None, examples=["."])
    """In place of `format.thousands`, for this column alone."""
    grouping: Grouping | None = Field(None, examples=["indian"])
    """In place of `format.grouping`, for this column alone."""
    negative: tuple[NegativeForm, ...] | None = Field(None, examples=[["trailing"]])
    """In place of `format.negative`, for this column alone."""
    currency: Currency | None = Field(None, examples=["CHF"])
    """In place of `format.currency`, for this column alone."""
    percent: bool = False
    """Whether texts are percentages: `15.5 %` is 0.155, and a text without the sign is rejected."""
    dates: tuple[DateForm, ...] | None = Field(None, min_length=1, examples=[["%m/%d/%Y"]])
    """In place of `format.dates`, for this column alone."""
    zone: Zone | None = Field(None, examples=["America/New_York"])
    """In place of `format.zone`, for this column alone."""
    null_values: tuple[CellText, ...] | None = Field(None, examples=[["none"]])
    """In place of `format.null_values`, for this column alone."""
    true_values: tuple[CellText, ...] | None = Field(None, min_length=1, examples=[["x"]])
    """In place of `format.true_values`, for this column alone."""
    false_values: tuple[CellText, ...] | None = Field(None, min_length=1, examples=[["-"]])
    """In place of `format.false_values`, for this column alone."""
    serials: bool = False
    """Whether plain numbers in a workbook are dates too, that many days after the day from which the workbook counts
    (1900 or 1904). Else such a cell is rejected: 2024 is rather a year."""
    tracked: bool = True
    """Whether a change starts a new version in history."""
    personal: bool = False
    """Whether values stay out of logs, plans, reports and published pages. It follows them into core and mart,
    whatever a model calls them; `personal: false` in the `meta` of a model's column ends it (docs/use/gates.md)."""
    since: str | None = Field(None, examples=["2025-02"])
    """The first period in which the column exists; before it, it is absent from files and NULL in stage."""
    until: str | None = Field(None, examples=["2025-11"])
    """The last period in which the column exists; after it, it is absent from files and NULL in stage."""
    optional: bool = False
    """Whether a delivery may lack the column: it is NULL then, which is told. Not for columns of the key or required
    ones. The guard takes a delivery without any value in it for one that lacks it."""

    _rules: list[Rule] = PrivateAttr(default_factory=list)

    @field_validator("name")
    @classmethod
    def _name_is_portable(cls, value: str) -> str:
        if value.startswith("dbt_"):
            raise ValueError(f"column name '{value}': names that begin with dbt_ belong to the history")
        return portable("column", value)

    @field_validator("type", mode="before", json_schema_input_type=str)
    @classmethod
    def _parse_type(cls, value: Any) -> Any:
        return value if isinstance(value, ColumnType) else ColumnType.parse(str(value))

    @field_validator("header", mode="before", json_schema_input_type=str | Header | list[str | Header])
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        items = value if isinstance(value, list) else [value]
        return tuple(item if isinstance(item, dict | Header) else {"header": item} for item in items)

    @field_validator("since", "until", mode="before", json_schema_input_type=str | int | None)
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
    def _is_sound(self) -> Self:
        for mistakes in (self._misplaced(), self._misfits(), self._impossible(), self._rejected()):
            tell(mistakes)
        self._rules.extend(parse_rules(list(self.clean)))
        return self

    def _misplaced(self) -> Iterator[Mistake]:
        """Words that are about columns of other types."""
        for word, types in _OF_TYPES.items():
            value = getattr(self, word)
            if value is not None and value is not False and self.type.name not in types:
                yield Mistake(f"'{word}' is for {listed(types)} columns, this one is {self.type}", (word,))

    def _misfits(self) -> Iterator[Mistake]:
        """Bounds that are no values of the type."""
        for word in ("min", "max"):
            bound = getattr(self, word)
            known_later = bound == "period_end" and self.type.name in ("date", "timestamp")
            if bound is not None and not known_later and not fits(bound, self.type):
                yield Mistake(f"'{word}: {bound}' does not match {self.type}", (word,))

    def _impossible(self) -> Iterator[Mistake]:
        """Words that no cell could satisfy."""
        if self.min is not None and self.max is not None and not in_order(self.min, self.max):
            yield Mistake(f"'min: {self.min}' is above 'max: {self.max}', so that no value is valid", ("min",))
        if self.pattern is not None and not can_fit(self.pattern, self.type.length or 0):
            yield Mistake(f"pattern '{self.pattern}' matches no text of {self.type}", ("pattern",))
        if self.since and self.until and self.since > self.until:
            yield Mistake(f"'until: {self.until}' is before 'since: {self.since}'", ("until",))
        if self.optional and self.required:
            yield Mistake("a required column cannot be 'optional: true'", ("optional",))
        for at, header in enumerate(self.header):
            if header.from_period and header.until_period and header.from_period > header.until_period:
                yield Mistake(f"header '{header.header}' ends before it begins", ("header", at))

    def _rejected(self) -> Iterator[Mistake]:
        """Values that the contract states itself, and that its own rules reject."""
        stated: list[tuple[Scalar, tuple[str | int, ...]]]
        stated = [(value, ("allowed", at)) for at, value in enumerate(self.allowed or ())]
        stated += [(value, ("map", text)) for text, value in self.map.items()]
        for value, place in stated:
            reason = self.objection(value)
            if reason is not None:
                yield Mistake(reason, place)

    def objection(self, value: Any) -> str | None:
        """Why a value that the contract itself states would be rejected; None when it would not."""
        if not fits(value, self.type):
            return f"'{value}' does not match {self.type}"
        if self.pattern is not None and unmatched(self.pattern, value):
            return f"'{value}' does not match the pattern '{self.pattern}'"
        if self.allowed is not None and value not in self.allowed:
            return f"'{value}' is not among the allowed values"
        if self.min is not None and not in_order(self.min, value):
            return f"'{value}' is below 'min: {self.min}'"
        if self.max is not None and not in_order(value, self.max):
            return f"'{value}' is above 'max: {self.max}'"
        return None

    def notation(self, fmt: Format) -> Notation:
        """How the sender writes the values of this column: its own words, where it has none those of the format."""
        words = {field.name for field in fields(Notation)} & set(type(self).model_fields)
        own = {word: getattr(self, word) for word in words if getattr(self, word) is not None}
        return replace(fmt.notation, **{**own, "map": tuple(self.map.items())})

    @property
    def rules(self) -> list[Rule]:
        """The cleaning rules, in the order in which they run."""
        return self._rules

    @property
    def exists_where(self) -> str:
        """In SQL of every engine: the rows of a stage table whose delivery has the column; empty when all do."""
        bounds = ((">=", self.since), ("<=", self.until))
        return " and ".join(f"_data_period {sign} '{name}'" for sign, name in bounds if name is not None)

    def headers_at(self, period: Period, parse: Any) -> tuple[str, ...]:
        """The headers of which a delivery of `period` must have one; none when the column does not exist then.

        Those with dates go before those without.
        """
        if self.since is not None and period.start < parse(self.since).start:
            return ()
        if self.until is not None and period.start > parse(self.until).start:
            return ()
        valid = [item for item in self.header if item.is_valid(period, parse)]
        dated = [item.header for item in valid if item.is_dated]
        return tuple(dated or [item.header for item in valid]) or (() if self.header else (self.name,))

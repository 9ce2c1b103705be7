"""Columns of a dataset: type, header, rules."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from loader.cleaning import Rule, parse_rules
from loader.contracts.model import Model, Regex
from loader.contracts.names import portable
from loader.contracts.periods import Period

_TYPE = re.compile(r"(?P<name>[a-z]+)(?:\((?P<args>\d+(?:\s*,\s*\d+)?)\))?")


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
                raise ValueError(f"column '{self.name}': '{rule}: {getattr(self, rule)}' does not match {self.type}")
        for header in self.header:
            if header.from_period and header.until_period and header.from_period > header.until_period:
                raise ValueError(f"column '{self.name}': header '{header.header}' ends before it begins")
        for bound in (self.min, self.max):
            if isinstance(bound, str) and not (bound == "period_end" and self.type.name in ("date", "timestamp")):
                raise ValueError(
                    f"column '{self.name}': '{bound}' is not a valid number or date (or period_end, for a date)"
                )
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

"""What a table of the mart can be asked: attributes, measures and filters, by the names that the mart has for them.

A column `<role>_key` leads to the dimension whose key it ends with (`health_plan_key` to `dim_health_plan`,
`previous_geography_key` to `dim_geography`), a date to the calendar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, FromClause, cast, func, literal_column, or_, text

from loader.contracts import Grain, Period
from loader.errors import UsageError
from loader.reports.cube.additivity import Additive
from loader.text import listed
from loader.warehouse.layers import MART

AGGREGATES = ("sum", "avg", "min", "max", "count", "distinct")
DIMENSION, CALENDAR = "dim_", "dim_date"
FISCAL = ("fiscal_year", "fiscal_period")
"""Columns of the calendar when contracts have a fiscal year; as texts they sort by time."""
_ASKED_FIRST = ("cube_", "agg_", "fct_", "")
GROUPING_LEVEL = "grouping_level"
"""Of a table of grouping sets: 0 in the rows that sum over nothing yet."""

_MEASURE = re.compile(r"(?:(?P<label>\w+)=)?(?P<of>\w+)(?::(?P<by>\w+))?(?:/(?P<over>\w+)(?::(?P<over_by>\w+))?)?")
_FILTER = re.compile(r"(?P<name>[\w.]+)(?P<how>>=|<=|=)(?P<values>.*)", re.DOTALL)
_HOW = {"=": "is", ">=": "from", "<=": "to"}
_RATIO = re.compile(r"(?:^|_)(?:ratio|rate|share)(?:_|$)")

_KINDS = {
    "integer": r"big|hug|small|tiny|u?int",
    "number": r"dec|num|double|float|real|money",
    "date": r"date$",
    "moment": r"date|timestamp",
    "truth": r"bool|bit$",
}
Kind = str
"""One of `_KINDS`, or `text`."""


def _kind(data_type: str) -> Kind:
    found = (kind for kind, pattern in _KINDS.items() if re.match(pattern, data_type, re.IGNORECASE))
    return next(found, "text")


@dataclass(frozen=True)
class Level:
    """A step of the calendar: a grain, and how the calendar says it."""

    grain: Grain
    columns: tuple[str, ...]
    of: Callable[[date], Any]
    """The value of the period that begins on a day."""
    label: Callable[[Any], str]

    def expression(self, calendar: FromClause) -> ColumnElement[Any]:
        """What is grouped by, from the columns of a calendar."""
        first, *rest = (calendar.c[name] for name in self.columns)
        # written out: the same expression is grouped by
        return literal_column("100") * first + rest[0] if rest else first


_LEVELS = (
    Level(Grain.YEAR, ("calendar_year",), lambda day: day.year, str),
    Level(
        Grain.QUARTER,
        ("calendar_year", "quarter_of_year"),
        lambda day: day.year * 100 + (day.month + 2) // 3,
        lambda value: "{}-Q{}".format(*divmod(int(value), 100)),
    ),
    Level(Grain.MONTH, ("month_start",), lambda day: day, lambda value: f"{value:%Y-%m}"),
    Level(
        Grain.WEEK,
        ("iso_year", "iso_week"),
        lambda day: day.isocalendar().year * 100 + day.isocalendar().week,
        lambda value: "{}-W{:02}".format(*divmod(int(value), 100)),
    ),
    Level(Grain.DAY, ("date_day",), lambda day: day, str),
)
LEVELS = {level.grain.value: level for level in _LEVELS}


@dataclass(frozen=True)
class Role:
    """In what way a table is about a dimension: its column `key` is `field` of the dimension."""

    name: str
    dimension: str
    key: str
    field: str


@dataclass(frozen=True)
class Attribute:
    """What rows, columns and filters may name."""

    name: str
    column: str
    kind: Kind
    role: Role | None = None
    level: Level | None = None

    @property
    def is_time(self) -> bool:
        """Whether its values follow one another in time."""
        is_fiscal = self.role is not None and self.role.dimension == CALENDAR and self.column in FISCAL
        return self.level is not None or is_fiscal or self.kind in ("date", "moment")

    def label(self, value: Any) -> str:
        """A value as people read it."""
        if value is None:
            return "(none)"
        return self.level.label(value) if self.level else str(value)

    def parse(self, word: str) -> Any:
        """A value of a filter; raises UsageError when the column has no such values."""
        try:
            if self.level is not None:
                return self.level.of(Period.parse(word, self.level.grain).start.date())
            return _PARSERS[self.kind](word)
        except (ValueError, ArithmeticError, KeyError):
            raise UsageError(f"--filter {self.name}: '{word}' is not a valid value of a {self.kind} column") from None


_PARSERS: Mapping[Kind, Callable[[str], Any]] = {
    "integer": int,
    "number": Decimal,
    "date": date.fromisoformat,
    "moment": datetime.fromisoformat,
    "truth": lambda word: {"true": True, "false": False}[word.lower()],
    "text": str,
}


@dataclass(frozen=True)
class Term:
    """An aggregate of a column."""

    column: str
    by: str
    kind: Kind

    def expression(self, rows: FromClause) -> ColumnElement[Any]:
        """The aggregate over the rows of a table."""
        values: ColumnElement[Any] = rows.c[self.column]
        if self.by == "distinct":
            return func.count(values.distinct())
        if self.by == "sum" and self.kind == "integer":
            values = cast(values, BigInteger)
        return getattr(func, self.by)(values)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Measure:
    """An aggregate, or the quotient of two: engines average integers in ways of their own."""

    label: str
    terms: tuple[Term, ...]
    fixed: tuple[str, ...] = ()
    """Columns along which it does not add up: it is a sum only where each has a single value."""

    def value(self, parts: Sequence[Any]) -> Any:
        """Ratios and averages to four digits; None for what is not there, and for a division by nothing."""
        if len(parts) == 1:
            return _plain(parts[0])
        over, under = parts
        if over is None or not under:
            return None
        return round(Decimal(str(over)) / Decimal(str(under)), 4)


def _plain(value: Any) -> Any:
    """Engines count in integers and in decimals without a fraction."""
    return int(value) if isinstance(value, Decimal) and value.as_tuple().exponent == 0 else value


@dataclass(frozen=True)
class Filter:
    """Which rows count: `how` is `=` (any of the values), `>=` or `<=`."""

    attribute: Attribute
    how: str
    values: tuple[Any, ...]
    text: str

    @property
    def in_words(self) -> str:
        """Such as `gender is F or X`, `month from 2025-01`."""
        name, _, said = self.text.partition(self.how)
        words = " or ".join(word.strip() for word in said.split(","))
        return f"{name.replace('_', ' ')} {_HOW[self.how]} {words}"

    def condition(self, value: ColumnElement[Any]) -> ColumnElement[bool]:
        """The filter as a condition on the values of its attribute."""
        if self.how == "=":
            return or_(*(value == one for one in self.values))
        at_least: ColumnElement[bool] = value >= self.values[0]
        return at_least if self.how == ">=" else value <= self.values[0]


@dataclass(frozen=True)
class Source:
    """A table of the mart, with what may be asked of it."""

    name: str
    columns: Mapping[str, Kind]
    roles: Mapping[str, Role]
    dimensions: Mapping[str, Mapping[str, Kind]]
    personal: frozenset[str]
    additive: Additive = field(default_factory=dict)

    def attributes(self) -> list[str]:
        """Columns of its own that say what a row is about."""
        return [name for name in self._shown_columns() if name not in self.measures()]

    def measures(self) -> list[str]:
        """Columns that can be summed: numbers that no dimension has for an attribute, and that add up at all."""
        return [name for name in self._numbers() if self.additive.get(name) != frozenset()]

    def _numbers(self) -> list[str]:
        of_dimensions = {name for columns in self.dimensions.values() for name in columns}
        return [
            name
            for name in self._shown_columns()
            if self.columns[name] in ("integer", "number") and name not in of_dimensions
        ]

    def fixed(self, measure: str) -> tuple[str, ...]:
        """Columns along which a measure does not add up: keys of dimensions, and attributes of its own."""
        over = self.additive.get(measure)
        if over is None:
            return ()
        keys = {role.key: name for name, role in self.roles.items()}
        own = [name for name in self.attributes() if name not in self.additive]
        named = {name: keys.get(name, name) for name in [*keys, *own]}
        return tuple(column for column, name in named.items() if not over & {column, name})

    def _shown_columns(self) -> list[str]:
        hidden = {*self.personal, GROUPING_LEVEL}
        return [name for name in self.columns if name not in hidden and not _is_key(name)]

    def of_role(self, role: Role) -> list[str]:
        """Attributes of a dimension; of the calendar, its levels too."""
        names = [name for name in self.dimensions[role.dimension] if name not in self.personal and not _is_key(name)]
        return [*LEVELS, *names] if role.dimension == CALENDAR else names

    def attribute(self, name: str) -> Attribute:
        """What `name` or `role.name` means here; raises UsageError."""
        role_name, dot, short = name.rpartition(".")
        if dot:
            if role_name not in self.roles:
                raise UsageError(f"{MART}.{self.name} knows no '{role_name}'; it knows: {', '.join(self.roles)}")
            found = [self.roles[role_name]]
        elif short in self.columns and short != GROUPING_LEVEL:
            return self._shown(Attribute(name, short, self.columns[short]))
        else:
            found = [role for role in self.roles.values() if self._has(role, short)]
            # dates are about the first of them unless another is named
            found = found[:1] if found and found[0].dimension == CALENDAR else found
        if len(found) > 1:
            names = ", ".join(f"{role.name}.{short}" for role in found)
            raise UsageError(f"'{short}' is an attribute of several dimensions of {MART}.{self.name}: say {names}")
        if not found or not self._has(found[0], short):
            of = self.of_role(found[0]) if found else [*self.attributes(), *self._through_roles()]
            raise UsageError(f"{MART}.{self.name} has no '{name}'; it has: {', '.join(of)}")
        role = found[0]
        if role.dimension == CALENDAR and short in LEVELS:
            return Attribute(name, short, "period", role, LEVELS[short])
        return self._shown(Attribute(name, short, self.dimensions[role.dimension][short], role))

    def _has(self, role: Role, name: str) -> bool:
        return name in self.dimensions[role.dimension] or (role.dimension == CALENDAR and name in LEVELS)

    def _through_roles(self) -> list[str]:
        return list(dict.fromkeys(name for role in self.roles.values() for name in self.of_role(role)))

    def _shown(self, attribute: Attribute) -> Attribute:
        if attribute.column in self.personal:
            raise UsageError(f"'{attribute.column}' is personal by its contract, and a cube shows no personal values")
        return attribute

    def measure(self, text: str) -> Measure:
        """`[LABEL=]NAME[:AGGREGATE][/NAME[:AGGREGATE]]`; raises UsageError."""
        found = _MEASURE.fullmatch(text)
        if found is None:
            raise UsageError(
                f"--measure '{text}' is not understood; write NAME, NAME:avg, NAME/OTHER or LABEL=NAME/OTHER"
            )
        label = found["label"] or text
        if found["by"] == "avg" and found["over"] is None:
            return Measure(label, (self._term(found["of"], "sum", averaged=True), self._count_of(found["of"])))
        terms = [self._term(found["of"], found["by"])]
        if found["over"]:
            terms.append(self._term(found["over"], found["over_by"]))
            if "avg" in (found["by"], found["over_by"]):
                raise UsageError(f"--measure '{text}': a quotient is one of sums or counts, not of averages")
        fixed = dict.fromkeys(name for term in terms if term.by == "sum" for name in self.fixed(term.column))
        return Measure(label, tuple(terms), tuple(fixed))

    def _count_of(self, name: str) -> Term:
        """By what the sum of an averaged column is divided: its rows, of a semi-additive one its points in time."""
        if not self.additive.get(name):
            return self._term(name, "count")
        calendars = [role.key for role in self.roles.values() if role.dimension == CALENDAR]
        times = [column for column in self.fixed(name) if column in calendars]
        if len(times) != 1:
            raise UsageError(
                f"'{name}' of {MART}.{self.name} has no average: of the columns along which it does not add up "
                f"({listed(self.fixed(name))}) just one would have to be a date"
            )
        return Term(times[0], "distinct", self.columns[times[0]])

    def _term(self, name: str, by: str | None, *, averaged: bool = False) -> Term:
        by = by or "sum"
        if by not in AGGREGATES:
            raise UsageError(f"no aggregate is called '{by}'; there are: {', '.join(AGGREGATES)}")
        if name not in self.columns or name == GROUPING_LEVEL:
            raise UsageError(f"{MART}.{self.name} has no measure '{name}'; it has: {', '.join(self.measures())}")
        self._shown(Attribute(name, name, self.columns[name]))
        if by == "sum" and not averaged and self.additive.get(name) == frozenset():
            raise UsageError(f"'{name}' of {MART}.{self.name} does not add up; ask for its :avg, :min or :max")
        if by in ("sum", "avg") and name not in self._numbers():
            raise UsageError(f"'{name}' of {MART}.{self.name} cannot be summed; it can be counted: {name}:count")
        if by == "sum" and not averaged and _RATIO.search(name):
            raise UsageError(
                f"'{name}' is a ratio, and ratios add up to nothing: divide sums, such as paid_amount/premium_amount, "
                "or ask for its :avg, :min or :max"
            )
        return Term(name, by, self.columns[name])

    def filter(self, text: str) -> Filter:
        """`NAME=VALUE[,VALUE]`, `NAME>=VALUE` or `NAME<=VALUE`; raises UsageError."""
        found = _FILTER.fullmatch(text)
        if found is None:
            raise UsageError(
                f"--filter '{text}' is not understood; write NAME=VALUE,VALUE or NAME>=VALUE or NAME<=VALUE"
            )
        attribute = self.attribute(found["name"])
        words = found["values"].split(",") if found["how"] == "=" else [found["values"]]
        return Filter(attribute, found["how"], tuple(attribute.parse(word.strip()) for word in words), text)


def _is_key(name: str) -> bool:
    return name.endswith("_key")


def sources(connection: Connection, personal: Iterable[str], additive: Mapping[str, Additive]) -> list[Source]:
    """What can be asked: cubes, aggregates, facts. Columns called as in `personal` are not shown.

    `additive` has by table the measures that do not add up along every dimension.
    """
    tables = _tables(connection)
    dimensions = {name: columns for name, columns in tables.items() if name.startswith(DIMENSION)}
    asked = [name for name in tables if name not in dimensions]
    asked.sort(key=lambda name: (next(at for at, start in enumerate(_ASKED_FIRST) if name.startswith(start)), name))
    hidden = frozenset(personal)
    return [
        Source(
            name,
            tables[name],
            {role.name: role for role in _roles(tables[name], dimensions)},
            dimensions,
            hidden,
            additive.get(name, {}),
        )
        for name in asked
    ]


def _tables(connection: Connection) -> dict[str, dict[str, Kind]]:
    """Tables and views of the mart that the account may read."""
    # in capitals: so the view is called where names tell them apart
    query = "select TABLE_NAME, COLUMN_NAME, DATA_TYPE from INFORMATION_SCHEMA.COLUMNS where TABLE_SCHEMA = :schema "
    tables: dict[str, dict[str, Kind]] = {}
    found: Sequence[Any] = connection.execute(
        text(query + "order by TABLE_NAME, ORDINAL_POSITION"), {"schema": MART}
    ).all()
    for name, its_column, data_type in found:
        if "__" not in name:  # what dbt leaves behind while it works
            tables.setdefault(name, {})[its_column] = _kind(data_type)
    return tables


def _roles(columns: Mapping[str, Kind], dimensions: Mapping[str, Mapping[str, Kind]]) -> Iterator[Role]:
    subjects = {table.removeprefix(DIMENSION): has for table, has in dimensions.items()}
    keyed = [subject for subject, has in subjects.items() if f"{subject}_key" in has]
    for name, kind in columns.items():
        stem = name.removesuffix("_key")
        if _is_key(name):
            fitting = [one for one in keyed if f"_{stem}".endswith(f"_{one}")]
            if fitting:
                dimension = max(fitting, key=len)
                yield Role(stem, f"{DIMENSION}{dimension}", name, f"{dimension}_key")
        elif kind == "date" and f"{name}_key" not in columns and "date_day" in dimensions.get(CALENDAR, {}):
            yield Role(name, CALENDAR, name, "date_day")


def source(known: Sequence[Source], name: str) -> Source:
    """The table of that name; raises UsageError."""
    for one in known:
        if one.name == name.removeprefix(f"{MART}."):
            return one
    raise UsageError(f"the mart has no fact or aggregate '{name}'; it has: {', '.join(one.name for one in known)}")

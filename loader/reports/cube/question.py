"""A small cube: any fact or aggregate of the mart, summed by what its dimensions say.

Totals are asked of the database, not added up: the loss ratio of all tiers is no sum of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Subquery, alias, and_, column, select, table

from loader.errors import UsageError
from loader.reports.cube.mart import GROUPING_LEVEL, Attribute, Filter, Measure, Source, Term, source
from loader.text import listed
from loader.warehouse.layers import MART

MOST_COLUMNS = 50
"""Of a pivot: more are no table that a person reads."""


@dataclass(frozen=True)
class Question:
    """A pivot that can be asked."""

    table: Source
    rows: tuple[Attribute, ...]
    columns: tuple[Attribute, ...]
    measures: tuple[Measure, ...]
    filters: tuple[Filter, ...]

    def __str__(self) -> str:
        """In words, as a title: `Population by city and month, where gender is F or X (mart.agg_population)`."""
        text = _both(_in_words(measure.label) for measure in self.measures)
        by = [_in_words(attribute.name) for attribute in (*self.rows, *self.columns)]
        text += f" by {_both(by)}" if by else ""
        text += f", where {_both(one.in_words for one in self.filters)}" if self.filters else ""
        return f"{text[:1].upper()}{text[1:]} ({MART}.{self.table.name})"


def _in_words(name: str) -> str:
    return name.replace("_", " ").replace(".", " ").replace(":", " ")


def _both(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


@dataclass(frozen=True)
class Order:
    """How rows follow one another: by a measure, the largest first, or by an attribute of theirs."""

    name: str | None = None
    """Of a measure or an attribute; None for the attributes as they come."""
    reverse: bool = False
    top: int | None = None
    """How many rows are kept; None for all."""


Key = tuple[Any, ...]
"""The values of the row's, or the column's, attributes."""


@dataclass(frozen=True)
class Answer:
    """Values of the measures by row and column; None stands for all of them."""

    question: Question
    cells: dict[tuple[Key | None, Key | None], tuple[Any, ...]]
    order: Mapping[str, Mapping[Any, int]] = field(default_factory=dict)
    """Of the values of a column that have an order of their own."""
    rows_by: Order = Order()
    left_out: tuple[Measure, ...] = ()
    """Measures that have no value in some places, since they do not add up there."""

    @cached_property
    def all_rows(self) -> list[Key]:
        """The labels of the rows, sorted; one value for each attribute."""
        rows = self._sorted({row for row, _ in self.cells if row is not None}, self.question.rows)
        name, names = self.rows_by.name, [attribute.name for attribute in self.question.rows]
        if name in names:
            at = names.index(name)
            attribute = self.question.rows[at]
            rows.sort(key=lambda row: self._place(attribute, row[at]), reverse=self.rows_by.reverse)
        elif name is not None:
            labels = [measure.label for measure in self.question.measures]
            values = {row: self._last_value(row, labels.index(name)) for row in rows}
            known = [row for row in rows if values[row] is not None]
            known.sort(key=lambda row: values[row], reverse=not self.rows_by.reverse)
            rows = [*known, *(row for row in rows if values[row] is None)]
        return rows

    @cached_property
    def rows(self) -> list[Key]:
        """Those of the rows that are shown."""
        return self.all_rows[: self.rows_by.top]

    def _last_value(self, row: Key, measure: int) -> Any:
        """By what a row is sorted: its total, or the value of its last column where there is no total."""
        for place in (None, *reversed(self.columns)):
            values = self.cells.get((row, place))
            if values is not None and values[measure] is not None:
                return values[measure]
        return None

    @cached_property
    def columns(self) -> list[Key]:
        """The labels of the columns, sorted; one value for each attribute."""
        return self._sorted({column for _, column in self.cells if column is not None}, self.question.columns)

    def _sorted(self, keys: Iterable[Key], attributes: Sequence[Attribute]) -> list[Key]:
        def place(key: Key) -> list[tuple[Any, ...]]:
            return [self._place(attribute, value) for attribute, value in zip(attributes, key, strict=True)]

        return sorted(keys, key=place)

    def _place(self, attribute: Attribute, value: Any) -> tuple[Any, ...]:
        known = self.order.get(attribute.column, {})
        return (value is None, known.get(value, len(known)), 0 if value is None else value)


def question(
    known: Sequence[Source],
    name: str | None,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    measures: Sequence[str],
    filters: Sequence[str],
) -> Question:
    """The question in the words of a table; without a name, of the first cube, aggregate or fact that knows them.

    Raises:
        UsageError: there is no such table, or it does not know the words.
    """

    def put(to: Source) -> Question:
        asked = Question(
            to,
            tuple(map(to.attribute, rows)),
            tuple(map(to.attribute, columns)),
            tuple(map(to.measure, measures)),
            tuple(map(to.filter, filters)),
        )
        labels = [measure.label for measure in asked.measures]
        if not labels or len(set(labels)) < len(labels):
            raise UsageError("name at least one --measure, and each only once")
        return asked

    if name is not None:
        return put(source(known, name))
    mistakes = []
    for one in known:
        try:
            return put(one)
        except UsageError as error:
            mistakes.append(error.message)
    raise UsageError(f"no table of the mart knows all of that; of the first: {mistakes[0]}")


def answer(
    connection: Connection, asked: Question, order: Mapping[str, Sequence[Any]], rows_by: Order | None = None
) -> Answer:
    """Ask the warehouse; `order` has the values of columns that have an order of their own.

    Raises:
        UsageError: the columns are more than a person reads, or a measure adds up in no place.
    """
    rows_by = _possible(asked, rows_by or Order())
    facts = _facts(asked)
    cells = {}
    left_out: set[Measure] = set()
    shown: set[Measure] = set()
    rows, columns = len(asked.rows), len(asked.columns)
    for with_rows in {bool(rows), False}:
        for with_columns in {bool(columns), False}:
            kept = [*range(rows if with_rows else 0), *range(rows, rows + columns if with_columns else rows)]
            for found in connection.execute(_grouped(facts, asked, kept)):
                key, values = tuple(found[: len(kept)]), found[len(kept) :]
                row, its_column = key[: rows if with_rows else 0], key[rows if with_rows else 0 :]
                at = (row if with_rows else None, its_column if with_columns else None)
                found_here = list(_values(asked.measures, values))
                cells[at] = tuple(value for _, value, _ in found_here)
                left_out.update(measure for measure, _, adds_up in found_here if not adds_up)
                shown.update(measure for measure, _, adds_up in found_here if adds_up)
    orders = {name: {value: at for at, value in enumerate(values)} for name, values in order.items()}
    for measure in left_out - shown:
        raise UsageError(_nowhere(asked, measure))
    kept_out = tuple(measure for measure in asked.measures if measure in left_out)
    given = Answer(asked, cells, orders, rows_by, kept_out)
    if len(given.columns) > MOST_COLUMNS:
        raise UsageError(
            f"--columns returns {len(given.columns):,} columns, more than {MOST_COLUMNS}: "
            "filter them, or ask for --rows"
        )
    return given


def _possible(asked: Question, rows_by: Order) -> Order:
    """The order, of which `top` alone means the rows of the largest first measure; raises UsageError."""
    if (rows_by.name is not None or rows_by.top is not None) and not asked.rows:
        raise UsageError("--sort and --top are about rows; name what each row is about by --rows")
    names = [*(one.name for one in asked.rows), *(one.label for one in asked.measures)]
    if rows_by.name is not None and rows_by.name not in names:
        raise UsageError(f"--sort '{rows_by.name}' is not among rows and measures: {', '.join(names)}")
    if rows_by.name is None and rows_by.top is not None:
        return replace(rows_by, name=asked.measures[0].label)
    return rows_by


def _nowhere(asked: Question, measure: Measure) -> str:
    one = measure.terms[0].column
    return (
        f"'{measure.label}' of {MART}.{asked.table.name} does not add up over {listed(measure.fixed)}: name that in "
        f"--rows or --columns, or one value of it in --filter; or ask for {one}:avg"
    )


def _facts(asked: Question) -> Subquery:
    """The rows that count: attributes as d0, d1, …, and what is measured under its own name."""
    home = table(asked.table.name, *map(column, asked.table.columns), schema=MART)
    joined: FromClause = home
    dimensions: dict[str, FromClause] = {}
    for attribute in (*asked.rows, *asked.columns, *(one.attribute for one in asked.filters)):
        role = attribute.role
        if role is not None and role.name not in dimensions:
            names = asked.table.dimensions[role.dimension]
            its = alias(table(role.dimension, *map(column, names), schema=MART), f"of_{role.name}")
            dimensions[role.name] = its
            joined = joined.outerjoin(its, home.c[role.key] == its.c[role.field])

    def value(attribute: Attribute) -> ColumnElement[Any]:
        place = dimensions[attribute.role.name] if attribute.role else home
        if attribute.level is not None:
            return attribute.level.expression(place)
        return place.c[attribute.column]

    attributes = [value(one).label(f"d{at}") for at, one in enumerate((*asked.rows, *asked.columns))]
    measured = dict.fromkeys(
        name for measure in asked.measures for name in (*(term.column for term in measure.terms), *measure.fixed)
    )
    conditions = [one.condition(value(one.attribute)) for one in asked.filters]
    if GROUPING_LEVEL in asked.table.columns:
        conditions.append(home.c[GROUPING_LEVEL] == 0)
    query = select(*attributes, *(home.c[name] for name in measured)).select_from(joined)
    return query.where(and_(*conditions)).subquery("facts") if conditions else query.subquery("facts")


def _grouped(facts: Subquery, asked: Question, kept: Sequence[int]) -> Select[Any]:
    by = [facts.c[f"d{at}"] for at in kept]
    terms = [term for measure in asked.measures for term in (*measure.terms, *map(_different, measure.fixed))]
    return select(*by, *(term.expression(facts) for term in terms)).group_by(*by)


def _different(name: str) -> Term:
    return Term(name, "distinct", "text")


def _values(measures: Sequence[Measure], parts: Sequence[Any]) -> Iterator[tuple[Measure, Any, bool]]:
    """Each measure with its value, and whether it adds up here."""
    at = 0
    for measure in measures:
        between = at + len(measure.terms)
        end = between + len(measure.fixed)
        adds_up = all(count <= 1 for count in parts[between:end])
        yield measure, measure.value(parts[at:between]) if adds_up else None, adds_up
        at = end

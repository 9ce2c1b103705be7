"""A small cube: any fact or aggregate of the mart, summed by what its dimensions say.

Totals are asked of the database, not added up: the loss ratio of all tiers is no sum of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Subquery, alias, and_, column, select, table

from loader.errors import UsageError
from loader.reports.cube.mart import GROUPING_LEVEL, Attribute, Filter, Measure, Source, source
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
        by = [attribute.name for attribute in (*self.rows, *self.columns)]
        text = f"{MART}.{self.table.name}: {', '.join(measure.label for measure in self.measures)}"
        text += f" by {', '.join(by)}" if by else ""
        return text + (f" where {' and '.join(one.text for one in self.filters)}" if self.filters else "")


Key = tuple[Any, ...]
"""The values of the row's, or the column's, attributes."""


@dataclass(frozen=True)
class Answer:
    """Values of the measures by row and column; None stands for all of them."""

    question: Question
    cells: dict[tuple[Key | None, Key | None], tuple[Any, ...]]
    order: Mapping[str, Mapping[Any, int]] = field(default_factory=dict)
    """Of the values of a column that have an order of their own."""

    @cached_property
    def rows(self) -> list[Key]:
        """The labels of the rows, sorted; one value for each attribute."""
        return self._sorted({row for row, _ in self.cells if row is not None}, self.question.rows)

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


def answer(connection: Connection, asked: Question, order: Mapping[str, Sequence[Any]]) -> Answer:
    """Ask the warehouse; `order` has the values of columns that have an order of their own.

    Raises:
        UsageError: the columns are more than a person reads.
    """
    facts = _facts(asked)
    cells = {}
    rows, columns = len(asked.rows), len(asked.columns)
    for with_rows in {bool(rows), False}:
        for with_columns in {bool(columns), False}:
            kept = [*range(rows if with_rows else 0), *range(rows, rows + columns if with_columns else rows)]
            for found in connection.execute(_grouped(facts, asked, kept)):
                key, values = tuple(found[: len(kept)]), found[len(kept) :]
                row, its_column = key[: rows if with_rows else 0], key[rows if with_rows else 0 :]
                at = (row if with_rows else None, its_column if with_columns else None)
                cells[at] = tuple(_values(asked.measures, values))
    orders = {name: {value: at for at, value in enumerate(values)} for name, values in order.items()}
    given = Answer(asked, cells, orders)
    if len(given.columns) > MOST_COLUMNS:
        raise UsageError(
            f"--columns returns {len(given.columns):,} columns, more than {MOST_COLUMNS}: "
            "filter them, or ask for --rows"
        )
    return given


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
    measured = dict.fromkeys(term.column for measure in asked.measures for term in measure.terms)
    conditions = [one.condition(value(one.attribute)) for one in asked.filters]
    if GROUPING_LEVEL in asked.table.columns:
        conditions.append(home.c[GROUPING_LEVEL] == 0)
    query = select(*attributes, *(home.c[name] for name in measured)).select_from(joined)
    return query.where(and_(*conditions)).subquery("facts") if conditions else query.subquery("facts")


def _grouped(facts: Subquery, asked: Question, kept: Sequence[int]) -> Select[Any]:
    by = [facts.c[f"d{at}"] for at in kept]
    terms = [term.expression(facts) for measure in asked.measures for term in measure.terms]
    return select(*by, *terms).group_by(*by)


def _values(measures: Sequence[Measure], parts: Sequence[Any]) -> Iterator[Any]:
    at = 0
    for measure in measures:
        yield measure.value(parts[at : at + len(measure.terms)])
        at += len(measure.terms)

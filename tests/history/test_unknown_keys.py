"""Keys that are unknown in a delivery: the SQL of history against the oracle, many sequences without a build of dbt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.history.datasets import PEOPLE
from tests.history.feeding import NEW_VERSION, period_bounds
from tests.history.oracle import Row, Unknown, midnight
from tests.history.warehouse import Warehouse
from tests.support.effort import effort

PERIODS = ["2024-11", "2024-12", "2025-01", "2025-02", "2025-03"]
SINCE = "1999-12-31 00:00:00"
"""Stands for the start of the first stale period in the SQL."""
COLUMNS = [*PEOPLE.columns, "dbt_scd_id", "dbt_valid_from", "dbt_valid_to"]


@dataclass(frozen=True)
class Written:
    """The SQL of the history of people."""

    from_nothing: str
    of_all: str
    since: str


@dataclass(frozen=True)
class Sql:
    """The SQL where no load is incomplete, and where some are; and a connection that never commits."""

    warehouse: Warehouse
    cursor: Any
    of_complete: Written
    of_incomplete: Written

    def rows(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        self.execute(sql, parameters)
        return [tuple(row) for row in self.cursor.fetchall()]

    def execute(self, sql: str, parameters: Any = ()) -> None:
        self.cursor.execute(self.warehouse.placeholders(sql), list(parameters))


@pytest.fixture
def sql(warehouse: Warehouse) -> Iterator[Sql]:
    arguments = json.dumps({"snapshot": "people", "since": SINCE})
    warehouse.dbt("run-operation", "written_history", "--args", arguments)
    texts = [message for message in warehouse.messages if "desired_versions as" in message]
    connection = warehouse.connect()
    cursor = connection.cursor()
    if warehouse.engine == "duckdb":
        cursor.execute("begin")
    types = {**PEOPLE.dataset.columns, "dbt_scd_id": "varchar(32)"}
    types |= dict.fromkeys(("dbt_valid_from", "dbt_valid_to"), warehouse.timestamp)
    cursor.execute(warehouse.create_schema("core"))
    listed = ", ".join(f"{name} {warehouse.column_type(type_)}" for name, type_ in types.items())
    cursor.execute(f"create table core.people ({listed})")
    try:
        yield Sql(warehouse, cursor, Written(*texts[:3]), Written(*texts[3:]))
    finally:
        cursor.execute("rollback") if warehouse.engine == "duckdb" else connection.rollback()
        connection.close()


def rounds() -> st.SearchStrategy[list[dict[str, tuple[list[Row], Unknown] | None]]]:
    """What each round brings for some periods: a load, or nothing in its place."""
    load = st.tuples(PEOPLE.deliveries(), PEOPLE.unknown())
    return st.lists(
        st.dictionaries(st.sampled_from(PERIODS), st.one_of(load, load, load, st.none()), min_size=1),
        min_size=1,
        max_size=4,
    )


@settings(
    max_examples=effort(40, 1500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=rounds())
def test_the_history_of_a_key_is_that_of_the_deliveries_that_know_it(
    sql: Sql, rounds: list[dict[str, tuple[list[Row], Unknown] | None]]
) -> None:
    for table in ("stage.people", "stage.people__unknown", "meta.dataset_version", "core.people"):
        sql.execute(f"delete from {table}")
    active: dict[str, tuple[list[Row], Unknown]] = {}
    load_id = 0
    for changes in rounds:
        stale = {period for period, load in changes.items() if load is not None or period in active}
        for period, load in changes.items():
            active.pop(period, None)
            load_id += 1
            replace(sql, period, load_id, load)
            if load is not None:
                active[period] = load
        if not stale:
            continue
        first = None if stale >= set(active) else min(stale)
        read = [unknown for period, (_, unknown) in active.items() if first is None or period >= first]
        written = sql.of_incomplete if any(unknown.is_incomplete for unknown in read) else sql.of_complete
        if first is None:
            build(sql, written.of_all)
        else:
            build(sql, written.since.replace(SINCE, str(midnight(period_bounds(first)[0]))))
        expected = PEOPLE.expected(
            {period: rows for period, (rows, _) in active.items()},
            {period: unknown for period, (_, unknown) in active.items()},
        )
        assert history(sql, "select * from core.people") == expected
        assert history(sql, sql.of_incomplete.from_nothing) == expected


def replace(sql: Sql, period: str, load_id: int, load: tuple[list[Row], Unknown] | None) -> None:
    """Put a load, or nothing, in the place of the one of a period."""
    for table in PEOPLE.dataset.tables:
        sql.execute(f"delete from stage.{table} where _data_period = ?", [period])
    sql.execute("delete from meta.dataset_version where data_period = ?", [period])
    if load is None:
        return
    rows, unknown = load
    kept = (len(unknown.keys), int(unknown.is_incomplete))
    counts = kept if any(kept) else (None, None)  # as of a load that was made before they were kept
    sql.execute(NEW_VERSION, [load_id, "people", period, *period_bounds(period), 1, len(rows), *counts])
    values = [(*(row[name] for name in PEOPLE.columns), period, load_id) for row in rows]
    insert(sql, "stage.people", values, PEOPLE.columns)
    insert(sql, "stage.people__unknown", [(*key, period, load_id) for key in unknown.keys], [*PEOPLE.key])


def build(sql: Sql, difference: str) -> None:
    """Write the difference to core, as dbt does."""
    found = sql.rows(f"{difference}")
    names = [column[0] for column in sql.cursor.description]
    written = [dict(zip(names, row, strict=True)) for row in found]
    for row in written:
        sql.execute("delete from core.people where dbt_scd_id = ?", [row["dbt_scd_id"]])
    for row in written:
        if row["dbt_change_type"] != "delete":
            marks = ", ".join("?" * len(COLUMNS))
            values = [row[name] for name in COLUMNS]
            sql.execute(f"insert into core.people ({', '.join(COLUMNS)}) values ({marks})", values)


def insert(sql: Sql, table: str, rows: list[tuple[Any, ...]], columns: list[str]) -> None:
    for row in rows:
        names = ", ".join([*columns, "_data_period", "_load_id"])
        sql.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(row))})", row)


def history(sql: Sql, query: str) -> set[tuple[Any, ...]]:
    found = sql.rows(query)
    names = [column[0].lower() for column in sql.cursor.description]
    versions = [tuple(row[names.index(name)] for name in COLUMNS if name != "dbt_scd_id") for row in found]
    assert len(versions) == len(set(versions))
    return set(versions)

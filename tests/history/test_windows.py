"""What a build reads of a history is enough: its SQL against the oracle, many sequences without a build of dbt."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.history.datasets import ORDERS, PEOPLE, Example
from tests.history.feeding import NEW_VERSION, period_bounds
from tests.history.oracle import NOTHING, Row, Unknown, midnight
from tests.history.warehouse import Warehouse
from tests.support.effort import PHASES, effort

PERIODS = ["2024-09", "2024-10", "2024-11", "2024-12", "2025-01", "2025-02", "2025-03"]
START, LAST, UNTIL, STALE = (f"1999-12-{day} 00:00:00" for day in (31, 30, 29, 28))
"""Stand for what a window has in the SQL."""
Load = tuple[list[Row], Unknown]
Window = tuple[Any, Any, Any]
"""start, last, until; datetimes or None"""


@dataclass(frozen=True)
class Sql:
    """The SQL of a history by name, and a connection that never commits."""

    warehouse: Warehouse
    example: Example
    cursor: Any
    texts: dict[str, str]

    @property
    def core(self) -> str:
        return f"core.{self.example.dataset.name}"

    @property
    def columns(self) -> list[str]:
        return [*self.example.columns, "dbt_scd_id", "dbt_valid_from", "dbt_valid_to"]

    def rows(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        self.execute(sql, parameters)
        return [tuple(row) for row in self.cursor.fetchall()]

    def execute(self, sql: str, parameters: Any = ()) -> None:
        self.cursor.execute(
            self.warehouse.placeholders(sql) if parameters else sql, *([[*parameters]] if parameters else [])
        )


@pytest.fixture
def written(warehouse: Warehouse) -> Iterator[Callable[[Example], Sql]]:
    connection = warehouse.connect()
    cursor = connection.cursor()
    if warehouse.engine == "duckdb":
        connection.close()

    def prepared(example: Example) -> Sql:
        nonlocal connection, cursor
        name = example.dataset.name
        arguments = {"snapshot": name, "start": START, "last": LAST, "until": UNTIL, "stale": STALE}
        warehouse.dbt("run-operation", "written_history", "--args", json.dumps(arguments))
        texts = dict(message[3:].split("\n", 1) for message in warehouse.messages if message.startswith("-- "))
        if warehouse.engine == "duckdb":
            connection = warehouse.connect()
            cursor = connection.cursor()
            cursor.execute("begin")
        types = {**example.dataset.columns, "dbt_scd_id": "varchar(32)"}
        types |= dict.fromkeys(("dbt_valid_from", "dbt_valid_to"), warehouse.timestamp)
        cursor.execute(texts["ledger"])
        listed = ", ".join(f"{column} {warehouse.column_type(type_)}" for column, type_ in types.items())
        cursor.execute(f"create table core.{name} ({listed})")
        return Sql(warehouse, example, cursor, texts)

    try:
        yield prepared
    finally:
        cursor.execute("rollback") if warehouse.engine == "duckdb" else connection.rollback()
        connection.close()


def rounds(example: Example) -> st.SearchStrategy[list[dict[str, Load | None]]]:
    """What each round brings for some periods: a load, or nothing in its place. Half of the loads know all keys."""
    load = st.tuples(example.deliveries(), st.one_of(st.just(NOTHING), example.unknown()))
    return st.lists(
        st.dictionaries(st.sampled_from(PERIODS), st.one_of(load, load, load, st.none()), min_size=1),
        min_size=1,
        max_size=5,
    )


_SETTINGS = settings(
    max_examples=int(os.environ.get("WINDOW_EXAMPLES", effort(25, 3000))),
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_a_full_history_is_that_of_the_deliveries_that_know_a_key(written: Callable[[Example], Sql]) -> None:
    sql = written(PEOPLE)

    @_SETTINGS
    @given(rounds=rounds(PEOPLE))
    def any_sequence(rounds: list[dict[str, Load | None]]) -> None:
        follow(sql, rounds)

    any_sequence()


def test_a_delta_history_is_that_of_its_rows(written: Callable[[Example], Sql]) -> None:
    sql = written(ORDERS)

    @_SETTINGS
    @given(rounds=rounds(ORDERS))
    def any_sequence(rounds: list[dict[str, Load | None]]) -> None:
        follow(sql, rounds)

    any_sequence()


def follow(sql: Sql, rounds: list[dict[str, Load | None]]) -> None:
    example = sql.example
    for table in (*(f"stage.{name}" for name in example.dataset.tables), "meta.dataset_version", sql.core):
        sql.execute(f"delete from {table}")
    sql.execute("delete from core.applied_load")
    active: dict[str, Load] = {}
    load_id = 0
    for changes in rounds:
        stale = {period for period, load in changes.items() if load is not None or period in active}
        for period, load in changes.items():
            active.pop(period, None)
            load_id += 1
            replace(sql, period, load_id, load)
            if load is not None:
                active[period] = load
        assert [row[0] for row in sql.rows(sql.texts["stale"])] == [start_of(period) for period in sorted(stale)]
        if not stale:
            continue
        if stale >= set(active):
            build(sql, "all", active, (None, None, None), stale)
        elif not example.dataset.is_full:
            [(followed,)] = sql.rows(sql.texts["followed"])
            kind = "touched" if followed else "tail"
            build(sql, kind, active, (start_of(min(stale)), None, None), stale)
        else:
            for window in sql.rows(sql.texts["windows"]):
                build(sql, kind_of(window), active, window, stale)
        sql.execute(sql.texts["record"])
        expected = example.expected(
            {period: rows for period, (rows, _) in active.items()},
            {period: unknown for period, (_, unknown) in active.items()},
        )
        assert history(sql, f"select * from {sql.core}") == expected
        assert history(sql, sql.texts["first incomplete" if example.dataset.is_full else "first none"]) == expected


def kind_of(window: Window) -> str:
    _, last, until = window
    if last is None:
        return "tail"
    return "closed" if until == last else "rest" if until else "endless"


def start_of(period: str) -> Any:
    return midnight(period_bounds(period)[0])


def replace(sql: Sql, period: str, load_id: int, load: Load | None) -> None:
    """Put a load, or nothing, in the place of the one of a period; the lines of earlier loads stay."""
    example = sql.example
    name = example.dataset.name
    for table in example.dataset.tables:
        sql.execute(f"delete from stage.{table} where _data_period = ?", [period])
    sql.execute("update meta.dataset_version set state = 'superseded' where data_period = ?", [period])
    if load is None:
        return
    rows, unknown = load
    kept = (len(unknown.keys), int(unknown.is_incomplete))
    counts = kept if any(kept) else (None, None)  # as of a load that was made before they were kept
    sql.execute(NEW_VERSION, [load_id, name, period, *period_bounds(period), 1, len(rows), *counts])
    values = [(*(row[column] for column in example.columns), period, load_id) for row in rows]
    insert(sql, f"stage.{name}", values, example.columns)
    if example.dataset.is_full:
        keys = [(*key, period, load_id) for key in unknown.keys]
        insert(sql, f"stage.{name}__unknown", keys, [*example.key])


def build(sql: Sql, kind: str, active: dict[str, Load], window: Window, stale: set[str]) -> None:
    """Write the difference of a window to core, as dbt does."""
    start, last, until = window
    read = [
        unknown
        for period, (_, unknown) in active.items()
        if (start is None or start_of(period) >= start) and (until is None or start_of(period) <= until)
    ]
    unknown = (
        "incomplete" if any(one.is_incomplete for one in read) else "named" if any(one.keys for one in read) else "none"
    )
    text = sql.texts[f"{kind} {unknown if sql.example.dataset.is_full else 'none'}"]
    for placeholder, moment in ((START, start), (LAST, last), (UNTIL, until)):
        text = text.replace(f"'{placeholder}'", f"'{moment}'")
    literal = f"cast('{STALE}' as {sql.warehouse.timestamp})"
    text = text.replace(literal, ", ".join(literal.replace(STALE, str(start_of(period))) for period in sorted(stale)))
    assert STALE not in text
    found = sql.rows(text)
    names = [column[0] for column in sql.cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    assert len({row["dbt_scd_id"] for row in rows}) == len(rows)
    for row in rows:
        sql.execute(f"delete from {sql.core} where dbt_scd_id = ?", [row["dbt_scd_id"]])
    for row in rows:
        if row["dbt_change_type"] != "delete":
            marks = ", ".join("?" * len(sql.columns))
            sql.execute(
                f"insert into {sql.core} ({', '.join(sql.columns)}) values ({marks})",
                [row[name] for name in sql.columns],
            )


def insert(sql: Sql, table: str, rows: list[tuple[Any, ...]], columns: list[str]) -> None:
    for row in rows:
        names = ", ".join([*columns, "_data_period", "_load_id"])
        sql.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(row))})", row)


def history(sql: Sql, query: str) -> set[tuple[Any, ...]]:
    found = sql.rows(query)
    names = [column[0].lower() for column in sql.cursor.description]
    versions = [tuple(row[names.index(name)] for name in sql.columns if name != "dbt_scd_id") for row in found]
    assert len(versions) == len(set(versions))
    return set(versions)

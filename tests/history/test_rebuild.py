"""`rebuild_history`, `as_of`, and dbt's own snapshots beside ours."""

from __future__ import annotations

import pytest

from tests.history.datasets import ORDERS, PEOPLE
from tests.history.feeding import deliver
from tests.history.oracle import Row
from tests.history.warehouse import Warehouse

PEOPLE_DELIVERED: dict[str, list[Row]] = {
    "2025-01": [{"person": "1", "name": "Ada", "size": 1, "born": None, "note": None}],
    "2025-02": [],
    "2025-03": [
        {"person": "1", "name": "Ada", "size": 1, "born": None, "note": "back"},
        {"person": "2", "name": None, "size": None, "born": None, "note": None},
    ],
}
ORDERS_DELIVERED: dict[str, list[Row]] = {
    "2025-01": [{"shop": "a", "number": "1", "state": "open", "price": 1, "note": None}],
    "2025-03": [{"shop": "a", "number": "1", "state": "gone", "price": 1, "note": None}],
}
TABLES = ["core.people", "core.orders", "mart.fct_people", "mart.fct_orders", "core.applied_load"]


@pytest.fixture
def built(warehouse: Warehouse) -> Warehouse:
    for period, rows in PEOPLE_DELIVERED.items():
        deliver(warehouse, PEOPLE.dataset, period, rows)
    for period, rows in ORDERS_DELIVERED.items():
        deliver(warehouse, ORDERS.dataset, period, rows)
    warehouse.dbt("build", "--select", "people", "fct_people", "orders", "fct_orders")
    return warehouse


def rebuild(warehouse: Warehouse, snapshot: str) -> None:
    warehouse.dbt("run-operation", "rebuild_history", "--args", f"{{snapshot: {snapshot}}}")


def test_rebuilding_a_sound_history_changes_nothing(built: Warehouse) -> None:
    before = built.written_state(*TABLES)
    for snapshot in ("people", "orders"):
        rebuild(built, snapshot)
        assert f"core.{snapshot}: rebuilt from all delivered periods, 0 rows differed" in built.messages
    assert built.written_state(*TABLES) == before


def test_rebuilding_mends_core_and_facts(built: Warehouse) -> None:
    facts = sorted(built.rows("select * from mart.fct_people"), key=repr)
    built.execute(
        "delete from core.people where person = '2'",
        "update core.people set name = 'Eve', dbt_valid_to = null",
        "insert into core.people (person, dbt_scd_id, dbt_valid_from) values ('9', 'x', '1999-01-01')",
        "delete from mart.fct_people",
    )
    rebuild(built, "people")
    assert set(PEOPLE.core(built)) == PEOPLE.expected(PEOPLE_DELIVERED)

    built.dbt("build", "--select", "people", "fct_people")
    assert sorted(built.rows("select * from mart.fct_people"), key=repr) == facts


def test_rebuilding_finds_a_version_that_stands_twice(built: Warehouse) -> None:
    if built.engine != "duckdb":
        pytest.skip("an index keeps versions unique")
    before = sorted(PEOPLE.core(built), key=repr)
    built.execute("insert into core.people select * from core.people where person = '2'")
    rebuild(built, "people")
    assert sorted(PEOPLE.core(built), key=repr) == before
    assert "core.people: rebuilt from all delivered periods, 1 rows differed" in built.messages


def test_rebuilding_names_what_it_does_not_know(built: Warehouse) -> None:
    result = built.dbt("run-operation", "rebuild_history", "--args", "{snapshot: plain}", check=False)
    assert "there is no snapshot plain with strategy period" in str(result.exception or built.messages)


def test_as_of_gives_the_versions_in_force(built: Warehouse) -> None:
    days = ["2024-12-31", "2025-01-01", "2025-02-01", "2025-02-28", "2025-03-01"]
    query = " union all ".join(
        f"select '{day}' as as_of, person from {{{{ as_of(ref('people'), \"cast('{day}' as date)\") }}}} as people"
        for day in days
    )
    table = built.dbt("show", "--inline", query, "--limit", "-1").result.results[0].agate_table
    assert sorted((str(row["as_of"]), str(row["person"])) for row in table.rows) == [
        ("2025-01-01", "1"),
        ("2025-03-01", "1"),
        ("2025-03-01", "2"),
    ]


def test_a_stock_check_snapshot_is_left_alone(warehouse: Warehouse) -> None:
    warehouse.execute(
        "create table stage.plain (person varchar(9), name varchar(60))",
        "insert into stage.plain values ('1', 'Ada'), ('2', 'Bob'), ('3', null)",
    )
    warehouse.dbt("snapshot", "--select", "plain")
    warehouse.execute(
        "update stage.plain set name = 'Eva' where person = '1'", "delete from stage.plain where person = '2'"
    )
    warehouse.dbt("snapshot", "--select", "plain")

    versions = warehouse.rows("select person, name, case when dbt_valid_to is null then 1 else 0 end from core.plain")
    assert sorted(versions, key=repr) == [
        ("1", "Ada", 0),
        ("1", "Eva", 1),
        ("2", "Bob", 0),
        ("3", None, 1),
    ]
    assert warehouse.rows("select count(*) from core.plain where dbt_updated_at is null") == [(0,)]
    assert warehouse.rows("select count(*) from core.applied_load where consumer = 'core.plain'") == [(0,)]

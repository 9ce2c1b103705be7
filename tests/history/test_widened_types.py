"""Core, facts, their changes and what follows them widen as stage does, each in its own transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from tests.history.datasets import ORDERS, PEOPLE
from tests.history.feeding import Dataset, deliver
from tests.history.oracle import Row
from tests.history.warehouse import Warehouse

TABLES = ("people", "orders", "fct_people", "fct_order_state")
LARGE, LONG = 99_999_999_999, "x" * 100


def person(number: str, **changes: Any) -> Row:
    return {"person": number, "name": "Ada", "size": 1, "born": None, "note": None, **changes}


def order(number: str, price: str) -> Row:
    return {"shop": "a", "number": number, "state": "open", "price": Decimal(price), "note": None}


def become(warehouse: Warehouse, dataset: Dataset, **types: str) -> Dataset:
    """Give columns of a stage table other types, as `loader migrate` does."""
    for name, declared in types.items():
        column = f"alter table stage.{dataset.name} alter column {name}"
        keyword = "" if warehouse.engine == "sqlserver" else "type "
        if declared == "date" or dataset.columns[name] == "date":
            warehouse.execute(f"alter table stage.{dataset.name} drop column {name}")
            warehouse.execute(warehouse.add_column(f"stage.{dataset.name}", name, declared))
        else:
            warehouse.execute(f"{column} {keyword}{warehouse.column_type(declared)}")
    return replace(dataset, columns={**dataset.columns, **types})


def types(warehouse: Warehouse, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """(type, length, digits, scale) of columns, in the words of the engine."""
    schema, name = table.split(".")
    found = warehouse.rows(
        "select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale"
        " from information_schema.columns where table_schema = ? and table_name = ?",
        (schema, name),
    )
    by_name = {column: tuple(rest) for column, *rest in found}
    return [by_name[column] for column in columns]


def test_all_that_is_made_of_stage_widens_with_it(warehouse: Warehouse) -> None:
    deliver(warehouse, PEOPLE.dataset, "2025-01", [person("001"), person("2")])
    deliver(warehouse, ORDERS.dataset, "2025-01", [order("1", "1.00"), order("2", "2.00")])
    warehouse.dbt("build", "--select", *TABLES, "agg_order_month")
    before = warehouse.rows("select person, dbt_scd_id, dbt_valid_from from core.people")
    ledger = warehouse.rows("select * from core.applied_load where data_period = '2025-01'")

    people = become(warehouse, PEOPLE.dataset, size="bigint", name="varchar(120)", born="varchar(10)")
    orders = become(warehouse, ORDERS.dataset, number="varchar(40)", price="numeric(14, 4)")
    warehouse.dbt("build", "--select", *TABLES, "agg_order_month")
    assert set(warehouse.rows("select * from core.applied_load where data_period = '2025-01'")) == set(ledger)

    deliver(
        warehouse,
        people,
        "2025-02",
        [person("001", size=LARGE, name=LONG, born="early"), person("2")],
    )
    deliver(warehouse, orders, "2025-02", [order("1", "9999999999.0001"), order("n" * 40, "0.0001")])
    if warehouse.engine == "postgres":
        refuse_what_a_view_hinders(warehouse)
    warehouse.dbt("build", "--select", *TABLES)

    history = warehouse.rows("select person, size, name, born from core.people order by person, dbt_valid_from")
    assert history == [("001", 1, "Ada", None), ("001", LARGE, LONG, "early"), ("2", 1, "Ada", None)]
    assert set(before) <= set(warehouse.rows("select person, dbt_scd_id, dbt_valid_from from core.people"))
    prices = warehouse.rows("select number, price from mart.fct_order_state order by number")
    assert prices == [("1", Decimal("9999999999.0001")), ("2", Decimal(2)), ("n" * 40, Decimal("0.0001"))]
    pending = warehouse.rows("select number, price from core.fct_order_state__changes order by number, price")
    assert ("1", Decimal(-1)) in pending, "the changes were started anew"
    assert types(warehouse, "core.people", "size", "name", "born") == types(
        warehouse, "stage.people", "size", "name", "born"
    )
    assert types(warehouse, "core.orders", "number", "price") == types(warehouse, "stage.orders", "number", "price")
    assert types(warehouse, "mart.fct_people", "size", "name") == types(warehouse, "stage.people", "size", "name")

    warehouse.dbt("build", "--select", "agg_order_month")
    sums = warehouse.rows("select counted_month, orders, price from mart.agg_order_month")
    assert [(month, count, Decimal(price)) for month, count, price in sums] == [
        (date(2025, 1, 1), 3, Decimal("10000000001.0002"))
    ]
    state = warehouse.written_state("core.people", "core.orders", "mart.fct_order_state", "mart.agg_order_month")
    warehouse.dbt("build", "--select", *TABLES, "agg_order_month")
    assert state == warehouse.written_state(
        "core.people", "core.orders", "mart.fct_order_state", "mart.agg_order_month"
    )


def test_a_type_that_could_lose_data_is_refused(warehouse: Warehouse) -> None:
    """Of a stage table that somebody else has altered, since the loader refuses what core holds values of."""
    tables = ("core.people", "core.applied_load", "mart.fct_people")
    for month in (1, 2):
        deliver(warehouse, PEOPLE.dataset, f"2025-0{month}", [person("1", size=month, note="7")])
    build = ("build", "--select", "people", "fct_people")
    warehouse.dbt(*build)
    # core follows in the first two, before it comes to the third
    altered = become(warehouse, PEOPLE.dataset, size="bigint", born="varchar(10)", note="date")
    deliver(warehouse, altered, "2025-03", [person("1", size=LARGE, born="early", note=date(2025, 3, 9)), person("2")])
    content = [warehouse.rows(f"select * from {table}") for table in tables]
    before = warehouse.written_state(*tables), types(warehouse, "core.people", "size", "born", "note")

    for refused in (build, ("run-operation", "rebuild_history", "--args", "{snapshot: people}")):
        assert not warehouse.dbt(*refused, check=False).success
        (said,) = [line for line in warehouse.messages if line.count("and would become") == 1]
        assert "core.people.note is " in said
        assert "date, which could lose data; select it in the type that it had, or under a new" in said.lower()
        assert [warehouse.rows(f"select * from {table}") for table in tables] == content
        assert (warehouse.written_state(*tables), types(warehouse, "core.people", "size", "born", "note")) == before

    warehouse.edit("snapshots/people.sql", "note, ", "cast(note as varchar(60)) as note, ")
    warehouse.dbt(*build)
    history = warehouse.rows("select person, size, born, note from core.people order by person, dbt_valid_from")
    assert history == [
        ("1", 1, None, None),
        ("1", 2, None, None),
        ("1", LARGE, "early", "2025-03-09"),
        ("2", 1, None, None),
    ]


def refuse_what_a_view_hinders(warehouse: Warehouse) -> None:
    """The view stays, and so does core."""
    warehouse.execute("create view core.sizes as select person, size from core.people")
    assert not warehouse.dbt("snapshot", "--select", "people", check=False).success
    assert any(
        "core.people.size becomes bigint, which a view on it hinders (core.sizes): drop" in line
        for line in warehouse.messages
    ), warehouse.messages
    assert len(warehouse.rows("select person, size from core.sizes")) == 2
    warehouse.execute("drop view core.sizes")

"""An aggregate that follows a fact misses none of its changes, whoever is killed or made anew in between."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.history.datasets import ORDERS, PEOPLE
from tests.history.feeding import deliver
from tests.history.oracle import Row
from tests.history.waiting import with_lock_held
from tests.history.warehouse import Warehouse

FACT, AGGREGATE = "models/marts/fct_order_state.sql", "models/marts/agg_order_month.sql"
MACRO = "macros/orders.sql"
WITHOUT_AGGREGATE = ("build", "--select", "people", "orders", "fct_order_state")
BUILD = (*WITHOUT_AGGREGATE, "agg_order_month")
NOVEMBER, JANUARY, MARCH = date(2024, 11, 1), date(2025, 1, 1), date(2025, 3, 1)


def order(number: str, price: str | None) -> Row:
    return {"shop": "a", "number": number, "state": "open", "price": price and Decimal(price), "note": None}


def sums(warehouse: Warehouse) -> dict[date, tuple[int, Decimal]]:
    found = warehouse.rows("select counted_month, orders, price from mart.agg_order_month")
    assert len(found) == len({month for month, *_ in found})
    return {month: (count, price) for month, count, price in found}


@pytest.fixture
def built(warehouse: Warehouse) -> Warehouse:
    deliver(warehouse, PEOPLE.dataset, "2025-01", [])
    deliver(warehouse, ORDERS.dataset, "2025-01", [order("1", "1.00"), order("2", "2.00"), order("3", None)])
    warehouse.dbt(*BUILD)
    assert sums(warehouse) == {JANUARY: (2, Decimal("3.00")), NOVEMBER: (1, Decimal("0.00"))}
    return warehouse


def test_killed_before_it_commits_it_does_it_again(built: Warehouse) -> None:
    deliver(built, ORDERS.dataset, "2025-02", [order("1", None)])
    process = built.start_dbt(*BUILD, hold="agg_order_month before commit")
    held = any(line.strip() == "HOLDING" for line in process.stdout)
    process.kill()
    process.communicate()
    assert held, "the build did not come to the step"
    assert sums(built) == {JANUARY: (2, Decimal("3.00")), NOVEMBER: (1, Decimal("0.00"))}
    built.dbt(*BUILD)
    assert sums(built) == {JANUARY: (1, Decimal("2.00")), NOVEMBER: (2, Decimal("0.00"))}


def test_it_catches_up_with_several_changes(built: Warehouse) -> None:
    for period, price in (("2025-02", None), ("2025-03", "5.00")):
        deliver(built, ORDERS.dataset, period, [order("1", price)])
        built.dbt(*WITHOUT_AGGREGATE)
    deliver(built, ORDERS.dataset, "2025-04", [{**order("3", None), "state": "gone"}])
    built.dbt(*BUILD)
    assert sums(built) == {JANUARY: (2, Decimal("7.00"))}


def test_a_fact_that_is_made_anew_takes_it_along(built: Warehouse) -> None:
    built.edit(FACT, "2025-01-15", "2025-03-15")
    built.dbt(*WITHOUT_AGGREGATE, "--full-refresh")
    built.dbt(*BUILD)
    assert sums(built) == {MARCH: (2, Decimal("3.00")), NOVEMBER: (1, Decimal("0.00"))}


def test_changed_sql_of_the_fact_writes_what_differs(built: Warehouse) -> None:
    marks = built.row_marks("mart.fct_order_state")
    built.edit(FACT, "2025-01-15", "2025-03-15")
    built.dbt(*BUILD)
    assert sums(built) == {MARCH: (2, Decimal("3.00")), NOVEMBER: (1, Decimal("0.00"))}
    kept = {row: mark for row, mark in marks.items() if date(2024, 11, 30) in row}
    assert kept.items() <= built.row_marks("mart.fct_order_state").items()


def test_changed_sql_makes_it_anew(built: Warehouse) -> None:
    built.edit(AGGREGATE, "order_price() }}", "order_price() }} * 2")
    built.dbt(*BUILD)
    assert sums(built) == {JANUARY: (2, Decimal("6.00")), NOVEMBER: (1, Decimal("0.00"))}
    before = built.written_state("mart.agg_order_month")
    built.dbt(*BUILD)
    assert built.written_state("mart.agg_order_month") == before


def test_what_no_sum_shows_writes_nothing(built: Warehouse) -> None:
    before = built.row_marks("mart.agg_order_month")
    if not before:
        pytest.skip(f"{built.engine} does not tell when a row was written")
    deliver(built, ORDERS.dataset, "2025-02", [{**order("1", "1.00"), "state": "paid"}])
    built.dbt(*BUILD)
    assert built.rows("select state from mart.fct_order_state where number = '1'") == [("paid",)]
    assert built.row_marks("mart.agg_order_month") == before


def test_a_fact_made_anew_by_another_build_meanwhile(built: Warehouse) -> None:
    if built.engine == "duckdb":
        pytest.skip("two processes cannot open one DuckDB file")
    deliver(built, ORDERS.dataset, "2025-02", [order("1", "4.00")])
    built.dbt(*WITHOUT_AGGREGATE)
    [message] = with_lock_held(
        built,
        lambda: [built.start_dbt("build", "--select", "agg_order_month")],
        waiting=1,
        name="mart.agg_order_month",
        then=["delete from core.applied_load where dataset = 'mart.fct_order_state'"],
    )
    assert "made it or its fact anew meanwhile" in message
    built.dbt(*BUILD)
    assert sums(built) == {JANUARY: (2, Decimal("6.00")), NOVEMBER: (1, Decimal("0.00"))}


@pytest.mark.parametrize("arguments", [(), ("--full-refresh",)])
def test_a_group_without_name_is_refused(built: Warehouse, arguments: tuple[str, ...]) -> None:
    before = sums(built)
    built.edit(AGGREGATE, "coalesce(name, 'nobody')", "name")
    result = built.dbt(*BUILD, *arguments, check=False)
    assert not result.success
    assert any("NULL in its unique_key" in str(node.message) for node in result.result)
    assert sums(built) == before


def test_a_changed_macro_asks_for_a_full_refresh(built: Warehouse) -> None:
    built.edit(MACRO, "coalesce(price, 0)", "coalesce(price, 0) * 2")
    deliver(built, ORDERS.dataset, "2025-02", [order("1", "5.00")])
    result = built.dbt(*BUILD, check=False)
    assert not result.success
    assert any("--full-refresh --select agg_order_month" in str(node.message) for node in result.result)
    assert sums(built)[JANUARY] == (2, Decimal("3.00"))
    built.dbt("build", "--full-refresh", "--select", "agg_order_month")
    assert sums(built)[JANUARY] == (2, Decimal("14.00"))


def test_who_was_away_reads_all_of_the_fact(built: Warehouse) -> None:
    built.edit(AGGREGATE, "materialized=", "enabled=false, materialized=")
    deliver(built, ORDERS.dataset, "2025-02", [order("1", "5.00")])
    built.dbt(*WITHOUT_AGGREGATE)
    built.undo_edits()
    built.dbt(*BUILD)
    assert sums(built) == {JANUARY: (2, Decimal("7.00")), NOVEMBER: (1, Decimal("0.00"))}


def test_other_measures_make_it_anew(built: Warehouse) -> None:
    """The fact itself has nothing to change, and what went wrong before is mended."""
    built.edit(FACT, "['order_count', 'price']", "['order_count']")
    built.dbt(*BUILD)
    deliver(built, ORDERS.dataset, "2025-02", [order("1", "5.00")])
    built.dbt(*BUILD)
    assert sums(built)[JANUARY] == (2, Decimal("9.00"))  # what is no measure is not taken back
    built.undo_edits()
    built.dbt(*BUILD)
    assert sums(built)[JANUARY] == (2, Decimal("7.00"))


NEEDS = [
    (FACT, "meta={", "tags=['x'], meta={} and {", "it needs meta: {measures"),
    (AGGREGATE, "meta={", "tags=['x'], meta={} and {", "it needs meta: {count"),
    (FACT, "'order_count', 'price'", "'order_count', 'Price'", "meta: measures names Price, which is no column"),
    (AGGREGATE, "group by", "cross join {{ ref('fct_people') }} as people\ngroup by", "nothing else, and reads"),
    (AGGREGATE, "ref('fct_order_state')", "ref('fct_orders')", "must read one fact with"),
]


def test_it_says_what_it_needs(built: Warehouse) -> None:
    for file, old, new, reason in NEEDS:
        built.edit(file, old, new)
        result = built.dbt("build", "--select", "fct_order_state", "agg_order_month", "--full-refresh", check=False)
        assert not result.success
        assert reason in str(result.exception or [node.message for node in result.result])
        built.undo_edits()

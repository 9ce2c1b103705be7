"""On a server a history has indexes by key and by both ends of its versions, also one that was made without them."""

from __future__ import annotations

import pytest

from tests.history.datasets import ORDERS
from tests.history.feeding import deliver
from tests.history.warehouse import Warehouse

BUILD = ("snapshot", "--select", "orders")
INDEXES = "select indexname, indexdef from pg_indexes where tablename = 'orders' and starts_with(indexname, 'history_')"


def test_a_history_has_its_indexes(warehouse: Warehouse) -> None:
    if warehouse.engine != "postgres":
        pytest.skip("looks into the catalog of PostgreSQL")
    order = {"shop": "a", "number": "1", "state": "open", "price": 1, "note": None}
    deliver(warehouse, ORDERS.dataset, "2025-01", [order])
    warehouse.dbt(*BUILD)
    made = dict(warehouse.rows(INDEXES))
    assert sorted(text.split("USING btree ")[1] for text in made.values()) == [
        "(dbt_valid_from)",
        "(dbt_valid_to) WHERE (dbt_valid_to IS NOT NULL)",
        "(shop, number) WHERE (dbt_valid_to IS NULL)",
        "(shop, number, dbt_valid_from)",
    ]

    dropped, *_ = made
    warehouse.execute(f"drop index core.{dropped}", "create index history_of_another_key on core.orders (number)")
    warehouse.dbt(*BUILD)
    assert dict(warehouse.rows(INDEXES)) == made

    warehouse.execute("alter table core.orders alter column shop type text")
    warehouse.dbt(*BUILD)  # an entry of any length does not fit into an index
    assert len(warehouse.rows(INDEXES)) == 2

"""How many rows the statements of a snapshot read, by the engine's own plan, where most versions have ended."""

from __future__ import annotations

import pytest

from tests.history.datasets import ORDERS, PEOPLE
from tests.history.feeding import NEW_VERSION, Dataset, period_bounds
from tests.history.warehouse import Warehouse
from tests.support.plans import Plans, planned

OPEN, ENDED = 5_000, 10
"""Keys, each with a version in force and ten that ended before."""
DROP = 155


@pytest.fixture
def full(warehouse: Warehouse) -> Warehouse:
    if warehouse.engine not in ("duckdb", "postgres"):
        pytest.skip("reads the plans of DuckDB and PostgreSQL")
    if warehouse.engine == "postgres":  # as the loader makes them
        tables = (PEOPLE.dataset.name, ORDERS.dataset.name)
        warehouse.execute(
            *(f"create index on stage.{name} (_data_period)" for name in tables),
            # of flash, as docs/use/best-practices.md has it; else a scan is cheaper in tables as small as these
            "do $$ begin execute format('alter database %I set random_page_cost = 1.1', current_database()); end $$",
        )
    return warehouse


def stage(warehouse: Warehouse, dataset: Dataset, load_id: int, period: str, values: str, keys: int) -> None:
    """Load a period of rows that the database makes of a number from 1 to `keys`."""
    names = ", ".join([*dataset.columns, "_data_period", "_load_id"])
    numbers = f"(select row_number() over () as number from generate_series(1, {keys})) as numbers"
    counts = (None, None)
    warehouse.execute(
        f"insert into stage.{dataset.name} ({names}) select {values}, '{period}', {load_id} from {numbers}",
        (NEW_VERSION, (load_id, dataset.name, period, *period_bounds(period), 1, keys, *counts)),
    )


def end_versions(warehouse: Warehouse, dataset: Dataset) -> None:
    """Of each version in force make ten that ended before it, and tell the planner."""
    columns = ", ".join(dataset.columns)
    month = "date '2023-01-01' + made.nth * interval '1 month'"
    warehouse.execute(
        f"insert into core.{dataset.name} ({columns}, dbt_scd_id, dbt_valid_from, dbt_valid_to)"
        f" select {columns}, md5(dbt_scd_id || made.nth), {month}, {month} + interval '1 month'"
        f" from core.{dataset.name} cross join (select row_number() over () as nth from generate_series(1, {ENDED}))"
        " as made where dbt_valid_from = '2024-01-01'",
        "analyze",
    )


PERSON = "cast(number as varchar), 'Ada', {size}, null, null"
ORDER = "'a', cast(number as varchar), '{state}', 1, null"


def build(warehouse: Warehouse, *names: str) -> Plans:
    with pytest.MonkeyPatch.context() as patch:
        plans = planned(warehouse.engine, patch)
        warehouse.dbt("build", "--select", *names)
    return plans


def test_a_new_period_reads_itself_and_the_open_versions(full: Warehouse) -> None:
    stage(full, PEOPLE.dataset, 1, "2024-01", PERSON.format(size=1), OPEN)
    full.dbt("build", "--select", "people")
    end_versions(full, PEOPLE.dataset)
    stage(full, PEOPLE.dataset, 2, "2024-02", PERSON.format(size="case when number <= 20 then 2 else 1 end"), OPEN)
    plans = build(full, "people")
    assert full.rows("select count(*) from core.people where size = 2") == [(20,)]
    assert OPEN < plans.given_out["people"] <= 1.2 * 2 * OPEN


def test_a_drop_reads_what_its_keys_have(full: Warehouse) -> None:
    stage(full, ORDERS.dataset, 1, "2024-01", ORDER.format(state="open"), OPEN)
    full.dbt("build", "--select", "orders")
    end_versions(full, ORDERS.dataset)
    stage(full, ORDERS.dataset, 3, "2024-02", ORDER.format(state="paid"), DROP)
    full.execute("analyze")
    plans = build(full, "orders")
    assert full.rows("select count(*) from core.orders where state = 'paid'") == [(DROP,)]
    if full.engine == "postgres":
        assert DROP < plans.read["orders"] <= 2_000


def test_a_correction_reads_two_periods(full: Warehouse) -> None:
    for number in range(1, 7):
        size = f"case when number <= 20 then {number} else 1 end"
        stage(full, PEOPLE.dataset, number, f"2024-0{number}", PERSON.format(size=size), OPEN)
    full.dbt("build", "--select", "people")
    full.execute(
        "update meta.dataset_version set state = 'superseded' where load_id = 1",
        "delete from stage.people where _load_id = 1",
    )
    end_versions(full, PEOPLE.dataset)
    stage(full, PEOPLE.dataset, 7, "2024-01", PERSON.format(size="case when number <= 50 then 9 else 1 end"), OPEN)
    plans = build(full, "people")
    assert full.rows("select count(*) from core.people where size = 9") == [(50,)]
    assert plans.given_out["people"] <= 2 * 2 * OPEN, "twice a new period"

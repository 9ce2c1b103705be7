"""Builds that are killed, builds at the same time, and loads during a build: the next build is right."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.history.datasets import PEOPLE
from tests.history.feeding import deliver
from tests.history.oracle import Row, expected_facts
from tests.history.waiting import waiting_for, with_lock_held
from tests.history.warehouse import Warehouse
from tests.support.locks import ROWS
from tests.support.processes import wait_until

BUILD = ("build", "--select", "people", "fct_people")


def person(number: str, name: str) -> Row:
    return {"person": number, "name": name, "size": 1, "born": None, "note": None}


JANUARY = [person("1", "Ada"), person("2", "Bob")]
FEBRUARY = [person("1", "Ada"), person("2", "Bobby")]
JANUARY_CORRECTED = [person("1", "Eva"), person("3", "Cleo")]


@pytest.fixture
def corrected(warehouse: Warehouse) -> Warehouse:
    """Two periods built, the first corrected since."""
    deliver(warehouse, PEOPLE.dataset, "2025-01", JANUARY)
    deliver(warehouse, PEOPLE.dataset, "2025-02", FEBRUARY)
    warehouse.dbt(*BUILD)
    check(warehouse, {"2025-01": JANUARY, "2025-02": FEBRUARY})
    deliver(warehouse, PEOPLE.dataset, "2025-01", JANUARY_CORRECTED)
    return warehouse


LOAD_ROWS = """
    insert into stage.people (person, name, size, _data_period, _load_id) values ('4', 'Dora', 1, '2025-03', 99)
"""
LOAD_VERSION = """
    insert into meta.dataset_version (load_id, dataset, data_period, period_start, state)
    values (99, 'people', '2025-03', '2025-03-01', 'active')
"""
AFTER_CORRECTION = {"2025-01": JANUARY_CORRECTED, "2025-02": FEBRUARY}


@pytest.mark.parametrize(
    ("step", "core_is_new"),
    [
        ("people before ledger", False),
        ("people before commit", False),
        ("fct_people before ledger", True),
    ],
)
def test_killed_at_a_step(corrected: Warehouse, step: str, core_is_new: bool) -> None:
    core, facts, ledger = PEOPLE.core(corrected), facts_of(corrected), ledger_of(corrected, "core.people")
    process = corrected.start_dbt(*BUILD, hold=step)
    held = any(line.strip() == "HOLDING" for line in process.stdout)
    process.kill()
    process.communicate()
    assert held, "the build did not come to the step"

    assert (set(PEOPLE.core(corrected)) != set(core)) == core_is_new
    assert (ledger_of(corrected, "core.people") != ledger) == core_is_new
    assert facts_of(corrected) == facts

    corrected.dbt(*BUILD)
    check(corrected, AFTER_CORRECTION)


def test_two_builds_at_once(corrected: Warehouse) -> None:
    if corrected.engine != "duckdb":
        # Both are made to wait for the same lock, so that they do meet.
        with_lock_held(corrected, lambda: [corrected.start_dbt(*BUILD), corrected.start_dbt(*BUILD)], waiting=2)
    else:
        codes = [process.wait() for process in [corrected.start_dbt(*BUILD), corrected.start_dbt(*BUILD)]]
        assert 0 in codes
    corrected.dbt(*BUILD)
    check(corrected, AFTER_CORRECTION)


def test_two_first_builds_at_once(warehouse: Warehouse) -> None:
    if warehouse.engine == "duckdb":
        pytest.skip("two processes cannot open one DuckDB file")
    deliver(warehouse, PEOPLE.dataset, "2025-01", JANUARY)
    outputs = with_lock_held(warehouse, lambda: [warehouse.start_dbt(*BUILD), warehouse.start_dbt(*BUILD)], waiting=2)
    assert sum("another build created it meanwhile" in output for output in outputs) == 1
    warehouse.dbt(*BUILD)
    check(warehouse, {"2025-01": JANUARY})


def test_a_build_waits_for_a_load_and_reads_what_it_brought(corrected: Warehouse) -> None:
    if corrected.engine == "duckdb":
        pytest.skip("a DuckDB file that is being loaded cannot be opened by a build")
    march = [person("4", "Dora")]
    [output] = with_lock_held(
        corrected,
        lambda: [corrected.start_dbt(*BUILD)],
        waiting=1,
        # A load in the transaction that holds the lock: the build had begun before it was committed.
        statements=[LOAD_ROWS, LOAD_VERSION],
    )
    assert "Completed successfully" in output
    check(corrected, {**AFTER_CORRECTION, "2025-03": march})
    assert ("2025-03", 99) in ledger_of(corrected, "mart.fct_people")


def test_a_load_waits_for_a_build(corrected: Warehouse) -> None:
    if corrected.engine == "duckdb":
        pytest.skip("a DuckDB file that is being built cannot be opened by a load")
    blocker = corrected.connect()
    blocker.cursor().execute(ROWS.format("core.applied_load"))
    process = corrected.start_dbt("snapshot", "--select", "people")
    wait_until(lambda: waiting_for(corrected, corrected.locks.waiting_for_rows) == 1, process)

    loading = threading.Thread(target=deliver, args=(corrected, PEOPLE.dataset, "2025-02", JANUARY))
    loading.start()
    wait_until(lambda: waiting_for(corrected, corrected.locks.waiting_for_datasets) == 1, process)
    blocker.close()
    assert process.wait() == 0
    loading.join()

    assert set(PEOPLE.core(corrected)) == PEOPLE.expected(AFTER_CORRECTION)
    corrected.dbt(*BUILD)
    check(corrected, {"2025-01": JANUARY_CORRECTED, "2025-02": JANUARY})


def check(warehouse: Warehouse, deliveries: dict[str, list[Row]]) -> None:
    core = PEOPLE.core(warehouse)
    expected = PEOPLE.expected(deliveries)
    assert sorted(core, key=repr) == sorted(expected, key=repr)
    assert facts_of(warehouse) == sorted(expected_facts(expected, deliveries), key=repr)
    assert ledger_of(warehouse, "core.people") == ledger_of(warehouse, "mart.fct_people")
    assert ledger_of(warehouse, "core.people") == sorted(
        warehouse.rows("select data_period, load_id from meta.dataset_version where state = 'active'")
    )


def facts_of(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    rows = warehouse.rows(f"select data_period, {', '.join(PEOPLE.columns)} from mart.fct_people")
    return sorted(rows, key=repr)


def ledger_of(warehouse: Warehouse, consumer: str) -> list[tuple[Any, ...]]:
    return sorted(warehouse.rows("select data_period, load_id from core.applied_load where consumer = ?", (consumer,)))

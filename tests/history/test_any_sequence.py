"""Whatever is delivered, corrected and taken back, in whatever order: core and facts are what the oracle says."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.history.datasets import EXAMPLES, Example
from tests.history.feeding import deliver, rollback
from tests.history.oracle import NOTHING, Row, Unknown, Version, expected_facts, midnight
from tests.history.warehouse import Warehouse
from tests.support.effort import PHASES, effort

PERIODS = ["2024-11", "2024-12", "2025-01", "2025-02"]
BUILT = ["people", "orders", "fct_people", "fct_orders", "fct_order_state", "agg_order_month"]
TABLES = [
    *("core.people", "core.orders", "core.applied_load", "core.fct_order_state__changes"),
    *("mart.fct_people", "mart.fct_orders", "mart.fct_order_state", "mart.agg_order_month"),
]
REWRITTEN = ["mart.fct_people", "mart.fct_orders"]
"""By period: that is what a rebase does."""


class Deliveries:
    """All loads of one dataset, as the loader keeps them: per period its loads, and which one is active."""

    def __init__(self, warehouse: Warehouse, example: Example) -> None:
        self.warehouse, self.example = warehouse, example
        self.loads: dict[str, list[tuple[int, list[Row], Unknown]]] = defaultdict(list)
        self.active: dict[str, int] = {}

    def load(self, period: str, rows: list[Row], unknown: Unknown) -> None:
        load_id = deliver(self.warehouse, self.example.dataset, period, rows, unknown)
        self.loads[period].append((load_id, rows, unknown))
        self.active[period] = len(self.loads[period]) - 1

    def roll_back(self, period: str, steps: int) -> None:
        """To `steps` loads before the active one, or to nothing if there are not as many."""
        if period not in self.active:
            return
        position = self.active.pop(period) - steps
        load_id, rows, unknown = self.loads[period][position] if position >= 0 else (None, [], NOTHING)
        rollback(self.warehouse, self.example.dataset, period, load_id, rows, unknown)
        if load_id is not None:
            self.active[period] = position

    @property
    def delivered(self) -> dict[str, list[Row]]:
        return {period: self.loads[period][position][1] for period, position in self.active.items()}

    @property
    def expected(self) -> set[Version]:
        unknown = {period: self.loads[period][position][2] for period, position in self.active.items()}
        return self.example.expected(self.delivered, unknown)

    @property
    def active_loads(self) -> set[tuple[str, int]]:
        return {(period, self.loads[period][position][0]) for period, position in self.active.items()}


def actions(example: Example) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    periods = st.sampled_from(PERIODS)
    load = st.tuples(st.just("load"), periods, example.deliveries(), example.unknown())
    roll_back = st.tuples(st.just("roll_back"), periods, st.integers(1, 2))
    return st.lists(st.one_of(load, load, roll_back), max_size=3)


def rounds() -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Rounds of actions on each dataset; a build follows each round, with nothing to do if there was no action."""
    return st.lists(st.tuples(*map(actions, EXAMPLES)), min_size=1, max_size=4)


def person(number: str, name: str) -> Row:
    return {"person": number, "name": name, "size": 1, "born": None, "note": None}


CORRECTED = [
    (
        [
            ("load", "2024-11", [person("001", "Ada"), person("01", "Ada"), person("Ä", "Ada")]),
            ("load", "2024-12", [person("001", "Ädá"), person("Ä", "Ada")]),
        ],
        [],
    ),
    ([("load", "2024-12", [person("001", "Ada"), person("01", "Ada")])], []),
    ([("roll_back", "2024-12", 1)], []),
]
"""What ended or changed in a period did not, by its correction, and did so after all."""


@example(rounds=CORRECTED)
@settings(
    max_examples=int(os.environ.get("HISTORY_EXAMPLES", effort(3, 60))),
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=rounds())
def test_history_is_a_function_of_what_is_staged(warehouse: Warehouse, rounds: list[tuple[Any, ...]]) -> None:
    start_anew(warehouse)
    datasets = [Deliveries(warehouse, example) for example in EXAMPLES]
    for round_ in rounds:
        for deliveries, actions_of_round in zip(datasets, round_, strict=True):
            for name, *arguments in actions_of_round:
                getattr(deliveries, name)(*arguments)
        marks = {table: warehouse.row_marks(table) for table in existing_tables(warehouse)}
        warehouse.dbt("build", "--select", *BUILT)
        for deliveries in datasets:
            check(warehouse, deliveries)
        check_restated(warehouse, *(set(deliveries.example.core(warehouse)) for deliveries in datasets))
        check_only_changes_are_written(warehouse, marks)

    before = warehouse.written_state(*TABLES)
    warehouse.dbt("build", "--select", *BUILT)
    assert warehouse.written_state(*TABLES) == before


def check(warehouse: Warehouse, deliveries: Deliveries) -> None:
    example, name = deliveries.example, deliveries.example.dataset.name
    core = example.core(warehouse)
    expected = deliveries.expected
    assert len(core) == len(set(core))
    assert set(core) == expected

    facts = warehouse.rows(f"select data_period, {', '.join(example.columns)} from mart.fct_{name}")
    assert sorted(facts, key=repr) == sorted(expected_facts(expected, deliveries.delivered), key=repr)

    for consumer in (f"core.{name}", f"mart.fct_{name}"):
        applied = warehouse.rows(
            "select data_period, load_id from core.applied_load where consumer = ? and dataset = ?", (consumer, name)
        )
        assert sorted(applied) == sorted(deliveries.active_loads)


def check_restated(warehouse: Warehouse, people: set[Row], orders: set[Row]) -> None:
    """Each living order once, with the person in force on its date; and the sums by month."""
    expected = []
    for shop, number, state, price, _, valid_from, valid_to in orders:
        if valid_to is None:
            counted_on = date(2024, 11, 30) if price is None else date(2025, 1, 15)
            at = midnight(counted_on)
            versions = [row for row in people if row[0] == "001" and row[5] <= at and (row[6] is None or at < row[6])]
            name, size = versions[0][1:3] if versions else (None, None)
            expected.append((shop, number, state, price, valid_from.date(), counted_on, name, size))
    columns = "shop, number, state, price, period_start, counted_on, name, size"
    facts = warehouse.rows(f"select {columns} from mart.fct_order_state")
    assert sorted(facts, key=repr) == sorted(expected, key=repr)

    months: dict[Any, list[Any]] = defaultdict(list)
    for row in expected:
        months[row[5].replace(day=1), "nobody" if row[6] is None else row[6]].append(row[3] or 0)
    sums = [(*group, len(prices), sum(prices)) for group, prices in months.items()]
    found = warehouse.rows("select counted_month, name, orders, price from mart.agg_order_month")
    assert sorted(found, key=repr) == sorted([(*row[:3], Decimal(row[3])) for row in sums], key=repr)
    assert warehouse.rows("select count(*) from core.fct_order_state__changes") == [(0,)]


def check_only_changes_are_written(warehouse: Warehouse, before: dict[str, dict[tuple[Any, ...], str]]) -> None:
    for table, marks in before.items():
        if table not in REWRITTEN:
            after = warehouse.row_marks(table)
            kept = marks.keys() & after.keys()
            assert {row: after[row] for row in kept} == {row: marks[row] for row in kept}


def start_anew(warehouse: Warehouse) -> None:
    warehouse.execute(
        *(f"drop table {table}" for table in existing_tables(warehouse)),
        *(f"delete from stage.{name}" for example in EXAMPLES for name in example.dataset.tables),
        "delete from meta.dataset_version",
    )


def existing_tables(warehouse: Warehouse) -> list[str]:
    return [
        f"{schema}.{table}"
        for schema, table in warehouse.rows(
            "select table_schema, table_name from information_schema.tables where table_schema in ('core', 'mart')"
        )
    ]

"""The two small datasets of the scratch project, as strategies for Hypothesis and for the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.history.feeding import Dataset
from tests.history.oracle import NOTHING, Row, Unknown, Version, expected_history
from tests.history.warehouse import Warehouse


@dataclass(frozen=True)
class Example:
    """A dataset with what its contract says, and what its deliveries may hold."""

    dataset: Dataset
    tracked: Sequence[str]
    keys: Sequence[tuple[str, ...]]
    """Each has a history of its own, so that one sequence of builds, which is dear, tries a dozen of them."""
    values: dict[str, list[Any]]
    end_marker: tuple[str, str] | None = None

    @property
    def columns(self) -> list[str]:
        return list(self.dataset.columns)

    @property
    def key(self) -> Sequence[str]:
        return self.dataset.key

    def deliveries(self) -> st.SearchStrategy[list[Row]]:
        """Any delivery: each key is there or not, with any values; empty ones too."""
        values = st.fixed_dictionaries({name: st.sampled_from(pool) for name, pool in self.values.items()})
        return st.lists(
            st.tuples(st.sampled_from(self.keys), values), unique_by=lambda row: row[0], max_size=len(self.keys)
        ).map(lambda rows: [{**dict(zip(self.key, key, strict=True)), **row} for key, row in rows])

    def unknown(self) -> st.SearchStrategy[Unknown]:
        """What such a delivery says nothing of; a key may be stated all the same. A delta says nothing of the rest."""
        if not self.dataset.is_full:
            return st.just(NOTHING)
        keys = st.frozensets(st.sampled_from(self.keys))
        return st.builds(Unknown, st.one_of(st.just(frozenset()), keys), st.sampled_from([False, False, True]))

    def expected(self, deliveries: dict[str, list[Row]], unknown: dict[str, Unknown] | None = None) -> set[Version]:
        return expected_history(
            deliveries,
            key=self.key,
            tracked=self.tracked,
            columns=self.columns,
            end_marker=self.end_marker,
            unknown=unknown,
        )

    def core(self, warehouse: Warehouse) -> list[Version]:
        """The versions in core (columns, valid from, valid to), in no order."""
        names = ", ".join([*self.columns, "dbt_valid_from", "dbt_valid_to"])
        return warehouse.rows(f"select {names} from core.{self.dataset.name}")


PEOPLE = Example(
    Dataset(
        "people",
        {"person": "varchar(9)", "name": "varchar(60)", "size": "integer", "born": "date", "note": "varchar(60)"},
        key=["person"],
    ),
    tracked=["name", "size", "born"],
    keys=[("001",), ("01",), ("Ä",), *((f"p{number}",) for number in range(9))],
    values={
        "name": [None, "", "Ada", "Ädá"],
        "size": [None, 0, 1],
        "born": [None, date(2000, 2, 29)],
        "note": [None, "x"],
    },
)
ORDERS = Example(
    Dataset(
        "orders",
        {
            "shop": "varchar(20)",
            "number": "varchar(20)",
            "state": "varchar(10)",
            "price": "numeric(10, 2)",
            "note": "varchar(60)",
        },
        key=["shop", "number"],
        is_full=False,
    ),
    tracked=["state", "price"],
    # Keys that a careless hash or join of the parts takes for each other.
    keys=[('a","b', "c"), ("a", 'b","c'), ("a", ""), *(("b", f"{number}") for number in range(9))],
    values={
        "state": [None, "open", "gone"],
        "price": [None, Decimal("1.00"), Decimal("1.50")],
        "note": [None, "x"],
    },
    end_marker=("state", "gone"),
)
EXAMPLES = [PEOPLE, ORDERS]

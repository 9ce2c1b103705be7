"""What a migration says of the past: what the versions of before still tell, and nothing that they contradict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from loader.warehouse.migrations.versions.v0008_version_event import reconstructed
from tests.conftest import Project
from tests.support.effort import effort
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products

START = dt.datetime(2025, 5, 1)
TICK = dt.timedelta(microseconds=1)


@dataclass
class Load:
    """A row of dataset_version."""

    load_id: int
    loaded_at: dt.datetime
    state: str
    state_changed_at: dt.datetime
    dataset: str = "things"
    data_period: str = "2025-01"

    def becomes(self, state: str, at: dt.datetime) -> None:
        self.state, self.state_changed_at = state, at


def history(actions: list[int | None]) -> tuple[list[Load], list[tuple[dt.datetime, int | None]]]:
    """Loads and rollbacks of a period, a day each: what the versions say in the end, and what was active from when on.

    A number is the version that a rollback makes active, 0 for none; None is a load.
    """
    loads: list[Load] = []
    told: list[tuple[dt.datetime, int | None]] = []
    active: Load | None = None
    for day, to in enumerate(actions):
        at = START + dt.timedelta(day)
        if to is not None and (to > len(loads) or (active.load_id if active else 0) == to):
            continue
        if active is not None:
            forward = to is None or to > active.load_id
            # as the loader did: rows of a load are marked before, states are changed one after the other
            active.becomes("superseded" if forward else "rolled_back", at + TICK)
        if to is None:
            loads.append(active := Load(len(loads) + 1, at, "active", at))
        elif to == 0:
            active = None
        else:
            active = loads[to - 1]
            active.becomes("active", at + 2 * TICK)
        told.append((at + 3 * TICK, active.load_id if active else None))
    return loads, told


@settings(max_examples=effort(100, 5000))
@given(actions=st.lists(st.none() | st.integers(0, 4), max_size=12))
def test_what_is_told_is_so(actions: list[int | None]) -> None:
    loads, told = history([None, *actions])
    events = reconstructed(loads)
    assert [event["happened_at"] for event in events] == sorted(event["happened_at"] for event in events)
    states: dict[int, str] = {}
    for event in events:
        states[event["load_id"]] = event["state"]
        assert [*states.values()].count("active") <= 1
    assert states == {load.load_id: load.state for load in loads}
    known = {load.loaded_at: load.load_id for load in loads}
    for at, _ in told:
        of_then = {event["load_id"]: event["state"] for event in events if event["happened_at"] <= at}
        if (made := at - 3 * TICK) in known:  # a load was made then
            assert [load_id for load_id, state in of_then.items() if state == "active"] == [known[made]]
    assert told[-1][1] == next((load.load_id for load in loads if load.state == "active"), None)


def test_a_clock_that_went_back_contradicts_nothing() -> None:
    first, second = (
        Load(1, START, "superseded", START - 5 * TICK),
        Load(2, START - 5 * TICK, "active", START - 5 * TICK),
    )
    events = [(event["load_id"], event["state"]) for event in reconstructed([first, second])]
    assert events[-2:] == [(1, "superseded"), (2, "active")]


SINCE = (
    "drop table meta.version_event",
    "drop sequence meta.event_id_seq",
    "alter table meta.validation_log drop column conditions",
    "alter table meta.dataset_version drop column parquet_bytes",
    "alter table meta.dataset_version drop column unknown_bytes",
)
"""What revisions after 0007 have made."""


def test_a_warehouse_of_before_gets_its_events(engine: Engine, new_project: Callable[..., Project]) -> None:
    shop = prepared(new_project, engine, open_shop)
    for name in ("Tea", "Coffee"):
        deliver(shop, "2025-01", products({"sku": "P1", "name": name}))
        load(shop, "--force")
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-01").exit_code == 0
    for statement in SINCE:
        shop.sql(statement)
    if engine.name == "postgres":
        shop.sql("drop index meta.dataset_version_one_active")
    shop.sql("update meta.alembic_version set version_num = '0007'")
    assert "meta: revision 0007 to" in shop.loader("migrate").output
    events = "select event_id, load_id, state, step, run_id, row_count from meta.version_event order by event_id"
    known = [(1, "active"), (1, "superseded"), (2, "active"), (2, "rolled_back"), (1, "active")]
    marks = ("reconstructed", None, None)
    assert [row[1:] for row in shop.sql(events)] == [(*each, *marks) for each in known]
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-01", "--to", 0).exit_code == 0
    assert [row[:4] for row in shop.sql(events)[len(known) :]] == [(6, 1, "rolled_back", "rollback")]

"""Every change of every load. Of the past it tells what `dataset_version` still does, marked as reconstructed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from loader.warehouse.engines.append_only import append_only
from loader.warehouse.engines.types import Code, moment

revision = "0008"
down_revision = "0007"

_LOADS = (
    "select dataset, data_period, load_id, state, loaded_at, state_changed_at from meta.dataset_version "
    "order by dataset, data_period, version_no"
)


def upgrade() -> None:
    events = op.create_table(
        "version_event",
        sa.Column("event_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("happened_at", moment(), nullable=False),
        sa.Column("run_id", Code(32)),
        sa.Column("step", Code(32), nullable=False),
        sa.Column("dataset", Code(63), nullable=False),
        sa.Column("data_period", Code(16), nullable=False),
        sa.Column("load_id", sa.BigInteger, nullable=False),
        sa.Column("state", Code(16), nullable=False),
        sa.Column("row_count", sa.BigInteger),
        schema="meta",
    )
    # a script is for a warehouse that is empty
    loads = [] if op.get_context().as_sql else op.get_bind().execute(sa.text(_LOADS)).all()
    known = reconstructed(loads)
    if known:
        op.bulk_insert(events, known)
    op.execute(f"create sequence meta.event_id_seq start with {len(known) + 1} increment by 1")
    for statement in append_only(op.get_context().dialect, "meta.version_event"):
        op.execute(statement)


def reconstructed(loads: Sequence[Any]) -> list[dict[str, Any]]:
    """The events that loads tell of, each with its last state only; `loads` are sorted by period and version."""
    found = [
        {"happened_at": at, "dataset": dataset, "data_period": period, "load_id": load_id, "state": state}
        for (dataset, period), versions in groupby(loads, key=lambda load: (load.dataset, load.data_period))
        for at, load_id, state in _of_period(list(versions))
    ]
    found.sort(key=lambda event: event["happened_at"])
    return [{"event_id": number, "step": "reconstructed", **event} for number, event in enumerate(found, start=1)]


def _of_period(versions: Sequence[Any]) -> Iterator[tuple[dt.datetime, int, str]]:
    """Moment, load and state of each event of a period: one load is active at most, and in the end all is as it is."""
    told = [(load.loaded_at, load.load_id, "active") for load in versions]
    told += [(load.state_changed_at, load.load_id, load.state) for load in versions]
    told.sort(key=lambda event: (event[0], event[2] == "active"))
    last = told[-1][0]
    # clocks of several machines may have told otherwise
    told += sorted(((last, load.load_id, load.state) for load in versions), key=lambda event: event[2] == "active")
    states: dict[int, str] = {}
    for at, load_id, state in told:
        if states.get(load_id) == state:
            continue
        for other in [one for one, was in states.items() if state == was == "active"]:
            states[other] = "superseded"
            yield at, other, "superseded"
        states[load_id] = state
        yield at, load_id, state

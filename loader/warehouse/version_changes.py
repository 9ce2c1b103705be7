"""Changes of the loads of a dataset; what became of each is in `meta.version_event`, from the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement, Connection, func, insert, literal, select, update

from loader.warehouse.engines.types import Code, moment
from loader.warehouse.meta import dataset_version, event_ids, now, version_event
from loader.warehouse.transactions import portions
from loader.warehouse.versions import State, Version


@dataclass(frozen=True)
class Change:
    """One change of loads of a dataset, in its transaction and under its lock."""

    connection: Connection
    step: str
    """What changes them, as in `meta.etl_audit`."""
    run_id: str
    happened_at: dt.datetime
    """UTC, without zone; the same for all that it changes."""

    @classmethod
    def begin(cls, connection: Connection, dataset: str, step: str, run_id: str) -> Self:
        """A change of now. A clock that went back, or one of another machine, does not put it before earlier ones."""
        event = version_event.c
        last = connection.execute(select(func.max(event.happened_at)).where(event.dataset == dataset)).scalar()
        moment = now()
        return cls(connection, step, run_id, max(last or moment, moment))

    def add(self, row: Mapping[str, object]) -> None:
        """Write down a new load, which is the active one; `row` has the columns of `meta.dataset_version`."""
        new = insert(dataset_version).values(**row, state=State.ACTIVE.value, state_changed_at=self.happened_at)
        self.connection.execute(new)
        self._record(dataset_version.c.load_id == row["load_id"])

    def set_state(self, version: Version, state: State) -> None:
        """Change the state of a load."""
        self.set_states([version], state)

    def set_states(self, versions: Iterable[Version], state: State) -> None:
        """Change the state of loads."""
        for these in _portions_of(versions):
            changed = update(dataset_version).where(these)
            self.connection.execute(changed.values(state=state.value, state_changed_at=self.happened_at))
            self._record(these)

    def record_rows(self, versions: Iterable[Version]) -> None:
        """Write down how many rows loads have now; their states stay."""
        for these in _portions_of(versions):
            self._record(these)

    def _record(self, these: ColumnElement[bool]) -> None:
        """Write down what some loads are by now."""
        version = dataset_version.c
        events = {
            "event_id": event_ids.next_value(),
            "happened_at": literal(self.happened_at, moment()),
            "run_id": literal(self.run_id, Code(32)),
            "step": literal(self.step, Code(32)),
            "dataset": version.dataset,
            "data_period": version.data_period,
            "load_id": version.load_id,
            "state": version.state,
            "row_count": version.row_count,
        }
        self.connection.execute(insert(version_event).from_select([*events], select(*events.values()).where(these)))


def _portions_of(versions: Iterable[Version]) -> Iterable[ColumnElement[bool]]:
    """Conditions on the rows of loads, as many as statements are needed."""
    return (dataset_version.c.load_id.in_(some) for some in portions([version.load_id for version in versions]))

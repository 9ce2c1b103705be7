"""Reset: a dataset starts again. Stage, its history and all facts of it are emptied; the archive keeps every delivery.

It is one transaction, under the locks of all that it empties, so that neither a load nor a build is in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, TableClause, delete, func, select, table

from loader.contracts import Contract
from loader.monitoring import RUN_ID
from loader.project import Project
from loader.text import listed
from loader.warehouse import State, Version
from loader.warehouse.build_mark import forget_gate_passes, withdraw_mark
from loader.warehouse.engines.base import Engine
from loader.warehouse.layers import STAGE
from loader.warehouse.ledger import applied_load, changes_of, consumers, followers, has_ledger
from loader.warehouse.stage_changes import stage_tables_there
from loader.warehouse.version_changes import Change
from loader.warehouse.versions import versions_of


@dataclass(frozen=True)
class Found:
    """What a dataset has in the warehouse."""

    rows: Mapping[str, int]
    """By table: those of stage, its histories and facts, and what follows them."""
    loads: int
    """Its loads that are in none of the states `reset` and `purged`."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.loads or any(self.rows.values()))

    @property
    def counts(self) -> str:
        """The same in one line."""
        return f"{self.loads:,} loads; {listed(f'{name} {rows:,} rows' for name, rows in self.rows.items())}"


def reset(project: Project, contract: Contract, confirm: Callable[[Found], None]) -> Found:
    """Empty a dataset in the warehouse; `confirm` is shown what was found, and raises when it shall stay.

    Raises:
        EnvironmentFailedError: the database failed, or an account may not do that; everything is as it was.
    """
    engine = project.warehouse.engine
    found = project.warehouse.run(lambda c: _look(c, contract, _tables(c, engine, contract)))
    if found.is_empty:
        return found
    confirm(found)
    with project.audit.step("reset", dataset=contract.name) as step:

        def work(connection: Connection) -> Found:
            project.warehouse.lock(connection, contract.name)
            tables, locked = _tables(connection, engine, contract), set[str]()
            while waiting := [name for name in tables.made if name not in locked]:
                for name in waiting:
                    project.warehouse.lock(connection, name)
                locked.update(waiting)
                tables = _tables(connection, engine, contract)  # again: a build that was waited for may have made more
            done = _look(connection, contract, tables)
            _empty(connection, engine, contract, tables)
            step.rows_out = sum(done.rows.values())
            step.end(connection)
            return done

        return project.warehouse.run(work)


def describe(contract: Contract, found: Found) -> list[str]:
    """What a reset would do, a line each."""
    made = [f"{name} {rows:,} rows" for name, rows in found.rows.items()]
    return [
        f"reset of {contract.name}",
        f"emptied:  {listed(made)}",
        f"loads:    {found.loads:,}, which can be loaded again, from their files or by a rollback",
        "archive:  stays as it is",
    ]


def summarize(contract: Contract, done: Found) -> list[str]:
    """What a reset did, and what is left to do, a line each."""
    if done.is_empty:
        return [f"nothing to reset: {contract.name} has neither loads nor rows"]
    return [
        f"reset      {contract.name}: {done.counts}",
        "           `loader load` loads it again, `loader build` makes its facts anew",
    ]


@dataclass(frozen=True)
class _Tables:
    staged: tuple[str, ...]
    facts: tuple[str, ...]
    """Histories and facts that read the dataset."""
    followers: tuple[str, ...]
    changes: tuple[str, ...]

    @property
    def made(self) -> list[str]:
        """Those that dbt makes; each has a lock of its name."""
        return sorted({*self.facts, *self.followers})

    @property
    def all(self) -> list[str]:
        return [*self.staged, *self.facts, *self.followers, *self.changes]


def _tables(connection: Connection, engine: Engine, contract: Contract) -> _Tables:
    facts = consumers(connection, applied_load.c.dataset == contract.name)
    staged = [f"{STAGE}.{name}" for name in stage_tables_there(connection, contract, engine)]
    return _Tables(
        tuple(staged), tuple(facts), tuple(followers(connection, facts)), tuple(changes_of(connection, facts))
    )


def _look(connection: Connection, contract: Contract, tables: _Tables) -> Found:
    rows = {
        name: int(connection.execute(select(func.count()).select_from(_table(name))).scalar_one())
        for name in tables.all
    }
    return Found(rows, len(_loads(connection, contract)))


def _loads(connection: Connection, contract: Contract) -> list[Version]:
    return [v for v in versions_of(connection, contract.name) if v.state not in (State.RESET, State.PURGED)]


def _empty(connection: Connection, engine: Engine, contract: Contract, tables: _Tables) -> None:
    for name in tables.staged:
        connection.execute(delete(_table(name)))
    change = Change.begin(connection, contract.name, "reset", RUN_ID)
    change.set_states(_loads(connection, contract), State.RESET)
    withdraw_mark(connection)
    forget_gate_passes(connection)
    if not has_ledger(connection):
        return
    for name in (*tables.facts, *tables.followers, *tables.changes):
        with engine.as_owner(connection, name):
            connection.execute(delete(_table(name)))
    # a fact is emptied of its other datasets too: the next build makes it anew, and what follows it
    applied = applied_load.c
    made_of_it = (applied.dataset == contract.name) | applied.consumer.in_(tables.facts)
    with engine.as_owner(connection, f"{applied_load.schema}.{applied_load.name}"):
        connection.execute(delete(applied_load).where(made_of_it | applied.dataset.in_(tables.facts)))


def _table(name: str) -> TableClause:
    schema, _, plain = name.partition(".")
    return table(plain, schema=schema)

"""The ledger of applied loads, which dbt writes: who has applied what, and who waits for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Row,
    Table,
    Unicode,
    column,
    inspect,
    select,
    table,
)

from loader.warehouse.engines.types import Code
from loader.warehouse.layers import CORE
from loader.warehouse.meta import dataset_version

applied_load = Table(
    "applied_load",
    MetaData(schema=CORE),
    Column("consumer", Code(127), nullable=False),
    Column("dataset", Code(63), nullable=False),
    Column("data_period", Code(16), nullable=False),
    Column("load_id", BigInteger, nullable=False),
    Column("fingerprint", Code(32), nullable=False),
)
"""The ledger of history, which dbt makes and keeps; a purge marks in it what has to be worked out again."""

PURGED = "purged"
"""The fingerprint in the ledger of loads that lost rows: no rule has it, so their periods are stale."""

CHANGES = "__changes"
"""What the name of a fact gets behind it for the table in which it leaves its changes to followers."""


@dataclass(frozen=True)
class Applied:
    """What is staged, and what of it was applied: where it is the same, stage, core and mart have the same rows."""

    loads: Mapping[str, str]
    """A hash of the loads of each dataset, with their states."""
    ledger: Mapping[str, str]
    """A hash of what the ledger says of each consumer."""
    is_settled: bool
    """Whether no consumer has yet to take notice of a purge."""

    @classmethod
    def of(cls, connection: Connection) -> Applied:
        """As the warehouse is in this transaction."""
        version, applied = dataset_version.c, applied_load.c
        loads = select(
            version.dataset,
            version.load_id,
            version.data_period,
            version.state,
            version.parquet_sha256,
            version.unknown_sha256,
            version.row_count,
        ).order_by(version.load_id)
        ledger = select(
            applied.consumer, applied.dataset, applied.data_period, applied.load_id, applied.fingerprint
        ).order_by(applied.consumer, applied.dataset, applied.data_period, applied.load_id)
        rows = connection.execute(ledger).all() if has_ledger(connection) else []
        is_settled = all(row.fingerprint != PURGED for row in rows)
        return cls(_hash_by_first(connection.execute(loads)), _hash_by_first(rows), is_settled)


def _hash_by_first(rows: Iterable[Row[tuple[object, ...]]]) -> dict[str, str]:
    """A hash of the rows that have the same value in their first column."""
    hashes: dict[str, Any] = defaultdict(sha256)
    for row in rows:
        hashes[str(row[0])].update(f"{tuple(row)!r}\n".encode())
    return {name: found.hexdigest() for name, found in hashes.items()}


def consumers(connection: Connection, condition: ColumnElement[bool]) -> list[str]:
    """Tables of core and mart that the ledger knows, where a condition on it holds."""
    if not has_ledger(connection):
        return []
    known = {str(row.consumer) for row in connection.execute(select(applied_load.c.consumer).where(condition))}
    return [name for name in sorted(known) if _exists(connection, *name.split(".", 1))]


def followers(connection: Connection, facts: Sequence[str]) -> list[str]:
    """The aggregates that follow these facts: the ledger has them under the name of the fact."""
    return consumers(connection, applied_load.c.dataset.in_(facts))


def changes_of(connection: Connection, facts: Sequence[str]) -> list[str]:
    """Tables in which these facts leave their changes to followers."""
    names = [name.split(".", 1)[1] + CHANGES for name in facts]
    return [f"{CORE}.{name}" for name in names if _exists(connection, CORE, name)]


def waiting_for_changes(connection: Connection, changes: Sequence[str]) -> list[str]:
    """The followers that have yet to take in what such tables hold."""
    waiting: set[str] = set()
    for schema, name in (one.split(".", 1) for one in changes):
        pending = select(column("consumer", Unicode())).select_from(table(name, schema=schema)).distinct()
        waiting.update(connection.execute(pending).scalars())
    return sorted(waiting)


def _exists(connection: Connection, schema: str, name: str) -> bool:
    return bool(inspect(connection).has_table(name, schema=schema))


def has_ledger(connection: Connection) -> bool:
    """Whether dbt has made `core.applied_load` yet."""
    return _exists(connection, CORE, applied_load.name)

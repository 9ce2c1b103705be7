"""Whether the account of the loader may do what a load ends with, asked before a file is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from loader.contracts import Contract
from loader.errors import EnvironmentFailedError
from loader.text import listed
from loader.warehouse.engines.base import Engine
from loader.warehouse.meta import dataset_version, event_ids, load_ids, validation_log, version_event
from loader.warehouse.stage_table import stage_tables

_OF_META = {
    validation_log.fullname: ("insert",),
    dataset_version.fullname: ("select", "insert", "update"),
    version_event.fullname: ("select", "insert"),
}
_NUMBERS = [f"{sequence.schema}.{sequence.name}" for sequence in (load_ids, event_ids)]


def refuse_missing_rights(connection: Connection, engine: Engine, contracts: Sequence[Contract]) -> None:
    """Ask the server what the account may do.

    Raises:
        EnvironmentFailedError: it may not do what a load of one of these datasets needs.
    """
    staged = [table.fullname for contract in contracts for table in stage_tables(contract, engine)]
    needed: Mapping[str, Sequence[str]] = _OF_META | dict.fromkeys(staged, ("select", "insert", "delete"))
    lacking = engine.lacking_rights(connection, needed, _NUMBERS)
    if lacking:
        raise EnvironmentFailedError(
            f"this account may not load: it lacks {listed(lacking)}; run the script of `loader ddl --roles`"
        )

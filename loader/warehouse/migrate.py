"""Migrate: bring `meta` (Alembic revisions) and `stage` (from the contracts) up to date; again changes nothing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, inspect, text
from sqlalchemy.schema import CreateSchema

from loader.contracts import Contracts
from loader.errors import UsageError
from loader.warehouse.build_mark import forget_gate_passes, withdraw_mark
from loader.warehouse.engines.base import Engine
from loader.warehouse.layers import META, SCHEMAS
from loader.warehouse.meta import REVISION
from loader.warehouse.stage_changes import stage_changes
from loader.warehouse.transactions import Warehouse

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(warehouse: Warehouse, contracts: Contracts) -> list[str]:
    """Apply what is missing, in one transaction; returns a line for each change.

    Raises:
        UsageError: a contract changed in a way that would lose data; nothing is changed.
    """
    return warehouse.run(lambda connection: _migrate(connection, warehouse.engine, contracts))


def ensure_migrated(warehouse: Warehouse, contracts: Contracts) -> None:
    """Make an embedded warehouse ready to load; on a server, whose rights may not allow that, say what is missing.

    Raises:
        UsageError: a server's schema is behind the contracts or the loader.
    """
    if warehouse.engine.embedded:
        migrate(warehouse, contracts)
        return
    missing = warehouse.run(lambda connection: _missing(connection, warehouse.engine, contracts))
    if missing:
        raise UsageError(f"the warehouse is not ready; run `loader migrate`. To be done: {'; '.join(missing)}")


def _migrate(connection: Connection, engine: Engine, contracts: Contracts) -> list[str]:
    done = []
    existing = set(inspect(connection).get_schema_names())
    for schema in SCHEMAS:
        if schema not in existing and f"{connection.engine.url.database}.{schema}" not in existing:
            connection.execute(CreateSchema(schema, if_not_exists=True))
    before = _revision(connection)
    if before != REVISION:
        _alembic_upgrade(connection)
        done.append(f"meta: revision {before or 'none'} to {REVISION}")
    for change in stage_changes(connection, contracts, engine):
        for statement in change.statements:
            connection.execute(text(statement))
        done += change.descriptions
    if done:
        withdraw_mark(connection)
        forget_gate_passes(connection)
    return done


def _missing(connection: Connection, engine: Engine, contracts: Contracts) -> list[str]:
    revision = _revision(connection)
    if revision != REVISION:
        return [f"meta: revision {revision or 'none'} to {REVISION}"]
    return [line for change in stage_changes(connection, contracts, engine) for line in change.descriptions]


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version", schema=META):
        return None
    return connection.execute(text(f"select version_num from {META}.alembic_version")).scalar()


def _config(attributes: dict[str, Any], output: Any = None) -> Any:
    from alembic.config import Config

    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes.update(attributes)
    return config


def _alembic_upgrade(connection: Connection) -> None:
    from alembic import command

    command.upgrade(_config({"connection": connection}), "head")


def meta_script(dialect: Dialect) -> str:
    """The migrations of `meta` as an SQL script in a dialect."""
    from alembic import command

    output = io.StringIO()
    command.upgrade(_config({"dialect": dialect.name}, output), "head", sql=True)
    return output.getvalue()

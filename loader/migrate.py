"""Migrate: bring `meta` (Alembic revisions) and `stage` (from the contracts) up to date; again changes nothing."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, inspect, select, text
from sqlalchemy.schema import CreateSchema

from loader.contracts import Contract, Contracts
from loader.dialects import script
from loader.errors import UsageError
from loader.meta import dataset_version
from loader.project import Project
from loader.stage_table import STAGE, create_statements, stage_statements, stage_tables

SCHEMAS = ("meta", "stage", "core", "mart")
_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(project: Project) -> list[str]:
    """Apply what is missing, in one transaction; gives a line for each change.

    Raises:
        UsageError: a contract changed in a way that would lose data; nothing is changed.
    """
    return project.warehouse.run(lambda connection: _migrate(connection, project.contracts))


def ensure_migrated(project: Project) -> None:
    """Make an embedded warehouse ready to load; on a server, whose rights may not allow that, say what is missing.

    Raises:
        UsageError: a server's schema is behind the contracts or the loader.
    """
    if project.warehouse.engine.embedded:
        migrate(project)
        return
    missing = project.warehouse.run(lambda connection: _missing(connection, project.contracts))
    if missing:
        raise UsageError(f"the warehouse is not ready; run `loader migrate`. To be done: {'; '.join(missing)}")


def ddl(project: Project, schema: str | None = None) -> str:
    """The whole structure as one SQL script for the target's engine."""
    dialect = _dialect(project)
    schemas = [CreateSchema(name, if_not_exists=True) for name in SCHEMAS]
    said = script([str(one.compile(dialect=dialect)) for one in schemas], dialect)
    if schema in (None, "meta"):
        said += _alembic_script(dialect)
    if schema in (None, "stage"):
        for contract in project.contracts:
            said += script(stage_statements(contract, dialect), dialect)
    return said


def _migrate(connection: Connection, contracts: Contracts) -> list[str]:
    done = []
    existing = set(inspect(connection).get_schema_names())
    for schema in SCHEMAS:
        if schema not in existing and f"{connection.engine.url.database}.{schema}" not in existing:
            connection.execute(CreateSchema(schema, if_not_exists=True))
    before = _revision(connection)
    if before != _head():
        _alembic_upgrade(connection)
        done.append(f"meta: revision {before or 'none'} to {_head()}")
    for contract in contracts:
        change = _stage_change(connection, contract)
        for statement in change.statements:
            connection.execute(text(statement))
        done += change.said
    return done


def _missing(connection: Connection, contracts: Contracts) -> list[str]:
    revision = _revision(connection)
    if revision != _head():
        return [f"meta: revision {revision or 'none'} to {_head()}"]
    return [line for contract in contracts for line in _stage_change(connection, contract).said]


@dataclass(frozen=True)
class _Change:
    statements: Sequence[str]
    said: Sequence[str]


def _stage_change(connection: Connection, contract: Contract) -> _Change:
    """What is to be done to a stage table so that it fits its contract."""
    dialect = connection.dialect
    _refuse_other_grain(connection, contract)
    changes = [_table_change(connection, contract.name, table) for table in stage_tables(contract, dialect)]
    # what comes with a stage table follows it, and is told of only when it changes alone
    said = next((change.said for change in changes if change.said), ())
    return _Change([statement for change in changes for statement in change.statements], said)


def _table_change(connection: Connection, dataset: str, wanted: Table) -> _Change:
    dialect = connection.dialect
    found = _columns(connection, wanted.name)
    if not found:
        return _Change(create_statements(wanted, dialect), [f"stage.{wanted.name}: created"])
    statements, said = [], []
    for column in wanted.columns:
        if column.name not in found:
            statements.append(_added(column, dialect))
            said.append(f"stage.{wanted.name}: column {column.name} added")
        elif _must_widen(dataset, column.name, found[column.name], column.type):
            statements.append(_widened(column, dialect))
            said.append(f"stage.{wanted.name}: column {column.name} widened to {str(column.type).lower()}")
    return _Change(statements, said)


def _added(column: Column[Any], dialect: Dialect) -> str:
    from alembic.ddl.base import AddColumn

    return str(AddColumn(column.table.name, column, schema=STAGE).compile(dialect=dialect))


def _widened(column: Column[Any], dialect: Dialect) -> str:
    from alembic.ddl.base import ColumnType

    return str(ColumnType(column.table.name, column.name, column.type, schema=STAGE).compile(dialect=dialect))


def _columns(connection: Connection, table: str) -> dict[str, Any]:
    """Types of the columns of a stage table, by name; empty when there is no such table."""
    query = text(
        "select COLUMN_NAME as column_name, DATA_TYPE as data_type, CHARACTER_MAXIMUM_LENGTH as length, "
        "NUMERIC_PRECISION as numeric_precision, NUMERIC_SCALE as numeric_scale "
        "from INFORMATION_SCHEMA.COLUMNS where TABLE_SCHEMA = 'stage' and TABLE_NAME = :table"
    )
    return {row.column_name: row for row in connection.execute(query, {"table": table})}


def _must_widen(dataset: str, name: str, found: Any, wanted: Any) -> bool:
    """Whether a column must become wider.

    Raises:
        UsageError: it would become narrower, or of another kind, which could lose data.
    """
    is_kind, was_kind, said = _kind(str(wanted)), _kind(str(found.data_type)), str(wanted).lower()
    order = {"integer": 1, "bigint": 2}
    if is_kind != was_kind:
        if was_kind in order and is_kind in order and order[is_kind] > order[was_kind]:
            return True
        raise _lossy(dataset, name, was_kind, said)
    if is_kind == "varchar":
        had, needs = found.length, wanted.length
    elif is_kind == "decimal":
        had, needs = found.numeric_precision, wanted.precision
        if found.numeric_scale is not None and found.numeric_scale != wanted.scale:
            raise _lossy(dataset, name, f"decimal({had},{found.numeric_scale})", said)
    else:
        return False
    if had is None or needs is None or had == needs:
        return False
    if needs < had:
        raise _lossy(dataset, name, f"{was_kind}({had})", said)
    return True


_KINDS = {
    "character varying": "varchar",
    "nvarchar": "varchar",
    "int": "integer",
    "bit": "boolean",
    "numeric": "decimal",
    "double precision": "double",
    "float": "double",
}
"""Words of engines for the types of a contract."""


def _kind(declared: str) -> str:
    plain = declared.lower().partition("(")[0].strip()
    plain = _KINDS.get(plain, plain)
    return "timestamp" if plain.startswith(("timestamp", "datetime")) else plain


def _lossy(dataset: str, column: str, had: str, wanted: str) -> UsageError:
    return UsageError(
        f"stage.{dataset}.{column} is {had} and the contract says {wanted}, which could lose data: keep the type, or "
        "give the column a new name in the contract and load its periods again with --force"
    )


def _refuse_other_grain(connection: Connection, contract: Contract) -> None:
    """Kind, key and grain are fixed for the life of a dataset; the names of its periods show the grain."""
    loaded = select(dataset_version.c.data_period).where(dataset_version.c.dataset == contract.name)
    for period in [str(row.data_period) for row in connection.execute(loaded.distinct())]:
        try:
            contract.period(period)
        except ValueError:
            raise UsageError(
                f"{contract.name}: grain '{contract.grain}' does not fit the loaded period {period}; the grain of a "
                "dataset never changes: give the new grain a dataset of its own"
            ) from None


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version", schema="meta"):
        return None
    return connection.execute(text("select version_num from meta.alembic_version")).scalar()


def _head() -> str:
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(_MIGRATIONS), version_locations=[str(_MIGRATIONS / "versions")]).get_current_head())


def _config(attributes: dict[str, Any], output: Any = None) -> Any:
    from alembic.config import Config

    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes.update(attributes)
    return config


def _alembic_upgrade(connection: Connection) -> None:
    from alembic import command

    command.upgrade(_config({"connection": connection}), "head")


def _alembic_script(dialect: Dialect) -> str:
    from alembic import command

    output = io.StringIO()
    command.upgrade(_config({"dialect": dialect.name}, output), "head", sql=True)
    return output.getvalue()


def _dialect(project: Project) -> Dialect:
    return project.warehouse.engine.url().get_dialect()()

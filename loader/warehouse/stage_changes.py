"""What is to be done to a stage table so that it fits its contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, select, text

from loader.contracts import Contract
from loader.errors import UsageError
from loader.warehouse.meta import dataset_version
from loader.warehouse.stage_table import STAGE, create_statements, stage_tables


@dataclass(frozen=True)
class StageChange:
    """Statements that bring a stage table up to date, and each in words."""

    statements: Sequence[str]
    said: Sequence[str]


def stage_change(connection: Connection, contract: Contract) -> StageChange:
    """What is to be done to a stage table so that it fits its contract."""
    dialect = connection.dialect
    _refuse_other_grain(connection, contract)
    changes = [_table_change(connection, contract.name, table) for table in stage_tables(contract, dialect)]
    # what comes with a stage table follows it, and is told of only when it changes alone
    said = next((change.said for change in changes if change.said), ())
    return StageChange([statement for change in changes for statement in change.statements], said)


def _table_change(connection: Connection, dataset: str, wanted: Table) -> StageChange:
    dialect = connection.dialect
    found = _columns(connection, wanted.name)
    if not found:
        return StageChange(create_statements(wanted, dialect), [f"stage.{wanted.name}: created"])
    statements, said = [], []
    for column in wanted.columns:
        if column.name not in found:
            statements.append(_added(column, dialect))
            said.append(f"stage.{wanted.name}: column {column.name} added")
        elif _must_widen(dataset, column.name, found[column.name], column.type):
            statements.append(_widened(column, dialect))
            said.append(f"stage.{wanted.name}: column {column.name} widened to {str(column.type).lower()}")
    return StageChange(statements, said)


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
    """  # noqa: DOC501 (`_lossy` makes a UsageError)
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

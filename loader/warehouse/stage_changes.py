"""What is to be done to a stage table so that it matches its contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Column, Connection, Dialect, Table, select, text

from loader.contracts import Contract
from loader.errors import UsageError
from loader.warehouse.engines.base import Engine
from loader.warehouse.layers import STAGE
from loader.warehouse.meta import dataset_version
from loader.warehouse.stage_table import create_statements, stage_tables


@dataclass(frozen=True)
class StageChange:
    """Statements that bring a stage table up to date, and each in words."""

    statements: Sequence[str]
    descriptions: Sequence[str]


def stage_change(connection: Connection, contract: Contract, engine: Engine) -> StageChange:
    """What is to be done to a stage table so that it matches its contract."""
    _refuse_other_grain(connection, contract)
    changes = [_table_change(connection, contract.name, table, engine) for table in stage_tables(contract, engine)]
    # what comes with a stage table follows it, and is told of only when it changes alone
    descriptions = next((change.descriptions for change in changes if change.descriptions), ())
    return StageChange([statement for change in changes for statement in change.statements], descriptions)


def _table_change(connection: Connection, dataset: str, wanted: Table, engine: Engine) -> StageChange:
    dialect = connection.dialect
    found = _columns(connection, wanted.name)
    if not found:
        return StageChange(create_statements(wanted, dialect), [f"stage.{wanted.name}: created"])
    statements, descriptions = [], []
    for column in wanted.columns:
        if column.name not in found:
            statements.append(_added(column, dialect))
            descriptions.append(f"stage.{wanted.name}: column {column.name} added")
        elif _must_widen(dataset, column, found[column.name], engine):
            statements.append(_widened(column, dialect))
            descriptions.append(f"stage.{wanted.name}: column {column.name} widened to {str(column.type).lower()}")
    return StageChange(statements, descriptions)


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
        "from INFORMATION_SCHEMA.COLUMNS where TABLE_SCHEMA = :schema and TABLE_NAME = :table"
    )
    return {row.column_name: row for row in connection.execute(query, {"schema": STAGE, "table": table})}


def _must_widen(dataset: str, column: Column[Any], found: Any, engine: Engine) -> bool:
    """Whether a column must become wider.

    Raises:
        UsageError: it would become narrower, or of another kind, which could lose data.
    """  # noqa: DOC501 (`_lossy` makes a UsageError)
    name, wanted, declared = column.name, cast("Any", column.type), str(column.type).lower()
    is_kind, was_kind = _kind(wanted.compile(dialect=engine.dialect()), engine), _kind(found.data_type, engine)
    order = {"integer": 1, "bigint": 2}
    if is_kind != was_kind:
        if was_kind in order and is_kind in order and order[is_kind] > order[was_kind]:
            return True
        raise _lossy(dataset, name, was_kind, declared)
    if is_kind == "varchar":
        had, needs = found.length, wanted.length
    elif is_kind == "decimal":
        had, needs = found.numeric_precision, wanted.precision
        if found.numeric_scale is not None and found.numeric_scale != wanted.scale:
            raise _lossy(dataset, name, f"decimal({had},{found.numeric_scale})", declared)
    else:
        return False
    if had is None or needs is None or had == needs:
        return False
    if needs < had:
        raise _lossy(dataset, name, f"{was_kind}({had})", declared)
    return True


def _kind(declared: str, engine: Engine) -> str:
    """The contract's word for a type, as the catalog or the DDL of an engine has it."""
    plain = declared.lower().partition("(")[0].strip()
    return engine.type_words.get(plain, plain)


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
                f"{contract.name}: grain '{contract.grain}' does not match the loaded period {period}; the grain of a "
                "dataset never changes: give the new grain a dataset of its own"
            ) from None

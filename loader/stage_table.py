"""The stage table of a dataset: its data columns as the contract types them, then the lineage."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
)
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlalchemy.types import TypeEngine

from loader.contracts import ColumnType, Contract

STAGE = "stage"


def stage_table(contract: Contract, metadata: MetaData | None = None) -> Table:
    """`stage.<dataset>`: the contract's columns and the lineage.

    Data columns are nullable whatever the contract requires: an older delivery lacks the columns that came later.
    `_data_period` is indexed except on DuckDB, whose zone maps serve better.
    """
    index = Index(f"ix_{contract.name}_data_period", "_data_period")
    return Table(
        contract.name,
        metadata if metadata is not None else MetaData(),
        *(Column(column.name, sql_type(column.type)) for column in contract.columns),
        Column("_data_period", String(contract.grain.name_length), nullable=False),
        Column("_load_id", BigInteger()),
        Column("_loaded_at", DateTime()),
        Column("_source_file_id", BigInteger()),
        Column("_source_row", BigInteger()),
        index.ddl_if(dialect=("postgresql", "mssql")),  # type: ignore[arg-type]  # a tuple is documented
        schema=STAGE,
    )


def stage_statements(contract: Contract, dialect: Dialect, *, if_not_exists: bool = False) -> list[str]:
    """`create table` and `create index` of a stage table in the words of one engine, without closing semicolons."""
    table = stage_table(contract)
    indexes = [] if dialect.name == "duckdb" else sorted(table.indexes, key=lambda index: str(index.name))
    statements: list[ExecutableDDLElement] = [CreateTable(table, if_not_exists=if_not_exists)]
    statements += [CreateIndex(index, if_not_exists=if_not_exists) for index in indexes]
    return [str(statement.compile(dialect=dialect)).strip().replace("\t", "    ") for statement in statements]


def sql_type(declared: ColumnType) -> TypeEngine[Any]:
    """The SQLAlchemy type of a declared type."""
    match declared.name:
        case "varchar":
            return String(declared.length)
        case "decimal":
            return Numeric(declared.precision, declared.scale)
        case plain:
            return _PLAIN[plain]()


_PLAIN: dict[str, type[TypeEngine[Any]]] = {
    "integer": Integer,
    "bigint": BigInteger,
    "double": Double,
    "boolean": Boolean,
    "date": Date,
    "timestamp": DateTime,
}

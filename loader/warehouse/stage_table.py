"""The stage table of a dataset: its data columns as the contract types them, then the lineage."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
)
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlalchemy.types import TypeEngine

from loader.contracts import ColumnType, Contract
from loader.warehouse.types import Code, day, incoming_table, moment, words

STAGE = "stage"


def stage_table(contract: Contract, metadata: MetaData | None = None) -> Table:
    """`stage.<dataset>`: the contract's columns and the lineage.

    Data columns are nullable whatever the contract requires: an older delivery lacks the columns that came later.
    `_data_period` is indexed except on DuckDB, whose zone maps serve better; on SQL Server the rows lie in its order,
    so that those of a period are replaced without a look at the others.
    """
    index = Index(f"ix_{contract.name}_data_period", "_data_period", mssql_clustered=True)
    return Table(
        contract.name,
        metadata if metadata is not None else MetaData(),
        *(Column(column.name, sql_type(column.type)) for column in contract.columns),
        Column("_data_period", Code(contract.grain.name_length), nullable=False),
        Column("_load_id", BigInteger()),
        Column("_loaded_at", moment()),
        Column("_source_file_id", BigInteger()),
        Column("_source_row", BigInteger()),
        index.ddl_if(dialect=("postgresql", "mssql")),  # type: ignore[arg-type]  # a tuple is documented
        schema=STAGE,
    )


def stage_tables(contract: Contract, dialect: Dialect) -> list[Table]:
    """The stage table of a dataset; on SQL Server, whose bulk copies join no transaction, the incoming one too."""
    stage = stage_table(contract)
    return [stage, incoming_table(stage)] if dialect.name == "mssql" else [stage]


def stage_statements(contract: Contract, dialect: Dialect, *, if_not_exists: bool = False) -> list[str]:
    """The statements that make the tables of a dataset in the words of one engine, without closing semicolons."""
    tables = stage_tables(contract, dialect)
    return [said for table in tables for said in create_statements(table, dialect, if_not_exists=if_not_exists)]


def create_statements(table: Table, dialect: Dialect, *, if_not_exists: bool = False) -> list[str]:
    """`create table` and `create index`."""
    indexes = [] if dialect.name == "duckdb" else sorted(table.indexes, key=lambda index: str(index.name))
    statements: list[ExecutableDDLElement] = [CreateTable(table, if_not_exists=if_not_exists)]
    statements += [CreateIndex(index, if_not_exists=if_not_exists) for index in indexes]
    return [str(statement.compile(dialect=dialect)).strip().replace("\t", "    ") for statement in statements]


def sql_type(declared: ColumnType) -> TypeEngine[Any]:
    """The SQLAlchemy type of a declared type."""
    match declared.name:
        case "varchar":
            return words(declared.length)
        case "decimal":
            return Numeric(declared.precision, declared.scale)
        case "date":
            return day()
        case "timestamp":
            return moment()
        case plain:
            return _PLAIN[plain]()


_PLAIN: dict[str, type[TypeEngine[Any]]] = {
    "integer": Integer,
    "bigint": BigInteger,
    "double": Double,
    "boolean": Boolean,
}

"""The stage table of a dataset: its data columns as the contract types them, then the lineage."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Integer,
    MetaData,
    Numeric,
    Table,
)
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlalchemy.types import TypeEngine

from loader.contracts import ColumnType, Contract
from loader.warehouse.engines.base import Engine
from loader.warehouse.engines.types import Code, day, moment, words
from loader.warehouse.layers import STAGE


def stage_table(contract: Contract, metadata: MetaData | None = None) -> Table:
    """`stage.<dataset>`: the contract's columns and the lineage.

    Data columns are nullable whatever the contract requires: an older delivery lacks the columns that came later.
    """
    return Table(
        contract.name,
        metadata if metadata is not None else MetaData(),
        *(Column(column.name, sql_type(column.type)) for column in contract.columns),
        Column("_data_period", Code(contract.grain.name_length), nullable=False),
        Column("_load_id", BigInteger()),
        Column("_loaded_at", moment()),
        Column("_source_file_id", BigInteger()),
        Column("_source_row", BigInteger()),
        schema=STAGE,
    )


UNKNOWN = "__unknown"
"""What the name of a full dataset gets behind it for the table of the keys that are unknown in its loads."""


def unknown_table(contract: Contract) -> Table:
    """`stage.<dataset>__unknown`: the keys that only rejected rows of a load have, each with its first row."""
    return Table(
        f"{contract.name}{UNKNOWN}",
        MetaData(),
        *(Column(name, sql_type(contract.column(name).type)) for name in contract.key),
        Column("_data_period", Code(contract.grain.name_length), nullable=False),
        Column("_load_id", BigInteger()),
        Column("_source_row", BigInteger()),
        schema=STAGE,
    )


def loaded_tables(contract: Contract) -> list[Table]:
    """What a load replaces its period in: the stage table of a dataset, and of a full one that of the unknown keys."""
    return [stage_table(contract), *([unknown_table(contract)] if contract.kind == "full" else [])]


def stage_tables(contract: Contract, engine: Engine | type[Engine]) -> list[Table]:
    """The tables of a dataset in stage, and those that come with them on an engine."""
    return [made for table in loaded_tables(contract) for made in engine.stage_tables(table)]


def stage_statements(contract: Contract, engine: Engine | type[Engine], *, if_not_exists: bool = False) -> list[str]:
    """The statements that make the tables of a dataset in the words of one engine, without closing semicolons."""
    tables, dialect = stage_tables(contract, engine), engine.dialect()
    return [
        statement for table in tables for statement in create_statements(table, dialect, if_not_exists=if_not_exists)
    ]


def create_statements(table: Table, dialect: Dialect, *, if_not_exists: bool = False) -> list[str]:
    """`create table` and `create index`."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
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

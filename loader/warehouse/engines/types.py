"""Types and statements that the dialects of SQLAlchemy write in different words, so that nobody else has to ask which.

Only SQL Server has words of its own. Texts are Unicode there, and binary-collated: two of them are equal when their
letters are, as on the other engines. Codes (names of datasets and periods, hashes, states) have ASCII letters only;
they stay `varchar` in the collation of the database, and what they are compared with is bound as such, since an index
on `varchar` does not serve a comparison with `nvarchar`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    DateTime,
    FunctionElement,
    Index,
    String,
    Table,
    Time,
    TypeDecorator,
    Unicode,
    UnicodeText,
    text,
)
from sqlalchemy.dialects.mssql import DATE, DATETIME2, NVARCHAR, TIME
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable
from sqlalchemy.types import TypeEngine

BINARY_COLLATION = "Latin1_General_100_BIN2"
"""Of SQL Server: compares UTF-16 code units, and exists in every version."""


def words(length: int | None = None) -> TypeEngine[str]:
    """Text of people, at most `length` characters (of SQL Server: UTF-16 code units); None: however long."""
    plain = UnicodeText() if length is None else Unicode(length)
    return plain.with_variant(NVARCHAR(length, BINARY_COLLATION), "mssql")


def day() -> TypeEngine[Any]:
    """A date; SQLAlchemy takes a server of unknown age for one that had none."""
    return Date().with_variant(DATE(), "mssql")


def moment() -> TypeEngine[Any]:
    """A time without zone, to the microsecond."""
    return DateTime().with_variant(DATETIME2(6), "mssql")  # type: ignore[no-untyped-call]


def time_of_day() -> TypeEngine[Any]:
    """A time of day, to the microsecond."""
    return Time().with_variant(TIME(6), "mssql")  # type: ignore[no-untyped-call]


class Code(TypeDecorator[str]):
    """ASCII text of the loader, at most `length` characters."""

    impl = String
    cache_ok = True

    def bind_expression(self, bindparam: Any) -> ColumnElement[str]:
        """Sent as `varchar`, whatever the driver makes of a text of Python."""
        return _AsVarchar(bindparam)


class _AsVarchar(FunctionElement[str]):
    """A value that is sent as `varchar` whatever the driver makes of it; too long for its column is an error still."""

    inherit_cache = True
    type = String()


@compiles(_AsVarchar)
def _as_it_is(element: _AsVarchar, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_AsVarchar, "mssql")
def _cast(element: _AsVarchar, compiler: Any, **options: Any) -> str:
    return f"cast({compiler.process(element.clauses, **options)} as varchar(8000))"


@compiles(CreateSchema, "mssql")
def _create_schema(element: CreateSchema, compiler: Any, **options: Any) -> str:
    """It has to be alone in its batch."""
    if not element.if_not_exists:
        return str(compiler.visit_create_schema(element, **options))
    name = str(element.element)
    return f"if schema_id('{name}') is null exec('create schema {name}')"


@compiles(CreateTable, "mssql")
def _create_table(element: CreateTable, compiler: Any, **options: Any) -> str:
    made = str(compiler.visit_create_table(CreateTable(element.element), **options)).strip()
    return f"if object_id('{element.element.fullname}') is null\n{made}" if element.if_not_exists else made


@compiles(CreateIndex, "mssql")
def _create_index(element: CreateIndex, compiler: Any, **options: Any) -> str:
    index: Any = element.element
    made = str(compiler.visit_create_index(CreateIndex(index), **options))
    place = f"object_id('{index.table.fullname}')"
    missing = f"if not exists (select * from sys.indexes where name = '{index.name}' and object_id = {place})"
    return f"{missing}\n{made}" if element.if_not_exists else made


def period_index(stage: Table, **options: Any) -> None:
    """Add an index of the periods to a stage table; `options` are those of a dialect."""
    Index(f"ix_{stage.name}_data_period", stage.c["_data_period"], **options)


def plain_script(statements: Iterable[str], end: str = ";\n") -> str:
    """Statements one after the other."""
    return "".join(f"{statement}{end}" for statement in statements)


def can_match(connection: Connection) -> bool:
    """Whether the database has `regexp_like`. Ends the transaction of the connection."""
    try:
        connection.execute(text("select 1 where regexp_like('a', 'a')"))
    except SQLAlchemyError:
        return False
    finally:
        connection.rollback()
    return True


def quoted(connection: Connection, table: str) -> str:
    """`schema.table` as a statement takes it, whatever stands in it: names of consumers come from the ledger."""
    schema, _, name = table.partition(".")
    quote = connection.dialect.identifier_preparer.quote_identifier
    return f"{quote(schema)}.{quote(name)}"

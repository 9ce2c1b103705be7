"""Where the data of a gate is: the warehouse, or one delivery as a view over its parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from loader.contracts import LINEAGE, Contract
from loader.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from sqlalchemy import Connection
from loader.gates.suites import Suite, has_pattern

memory_names = count()


def for_reading(url: URL) -> URL:
    """The address as Great Expectations can use it; reads only."""
    if url.get_backend_name() == "duckdb":
        from loader.gates import duckdb_dialect as gx_duckdb

        return url.set(drivername=gx_duckdb.DRIVER).update_query_dict({"access_mode": "read_only"})
    if url.get_backend_name() == "postgresql":
        # suites compare dates as text
        said = url.update_query_dict({"options": "-c datestyle=ISO"})
        return _socket_in_query(said) if "/" in (url.host or "") else said
    return url


def _socket_in_query(url: URL) -> URL:
    """The folder of a server's socket is no host in an address that is written out as text."""
    query = {**url.query, "host": str(url.host), "port": str(url.port or 5432)}
    return URL.create(url.drivername, url.username, url.password, database=url.database, query=query)


@contextmanager
def connect(address: URL) -> Iterator[Connection]:
    """A connection of its own, closed with its engine at the end."""
    engine = create_engine(address)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def reached(address: URL) -> Iterator[Connection]:
    """A connection that stays until the gate is through: nobody else takes the file of an embedded warehouse meanwhile.

    Opened before the import of Great Expectations, so that a warehouse out of reach is told of at once, in one line.

    Raises:
        EnvironmentFailedError: the warehouse cannot be read.
    """
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(connect(address))
        except SQLAlchemyError as error:
            message = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise EnvironmentFailedError(f"the gate cannot read the warehouse: {message}") from error
        yield connection


def knows_patterns(connection: Connection, suites: list[Suite]) -> bool:
    """Whether the warehouse has the regular expressions that suites ask for; SQL Server has them since 2025."""
    if not any(map(has_pattern, (expectation for suite in suites for expectation in suite.expectations))):
        return True
    try:
        connection.execute(text("select 1 where regexp_like('a', 'a')"))
    except SQLAlchemyError:
        return False
    finally:
        connection.rollback()
    return True


def view_as_stage(connection: Connection, contract: Contract, parquet: Path, period: str) -> None:
    """`stage.<dataset>` as a view over one delivery; what the file lacks is NULL, as it will be in the table."""
    from loader.warehouse.stage_table import stage_table

    source = f"read_parquet({_quoted(parquet.as_posix())})"
    try:
        in_file = {row[0] for row in connection.execute(text(f"describe select * from {_escaped(source)}"))}
    except SQLAlchemyError as error:
        message = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise EnvironmentFailedError(f"{parquet.name}: {message}") from error
    columns = []
    for column in stage_table(contract).columns:
        declared = column.type.compile(dialect=connection.dialect)
        if column.name == LINEAGE[0]:
            value = _quoted(period)
        else:
            value = f'"{column.name}"' if column.name in in_file else "null"
        columns.append(f'cast({value} as {declared}) as "{column.name}"')
    connection.execute(text("create schema stage"))
    view = f'create view stage."{contract.name}" as select {", ".join(columns)} from {source}'
    connection.execute(text(_escaped(view)))
    connection.commit()


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _escaped(sql: str) -> str:
    """SQL without bind parameters, as SQLAlchemy's `text` wants it."""
    return sql.replace(":", r"\:")

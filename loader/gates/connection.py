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
from loader.gates.suites import Suite, has_pattern
from loader.text import first_line, sql_text, unbound
from loader.warehouse import Engine

if TYPE_CHECKING:
    from sqlalchemy import Connection

memory_names = count()


@contextmanager
def connect(address: URL) -> Iterator[Connection]:
    """A connection of its own, closed with its engine at the end."""
    engine = create_engine(address, hide_parameters=True)
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
            raise EnvironmentFailedError(f"the gate cannot read the warehouse: {first_line(error)}") from error
        yield connection


def lack_of_patterns(engine: Engine, connection: Connection, suites: list[Suite]) -> str | None:
    """Why the regular expressions that suites ask for cannot be asked; None when they can, or none is."""
    if not any(map(has_pattern, (expectation for suite in suites for expectation in suite.expectations))):
        return None
    return engine.lack_of_patterns(connection)


def view_as_stage(connection: Connection, contract: Contract, parquet: Path, period: str) -> None:
    """`stage.<dataset>` as a view over one delivery; what the file lacks is NULL, as it will be in the table."""
    from loader.warehouse.stage_table import stage_table

    source = f"read_parquet({sql_text(parquet.as_posix())})"
    try:
        in_file = {row[0] for row in connection.execute(text(f"describe select * from {unbound(source)}"))}
    except SQLAlchemyError as error:
        raise EnvironmentFailedError(f"{parquet.name}: {first_line(error)}") from error
    columns = []
    for column in stage_table(contract).columns:
        declared = column.type.compile(dialect=connection.dialect)
        if column.name == LINEAGE[0]:
            value = sql_text(period)
        else:
            value = f'"{column.name}"' if column.name in in_file else "null"
        columns.append(f'cast({value} as {declared}) as "{column.name}"')
    connection.execute(text("create schema stage"))
    view = f'create view stage."{contract.name}" as select {", ".join(columns)} from {source}'
    connection.execute(text(unbound(view)))
    connection.commit()

"""SQL Server: rows go in by bulk copy, locks are of the application and end with their transaction."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import URL, Column, Connection, Dialect, MetaData, Table, delete, insert, literal, select, text
from sqlalchemy.exc import DataError, DBAPIError

from loader.errors import EnvironmentFailedError
from loader.warehouse.engines.base import Engine, lock_name
from loader.warehouse.engines.clustered import INCOMING, load_index
from loader.warehouse.engines.rows import arrow_as_data, row_groups, schema_for
from loader.warehouse.engines.sqlserver_connection import (
    ALONE,
    DRIVERS,
    LOCK,
    MSSQL_PYTHON,
    address_of,
    is_by_bulk_copy,
)
from loader.warehouse.engines.types import can_match, period_index, plain_script, quoted
from loader.warehouse.profile import Target

_BOUND_ROWS = 5_000
"""Rows of one round trip where values are bound: the driver holds each in a buffer of its column's full width."""
_LOCK = """
declare @name nvarchar(255) = :name, @granted int;
if @@trancount <> 1 throw 50000, 'a lock needs exactly one open transaction, whose commit ends it', 1;
exec @granted = sp_getapplock @Resource = @name, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = -1
if @granted < 0
begin
    declare @message nvarchar(400) = concat('the lock ', @name, ' was not granted; run the same command again');
    throw 50000, @message, 1
end
"""
_HOLDER = """
select top 1 concat(coalesce(nullif(sessions.program_name, ''), 'somebody'), ', session ', sessions.session_id)
from sys.dm_tran_locks as locks
inner join sys.dm_exec_sessions as sessions on locks.request_session_id = sessions.session_id
where locks.resource_type = 'APPLICATION' and locks.request_status = 'GRANT' and locks.resource_database_id = db_id()
    and charindex(concat('[', left(:name, 32), ']'), locks.resource_description) > 0
"""
"""A description has the first 32 letters of a name. Who may not view the server's state sees no others."""
_OVERWRITE = "declare @here sysname = db_name() exec sp_clean_db_free_space @dbname = @here"
_VIEWS = """
select distinct concat(object_schema_name(referencing_id), '.', object_name(referencing_id))
from sys.sql_expression_dependencies
where is_schema_bound_reference = 1
    and referenced_id = object_id(:table)
    and referenced_minor_id = columnproperty(object_id(:table), :column, 'ColumnId')
    and referencing_id <> object_id(:table)
"""
_PASSING = re.compile(
    r"Serialization failure|40001|chosen as the deadlock victim|Lock request time out"
    r"|Snapshot isolation transaction aborted|the lock \S+ was not granted"
    r"|is not currently available\. +Please retry the connection later|has encountered an error processing your request"
    r"|The service is currently busy|limit for the database is \d+ and has been reached|server is currently too busy"
    r"|Cannot process (?:create or update )?request\. +(?:Not enough resources|Too many)"
    r"|\((?:1205|1222|3960|40197|40501|40613|10928|10929|49918|49919|49920)\)"
)
"""Faults that pass: 1205, 1222, 3960, and those of Azure SQL Database, which come when it is connected to as well.
A deadlock has the state 40001; of the others only the English words are known, for mssql-python does not tell the
numbers."""

_TOO_LONG = "String data, right truncation"
"""What pyodbc says, without a state, of a text in an array that is longer than its column."""
_LOST = re.compile(r"connection|timed? ?out|\bi/?o\b", re.IGNORECASE)
"""What a bulk copy says when its connection is gone."""


@dataclass(frozen=True)
class SQLServer(Engine):
    """A SQL Server, 2019 or later, or its like in Azure."""

    address: URL
    name: str = "sqlserver"
    embedded: bool = False
    copied_by: ClassVar[str] = "`backup database`"
    grammar: ClassVar[str] = "tsql"
    type_words: ClassVar[Mapping[str, str]] = {
        "nvarchar": "varchar",
        "int": "integer",
        "bit": "boolean",
        "numeric": "decimal",
        "double precision": "double",
        "float": "double",
        "datetime2": "timestamp",
    }

    @staticmethod
    def dialect() -> Dialect:
        from sqlalchemy.dialects import mssql

        return mssql.dialect()  # type: ignore[no-untyped-call]

    @staticmethod
    def stage_tables(stage: Table) -> list[Table]:
        """The rows of a stage table lie in the order of its periods, so that one is replaced without a look at others.

        Bulk copies join no transaction: the incoming table comes with it.
        """
        period_index(stage, mssql_clustered=True)
        return [stage, incoming_table(stage)]

    @staticmethod
    def script(statements: Iterable[str]) -> str:
        """The tools of SQL Server want to hear when a batch ends."""
        return plain_script(statements, ";\nGO\n")

    @staticmethod
    def other_texts(value: object) -> Sequence[str]:
        """All six digits of a second, and 1 for true."""
        if isinstance(value, dt.datetime):
            return (value.isoformat(" ", "microseconds"),)
        return (str(int(value)),) if isinstance(value, bool) else ()

    @classmethod
    def of(cls, target: Target, project_dir: Path) -> SQLServer:  # noqa: ARG003
        return cls(address_of(target.fields))

    def url(self) -> URL:
        return self.address

    def lack_of_patterns(self, connection: Connection) -> str | None:
        return None if can_match(connection) else "SQL Server before 2025 has no regular expressions"

    def lock(self, connection: Connection, name: str) -> None:
        connection.execute(text(_LOCK), {"name": lock_name(name)})
        connection.info[LOCK] = lock_name(name)

    def holder(self, connection: Connection, name: str) -> str | None:
        return connection.execute(text(_HOLDER), {"name": lock_name(name)}).scalar()

    @contextmanager
    def uploaded(self, connect: Callable[[], Connection], table: Table, parquet: Path, load_id: int) -> Iterator[None]:
        """Bulk copies log in by themselves and join no transaction: rows wait in the incoming table.

        Loads of a dataset follow one another there. So what lies in it is of a load that died, and the lock of the
        dataset is held for the short transaction alone.
        """
        if not is_by_bulk_copy(self.address):
            yield
            return
        incoming = incoming_table(table)
        with connect() as beside:
            self.lock(beside, incoming.name)
            _clear(connect, incoming)
            _bulk_copy(beside, incoming, parquet, load_id)
            try:
                yield
            except BaseException:
                with suppress(DBAPIError):  # the next load does it again
                    _clear(connect, incoming)
                raise

    def append_parquet(self, connection: Connection, table: Table, parquet: Path, constants: dict[str, object]) -> int:
        if not is_by_bulk_copy(self.address):
            return _bind(connection, table, parquet, constants)
        incoming = incoming_table(table)
        mine = incoming.c["_load_id"] == constants["_load_id"]
        names = [column.name for column in incoming.columns if column.name != "_load_id"]
        same = [literal(value, table.c[name].type).label(name) for name, value in constants.items()]
        rows = select(*(incoming.c[name] for name in names), *same).where(mine)
        moved = connection.execute(insert(table).from_select([*names, *constants], rows)).rowcount
        if moved != _rows_in(parquet):
            raise EnvironmentFailedError(
                f"{incoming.schema}.{incoming.name} was changed while rows waited in it; run the same command again"
            )
        connection.execute(delete(incoming).where(mine))
        return moved

    def lacking_rights(
        self, connection: Connection, needed: Mapping[str, Sequence[str]], sequences: Sequence[str]
    ) -> Sequence[str]:
        asked = {f"{right} on {table}": (table, right) for table, rights in needed.items() for right in rights}
        asked |= {f"update on {name}": (name, "update") for name in sequences}
        has = [f"has_perms_by_name('{name}', 'OBJECT', '{right}')" for name, right in asked.values()]
        found = connection.execute(text(f"select {', '.join(has)}")).one()
        return [what for what, is_granted in zip(asked, found, strict=True) if not is_granted]

    def views_on(self, connection: Connection, table: str, column: str) -> Sequence[str]:
        """Those that are bound to the schema; others follow."""
        return sorted(connection.execute(text(_VIEWS), {"table": table, "column": column}).scalars())

    def reclaim_space(self, connect: Callable[[], Connection], tables: Sequence[str], timeout: float) -> None:  # noqa: ARG002
        """Write each table, its indexes and its statistics anew, then overwrite what is free in the files.

        The last needs a member of `db_owner`. The log and backups keep what they have until they are replaced.
        """
        with connect() as connection:
            connection.info[ALONE] = True
            for name in (*tables, *(f"{table}{INCOMING}" for table in tables)):
                table = quoted(connection, name)
                if connection.execute(text("select object_id(:name)"), {"name": table}).scalar() is not None:
                    connection.exec_driver_sql(f"alter table {table} rebuild")
                    connection.exec_driver_sql(f"alter index all on {table} rebuild")
                    connection.exec_driver_sql(f"update statistics {table}")
            connection.exec_driver_sql(_OVERWRITE)

    def release_dbt(self) -> None:
        """Close the connections that the adapter leaves in mssql-python's pool."""
        if self.address.drivername == DRIVERS[MSSQL_PYTHON]:
            import mssql_python

            mssql_python.pooling(enabled=False)

    def transient(self, error: BaseException) -> bool:
        if not isinstance(error, DBAPIError):
            return False
        is_lost = error.connection_invalidated and error.statement is not None  # not: could not be reached
        return is_lost or _PASSING.search(str(error.orig)) is not None

    def is_deadlock(self, message: str) -> bool:
        return "deadlock" in message


def incoming_table(stage: Table) -> Table:
    """`stage.<dataset>__incoming`: rows on their way into a stage table, marked with their load."""
    kept = [column for column in stage.columns if column.name in ("_load_id", "_source_row") or column.name[0] != "_"]
    columns = (Column(column.name, column.type) for column in kept)
    incoming = Table(f"{stage.name}{INCOMING}", MetaData(), *columns, schema=stage.schema)
    load_index(incoming)
    return incoming


def _clear(connect: Callable[[], Connection], incoming: Table) -> None:
    """Remove what lies in the incoming table."""
    with connect() as connection, connection.begin():
        connection.execute(delete(incoming))


def _bulk_copy(connection: Connection, incoming: Table, parquet: Path, load_id: int) -> None:
    """Copy the rows of a file, a row group in memory at a time; all of them or none.

    Raises:
        DataError: a row does not fit.
        DBAPIError: the server ended it.
    """
    import pyarrow as pa

    place = f"[{incoming.schema}].[{incoming.name}]"
    filled = schema_for(incoming, parquet)
    schema = filled.append(pa.field("_load_id", pa.int64()))

    def marked() -> Iterator[pa.RecordBatch]:
        mark = pa.scalar(load_id, pa.int64())
        for group in row_groups(parquet, filled):
            for batch in group.to_batches():
                yield pa.RecordBatch.from_arrays([*batch.columns, pa.repeat(mark, len(batch))], schema=schema)

    rows = pa.RecordBatchReader.from_batches(schema, marked())
    with closing(connection.connection.cursor()) as cursor, _as_sqlalchemy_says(f"bulk copy into {place}"):
        cursor.bulkcopy_arrow(place, rows, timeout=0, column_mappings=schema.names, table_lock=True)


@contextmanager
def _as_sqlalchemy_says(statement: str) -> Iterator[None]:
    """A bulk copy has errors of its own: of a value it says ValueError, of all else RuntimeError."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise DataError(statement, None, error) from error
    except RuntimeError as error:
        raise DBAPIError(statement, None, error, connection_invalidated=_LOST.search(str(error)) is not None) from error


def _bind(connection: Connection, table: Table, parquet: Path, constants: dict[str, object]) -> int:
    """Append the rows of a file as bound values, an array of them in each round trip."""
    schema = schema_for(table, parquet)
    listed = ", ".join(f"[{name}]" for name in (*schema.names, *constants))
    marks = ", ".join("?" for _ in (*schema.names, *constants))
    statement = f"insert into [{table.schema}].[{table.name}] ({listed}) values ({marks})"
    with arrow_as_data(statement):
        for group in row_groups(parquet, schema):
            for batch in group.to_batches(_BOUND_ROWS):
                cells = [column.to_pylist() for column in batch.columns]
                rows: list[tuple[Any, ...]] = [(*row, *constants.values()) for row in zip(*cells, strict=True)]
                try:
                    connection.exec_driver_sql(statement, rows)
                except DBAPIError as error:
                    if _TOO_LONG in str(error.orig):
                        raise DataError(statement, None, error.orig or error) from error
                    raise
    return _rows_in(parquet)


def _rows_in(parquet: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(parquet).num_rows)

"""PostgreSQL: rows go in by binary COPY, locks are advisory and end with their transaction."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import (
    URL,
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Dialect,
    Double,
    Integer,
    Numeric,
    Table,
    Time,
    text,
)
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.types import TypeEngine

from loader.errors import EnvironmentFailedError
from loader.warehouse.engines.base import Engine, lock_name
from loader.warehouse.engines.types import can_match, period_index
from loader.warehouse.profile import Target

if TYPE_CHECKING:
    import pyarrow as pa

_SENT_AT_ONCE = 1 << 20
"""Bytes that are handed to the driver at a time."""
_PASSED_ON = ("connect_timeout", "sslmode", "sslcert", "sslkey", "sslrootcert")
"""Words of profiles.yml that are libpq's own; dbt too waits ten seconds for a server unless told otherwise."""
_RETRY_STATES = ("40001", "40P01", "55P03", "57P01", "08000", "08003", "08006")
"""Serialization failure, deadlock, lock not available, admin shutdown, connection lost."""


@dataclass(frozen=True)
class Postgres(Engine):
    """A PostgreSQL server."""

    address: URL
    name: str = "postgres"
    embedded: bool = False
    type_words: ClassVar[Mapping[str, str]] = {
        "character varying": "varchar",
        "numeric": "decimal",
        "double precision": "double",
        "time without time zone": "time",
        "timestamp without time zone": "timestamp",
    }

    @staticmethod
    def dialect() -> Dialect:
        from sqlalchemy.dialects import postgresql

        return postgresql.dialect()  # type: ignore[no-untyped-call]

    @staticmethod
    def stage_tables(stage: Table) -> list[Table]:
        period_index(stage)
        return [stage]

    @classmethod
    def of(cls, target: Target, project_dir: Path) -> Postgres:  # noqa: ARG003
        fields = target.fields
        return cls(
            URL.create(
                "postgresql+psycopg2",
                username=fields.get("user"),
                password=fields.get("password") or fields.get("pass") or None,
                host=fields.get("host"),
                port=int(fields["port"]) if fields.get("port") else None,
                database=fields.get("dbname") or fields.get("database"),
                query={"connect_timeout": "10", "client_encoding": "utf8"}
                | {word: str(fields[word]) for word in _PASSED_ON if fields.get(word)},
            )
        )

    def url(self) -> URL:
        return self.address

    def reading_url(self) -> URL:
        """Suites compare dates as text. The folder of a socket is not a host in an address that is written out."""
        url = self.address.update_query_dict({"options": "-c datestyle=ISO"})
        if "/" not in (url.host or ""):
            return url
        query = {**url.query, "host": str(url.host), "port": str(url.port or 5432)}
        return URL.create(url.drivername, url.username, url.password, database=url.database, query=query)

    def lack_of_patterns(self, connection: Connection) -> str | None:
        return None if can_match(connection) else "PostgreSQL before 15 has no regexp_like"

    def lock(self, connection: Connection, name: str) -> None:
        connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": lock_name(name)})

    def append_parquet(self, connection: Connection, table: Table, parquet: Path, constants: dict[str, object]) -> int:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from loader.warehouse.engines.postgres_binary import binary_rows

        with pq.ParquetFile(parquet) as source:
            columns = [column for column in table.columns if column.name in source.schema_arrow.names]
            schema = pa.schema([(column.name, _arrow_type(column.type)) for column in columns])
            same = pa.record_batch([[value] for value in constants.values()], names=list(constants))
            names = ", ".join(f'"{name}"' for name in (*schema.names, *constants))
            statement = f'copy "{table.schema}"."{table.name}" ({names}) from stdin with (format binary)'

            def copies() -> Iterator[bytes]:
                for number in range(source.num_row_groups):  # each is small whatever the width of a row
                    group = source.read_row_group(number, columns=schema.names).select(schema.names).cast(schema)
                    group.validate(full=True)  # a number with too many digits would shift those after it
                    yield from (binary_rows(rows, same) for rows in group.combine_chunks().to_batches())

            try:
                with closing(_ahead(copies())) as ready:
                    return sum(_copy(connection, statement, rows) for rows in ready)
            except pa.ArrowException as error:  # the types of the file are not those of the table
                raise DataError(statement, None, error) from error

    def reclaim_space(self, connect: Callable[[], Connection], tables: Sequence[str]) -> None:
        """`vacuum full` writes each table anew; `analyze` makes the planner forget the values that it had noted."""
        with connect() as connection:
            vacuum = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in tables:
                before = _file_of(vacuum, table)
                vacuum.exec_driver_sql(f"vacuum (full, analyze) {table}")
                if _file_of(vacuum, table) == before:  # the server warns, and goes on
                    raise EnvironmentFailedError(
                        f"{table} could not be rewritten: this account may not do that; "
                        "run the script of `loader ddl --roles`, and the same command again"
                    )

    def release_dbt(self) -> None:
        """Nothing to do: dbt closes its connections to a server itself."""

    def transient(self, error: BaseException) -> bool:
        if not isinstance(error, DBAPIError):
            return False
        return error.connection_invalidated or getattr(error.orig, "pgcode", None) in _RETRY_STATES

    def is_deadlock(self, message: str) -> bool:
        return "deadlock detected" in message


def _file_of(connection: Connection, table: str) -> int:
    return int(
        connection.execute(text("select pg_relation_filenode(cast(:table as regclass))"), {"table": table}).scalar_one()
    )


def _arrow_type(declared: TypeEngine[Any]) -> pa.DataType:
    """What a column of a stage table takes: the binary format converts nothing."""
    import pyarrow as pa

    if type(declared) is Numeric:
        return pa.decimal128(declared.precision, declared.scale)
    plain = {
        BigInteger: pa.int64(),
        Integer: pa.int32(),
        Double: pa.float64(),
        Boolean: pa.bool_(),
        Date: pa.date32(),
        DateTime: pa.timestamp("us"),
        Time: pa.time64("us"),
    }
    return plain.get(type(declared), pa.string())


def _ahead(items: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same, the next being made while the server works on one."""
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = worker.submit(next, items, None)
            yield item


def _copy(connection: Connection, statement: str, rows: bytes) -> int:
    """COPY is none of SQLAlchemy's statements: its errors are made those of SQLAlchemy here."""
    import psycopg2

    cursor = connection.connection.cursor()
    try:
        cursor.copy_expert(statement, io.BytesIO(rows), _SENT_AT_ONCE)
    except psycopg2.Error as error:
        lost = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
        raise DBAPIError.instance(statement, None, error, psycopg2.Error, True, lost) from error
    return int(cursor.rowcount)

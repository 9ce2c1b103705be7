"""PostgreSQL: rows go in by COPY, locks are advisory and end with their transaction."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Table, text
from sqlalchemy.exc import DBAPIError

from loader.errors import EnvironmentFailedError
from loader.profile import Target

_BATCH_ROWS = 64_000
_PASSED_ON = ("connect_timeout", "sslmode", "sslcert", "sslkey", "sslrootcert")
"""Words of profiles.yml that are libpq's own; dbt too waits ten seconds for a server unless told otherwise."""
_RETRY_STATES = ("40001", "40P01", "55P03", "57P01", "08000", "08003", "08006")
"""Serialization failure, deadlock, lock not available, admin shutdown, connection lost."""


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server."""

    address: URL
    name: str = "postgres"
    embedded: bool = False

    @classmethod
    def of(cls, target: Target) -> Postgres:
        said = target.fields
        return cls(
            URL.create(
                "postgresql+psycopg2",
                username=said.get("user"),
                password=said.get("password") or said.get("pass") or None,
                host=said.get("host"),
                port=int(said["port"]) if said.get("port") else None,
                database=said.get("dbname") or said.get("database"),
                query={"connect_timeout": "10"} | {word: str(said[word]) for word in _PASSED_ON if said.get(word)},
            )
        )

    def url(self) -> URL:
        return self.address

    def lock(self, connection: Connection, name: str) -> None:
        connection.execute(
            text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"almanac.{name}"}
        )

    def append_parquet(self, connection: Connection, table: Table, parquet: Path, constants: dict[str, object]) -> int:
        import pyarrow as pa
        import pyarrow.csv as pacsv
        import pyarrow.parquet as pq

        source = pq.ParquetFile(parquet)
        try:
            columns = [column.name for column in table.columns if column.name in source.schema_arrow.names]
            names = ", ".join(f'"{name}"' for name in (*columns, *constants))
            statement = f'copy "{table.schema}"."{table.name}" ({names}) from stdin with (format csv)'
            for batch in source.iter_batches(_BATCH_ROWS, columns=columns):
                rows = pa.Table.from_batches([batch]).select(columns)
                for name, value in constants.items():
                    rows = rows.append_column(name, pa.array([str(value)], pa.string()).take(pa.array([0] * len(rows))))
                text_rows = io.BytesIO()
                pacsv.write_csv(rows, text_rows, pacsv.WriteOptions(include_header=False))
                text_rows.seek(0)
                _copy(connection, statement, text_rows)
            return int(source.metadata.num_rows)
        finally:
            source.close()

    def busy(self, error: BaseException) -> str | None:  # noqa: ARG002
        return None

    def scrub(self, connect: Callable[[], Connection], tables: Sequence[str]) -> None:
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


def _copy(connection: Connection, statement: str, rows: io.BytesIO) -> None:
    """COPY is none of SQLAlchemy's statements: its errors are made those of SQLAlchemy here."""
    import psycopg2

    cursor = connection.connection.cursor()
    try:
        cursor.copy_expert(statement, rows)
    except psycopg2.Error as error:
        lost = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
        raise DBAPIError.instance(statement, None, error, psycopg2.Error, True, lost) from error

"""PostgreSQL: rows go in by binary COPY, locks are advisory and end with their transaction."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sqlalchemy import URL, Connection, Dialect, Table, text
from sqlalchemy.exc import DBAPIError

from loader.errors import EnvironmentFailedError
from loader.warehouse.engines.base import Engine, lock_name
from loader.warehouse.engines.rows import arrow_as_data, row_groups, schema_for
from loader.warehouse.engines.types import can_match, period_index, quoted
from loader.warehouse.profile import Target

_SENT_AT_ONCE = 1 << 20
"""Bytes that are handed to the driver at a time."""
_PASSED_ON = ("connect_timeout", "sslmode", "sslcert", "sslkey", "sslrootcert")
"""Words of profiles.yml that are libpq's own; dbt too waits ten seconds for a server unless told otherwise."""
_VIEWS = """
    select distinct schemas.nspname || '.' || views.relname
    from pg_attribute as columns
    inner join pg_depend as uses on uses.refobjid = columns.attrelid and uses.refobjsubid = columns.attnum
    inner join pg_rewrite as rules on uses.classid = 'pg_rewrite'::regclass and uses.objid = rules.oid
    inner join pg_class as views on rules.ev_class = views.oid
    inner join pg_namespace as schemas on views.relnamespace = schemas.oid
    where columns.attrelid = cast(:table as regclass) and columns.attname = :column
    order by 1
"""
_STILL_SEEING = """
    with uses as (
        select 'the session ' || pid as who, backend_xmin as oldest, datname from pg_stat_activity
        where pid <> pg_backend_pid()
        union all
        select 'the session ' || pid, backend_xid, datname from pg_stat_activity where pid <> pg_backend_pid()
        union all
        select 'the prepared transaction ' || gid, transaction, database from pg_prepared_xacts
        union all
        select 'the replication slot ' || slot_name, xmin, null from pg_replication_slots
    )

    select min(who)
    from uses
    where coalesce(datname, current_database()) = current_database() and age(oldest) > age(cast(:now as xid))
"""
"""Who holds a transaction or snapshot that is older than a transaction id, so that deleted rows are kept for it.

As ComputeXidHorizons of PostgreSQL's procarray.c, but that a vacuum counts here too.
"""
_HOLDER = """
    select coalesce(nullif(activity.application_name, ''), 'somebody') || ', session ' || activity.pid
    from pg_locks as locks
    inner join pg_stat_activity as activity on locks.pid = activity.pid
    where locks.locktype = 'advisory' and locks.granted and locks.objsubid = 1
        and locks.database = (select oid from pg_database where datname = current_database())
        and (cast(locks.classid as bigint) << 32) | cast(locks.objid as bigint) = hashtextextended(:name, 0)
"""
"""The two halves of a key of 64 bits are two columns there."""
_RETRY_STATES = ("40001", "40P01", "55P03", "57P01", "08000", "08003", "08006")
"""Serialization failure, deadlock, lock not available, admin shutdown, connection lost."""


@dataclass(frozen=True)
class Postgres(Engine):
    """A PostgreSQL server."""

    address: URL
    name: str = "postgres"
    embedded: bool = False
    copied_by: ClassVar[str] = "`pg_dump`"
    grammar: ClassVar[str] = "postgres"
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
                query={"connect_timeout": "10", "client_encoding": "utf8", "application_name": "almanac"}
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

    def holder(self, connection: Connection, name: str) -> str | None:
        return connection.execute(text(_HOLDER), {"name": lock_name(name)}).scalar()

    def append_parquet(self, connection: Connection, table: Table, parquet: Path, constants: dict[str, object]) -> int:
        import pyarrow as pa

        from loader.warehouse.engines.postgres_binary import binary_rows

        schema = schema_for(table, parquet)
        same = pa.record_batch([[value] for value in constants.values()], names=list(constants))
        names = ", ".join(f'"{name}"' for name in (*schema.names, *constants))
        statement = f'copy "{table.schema}"."{table.name}" ({names}) from stdin with (format binary)'

        def copies() -> Iterator[bytes]:
            for group in row_groups(parquet, schema):
                yield from (binary_rows(rows, same) for rows in group.to_batches())

        with arrow_as_data(statement), closing(_ahead(copies())) as ready:
            return sum(_copy(connection, statement, rows) for rows in ready)

    @contextmanager
    def as_owner(self, connection: Connection, table: str) -> Iterator[None]:
        """The role of migration may become that of dbt, and has none of its rights before."""
        asked = text(
            "select current_user as mine, pg_get_userbyid(relowner) as owner, "
            "pg_has_role(relowner, 'usage') as is_mine from pg_class where oid = cast(:table as regclass)"
        )
        row = connection.execute(asked, {"table": table}).one()
        if row.is_mine:
            yield
            return
        connection.execute(text("select set_config('role', :owner, true)"), {"owner": row.owner})
        yield
        connection.execute(text("select set_config('role', :mine, true)"), {"mine": row.mine})

    def lacking_rights(
        self, connection: Connection, needed: Mapping[str, Sequence[str]], sequences: Sequence[str]
    ) -> Sequence[str]:
        asked = {f"{right} on {table}": ("table", table, right) for table, rights in needed.items() for right in rights}
        asked |= {f"usage on {name}": ("sequence", name, "usage") for name in sequences}
        has = [f"has_{kind}_privilege('{name}', '{right}')" for kind, name, right in asked.values()]
        found = connection.execute(text(f"select {', '.join(has)}")).one()
        return [what for what, is_granted in zip(asked, found, strict=True) if not is_granted]

    def views_on(self, connection: Connection, table: str, column: str) -> Sequence[str]:
        return [*connection.execute(text(_VIEWS), {"table": table, "column": column}).scalars()]

    def reclaim_space(self, connect: Callable[[], Connection], tables: Sequence[str], timeout: float) -> None:
        """`vacuum full` writes each table anew; `analyze` makes the planner forget the values that it had noted."""
        with connect() as connection:
            vacuum = connection.execution_options(isolation_level="AUTOCOMMIT")
            _wait_until_nobody_sees_what_is_deleted(vacuum, timeout)
            for name in tables:
                table = quoted(connection, name)
                before = _file_of(vacuum, table)
                vacuum.exec_driver_sql(f"vacuum (full, analyze) {table}")
                if _file_of(vacuum, table) == before:  # the server warns, and goes on
                    raise EnvironmentFailedError(
                        f"{name} could not be rewritten: this account may not do that; "
                        "run the script of `loader ddl --roles`, and the same command again"
                    )

    def release_dbt(self) -> None:
        """Nothing to do: dbt closes its connections to a server itself."""

    def transaction_mark(self, connection: Connection) -> str | None:
        """Its number; a transaction that wrote nothing has none."""
        number = connection.execute(text("select txid_current_if_assigned()")).scalar()
        return None if number is None else str(number)

    def was_committed(self, connection: Connection, mark: str, timeout: float) -> bool | None:
        """The server may work on a commit for a while though nobody waits for its answer."""
        asked, until = text("select txid_status(cast(:mark as bigint))"), time.monotonic() + timeout
        while (status := connection.execute(asked, {"mark": mark}).scalar()) == "in progress":
            if time.monotonic() > until:
                return None
            time.sleep(0.05)
        return bool(status == "committed")

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


def _wait_until_nobody_sees_what_is_deleted(connection: Connection, timeout: float) -> None:
    """`vacuum full` copies rows, with their bytes, that a transaction from before their deletion may still read."""
    now: str = connection.execute(text("select cast(cast(pg_current_xact_id() as xid) as text)")).scalar_one()
    until = time.monotonic() + timeout
    while (holder := connection.execute(text(_STILL_SEEING), {"now": now}).scalar()) is not None:
        if time.monotonic() > until:
            raise EnvironmentFailedError(
                f"{holder} has a transaction open from before the rows were deleted, for which the server keeps them; "
                "end it, and run the same command again"
            )
        time.sleep(0.1)


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

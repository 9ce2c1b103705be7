"""A scratch warehouse with a scratch dbt project: what each history test works on."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.engines import SQLServer
from tests.support.locks import LOCKS, Locks
from tests.support.processes import Process, start
from tests.support.projects import only_subjects

ROOT = Path(__file__).resolve().parents[2]
SCRATCH_PROJECT = Path(__file__).parent / "project"


class Warehouse(ABC):
    """One database, empty at first, and a dbt project folder that builds it; made once, for parsing takes seconds.

    The project is the real one in all that matters (its `dbt_project.yml` and its macros); models, snapshots and
    contracts are small ones from `tests/history/project`, or the citizens' of the real project (`real=True`).
    """

    engine: str
    timestamp = "timestamp"
    """The type of the engine's timestamps without zone."""

    def __init__(self, folder: Path, *, real: bool = False) -> None:
        self.folder = folder
        self.messages: list[str] = []
        """What dbt said to the operator in the last `dbt`."""
        self._manifest: Any = None
        self._edited: dict[Path, str] = {}
        self._write_project(real)
        (folder / "profiles.yml").write_text(
            yaml.safe_dump({"almanac": {"target": "test", "outputs": {"test": self.profile()}}})
        )

    # ---- the database

    @abstractmethod
    def profile(self) -> dict[str, Any]:
        """The dbt target of this warehouse."""

    @abstractmethod
    def connect(self) -> Any:
        """A DB-API connection of its own; the caller closes it."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query, give all its rows."""
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(self.placeholders(sql), list(parameters))
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def execute(self, *statements: str | tuple[str, Sequence[Any]]) -> None:
        """Run statements in one transaction; a tuple is a statement and the parameters of one row."""
        connection = self.connect()
        try:
            cursor = connection.cursor()
            if self.engine == "duckdb":
                cursor.execute("begin")
            for statement in statements:
                sql, parameters = (statement, ()) if isinstance(statement, str) else statement
                cursor.execute(self.placeholders(sql), *([list(parameters)] if parameters else []))
            (cursor if self.engine == "duckdb" else connection).commit()
        finally:
            connection.close()

    def placeholders(self, sql: str) -> str:
        """The same with the engine's own marks for parameters in place of `?`."""
        return sql

    def column_type(self, declared: str) -> str:
        """The type of a data column in stage, as the loader makes it."""
        return declared

    def create_schema(self, name: str) -> str:
        """A statement that makes a schema unless it is there."""
        return f"create schema if not exists {name}"

    def add_column(self, table: str, name: str, declared: str) -> str:
        """A statement that adds a data column to a staged table."""
        return f"alter table {table} add column {name} {self.column_type(declared)}"

    @property
    def locks(self) -> Locks:
        """Of a server; an embedded warehouse has none."""
        return LOCKS[self.engine]

    @abstractmethod
    def written_state(self, *tables: str) -> Any:
        """Something that differs after any write to one of the tables, be it of equal rows."""

    def row_marks(self, table: str) -> dict[tuple[Any, ...], str]:
        """Of each row its content and a mark of its last write; empty where the engine keeps none."""
        return {}

    # ---- dbt

    def dbt(self, *args: str, check: bool = True) -> Any:
        """Run dbt in this process. Raises AssertionError with dbt's messages if `check` and a node failed.

        The parsed project is kept, so a changed project file asks for `forget_manifest`.
        """
        from dbt.cli.main import dbtRunner

        if self._manifest is None:
            parsed = self._invoke(dbtRunner(), ["parse"])
            assert parsed.success, parsed.exception
            self._manifest = parsed.result
        self.messages.clear()
        runner = dbtRunner(manifest=self._manifest, callbacks=[self._listen])
        result = self._invoke(runner, list(args))
        if check:
            assert result.success, self._messages(result)
        return result

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a file of the project; `old` must occur in it."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} does not hold {old!r}"
        self._edited.setdefault(path, text)
        path.write_text(text.replace(old, new), encoding="utf-8")
        self._manifest = None

    def clear(self) -> None:
        """Drop every table and undo every edit."""
        tables = self.rows(
            "select table_schema, table_name, table_type from information_schema.tables"
            " where table_schema in ('meta', 'stage', 'core', 'mart')"
        )
        self.execute(
            *(f"drop {'view' if type_ == 'VIEW' else 'table'} {schema}.{table}" for schema, table, type_ in tables)
        )
        self.undo_edits()

    def undo_edits(self) -> None:
        for path, text in self._edited.items():
            path.write_text(text, encoding="utf-8")
            self._manifest = None
        self._edited.clear()

    def start_dbt(self, *args: str, hold: str = "") -> Process:
        """Start dbt as a process of its own; `hold` names a step at which it stops (see project/macros/hold.sql)."""
        return start("dbt", ["--no-use-colors", *args, *self._folders()], self.folder, {"HOLD": hold})

    def _listen(self, event: Any) -> None:
        if event.info.level in ("info", "warn", "error"):
            self.messages.append(event.info.msg)

    def _invoke(self, runner: Any, args: list[str]) -> Any:
        from dbt.deprecations import reset_deprecations

        reset_deprecations()  # else a command tells of those before it in this process
        try:
            return runner.invoke(["--quiet", "--no-write-json", "--log-level-file", "none", *args, *self._folders()])
        finally:
            self._release()

    def _folders(self) -> list[str]:
        return ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]

    @staticmethod
    def _release() -> None:
        """Let go of the database: dbt in process would keep DuckDB's file."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.adapters.factory import cleanup_connections, reset_adapters

        cleanup_connections()  # type: ignore[no-untyped-call]
        reset_adapters()  # type: ignore[no-untyped-call]
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]

    @staticmethod
    def _messages(result: Any) -> str:
        if result.exception:
            return str(result.exception)
        return "\n".join(f"{node.node.name}: {node.status} {node.message}" for node in result.result)

    def _write_project(self, real: bool) -> None:
        if real:
            shutil.copytree(ROOT / "dbt_project", self.folder / "dbt_project")
            for name in ("dbt_project.yml", "datasets_config.yml"):
                shutil.copy(ROOT / name, self.folder)
            only_subjects(self.folder, "citizens")
            return
        shutil.copytree(SCRATCH_PROJECT, self.folder, dirs_exist_ok=True)
        macros = ROOT / "dbt_project" / "macros"
        shutil.copytree(macros, self.folder / "macros", ignore=shutil.ignore_patterns("subjects"), dirs_exist_ok=True)
        config = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
        for path in [name for name in config if name.endswith("-paths")]:
            config[path] = [folder.removeprefix("dbt_project/") for folder in config[path]]
        for settings in (config["snapshots"]["almanac"], config["models"]["almanac"]["marts"]):
            settings["+pre-hook"] = ["{{ hold('at start') }}", *_as_list(settings.get("+pre-hook"))]
            settings["+post-hook"] = [
                "{{ hold('before ledger') }}",
                *_as_list(settings["+post-hook"]),
                "{{ hold('before commit') }}",
            ]
        (self.folder / "dbt_project.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def _as_list(hooks: str | list[str] | None) -> list[str]:
    return [hooks] if isinstance(hooks, str) else hooks or []


class DuckDBWarehouse(Warehouse):
    engine = "duckdb"

    def profile(self) -> dict[str, Any]:
        return {"type": "duckdb", "path": str(self.file), "schema": "main", "threads": 2}

    @property
    def file(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def connect(self) -> Any:
        from loader.warehouse.engines.duckdb_open import open_file

        return open_file(str(self.file))

    def written_state(self, *tables: str) -> Any:
        # The whole file and its log: DuckDB gives a row no mark of its last write.
        log = self.file.with_suffix(".duckdb.wal")
        return self.file.read_bytes(), log.read_bytes() if log.exists() else b""


class PostgresWarehouse(Warehouse):
    engine = "postgres"

    def __init__(self, folder: Path, dsn: dict[str, str], *, real: bool = False) -> None:
        self.dsn = dsn
        super().__init__(folder, real=real)

    def profile(self) -> dict[str, Any]:
        return {
            "type": "postgres",
            "host": self.dsn["host"],
            "port": int(self.dsn["port"]),
            "user": self.dsn["user"],
            "password": self.dsn["password"],
            "dbname": self.dsn["dbname"],
            "schema": "public",
            "threads": 2,
        }

    def connect(self) -> Any:
        import psycopg2

        return psycopg2.connect(**self.dsn)

    def placeholders(self, sql: str) -> str:
        return sql.replace("?", "%s")

    def written_state(self, *tables: str) -> Any:
        return [self.row_marks(table) for table in tables]

    def row_marks(self, table: str) -> dict[tuple[Any, ...], str]:
        # Place and last writer.
        rows = self.rows(f"select ctid::text || ' ' || xmin::text, * from {table}")
        return {tuple(content): mark for mark, *content in rows}


class SQLServerWarehouse(Warehouse):
    engine = "sqlserver"
    timestamp = "datetime2(6)"

    def __init__(self, folder: Path, server: SQLServer, output: dict[str, Any], *, real: bool = False) -> None:
        self.server, self.output = server, output
        super().__init__(folder, real=real)

    def profile(self) -> dict[str, Any]:
        return {**self.output, "schema": "dbo", "threads": 2}

    def connect(self) -> Any:
        return self.server.connect(self.output)

    def column_type(self, declared: str) -> str:
        if declared.startswith("varchar"):
            return f"n{declared} collate Latin1_General_100_BIN2"
        return declared.replace("timestamp", self.timestamp)

    def create_schema(self, name: str) -> str:
        return f"if schema_id('{name}') is null exec('create schema {name}')"

    def add_column(self, table: str, name: str, declared: str) -> str:
        return f"alter table {table} add {name} {self.column_type(declared)}"

    def written_state(self, *tables: str) -> Any:
        """Writes since the first look, as a trigger on each table has counted them."""
        return [(table, self._writes(table)) for table in tables]

    def _writes(self, table: str) -> int:
        # A table that was made anew has no trigger: that counts as a write as well.
        trigger = f"{table}_is_watched"
        if self.rows(f"select object_id('{trigger}', 'TR')") == [(None,)]:
            self.execute("if object_id('dbo.written', 'U') is null create table dbo.written (name varchar(100))")
            self.execute(
                f"create trigger {trigger} on {table} after insert, update, delete as begin set nocount on;"
                f" insert into dbo.written select '{table}' where exists (select * from inserted)"
                " or exists (select * from deleted) end"
            )
            self.execute(f"insert into dbo.written values ('{table}')")
        [(count,)] = self.rows("select count(*) from dbo.written where name = ?", (table,))
        return int(count)

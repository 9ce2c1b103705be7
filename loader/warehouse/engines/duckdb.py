"""DuckDB: the warehouse is one file, and the file's own lock is the lock."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import URL, Connection, Dialect, Table

from loader.errors import EnvironmentFailedError, UsageError
from loader.text import first_line
from loader.warehouse.engines.base import Engine
from loader.warehouse.engines.duckdb_file import rewrite
from loader.warehouse.profile import Target

if TYPE_CHECKING:
    import duckdb

    from loader.warehouse.engines.duckdb_export import Exported

_HOLDER = re.compile(
    r"Conflicting lock is held in (?P<program>.*?) ?\(PID (?P<pid>\d+)\)|(?P<windows>being used by another process)"
    r"|(?P<here>Unique file handle conflict)"
)


@dataclass(frozen=True)
class DuckDB(Engine):
    """An embedded warehouse."""

    path: Path
    memory_limit: str | None = None
    """That of the target's `settings` in profiles.yml; None leaves it to the loader."""
    name: str = "duckdb"
    embedded: bool = True
    grammar: ClassVar[str] = "duckdb"
    type_words: ClassVar[Mapping[str, str]] = {
        "numeric": "decimal",
        "double precision": "double",
        "time without time zone": "time",
        "timestamp without time zone": "timestamp",
    }

    @staticmethod
    @cache
    def dialect() -> Dialect:
        from loader.warehouse.engines.duckdb_dialect import AttachedDuckDB

        return AttachedDuckDB()

    @staticmethod
    def stage_tables(stage: Table) -> list[Table]:
        """Without an index: zone maps serve better."""
        return [stage]

    @classmethod
    def of(cls, target: Target, project_dir: Path) -> DuckDB:
        path = str(target.fields.get("path") or ":memory:")
        if path.startswith((":memory:", "md:", "motherduck:")):
            kind = path.partition(":")[0] or "memory"
            raise UsageError(f"profiles.yml: target '{target.name}' needs the path of a DuckDB file, not '{kind}'")
        memory_limit = (target.fields.get("settings") or {}).get("memory_limit")
        return cls(project_dir / Path(path).expanduser(), memory_limit)

    def url(self) -> URL:
        from loader.warehouse.engines.duckdb_dialect import DRIVER

        self.path.parent.mkdir(parents=True, exist_ok=True)
        return URL.create(DRIVER, database=str(self.path))

    def reading_url(self) -> URL:
        from loader.warehouse.engines.duckdb_dialect import GATE_DRIVER

        return self.url().set(drivername=GATE_DRIVER).update_query_dict({"access_mode": "read_only"})

    def lack_of_patterns(self, connection: Connection) -> None:
        """It has them always."""

    def lock(self, connection: Connection, name: str) -> None:
        """Nothing to do: while one process has the file open for writing, no other can open it."""

    def append_parquet(self, connection: Connection, table: Table, parquet: Path, constants: dict[str, object]) -> int:
        from loader.archive.parquet import filled_columns
        from loader.computing import bounded

        filled = filled_columns(parquet)
        columns = [column.name for column in table.columns if column.name in filled]
        names = ", ".join(f'"{name}"' for name in (*columns, *constants))
        values = ", ".join([*(f'"{name}"' for name in columns), *("?" for _ in constants)])
        statement = f'insert into "{table.schema}"."{table.name}" ({names}) select {values} from read_parquet(?)'
        # rows of a table have no order; keeping that of the file takes twice the time, and memory
        settings = bounded(len(columns)) | {"preserve_insertion_order": "false"}
        if self.memory_limit:
            settings["memory_limit"] = self.memory_limit
        with _set(connection, settings):
            return int(connection.exec_driver_sql(statement, (*constants.values(), str(parquet))).scalar_one())

    def busy(self, error: BaseException) -> str | None:
        found = _HOLDER.search(str(error))
        if found is None:
            return None
        if found["here"]:
            return "another connection of this process"
        return f"process {found['pid']} ({Path(found['program']).name})" if found["pid"] else "another process"

    def reclaim_space(self, connect: Callable[[], Connection], tables: Sequence[str], timeout: float) -> None:  # noqa: ARG002
        @contextmanager
        def file() -> Iterator[duckdb.DuckDBPyConnection]:
            with connect() as connection, closing(connection.connection.duplicate()) as beside:
                yield beside

        rewrite(self.path, file)

    def export(self, fresh: Path, schemas: Collection[str], storage_version: str | None) -> Exported:
        from loader.warehouse.engines.duckdb_export import export

        return export(self.path, fresh, schemas, storage_version)

    def release_dbt(self) -> None:
        """Close the file, which dbt-duckdb keeps open in a class of its own even when its adapters are reset.

        dbt-duckdb only lets go of its environment, which closes the file when nobody refers to it any more. A thread of
        dbt that is about to end may still do so for a moment, and the file cannot be opened for reading meanwhile.
        """
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        environment = vars(DuckDBConnectionManager)["_ENV"]
        if environment is not None:
            environment.close()
        DuckDBConnectionManager.close_all_connections()

    def transient(self, error: BaseException) -> bool:
        return "TransactionContext Error: Failed to commit" in str(error) or "Transaction conflict" in str(error)

    def is_deadlock(self, message: str) -> bool:  # noqa: ARG002
        return False


@contextmanager
def _set(connection: Connection, settings: dict[str, str]) -> Iterator[None]:
    """Settings for a while. They are those of the file for all of this process, so they are put back.

    By a connection beside the transaction: an error ends that one.

    Raises:
        EnvironmentFailedError: a setting cannot be, such as a memory limit below what is in use.
    """
    import duckdb

    with closing(connection.connection.duplicate()) as beside:
        try:
            try:
                for name, value in settings.items():
                    beside.execute(f"set {name} = '{value}'")
            except duckdb.Error as error:
                raise EnvironmentFailedError(f"the database said: {first_line(error)}") from error
            yield
        finally:
            for name in settings:
                beside.execute(f"reset {name}")

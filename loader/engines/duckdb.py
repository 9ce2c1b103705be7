"""DuckDB: the warehouse is one file, and the file's own lock is the lock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Table

from loader.profile import Target

_HOLDER = re.compile(
    r"Conflicting lock is held in (?P<program>.*?) ?\(PID (?P<pid>\d+)\)|(?P<windows>being used by another process)"
)


@dataclass(frozen=True)
class DuckDB:
    """An embedded warehouse."""

    path: Path
    name: str = "duckdb"
    embedded: bool = True

    @classmethod
    def of(cls, target: Target, project_dir: Path) -> DuckDB:
        path = Path(str(target.fields.get("path", ":memory:")))
        return cls(path if path.is_absolute() else project_dir / path)

    def url(self) -> URL:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return URL.create("duckdb", database=str(self.path))

    def lock(self, connection: Connection, name: str) -> None:
        """Nothing to do: while one process has the file open for writing, no other can open it."""

    def append_parquet(self, connection: Connection, table: Table, parquet: Path, constants: dict[str, object]) -> int:
        in_file = [
            row[0] for row in connection.exec_driver_sql("describe select * from read_parquet(?)", (str(parquet),))
        ]
        columns = [column.name for column in table.columns if column.name in in_file]
        names = ", ".join(f'"{name}"' for name in (*columns, *constants))
        values = ", ".join([*(f'"{name}"' for name in columns), *("?" for _ in constants)])
        statement = f'insert into "{table.schema}"."{table.name}" ({names}) select {values} from read_parquet(?)'
        with _in_any_order(connection):
            return int(connection.exec_driver_sql(statement, (*constants.values(), str(parquet))).scalar_one())

    def busy(self, error: BaseException) -> str | None:
        found = _HOLDER.search(str(error))
        if found is None:
            return None
        return f"process {found['pid']} ({Path(found['program']).name})" if found["pid"] else "another process"

    def release_dbt(self) -> None:
        """Close the file, which dbt-duckdb keeps open in a class of its own even when its adapters are reset."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]

    def transient(self, error: BaseException) -> bool:
        return "TransactionContext Error: Failed to commit" in str(error) or "Transaction conflict" in str(error)


@contextmanager
def _in_any_order(connection: Connection) -> Iterator[None]:
    """Rows of a table have no order; keeping that of the file takes twice the time.

    The setting is that of the file for all of this process, so it is put back, and by a connection beside the
    transaction: an error ends that one.
    """
    with closing(connection.connection.duplicate()) as beside:
        beside.execute("set preserve_insertion_order = false")
        try:
            yield
        finally:
            beside.execute("reset preserve_insertion_order")

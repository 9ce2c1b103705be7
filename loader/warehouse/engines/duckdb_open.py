"""Databases of DuckDB, attached to a DuckDB that stays: to make one takes 12 ms, to attach a file half of one.

A file is attached while anybody here uses it, and so it is locked against other processes no longer than if it were
opened on its own. Its database has the same name too, that of the file, by which views may call it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from duckdb_engine import ConnectionWrapper

from loader.computing import computing
from loader.text import sql_text

if TYPE_CHECKING:
    import duckdb

MEMORY = ":memory:"
"""What the address of a database in memory begins with; its name follows."""
_TAKEN = "memory"
"""What DuckDB calls its own database, so that no file of this name can be attached."""


class OpenConnection(ConnectionWrapper):
    """A connection as duckdb-engine has it; whoever closes the last one lets go of the database."""

    def __init__(self, database: _Database) -> None:
        super().__init__(database.cursor())
        self._database = database

    def duplicate(self) -> duckdb.DuckDBPyConnection:
        """A connection beside this one, for while this one is open."""
        return self._database.cursor()

    def close(self) -> None:
        """Close it; a transaction that was not committed is rolled back."""
        if not self.closed:
            super().close()
            self._database.leave()


class _Database:
    """A database while it is attached, or a file that may be attached again."""

    def __init__(self, host: duckdb.DuckDBPyConnection) -> None:
        self.host = host
        self.name = ""
        self.read_only = False
        self.users = 0

    def cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self.host.cursor()
        cursor.execute(f'use "{self.name}"')
        return cursor

    def leave(self) -> None:
        with _LOCK:
            self.users -= 1
            if not self.users:
                self.detach()

    def detach(self) -> None:
        self.host.execute(f'detach "{self.name}"')


class _File(_Database):
    def __init__(self, path: str) -> None:
        import duckdb

        # what does not fit into memory goes beside the file, as when it is opened on its own
        super().__init__(duckdb.connect(config={"temp_directory": f"{path}.spill"}))
        self.path = path

    def enter(self, *, read_only: bool) -> None:
        import duckdb

        if not self.users:
            attach_file(self.host, self.path, read_only=read_only)
            found = "select database_name from duckdb_databases() where path is not null and not internal"
            ((self.name,),) = self.host.execute(found).fetchall()
            self.read_only = read_only
        elif read_only != self.read_only:
            raise duckdb.ConnectionException(f"{self.path} is open here already, for reading alone or for writing")
        self.users += 1

    def detach(self) -> None:
        import duckdb

        try:
            super().detach()
        except duckdb.Error:  # after an error that ends DuckDB nothing can be asked of it
            self.forget()

    def forget(self) -> None:
        _FILES.pop(self.path, None)
        self.host.close()


_LOCK = threading.RLock()
_FILES: dict[str, _File] = {}
_IN_MEMORY: dict[str, _Database] = {}


def open_file(path: str, *, read_only: bool = False) -> ConnectionWrapper:
    """A connection to a file, which is made if it is not there.

    Raises:
        duckdb.Error: the file cannot be opened, another process holds it, or it is open here in the other way.
    """
    import duckdb

    path = str(Path(path).absolute())
    if Path(path).name.partition(".")[0].lower() == _TAKEN:
        return ConnectionWrapper(duckdb.connect(path, read_only=read_only))
    with _LOCK:
        file = _FILES.get(path)
        if file is None:
            for idle in [one for one in _FILES.values() if not one.users]:
                idle.forget()
            file = _FILES[path] = _File(path)
        try:
            file.enter(read_only=read_only)
        except duckdb.Error:
            if not file.users:
                file.forget()
            raise
        return OpenConnection(file)


def open_in_memory(name: str) -> ConnectionWrapper:
    """A connection to the database in memory of this name, which is there until the last one is closed."""
    with _LOCK:
        database = _IN_MEMORY.get(name)
        if database is None or not database.users:
            database = _IN_MEMORY[name] = _Database(computing())
            database.name = name
            database.host.execute(f"attach ':memory:' as \"{name}\"")
        database.users += 1
        return OpenConnection(database)


def attach_file(host: duckdb.DuckDBPyConnection, path: str, *, read_only: bool) -> None:
    """From here on no other process can write to the file, nor read it unless this is for reading alone."""
    host.execute(f"attach {sql_text(path)}{' (read_only)' if read_only else ''}")

"""States of a warehouse that nobody has open, kept by name, for measurements to start from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.servers import copy_database

if TYPE_CHECKING:
    from loader.project import Project


def kept(project: Project) -> KeptFiles | KeptDatabases:
    """The copies that an engine can make; of other servers' databases, none."""
    return KeptFiles(project) if project.warehouse.engine.embedded else KeptDatabases(project)


class KeptFiles:
    """Copies of the file of DuckDB."""

    def __init__(self, project: Project) -> None:
        self.project, self.file = project, project.root / "data" / "warehouse.duckdb"

    def keep(self, name: str) -> None:
        self.project.warehouse.run(lambda connection: connection.exec_driver_sql("checkpoint"))
        shutil.copy(self.file, self._copy(name))

    def restore(self, name: str) -> None:
        shutil.copy(self._copy(name), self.file)

    def _copy(self, name: str) -> Path:
        return self.file.with_name(f"{name}.duckdb")


class KeptDatabases:
    """Copies of a database of PostgreSQL."""

    def __init__(self, project: Project) -> None:
        self.engine = project.warehouse.engine
        self.database = str(self.engine.url().database)

    def keep(self, name: str) -> None:
        copy_database(self.engine, self.database, f"{self.database}_{name}")

    def restore(self, name: str) -> None:
        copy_database(self.engine, f"{self.database}_{name}", self.database)

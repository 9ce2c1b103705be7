"""States of the warehouse that measurements start from, kept by name: copies of the file of DuckDB."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loader.project import Project


class KeptFiles:
    """Of a project whose warehouse nobody has open."""

    def __init__(self, project: Project) -> None:
        self.project, self.file = project, project.root / "data" / "warehouse.duckdb"

    def keep(self, name: str) -> None:
        self.project.warehouse.run(lambda connection: connection.exec_driver_sql("checkpoint"))
        shutil.copy(self.file, self._copy(name))

    def restore(self, name: str) -> None:
        shutil.copy(self._copy(name), self.file)

    def _copy(self, name: str) -> Path:
        return self.file.with_name(f"{name}.duckdb")

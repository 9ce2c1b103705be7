"""Scratch projects to measure in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import REPOSITORY
from benchmarks.servers import Server, make_anew, write_profile
from tests.support.projects import only_subjects

if TYPE_CHECKING:
    from loader.project import Project


def people_project(folder: Path, contract: str, server: Server | None = None) -> Project:
    """One dataset, the macros of the repository, no models; on DuckDB, or on a server."""
    from loader.codegen.derive import derive
    from loader.project import Project

    for part in ("macros", "tests/generic"):
        shutil.copytree(REPOSITORY / "dbt_project" / part, folder / "dbt_project" / part)
    for part in ("snapshots", "models/staging"):
        (folder / "dbt_project" / part).mkdir(parents=True)
    shutil.copy(REPOSITORY / "dbt_project/models/staging/_meta__sources.yml", folder / "dbt_project/models/staging")
    _configure(folder, server)
    (folder / "datasets_config.yml").write_text(contract, encoding="utf-8")
    project = Project.open(folder)
    derive(folder, project.contracts)
    return project


def whole_project(folder: Path, server: Server | None = None) -> Project:
    """The repository's own project: its contracts, models, tests and suites."""
    from loader.project import Project

    _copy_repository(folder, server)
    return Project.open(folder)


def citizens_project(folder: Path, server: Server | None = None) -> Project:
    """The same with the subject `citizens` only."""
    from loader.project import Project

    _copy_repository(folder, server)
    only_subjects(folder, "citizens")
    return Project.open(folder)


def start_anew(project: Project) -> None:
    """A warehouse that is ready and empty; what an earlier run made is forgotten."""
    from loader.warehouse.migrate import migrate

    forget_files(project.root)
    if not project.warehouse.engine.embedded:
        make_anew(project.warehouse.engine)
    migrate(project.warehouse, project.contracts)


def forget_files(root: Path) -> None:
    """Remove the archive that an earlier run made, and the warehouse, if that is a file."""
    shutil.rmtree(root / "data" / "stage", ignore_errors=True)
    for left in root.glob("data/warehouse.duckdb*"):
        left.unlink()


def _copy_repository(folder: Path, server: Server | None) -> None:
    for part in ("dbt_project", "gx"):
        shutil.copytree(REPOSITORY / part, folder / part)
    shutil.copy(REPOSITORY / "datasets_config.yml", folder)
    _configure(folder, server)


def _configure(folder: Path, server: Server | None) -> None:
    for name in ("dbt_project.yml", "profiles.yml.example"):
        shutil.copy(REPOSITORY / name, folder / name)
    if server is not None:
        write_profile(folder, server.output())

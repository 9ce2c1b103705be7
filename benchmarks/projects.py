"""Scratch projects to measure in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import REPOSITORY

if TYPE_CHECKING:
    from loader.project import Project


def people_project(folder: Path, contract: str) -> Project:
    """One dataset, the macros of the repository, no models."""
    from loader.derive import derive
    from loader.project import Project

    for part in ("macros", "tests/generic"):
        shutil.copytree(REPOSITORY / "dbt_project" / part, folder / "dbt_project" / part)
    for part in ("snapshots", "models/staging"):
        (folder / "dbt_project" / part).mkdir(parents=True)
    shutil.copy(REPOSITORY / "dbt_project/models/staging/_meta__sources.yml", folder / "dbt_project/models/staging")
    for name in ("dbt_project.yml", "profiles.yml.example"):
        shutil.copy(REPOSITORY / name, folder / name)
    (folder / "datasets_config.yml").write_text(contract, encoding="utf-8")
    project = Project.open(folder)
    derive(folder, project.contracts)
    return project


def citizens_project(folder: Path) -> Project:
    """The repository's own project: its contracts, models, tests and suites."""
    from loader.project import Project

    for part in ("dbt_project", "gx"):
        shutil.copytree(REPOSITORY / part, folder / part)
    for name in ("datasets_config.yml", "dbt_project.yml", "profiles.yml.example"):
        shutil.copy(REPOSITORY / name, folder / name)
    return Project.open(folder)

"""Scratch projects to measure in."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import REPOSITORY
from benchmarks.servers import Server, make_anew, write_profile

if TYPE_CHECKING:
    from loader.project import Project

INSURER = ("members", "health_plans", "providers", "enrollments", "claims")
"""The datasets of the subject `aca`."""


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
    """The same without the insurer."""
    from loader.project import Project

    _copy_repository(folder, server)
    without_insurer(folder)
    return Project.open(folder)


def without_insurer(root: Path) -> None:
    """Take the subject `aca` out of a project, as somebody would who has no use for it."""
    config = root / "datasets_config.yml"
    blocks = re.split(r"(?m)^(?=  \w+:$)", config.read_text(encoding="utf-8"))
    kept = [block for block in blocks if block.split(":")[0].strip() not in INSURER]
    config.write_text("".join(kept), encoding="utf-8", newline="\n")
    dbt = root / "dbt_project.yml"
    dbt.write_text(
        re.sub(r"(?m)(?<=^  subjects:)(.|\n  - )*", " [citizens]", dbt.read_text(encoding="utf-8")), encoding="utf-8"
    )
    project = root / "dbt_project"
    names = [*INSURER, *(model.stem for model in (project / "models/marts/aca").glob("*.sql"))]
    for name in names:
        for path in (
            project / f"models/staging/_{name}__sources.yml",
            project / f"snapshots/{name}.sql",
            project / f"snapshots/{name}.yml",
            *(root / "gx/expectations").glob(f"*/{name}.json"),
        ):
            path.unlink(missing_ok=True)
    for folder in ("models/marts/aca", "tests/aca"):
        shutil.rmtree(project / folder, ignore_errors=True)


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

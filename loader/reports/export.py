"""A copy of an embedded warehouse for those who read: the file itself is locked while something is loaded or built."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from loader.errors import EnvironmentFailedError, UsageError
from loader.files import replacing
from loader.project import Project

if TYPE_CHECKING:
    from loader.warehouse.engines.duckdb_export import Exported


def export(
    project: Project, path: Path, schemas: Collection[str] = (), storage_version: str | None = None, *, force: bool
) -> Exported:
    """Copy the warehouse to the file `path`, which appears complete or not at all.

    Raises:
        UsageError: the warehouse is on a server or not there yet, `path` is the warehouse itself, is there already
            without `force`, or somebody writes to it; a schema or a version of storage is not known.
        EnvironmentFailedError: the warehouse stays locked, or the file cannot be written.
    """
    engine = project.warehouse.engine
    if not engine.embedded:
        return engine.export(path, schemas, storage_version)  # refuses
    source = Path(engine.url().database or "")
    if not source.is_file():
        raise UsageError(f"there is no {project.shown(source)} yet; `loader run` makes it")
    _refuse_place(path, source, force=force)
    try:
        with replacing(path) as fresh:
            return project.warehouse.when_free(lambda: engine.export(fresh, schemas, storage_version))
    except OSError as error:
        raise EnvironmentFailedError(f"{path} cannot be written ({error.strerror})") from error


def _refuse_place(path: Path, source: Path, *, force: bool) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it")
    if path.exists() and path.samefile(source):
        raise UsageError(f"{path} is the warehouse itself; name another file")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is not a folder; make it, or name another file")
    log = path.with_name(f"{path.name}.wal")
    if log.exists():  # DuckDB would take it for changes of the new file
        raise UsageError(
            f"somebody writes to {path}, or did until he was killed: {log.name} is there; name another file"
        )
    if path.exists() and not force:
        raise UsageError(f"{path} is there already; --force replaces it")

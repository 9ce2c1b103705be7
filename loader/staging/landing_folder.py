"""The landing folder as a place: it has to be there, and may be a mount point at which nothing is mounted."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from sqlalchemy import func, select

from loader import console
from loader.errors import EnvironmentFailedError
from loader.project import Project
from loader.text import plural
from loader.warehouse.meta import ingestion_log


def landing_folder(project: Project) -> Path:
    """The folder in which deliveries land; the default one is made.

    Raises:
        EnvironmentFailedError: the folder of the settings is not there, or cannot be read.
    """
    folder = project.settings.landing_dir
    try:
        if project.settings.lands_in_default:
            folder.mkdir(parents=True, exist_ok=True)
        next(folder.iterdir(), None)
    except OSError as error:
        raise EnvironmentFailedError(
            f"the landing folder {folder} cannot be looked at ({error.strerror}); is its share mounted, and is "
            "ALMANAC_LANDING_DIR right?"
        ) from None
    files_missed(project)
    return folder


@lru_cache(maxsize=1)
def files_missed(project: Project) -> int:
    """How many files were read from the landing folder before, when nothing at all is in it now, else 0; told once."""
    folder = project.settings.landing_dir
    if any(folder.iterdir()):
        return 0
    log = ingestion_log.c
    read_there = log.file_path.startswith(f"{os.path.realpath(folder)}{os.sep}", autoescape=True, escape="!")
    query = select(func.count(log.file_path.distinct()), func.max(log.ingested_at)).where(read_there)
    project.ensure_migrated()
    found = project.warehouse.run(lambda c: c.execute(query).one())
    count, last = int(found[0]), found[1]
    if count:
        console.note(
            f"the landing folder {folder} is empty, and {plural(count, 'file')} were read from it until "
            f"{last:%Y-%m-%d}: is its share mounted? Any file in it, also a hidden one, ends this note"
        )
    return count

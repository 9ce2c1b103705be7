"""Where a project and its folders are when nothing else is said; importing it costs next to nothing."""

from __future__ import annotations

import os
from pathlib import Path

from loader.errors import UsageError

CONTRACTS_FILE = "datasets_config.yml"
"""The file that makes a folder a project."""
LANDING = Path("data/landing")
"""Where deliveries land, below the project."""
ARCHIVE = Path("data/stage/cleaned")
"""Where their parquet files are, below the project."""


def find_project(project_dir: Path | None = None) -> Path:
    """The project folder: the one given or in ALMANAC_PROJECT_DIR, else the nearest one upwards from here.

    Raises:
        UsageError: no such folder holds a datasets_config.yml.
    """
    chosen = project_dir or os.environ.get("ALMANAC_PROJECT_DIR")
    if chosen:
        folder = Path(chosen).expanduser().resolve()
        if not (folder / CONTRACTS_FILE).is_file():
            raise UsageError(f"{folder} is not a project: it has no {CONTRACTS_FILE}; check --project-dir")
        return folder
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / CONTRACTS_FILE).is_file():
            return folder
    raise UsageError(f"no {CONTRACTS_FILE} in {here} or above it; name the project folder with --project-dir")

"""The files of Almanac's own project with which a project of a user's own begins.

They stand once in the repository. In a checkout they are taken from where they are; a wheel carries them beside this
module, put there by `setup.py` while it is built. Standard library only: `setup.py` imports this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PACKED = "skeleton"
"""The folder beside this module that a wheel has and a checkout has not."""

_FILES = (
    ".env.example",
    ".gitignore",
    "dbt_project.yml",
    "dbt_project/models/staging/_meta__sources.yml",
    "profiles.yml.example",
)
_FOLDERS = ("dbt_project/macros", "dbt_project/tests/generic")
_OF_EXAMPLES = "dbt_project/macros/subjects"


def skeleton_root() -> Path:
    """The folder below which the files are: that of a wheel, else the repository."""
    packed = Path(__file__).with_name(PACKED)
    return packed if packed.is_dir() else Path(__file__).parents[2]


def skeleton_files(root: Path) -> list[PurePosixPath]:
    """The files by their paths below `root`, sorted: settings, generic tests, and all macros but those of examples."""
    return sorted(PurePosixPath(path.relative_to(root).as_posix()) for path in _found(root))


def _found(root: Path) -> Iterator[Path]:
    yield from (root / name for name in _FILES)
    for folder in _FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.is_file() and root / _OF_EXAMPLES not in path.parents:
                yield path

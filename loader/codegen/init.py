"""Init: a project folder of a user's own, without a dataset yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from loader.codegen.contract_schema import contract_schema
from loader.codegen.skeleton import skeleton_files, skeleton_root
from loader.errors import UsageError
from loader.places import CONTRACTS_FILE

_DBT_PROJECT = "dbt_project.yml"
_FOLDERS = (
    "data/landing",
    "dbt_project/models/marts",
    "dbt_project/snapshots",
    "gx/expectations/core",
    "gx/expectations/mart",
)
"""Where the next steps put something."""

_SUBJECTS = re.compile(r"^  subjects: .*$", re.MULTILINE)
_DEVELOPMENT = "\n# developing Almanac"
"""Where that part of .gitignore begins which is about Almanac's own code, to its end."""


def init(folder: Path) -> list[str]:
    """Make a project of `folder`, which need not exist; a file that is there stays as it is.

    Returns:
        The files that were there already, by their paths below the folder.

    Raises:
        UsageError: the folder has a project.
    """
    for name in (CONTRACTS_FILE, _DBT_PROJECT):
        if (folder / name).exists():
            raise UsageError(f"{folder} has a project already: {name} is there; choose another folder")
    kept = [name for name, text in _files() if not _write_new(folder / name, text)]
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    return kept


def _files() -> Iterator[tuple[str, str]]:
    """The files of a new project by their paths below its folder, with their text."""
    root = skeleton_root()
    for path in skeleton_files(root):
        yield str(path), _of_user(str(path), (root / path).read_text(encoding="utf-8"))
    yield "datasets_config.schema.json", contract_schema()
    yield CONTRACTS_FILE, Path(__file__).with_name("first_contract.yml").read_text(encoding="utf-8")


def _of_user(name: str, text: str) -> str:
    """A file of Almanac's own project without what is about its examples and its code."""
    if name == _DBT_PROJECT:
        return _SUBJECTS.sub("  subjects: []", text)
    return text.partition(_DEVELOPMENT)[0] if name == ".gitignore" else text


def _write_new(path: Path, text: str) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True

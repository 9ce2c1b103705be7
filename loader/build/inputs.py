"""What a build is made of besides data, as hashes: files, environment, target, versions of packages.

Every `loader run` asks for it, so nothing of dbt is imported: the files are found by what dbt_project.yml says, the
variables by what is written in the files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from loader.places import CONTRACTS_FILE
from loader.project import Project
from loader.warehouse.profile import DBT_PROJECT_FILE, read_dbt_project

_ROOT_FILES = (
    CONTRACTS_FILE,
    DBT_PROJECT_FILE,
    *("packages.yml", "dependencies.yml", "package-lock.yml", "selectors.yml", "catalogs.yml", "vars.yml"),
)
_FOLDERS = {
    "model-paths": ["models"],
    "seed-paths": ["seeds"],
    "snapshot-paths": ["snapshots"],
    "macro-paths": ["macros"],
    "test-paths": ["tests"],
    "analysis-paths": ["analyses"],
    "function-paths": ["functions"],
}
"""Where dbt looks when dbt_project.yml does not say where."""
_TEXTS = (".sql", ".yml", ".yaml", ".json", ".py")

_VARIABLE = re.compile(r"""\benv_var\s*\(\s*(?:["'](?P<name>[^"']+)["']|(?P<unknown>[^"'\s)]))""")
_TODAY = re.compile(
    r"\b(?:current_date|current_time|current_timestamp|localtime|localtimestamp|run_started_at|modules\.datetime)\b"
    r"|\b(?:now|today|getdate|getutcdate|sysdate|sysdatetime|sysutcdatetime|sysdatetimeoffset|timeofday|get_current_\w+"
    r"|(?:clock|statement|transaction)_timestamp)\s*\("
    r"|'(?:now|today|yesterday|tomorrow)'",
    re.IGNORECASE,
)
"""How SQL and Jinja ask for the date or the time."""


@dataclass(frozen=True)
class Inputs:
    """What a build is made of besides data."""

    hashes: Mapping[str, str]
    """One of `files`, of the `environment` that they ask for, of the `target` and of `versions`."""
    asking_for_today: frozenset[str]
    """The files that ask for the date or the time, by their paths below the project."""
    has_unknown_variables: bool
    """Whether an `env_var()` does not say its name in so many words."""

    @classmethod
    def of(cls, project: Project) -> Inputs:
        """As they are now; costs as much as to read the files.

        Raises:
            UsageError: profiles.yml or dbt_project.yml cannot be read.
        """
        target = project.target
        files = hashlib.sha256()
        names: set[str] = set()
        asking: set[str] = set()
        has_unknown = False
        for path in _files(project.root):
            content = path.read_bytes()
            name = _below(project.root, path)
            files.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
            if path.suffix.lower() not in _TEXTS:
                continue
            text = content.decode("utf-8", errors="replace")
            for found in _VARIABLE.finditer(text):
                names.add(found["name"] or "")
                has_unknown |= found["unknown"] is not None
            if _TODAY.search(text):
                asking.add(name)
        hashes = {
            "files": files.hexdigest(),
            "environment": hash_of({name: value for name, value in os.environ.items() if _counts(name, names)}),
            "target": hash_of([target.name, target.public_fields]),
            "versions": hash_of({name: version(name) for name in _packages(target.type)}),
        }
        return cls(hashes, frozenset(asking), has_unknown)


def hash_of(value: Any) -> str:
    """A hash of anything that JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _files(root: Path) -> Iterator[Path]:
    """The files that dbt, the contracts and the suites read."""
    yield from (path for name in _ROOT_FILES if (path := root / name).is_file())
    configured = read_dbt_project(root)
    named = {key: value for key, value in configured.items() if key.endswith("-paths")}
    folders = {folder for value in (_FOLDERS | named).values() for folder in value or ()}
    for folder in sorted(folders | {configured.get("packages-install-path", "dbt_packages"), "gx"}):
        for path in sorted(Path(root, folder).rglob("*")):
            if path.is_file() and not _is_passed_over(path.relative_to(Path(root, folder)).parts):
                yield path


def _is_passed_over(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in parts)


def _below(root: Path, path: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _counts(variable: str, names: set[str]) -> bool:
    """Whether a build reads a variable of the environment: files ask for it, or it is one of dbt's own."""
    return variable in names or (variable.startswith("DBT_") and not variable.startswith("DBT_ENV_SECRET"))


def _packages(engine: str) -> tuple[str, ...]:
    return ("almanac", "dbt-core", f"dbt-{engine}", "great_expectations")

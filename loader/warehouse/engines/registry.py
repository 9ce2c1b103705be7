"""The engines by name, once."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from loader.errors import UsageError
from loader.text import listed

if TYPE_CHECKING:
    from loader.warehouse.engines.base import Engine
    from loader.warehouse.profile import Target

_CLASSES = {"duckdb": "DuckDB", "postgres": "Postgres", "sqlserver": "SQLServer"}
"""The class of each, in the module of its name."""

ENGINES = tuple(_CLASSES)
"""The values of `type` in profiles.yml that Almanac knows."""


def engine_class(name: str) -> type[Engine]:
    """The class of one of ENGINES; what needs no warehouse can be asked of it."""
    found: type[Engine] = getattr(import_module(f"loader.warehouse.engines.{name}"), _CLASSES[name])
    return found


def engine_for(target: Target, project_dir: Path) -> Engine:
    """The engine of a dbt target; raises UsageError for one that Almanac does not know, or that it cannot use."""
    if target.type not in ENGINES:
        raise UsageError(
            f"profiles.yml: target '{target.name}' has type '{target.type}'; Almanac knows {listed(ENGINES)}"
        )
    return engine_class(target.type).of(target, project_dir)

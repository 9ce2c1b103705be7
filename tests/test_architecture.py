"""Layers point one way: command line, steps, then readers, engines and cleaning, which know no step."""

import ast
import graphlib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

BELOW_THE_STEPS = {
    "cleaning": {"cleaning"},
    "readers": {"readers", "contracts", "errors"},
    "dialects": {"dialects"},
    "engines": {"engines", "dialects", "profile", "errors"},
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted((REPOSITORY / "loader").rglob("*.py"))}


def imports_of(module: str) -> set[str]:
    """Modules of the loader that a module imports anywhere, in functions and for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name for name in below if name in MODULES} or {node.module}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {name for name in found if name in MODULES} - {module}


@pytest.mark.parametrize("layer", BELOW_THE_STEPS)
def test_lower_layers_know_no_step(layer: str) -> None:
    members = [name for name in MODULES if name.startswith(f"loader.{layer}")]
    known = {name.split(".")[1] for member in members for name in imports_of(member)}
    assert known <= BELOW_THE_STEPS[layer]


def test_names_of_dbt_leave_room_for_what_adapters_append() -> None:
    """SQL Server takes 128 letters, PostgreSQL 63: `__dbt_backup` and the like come on top."""
    folders = [REPOSITORY / "dbt_project" / name for name in ("models", "snapshots", "tests")]
    names = [path.stem for folder in folders for path in folder.rglob("*.sql")]
    assert names
    assert [name for name in names if len(name) > 50] == []


def test_nothing_imports_the_command_line() -> None:
    assert [name for name in MODULES if "loader.cli" in imports_of(name)] == ["loader.__main__"]


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {name: imports_of(name) for name in MODULES}
    assert list(graphlib.TopologicalSorter(graph).static_order())

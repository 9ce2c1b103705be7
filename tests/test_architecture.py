"""The wings of the loader: who may import whom is import-linter's affair (`make lint`); here is what it cannot see."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

LOADER = REPOSITORY / "loader"
WINGS = sorted(path.name for path in LOADER.iterdir() if (path / "__init__.py").is_file())
HEAVY = "alembic dbt duckdb faker fastexcel great_expectations openpyxl pandas phonenumbers python_calamine"


def test_every_wing_has_its_layer() -> None:
    [layers] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    named = {name.strip() for layer in layers["layers"] for name in layer.split("|")}
    modules = {path.stem for path in LOADER.glob("[!_]*.py")} | set(WINGS)
    assert named == {f"loader.{name}" for name in modules}


@pytest.mark.parametrize("wing", WINGS)
def test_no_name_in_a_face_is_that_of_a_module(wing: str) -> None:
    """Else `import loader.<wing>.<module> as m` gives the function of that name, not the module."""
    for path in (LOADER / wing).rglob("__init__.py"):
        face = importlib.import_module(".".join(path.parent.relative_to(REPOSITORY).parts))
        for module in [*path.parent.glob("[!_]*.py"), *path.parent.glob("[!_]*/__init__.py")]:
            name = module.parent.name if module.name == "__init__.py" else module.stem
            shown = getattr(face, name, None)
            assert shown is None or inspect.ismodule(shown), f"{face.__name__} hides its module {name}"


def test_faces_import_nothing_heavy() -> None:
    script = "\n".join(
        [
            "import importlib, sys",
            f"for wing in {WINGS}: importlib.import_module('loader.' + wing)",
            f"print(*sorted(set('{HEAVY}'.split()) & set(sys.modules)))",
        ]
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert said.stdout.split() == []


def test_nothing_imports_the_command_line() -> None:
    importers = []
    for path in LOADER.rglob("*.py"):
        names = [
            node.module for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
        ]
        if any(str(name).startswith("loader.cli") for name in names) and (LOADER / "cli") not in path.parents:
            importers.append(path.name)
    assert importers == ["__main__.py"]


def test_names_of_dbt_leave_room_for_what_adapters_append() -> None:
    """SQL Server takes 128 characters, PostgreSQL 63: `__dbt_backup` and the like come on top."""
    folders = [REPOSITORY / "dbt_project" / name for name in ("models", "snapshots", "tests")]
    names = [path.stem for folder in folders for path in folder.rglob("*.sql")]
    assert names
    assert [name for name in names if len(name) > 50] == []


@pytest.mark.slow
def test_a_wheel_holds_all_that_the_commands_need(tmp_path: Path) -> None:
    """Files that are found by text (SQL of the roles, migrations, a template) come along."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True, cwd=tmp_path)
    [wheel] = tmp_path.glob("*.whl")
    alone = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(alone), str(wheel)], check=True, capture_output=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ALMANAC_", "PYTHON"))}

    def run(*args: str) -> str:
        program = "import loader; from loader.cli import main; print(loader.__file__); main(prog_name='loader')"
        command = [sys.executable, "-c", program, *args]
        env = {**environment, "PYTHONPATH": str(alone)}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(str(alone))
        return done.stdout

    assert "Commands:" in run("--help")

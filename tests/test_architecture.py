"""The wings of the loader: who may import whom is import-linter's affair (`make lint`); here is what it cannot see."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from loader.warehouse.engines.registry import ENGINES, engine_class
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
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert result.stdout.split() == []


def test_nothing_imports_the_command_line() -> None:
    importers = []
    for path in LOADER.rglob("*.py"):
        names = [
            node.module for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
        ]
        if any(str(name).startswith("loader.cli") for name in names) and (LOADER / "cli") not in path.parents:
            importers.append(path.name)
    assert importers == ["__main__.py"]


ONE_OF_EACH = {
    r"splitlines\(\)\[0\]|line\.strip\(\)\]": "text.py",  # the first line of an error
    r"""replace\("'", "''"\)""": "text.py",  # a literal of SQL, but that of YAML in codegen/propose/writing.py
    r"\*\*\*|•••": "text.py",  # the mask
    r"box\.SIMPLE_HEAD": "console.py",  # a table
    r"\.unpublished": "files.py",  # a file that appears complete
}


@pytest.mark.parametrize("pattern", ONE_OF_EACH)
def test_there_is_one_of_each(pattern: str) -> None:
    found = [path for path in LOADER.rglob("*.py") if re.search(pattern, path.read_text("utf-8"))]
    places = {path.relative_to(LOADER).as_posix() for path in found}
    assert places - {"codegen/propose/writing.py"} == {ONE_OF_EACH[pattern]}


NAMES = {*ENGINES, *(engine_class(name).dialect().name for name in ENGINES)}
ASKS_FOR_AN_ENGINE = {
    "warehouse/migrate.py": "Alembic takes a dialect by its name",
}


def test_nobody_but_the_engines_asks_which_engine_it_is() -> None:
    asking = set()
    for path in LOADER.rglob("*.py"):
        place = path.relative_to(LOADER).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names_one = isinstance(node, ast.Constant) and node.value in NAMES
            asks = isinstance(node, ast.Attribute) and (
                node.attr in ("get_backend_name", "get_dialect", "drivername")
                or (node.attr == "name" and "dialect" in ast.unparse(node.value))
            )
            if (names_one or asks) and not place.startswith("warehouse/engines/"):
                asking.add(place)
    assert asking == {*ASKS_FOR_AN_ENGINE}


def test_names_of_dbt_leave_room_for_what_adapters_append() -> None:
    """SQL Server takes 128 characters, PostgreSQL 63: `__dbt_backup` and the like come on top."""
    folders = [REPOSITORY / "dbt_project" / name for name in ("models", "snapshots", "tests")]
    names = [path.stem for folder in folders for path in folder.rglob("*.sql")]
    assert names
    assert [name for name in names if len(name) > 50] == []


@pytest.mark.slow
def test_a_wheel_alone_runs_what_needs_no_warehouse(tmp_path: Path) -> None:
    """Files that are found by text (macros of a project, SQL of the roles) come along, by way of an sdist."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    sources, alone = copied_sources(tmp_path / "sources"), tmp_path / "site"
    make_sdist = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", make_sdist, str(tmp_path)], check=True, capture_output=True, cwd=sources)
    [sdist] = tmp_path.glob("*.tar.gz")
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(sdist)]
    subprocess.run(build, check=True, capture_output=True, cwd=tmp_path)
    [wheel] = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(alone), str(wheel)], check=True, capture_output=True)
    assert (alone / "loader" / "py.typed").is_file()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ALMANAC_", "PYTHON"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(alone), sysconfig.get_path("purelib")]),
        "ALMANAC_POSTGRES_PASSWORD": "unused",
    }
    program = "\n".join(
        [
            "import sys, loader.cli",
            "try: loader.cli.main(prog_name='loader')",
            "finally:",
            "    modules = [module for name, module in sys.modules.items() if name.split('.')[0] == 'loader']",
            f"    assert all(module.__file__.startswith({str(alone)!r}) for module in modules), modules",
        ]
    )
    project = tmp_path / "project"
    project.mkdir()

    def run(*args: str) -> str:
        # -S: the site folder is a path like another, without the .pth file of this editable install
        command = [sys.executable, "-S", "-c", program, *args]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Commands:" in run("--help")
    assert "is a project" in run("init")
    assert "dataset_version" in run("ddl")
    assert "create role" in run("ddl", "--roles", "--target", "postgres").lower()
    macros = Path("dbt_project", "macros", "engines", "duckdb.sql")
    assert (project / macros).read_bytes() == (REPOSITORY / macros).read_bytes()


def copied_sources(folder: Path) -> Path:
    """What a build reads, in a folder of its own: a build leaves things behind, which the next one would take."""
    folder.mkdir()
    for path in REPOSITORY.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    for name in ("loader", "dbt_project", "requirements"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder

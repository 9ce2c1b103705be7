"""Words that the loader and dbt share: each stands once in Python and once in SQL, and both are the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from loader.cli import main
from loader.contracts import ColumnType
from loader.warehouse.engines.base import lock_name
from loader.warehouse.engines.registry import ENGINES, engine_class
from loader.warehouse.layers import CORE, LAYERS, MART, META, STAGE
from loader.warehouse.ledger import CHANGES, PURGED, applied_load
from loader.warehouse.stage_table import UNKNOWN, sql_type
from loader.warehouse.versions import State
from tests.conftest import REPOSITORY

LOADER, DBT = REPOSITORY / "loader", REPOSITORY / "dbt_project"
SHARED = {
    applied_load.name: ["warehouse/ledger.py"],
    CHANGES: ["warehouse/ledger.py"],
    # of a row in the ledger, of a version; and of the place of a delivery, and of what a recheck finds
    PURGED: [
        *("staging/older_contracts.py", "staging/recheck.py", "staging/sources.py"),
        *("warehouse/ledger.py", "warehouse/versions.py"),
    ],
    UNKNOWN: ["warehouse/stage_table.py"],
    State.ACTIVE.value: ["warehouse/versions.py"],
    lock_name(""): ["warehouse/engines/base.py"],
}
"""Each word, and the modules that state it."""


def in_python(word: str) -> list[str]:
    paths = [path for path in LOADER.rglob("*.py") if "migrations" not in path.parts]
    return sorted(path.relative_to(LOADER).as_posix() for path in paths if word in constants(path))


def constants(path: Path) -> Iterator[object]:
    return (node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant))


def in_sql(word: str) -> list[str]:
    """The texts of dbt's SQL, comments aside, that are the word."""
    found = []
    for path in DBT.rglob("*.sql"):
        sql = re.sub(r"\{#.*?#\}|--[^\n]*", "", path.read_text("utf-8"), flags=re.DOTALL)
        found += [path.name for text in re.findall(r"'([^'\n]*)'", sql) if text == word]
    return found


@pytest.mark.parametrize("word", SHARED)
def test_a_shared_word_stands_once_on_each_side(word: str) -> None:
    assert in_python(word) == SHARED[word]
    assert len(in_sql(word)) == 1, in_sql(word)


def test_layers_are_the_schemas_of_dbt() -> None:
    project = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text("utf-8"))
    assert project["snapshots"]["almanac"]["+schema"] == CORE
    assert project["models"]["almanac"]["marts"]["+schema"] == MART
    files = [yaml.safe_load(path.read_text("utf-8")) for path in DBT.rglob("*sources.yml")]
    assert {source["schema"] for one in files for source in one["sources"]} == {META, STAGE, CORE}
    created = "".join(path.read_text("utf-8") for path in DBT.rglob("macros/**/*.sql"))
    assert set(re.findall(r"schema='(\w+)'", created)) == {META, CORE}


@pytest.mark.parametrize(
    ("command", "parameter", "words"), [("gate", "layer", LAYERS), ("ddl", "schema", (META, STAGE))]
)
def test_the_command_line_knows_the_layers(command: str, parameter: str, words: tuple[str, ...]) -> None:
    """It states them again, since `--help` imports nothing of the warehouse."""
    (found,) = (one for one in main.commands[command].params if one.name == parameter)
    assert isinstance(found.type, click.Choice)
    assert tuple(found.type.choices) == words


def test_layers_stand_nowhere_else_in_the_loader() -> None:
    stated = {word: in_python(word) for word in (STAGE, CORE, MART)}
    known = ["cli/warehouse.py", "warehouse/layers.py"]
    assert stated == {STAGE: known, CORE: known, MART: known}


def test_each_engine_has_its_macros() -> None:
    (folder,) = (path.parent for path in DBT.rglob("dispatch.sql"))
    files = {path.stem: path.read_text("utf-8") for path in folder.glob("*.sql") if path.stem != "dispatch"}
    assert sorted(files) == sorted(ENGINES)
    prefixes = {prefix for sql in files.values() for prefix in re.findall(r"macro (\w+?)__", sql)}
    assert prefixes == {*ENGINES}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "declared", ["varchar(9)", "integer", "bigint", "decimal(8,2)", "double", "boolean", "date", "timestamp", "time"]
)
def test_an_engine_knows_its_own_word_for_each_type(engine: str, declared: str) -> None:
    engine_type, column_type = engine_class(engine), ColumnType.parse(declared)
    written = sql_type(column_type).compile(dialect=engine_type.dialect()).lower().partition("(")[0]
    assert engine_type.type_words.get(written, written) == column_type.name


def test_versions_have_the_states_of_their_source() -> None:
    (path,) = DBT.rglob("_meta__sources.yml")
    assert f"values: [{', '.join(State)}]" in path.read_text("utf-8")

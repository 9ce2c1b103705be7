"""The warehouses of this folder: every test runs on each engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.history.datasets import EXAMPLES
from tests.history.feeding import prepare
from tests.history.warehouse import DuckDBWarehouse, PostgresWarehouse, SQLServerWarehouse, Warehouse
from tests.support.engines import Engine, SQLServer


@pytest.fixture(autouse=True)
def untraced(no_cover: None) -> None:
    """Here dbt works alone: to trace it would take a third more time, and find no line of the loader."""


@pytest.fixture(scope="session")
def scratch_warehouse(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return _new_warehouse(engine, tmp_path_factory.mktemp("scratch"), real=False)


@pytest.fixture
def warehouse(scratch_warehouse: Warehouse) -> Warehouse:
    """The scratch project with empty stage tables and nothing built."""
    scratch_warehouse.clear()
    prepare(scratch_warehouse, *(example.dataset for example in EXAMPLES))
    return scratch_warehouse


@pytest.fixture(scope="session")
def real_warehouse(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The real project, nothing staged."""
    return _new_warehouse(engine, tmp_path_factory.mktemp("almanac"), real=True)


def _new_warehouse(engine: Engine, folder: Path, *, real: bool) -> Warehouse:
    if engine.name == "duckdb":
        return DuckDBWarehouse(folder, real=real)
    output = engine.new_output(folder)
    if isinstance(engine, SQLServer):
        return SQLServerWarehouse(folder, engine, output, real=real)
    login = {key: str(output[key]) for key in ("host", "port", "user", "password", "dbname")}
    return PostgresWarehouse(folder, login, real=real)

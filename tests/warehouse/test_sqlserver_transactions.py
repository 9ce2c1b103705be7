"""Transactions as SQL Server's documentation has them: what its like in a test may be laxer about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mssql_python import OperationalError
from sqlalchemy import Connection

from loader.errors import EnvironmentFailedError
from loader.warehouse import Warehouse
from loader.warehouse.engines.sqlserver import SQLServer
from loader.warehouse.engines.sqlserver_connection import address_of
from tests.support.sqlserver_session import Session

ADDRESS = address_of(
    {"host": "db.example", "database": "almanac", "user": "u", "password": "p", "backend": "mssql-python"}
)
ROW = "insert into stage.products (sku) values ('P1')"


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    found: list[Session] = []

    def connect(*_: object, **__: object) -> Session:
        found.append(Session())
        return found[-1]

    monkeypatch.setattr("mssql_python.connect", connect)
    return found


def locked(*statements: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        SQLServer(ADDRESS).lock(connection, "products")
        for statement in statements:
            connection.exec_driver_sql(statement)

    return work


def test_a_lock_is_taken_in_one_transaction_that_is_committed(sessions: list[Session]) -> None:
    Warehouse(SQLServer(ADDRESS), 1).run(locked(ROW))
    session = sessions[-1]
    assert (session.committed, session.pending, session.alone, session.trancount) == ([ROW], [], [], 0)


def test_what_fails_leaves_nothing(sessions: list[Session]) -> None:
    def work(connection: Connection) -> None:
        locked(ROW)(connection)
        raise KeyError

    with pytest.raises(KeyError):
        Warehouse(SQLServer(ADDRESS), 1).run(work)
    session = sessions[-1]
    assert (session.committed, session.pending, session.trancount) == ([], [], 0)


@pytest.mark.parametrize("statement", ["rollback transaction", "commit transaction"])
def test_a_transaction_that_ended_before_its_commit_is_no_success(sessions: list[Session], statement: str) -> None:
    with pytest.raises(EnvironmentFailedError, match="was ended by the server"):
        Warehouse(SQLServer(ADDRESS), 1).run(locked(statement, ROW))
    assert sessions[-1].trancount == 0


def test_a_lock_in_a_second_transaction_is_refused(sessions: list[Session]) -> None:
    """The commit of the inner one would leave the outer open, and so the load uncommitted."""

    def work(connection: Connection) -> None:
        connection.exec_driver_sql("begin transaction")
        locked(ROW)(connection)

    with pytest.raises(EnvironmentFailedError):
        Warehouse(SQLServer(ADDRESS), 1).run(work)
    assert [session.committed for session in sessions] == [[]]


def test_a_name_from_the_ledger_is_no_statement(sessions: list[Session]) -> None:
    Warehouse(SQLServer(ADDRESS), 1).reclaim_space(["core.x; drop table y"])
    done = [statement for session in sessions for statement in session.alone]
    assert "alter table [core].[x; drop table y] rebuild" in done
    assert not any(statement.startswith("drop") for statement in done)


@pytest.mark.parametrize(
    "message",
    [
        "Database 'almanac' on server 'db' is not currently available.  Please retry the connection later.",
        "The service has encountered an error processing your request. Please try again. Error code 40143.",
        "The service is currently busy. Retry the request after 10 seconds.",
        "Resource ID: 1. The request limit for the database is 30 and has been reached.",
        "Cannot process request. Not enough resources to process request. Please retry your request later.",
    ],
)
def test_what_passes_in_azure_is_tried_again(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    """When it is connected to, too; words of the errors 40613, 40197, 40501, 10928 and 49918."""
    tried: list[Session] = []

    def connect(*_: object, **__: object) -> Session:
        tried.append(Session())
        if len(tried) == 1:
            raise OperationalError("the server says", message)
        return tried[-1]

    monkeypatch.setattr("mssql_python.connect", connect)
    Warehouse(SQLServer(ADDRESS), 1).run(locked(ROW))
    assert tried[-1].committed == [ROW]


def test_what_no_transaction_may_hold_is_in_none(sessions: list[Session]) -> None:
    Warehouse(SQLServer(ADDRESS), 1).reclaim_space(["stage.products"])
    assert {session.trancount for session in sessions} == {0}
    assert all(not session.committed for session in sessions)

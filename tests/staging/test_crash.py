"""Crowded, cut off: stage holds the old state or the new one, and the next run ends where it should."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Project
from tests.support.engines import Engine
from tests.support.processes import Process
from tests.support.shop import (
    assert_stage_is_the_archive,
    deliver,
    load,
    open_shop,
    prepared,
    products,
    skus,
    versions,
)

PERIODS = ("2025-01", "2025-02", "2025-03")
WAIT = 120
"""Seconds after which a test gives up; nothing here comes near."""


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_shop)


def log_lines(project: Project) -> int:
    """Lines that the loader has written to its JSON log."""
    return sum(path.read_text(encoding="utf-8").count("\n") for path in (project.root / "data").glob("logs/*.jsonl"))


def wait_for_log(project: Project, lines: int, process: Process) -> None:
    """Wait until the log has so many lines, or the process has ended."""
    until = time.monotonic() + WAIT
    while process.poll() is None and log_lines(project) < lines:
        assert time.monotonic() < until, f"waited in vain for line {lines} of the log"
        time.sleep(0.01)


@pytest.mark.slow
def test_two_loads_at_once(shop: Project) -> None:
    for period in PERIODS:
        deliver(shop, period, products("P1", "P2"))
    other = shop.start_loader("load")
    wait_for_log(shop, 1, other)
    mine = shop.loader("load")
    output, errors = other.communicate()
    assert (mine.exit_code, other.returncode) == (0, 0), mine.output + output + errors
    assert sorted(versions(shop)) == [(period, 1, "active", 2) for period in PERIODS]
    assert shop.sql("select count(*) from meta.ingestion_log") == [(3,)]
    assert_stage_is_the_archive(shop)
    assert load(shop).startswith("0 loaded, 0 refused, 3 unchanged")


def only_on(shop: Project, name: str, reason: str) -> None:
    if shop.engine.name != name:
        pytest.skip(reason)


def test_a_warehouse_that_somebody_holds(shop: Project) -> None:
    only_on(shop, "duckdb", "a server lets in many processes")
    import duckdb

    with closing(duckdb.connect(shop.profile_output["path"])):
        waiting = shop.start_loader("status", env={"ALMANAC_LOCK_TIMEOUT": str(WAIT)})
        held = shop.loader("status", own_process=True, env={"ALMANAC_LOCK_TIMEOUT": "0.2"})
        assert f"the warehouse is in use by process {os.getpid()} " in waiting.stderr.readline()
    assert held.exit_code == 3
    (line,) = [line for line in held.output.splitlines() if not line.startswith("note: ")]
    assert line.startswith(f"failed: the warehouse has been in use by process {os.getpid()} ")
    assert "wait until it is done or stop it, then run the same command again" in line
    output, _ = waiting.communicate()
    assert (waiting.returncode, "nothing was delivered yet" in output) == (0, True)


NO_SERVERS = [{"type": "postgres"}, {"type": "sqlserver", "backend": "mssql-python", "login_timeout": 1}]


@pytest.mark.parametrize("server", NO_SERVERS, ids=lambda server: server["type"])
def test_a_server_out_of_reach(new_project: Callable[..., Project], server: dict[str, Any]) -> None:
    project = new_project("duckdb")
    nowhere = {**server, "host": "127.0.0.1", "port": 1, "user": "almanac", "password": "Geheimnis"}
    output = {**nowhere, "database": "almanac", "schema": "mart", "threads": 1}
    profiles = {"almanac": {"target": "dev", "outputs": {"dev": output}}}
    (project.root / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    for command in (("load",), ("status",), ("migrate",), ("rollback", "--dataset", "citizens", "--period", "2025-01")):
        done = project.loader(*command)
        assert done.exit_code == 3
        (line,) = done.output.splitlines()
        assert line.startswith("failed: the database said: ")
        assert "127.0.0.1" in line
        assert "Geheimnis" not in line


BLOCK = """
    create function wait_for_the_test() returns trigger language plpgsql as
    'begin perform pg_advisory_xact_lock(4711); return new; end';
    create trigger wait_for_the_test before insert on {table} for each row execute function wait_for_the_test()
"""


@contextmanager
def interrupted(project: Project, table: str, times: int) -> Iterator[list[str]]:
    """Ends the loader's connection while it writes to `table`, so many times; returns what it was doing."""
    import psycopg2

    project.sql(BLOCK.format(table=table))
    login = {key: project.profile_output[key] for key in ("host", "port", "user", "password", "dbname")}
    statements: list[str] = []

    def interrupt() -> None:
        with closing(psycopg2.connect(**login)) as connection, connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(4711)")
            until = time.monotonic() + WAIT
            while len(statements) < times and time.monotonic() < until:
                cursor.execute(
                    "select pid, query from pg_stat_activity "
                    "where datname = current_database() and wait_event = 'advisory'"
                )
                for pid, query in cursor.fetchall():
                    cursor.execute("select pg_terminate_backend(%s, 10000)", (pid,))
                    statements.append(query)
                connection.commit()
                time.sleep(0.01)

    helper = threading.Thread(target=interrupt)
    helper.start()
    try:
        yield statements
    finally:
        helper.join()


@pytest.mark.parametrize("table", ["stage.products", "meta.dataset_version"])
def test_a_lost_connection_repeats_the_whole_transaction(shop: Project, table: str) -> None:
    only_on(shop, "postgres", "there is no connection to lose")
    deliver(shop, "2025-01", products("P1", "P2"))
    load(shop)
    deliver(shop, "2025-01", products("P1", "P3"))
    with interrupted(shop, table, times=2) as statements:
        load(shop)
    first_words = [statement.split()[0].lower() for statement in statements]
    assert first_words == ["copy" if table == "stage.products" else "insert"] * 2
    assert skus(shop) == ["P1", "P3"]
    assert versions(shop) == [("2025-01", 1, "superseded", 2), ("2025-01", 2, "active", 2)]
    assert_stage_is_the_archive(shop)


def test_a_fault_that_does_not_pass_is_no_refusal(shop: Project) -> None:
    """The file is not at fault: exit code 3, and the period is as it was."""
    only_on(shop, "postgres", "there is no connection to lose")
    deliver(shop, "2025-01", products("P1", "P2"))
    load(shop)
    deliver(shop, "2025-01", products("P1", "P3"))
    with interrupted(shop, "stage.products", times=5):
        done = shop.loader("load")
    assert done.exit_code == 3
    assert done.output.splitlines()[-1].startswith("failed: the database said: ")
    assert (skus(shop), versions(shop)) == (["P1", "P2"], [("2025-01", 1, "active", 2)])
    ((status,),) = shop.sql(
        "select status from meta.etl_audit where audit_id = (select max(audit_id) from meta.etl_audit)"
    )
    assert status == "failed"


def test_a_full_log_folder_is_told(shop: Project, tmp_path: Path) -> None:
    """What the environment refuses is one line, with the place."""
    (tmp_path / "logs").write_text("no folder", encoding="utf-8")
    deliver(shop, "2025-01", products("P1"))
    done = shop.loader("load", env={"ALMANAC_LOG_DIR": str(tmp_path / "logs")})
    assert done.exit_code == 3
    (line,) = done.output.splitlines()
    assert line.startswith("failed: ")
    assert str(tmp_path / "logs") in line
    assert versions(shop) == []

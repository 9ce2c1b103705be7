"""The victim of a deadlock repeats its transaction: a load by itself, a build the nodes of its layer."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.conftest import Project
from tests.support.engines import Postgres, SQLServer, requested_engines
from tests.support.locks import LOCKS, ROWS
from tests.support.processes import Process
from tests.support.shop import assert_stage_is_the_archive, deliver, load, open_shop, products, versions

PATIENCE_SECONDS = 120
on_each_server = pytest.mark.parametrize("engine_name", [name for name in requested_engines() if name != "duckdb"])


def in_a_deadlock(project: Project, dataset: str, table: str, start: Callable[[], Process]) -> tuple[int | None, str]:
    """Hold rows until the process that has the lock of the dataset waits for them, then ask for that lock."""
    server, locks = project.engine, LOCKS[project.engine.name]
    assert isinstance(server, Postgres | SQLServer)
    with closing(server.connect(project.profile_output)) as session:
        cursor = session.cursor()
        cursor.execute(locks.never_the_victim)
        cursor.execute(ROWS.format(table))
        process = start()
        until = time.monotonic() + PATIENCE_SECONDS
        while project.sql(locks.waiting_for_rows) == [(0,)]:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until, "it did not come to that"
            time.sleep(0.02)
        cursor.execute(locks.of_dataset.format(dataset))
        session.rollback()
    output, errors = process.communicate()
    return process.returncode, output + errors


@on_each_server
def test_a_load(engine_name: str, new_project: Callable[..., Project]) -> None:
    shop = new_project(engine_name)
    open_shop(shop)
    deliver(shop, "2025-01", products("P1", "P2"), order=1)
    load(shop)
    deliver(shop, "2025-01", products("P1", "P3"), order=2)
    exit_code, output = in_a_deadlock(shop, "products", "meta.dataset_version", lambda: shop.start_loader("load"))
    assert exit_code == 0, output
    assert versions(shop) == [("2025-01", 1, "superseded", 2), ("2025-01", 2, "active", 2)]
    assert_stage_is_the_archive(shop)


@on_each_server
def test_sessions_that_are_ended(engine_name: str, new_project: Callable[..., Project]) -> None:
    """In the middle of the transaction, twice: it is repeated from its beginning."""
    shop = new_project(engine_name)
    server, locks = shop.engine, LOCKS[engine_name]
    assert isinstance(server, Postgres | SQLServer)
    open_shop(shop)
    deliver(shop, "2025-01", products("P1", "P2"), order=1)
    load(shop)
    deliver(shop, "2025-01", products("P1", "P3"), order=2)
    with closing(server.connect(shop.profile_output)) as session:
        session.cursor().execute(ROWS.format("meta.dataset_version"))
        process = shop.start_loader("load")
        until, ended = time.monotonic() + PATIENCE_SECONDS, 0
        while ended < 2:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until, "it did not come to that"
            for (statement,) in shop.sql(locks.ending_those):
                shop.sql(statement)
                ended += 1
            time.sleep(0.02)
        session.rollback()
    output, errors = process.communicate()
    assert process.returncode == 0, output + errors
    assert versions(shop) == [("2025-01", 1, "superseded", 2), ("2025-01", 2, "active", 2)]
    assert_stage_is_the_archive(shop)


@on_each_server
def test_a_build(engine_name: str, new_project: Callable[..., Project]) -> None:
    project = new_project(engine_name)
    for command in (("migrate",), ("sample-data", "--rows", 20, "--periods", 1), ("load",), ("build",)):
        done = project.loader(*command)
        assert done.exit_code == 0, done.output
    core = sorted(project.sql("select citizen_id, dbt_valid_from, dbt_valid_to from core.citizens"))
    # as if the rules had changed: the build has something to write
    project.sql("update core.applied_load set fingerprint = 'of another rule' where consumer = 'core.citizens'")

    exit_code, output = in_a_deadlock(project, "citizens", "core.applied_load", lambda: project.start_loader("build"))
    assert exit_code == 0, output
    assert "a node was the victim of a deadlock and wrote nothing; building the layer again" in output
    assert sorted(project.sql("select citizen_id, dbt_valid_from, dbt_valid_to from core.citizens")) == core

"""Build: what fails stops it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from typing import Any

import duckdb
import pytest

from loader.project import Project as Opened
from tests.conftest import Project

FAILING = "select 1 as found from (select count(*) as number from {{ ref('citizens') }}) as counted"


def test_a_failed_test_stops_the_build_and_its_sql_is_there_to_read(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    (project.root / "dbt_project" / "tests" / "never_passes.sql").write_text(FAILING, encoding="utf-8")
    result = project.loader("build")
    assert result.exit_code == 1
    assert "built      stage" in result.output
    assert "built      core" not in result.output
    reason = "refused: dbt build of core: test never_passes: Got 1 result, configured to fail if != 0."
    assert result.output.splitlines()[-1] == f"{reason} target/run and target/compiled have the SQL"
    for folder in ("run", "compiled"):
        (sql,) = (project.root / "target" / folder).rglob("never_passes.sql")
        assert 'count(*) as number from "warehouse"."core"."citizens"' in sql.read_text(encoding="utf-8")
    built = project.sql("select table_name from information_schema.tables where table_schema in ('core', 'mart')")
    assert sorted(built) == [("applied_load",), ("citizens",)]


def test_two_builds_at_once_take_turns(new_project: Callable[..., Project]) -> None:
    """An embedded warehouse lets in one process at a time."""
    project = new_project("duckdb")
    assert project.loader("migrate").exit_code == 0
    builds = [project.start_loader("build") for _ in range(2)]
    for build in builds:
        output, errors = build.communicate()
        assert build.returncode == 0, output + errors
        assert "built      mart" in output


def test_dbt_closes_the_file_whoever_refers_to_its_environment(
    new_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of dbt that ends late does; DuckDB opens no file otherwise than it is open in this process."""
    from dbt.adapters.duckdb.environments.local import LocalEnvironment

    project = new_project("duckdb")
    handle, referred = LocalEnvironment.handle, []

    def handle_and_refer(environment: LocalEnvironment) -> Any:
        referred.append(environment)
        return handle(environment)

    monkeypatch.setattr(LocalEnvironment, "handle", handle_and_refer)
    result = project.loader("build")
    assert (result.exit_code, bool(referred)) == (0, True), result.output


def test_a_command_says_once_who_holds_the_warehouse(
    new_project: Callable[..., Project], capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse = Opened.open(new_project("duckdb").root).warehouse
    for _ in range(2):
        refusals = [duckdb.IOException("Conflicting lock is held in /usr/bin/python (PID 1)")] * 4

        def open_it(refusals: list[duckdb.IOException] = refusals) -> None:
            if refusals:
                raise refusals.pop()

        warehouse.when_free(open_it)
    assert capsys.readouterr().err.count("note: the warehouse is in use by process 1 (python)") == 1


def test_a_build_does_not_wait_for_ever(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    assert project.loader("migrate").exit_code == 0
    with closing(duckdb.connect(project.profile_output["path"])):
        for command in (("build",), ("gate", "stage"), ("docs",)):
            result = project.loader(*command, own_process=True, env={"ALMANAC_LOCK_TIMEOUT": "0.5"})
            assert result.exit_code == 3, command
            assert f"failed: the warehouse has been in use by process {os.getpid()} " in result.output
            assert "run the same command again" in result.output.splitlines()[-1]

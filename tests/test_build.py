"""Build: what fails stops it."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Project

FAILING = "select 1 as found from (select count(*) as number from {{ ref('citizens') }}) as counted"


def test_a_failed_test_stops_the_build_and_its_sql_is_there_to_read(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    (project.root / "dbt_project" / "tests" / "never_passes.sql").write_text(FAILING, encoding="utf-8")
    said = project.loader("build")
    assert said.exit_code == 1
    assert "built      stage" in said.output
    assert "built      core" not in said.output
    reason = "refused: dbt build of core: test never_passes: Got 1 result, configured to fail if != 0."
    assert said.output.splitlines()[-1] == f"{reason} target/run and target/compiled have the SQL"
    for folder in ("run", "compiled"):
        (sql,) = (project.root / "target" / folder).rglob("never_passes.sql")
        assert 'count(*) as number from "warehouse"."core"."citizens"' in sql.read_text(encoding="utf-8")
    built = project.sql("select table_name from information_schema.tables where table_schema in ('core', 'mart')")
    assert sorted(built) == [("applied_load",), ("citizens",)]

"""Which tables the gates of a build ask: those that it may have changed, and all of them when it is time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest

from loader.build.dbt import parsed
from loader.build.inputs import Inputs
from loader.build.table_states import TableStates
from loader.gates import suite_files
from loader.project import Project as Opened
from loader.warehouse.layers import LAYERS
from loader.warehouse.ledger import Applied
from tests.conftest import Project
from tests.support.deliveries import change_contract, citizen_rows, write_citizens
from tests.support.engines import Engine
from tests.support.gating import ask_less
from tests.support.processes import wait_until
from tests.support.shop import prepared

OF_CITIZENS = {
    *("stage.citizens", "core.citizens"),
    *("mart.dim_citizen", "mart.fct_citizen_change", "mart.fct_citizen_monthly", "mart.agg_population_monthly"),
    *("mart.dim_date", "mart.dim_geography", "mart.agg_plan_performance"),
}
"""What is made of citizens; dates and places are shared with the insurer, who has a table that is made of dates."""


def built_once(project: Project) -> None:
    ask_less(project)
    write_citizens(project.landing / "citizens_2025-01.xlsx", citizen_rows(20))
    for command in ("migrate", "run"):
        result = project.loader(command)
        assert result.exit_code == 0, result.output


def build(project: Project, *options: str, exit_code: int = 0) -> str:
    result = project.loader("build", *options)
    assert result.exit_code == exit_code, result.output
    return result.output


def asked(project: Project) -> set[str]:
    """The tables that were asked since the last call."""
    rows = project.sql("select gate, table_name from meta.validation_log where gate <> 'contract'")
    project.sql("delete from meta.validation_log where gate <> 'contract'")
    return {f"{gate}.{table}" for gate, table in rows}


@pytest.fixture
def built(engine: Engine, new_project: Callable[..., Project]) -> Project:
    """A warehouse whose gates have passed; a copy of one is a target of its own, so they are asked again."""
    project = prepared(new_project, engine, built_once)
    build(project)
    asked(project)
    return project


def test_after_a_change_of_one_subject_its_tables_are_asked(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb", whole=True)
    ask_less(project)
    build(project)
    assert len(asked(project)) == 27
    write_citizens(project.landing / "citizens_2025-01.xlsx", citizen_rows(20))
    assert "gate: 2 checks passed, 5 of 6 tables unchanged" in project.loader("run").output
    assert asked(project) == OF_CITIZENS
    assert project.loader("rollback", "--dataset", "citizens", "--period", "2025-01", "--to", 0).exit_code == 0
    build(project)
    assert asked(project) == OF_CITIZENS
    build(project)
    assert asked(project) == set()


def edit_a_suite_while_it_is_asked(built: Project) -> None:
    """It passes as it was read, and is asked again by the next build."""
    suite = built.root / "gx" / "expectations" / "stage" / "more" / "citizens.json"

    def expect(query: str) -> None:
        check = {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}
        suite.write_text(json.dumps({"expectations": [check]}), encoding="utf-8")

    built.sql("create table held (id integer)")
    suite.parent.mkdir()
    expect("select * from {batch} where exists (select 1 from held)")
    holder = built.engine.connect(built.profile_output)
    holder.cursor().execute("lock table held in access exclusive mode")
    building = built.start_loader("build")
    asks = (
        "select count(*) from pg_locks inner join pg_stat_activity using (pid) "
        "where datname = current_database() and locktype = 'relation' and not granted"
    )
    wait_until(lambda: built.sql(asks) != [(0,)], building)
    expect("select * from {batch}")
    holder.close()
    output, errors = building.communicate()
    assert building.returncode == 0, output + errors
    assert "the stage gate refused stage.citizens" in build(built, exit_code=1)
    suite.unlink()


def test_tables_are_asked_when_they_changed_or_it_is_time(built: Project) -> None:
    """One story, as each begins with a build."""
    output = build(built)
    assert "built      stage  gate: none of 1 table changed" in output
    assert "gate: none of 6 tables changed" in output
    assert asked(built) == set()

    assert "3 checks on 1 table, all passed" in built.loader("gate", "core").output
    asked(built)

    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=8)
    built.sql(f"update meta.gate_pass set passed_at = '{long_ago:%Y-%m-%d %H:%M:%S}' where table_name = 'dim_date'")
    build(built)
    assert asked(built) == OF_CITIZENS - {"mart.agg_plan_performance"}

    if built.engine.name == "postgres":  # one that lets a test hold a table while a gate asks
        edit_a_suite_while_it_is_asked(built)
        build(built)
        asked(built)

    # a broken table that is left out is found at the next full look
    built.sql("update stage.citizens set citizen_id = null")
    build(built)
    assert asked(built) == set()
    assert "the stage gate refused stage.citizens" in build(built, "--check-all", exit_code=1)
    # what failed is asked until it passes
    failed = built.loader("run", "--json")
    assert failed.exit_code == 1
    assert failed.json["error"]["kind"] == "refused"
    assert "the stage gate refused stage.citizens" in failed.json["error"]["message"]
    checks = failed.json["error"]["checks"]
    assert {(check["result"], check["table"]) for check in checks} == {("failed", "citizens")}
    assert failed.json["loaded"] == 0


def test_what_a_table_is_made_of(new_project: Callable[..., Project]) -> None:
    """Each change concerns the tables that it may change, and no others."""
    project = new_project("duckdb")
    every = {(layer, table) for layer in LAYERS for table in suite_files(project.root, layer)}
    made_of_history = every - {("stage", "citizens")}
    of_facts = {("mart", "fct_citizen_monthly"), ("mart", "agg_population_monthly")}
    before = states(project)

    def changed_by(name: str, old: str, new: str) -> set[tuple[str, str]]:
        nonlocal before
        path = project.root / name
        assert path.exists() or path.name == "new.sql"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")
        after = states(project)
        found = {table for table in every if before[table] != after[table]}
        before = after
        return found

    marts = "dbt_project/models/marts/citizens"
    assert changed_by("dbt_project/models/overview.md", "", "More.") == set()
    assert changed_by(f"{marts}/fct_citizen_monthly.sql", "", "\n-- more\n") == of_facts
    assert changed_by("gx/expectations/mart/shared/dim_date.json", "{", "{ ") == {("mart", "dim_date")}
    assert changed_by("dbt_project/snapshots/citizens/citizens.sql", "", "\n-- more\n") == made_of_history - {
        ("mart", "dim_date")
    }
    assert changed_by("dbt_project/macros/new.sql", "", "{% macro new() %}{% endmacro %}") == made_of_history
    assert changed_by("dbt_project.yml", "subjects: [citizens]", "subjects: [citizens ]") == made_of_history
    change_contract(project, "allowed: [F, M, X]", "allowed: [F, M, X, D]")
    assert changed_by("dbt_project/models/overview.md", "", "Still more.") >= {("stage", "citizens")}

    # what may change whatever the hashes say has no state
    assert None not in before.values()
    suite = "gx/expectations/mart/citizens/dim_citizen.json"
    assert changed_by(suite, "{batch}", "{batch} join meta.dataset_version as v on 1 = 1") == {("mart", "dim_citizen")}
    assert before["mart", "dim_citizen"] is None
    assert changed_by(f"{marts}/fct_citizen_monthly.sql", "", "-- {{ run_started_at }}") == of_facts
    assert {table for table in every if before[table] is None} == {*of_facts, ("mart", "dim_citizen")}
    changed_by("dbt_project/macros/new.sql", "", "{% macro day() %}current_date{% endmacro %}")
    assert {table for table in every if before[table] is None} == made_of_history


def test_a_suite_that_reads_another_table_is_asked_when_that_one_changes(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    suite = project.root / "gx/expectations/mart/shared/dim_date.json"
    before = states(project)
    query = json.dumps('select * from {batch} where date_day in (select birth_date from "mart".dim_citizen)')
    suite.write_text(suite.read_text(encoding="utf-8").replace('"kwargs": {', f'"kwargs": {{"q": {query}, ', 1))
    reading = states(project)
    assert before["mart", "dim_date"] != reading["mart", "dim_date"]
    path = project.root / "dbt_project/models/marts/citizens/dim_citizen.sql"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n-- more\n", encoding="utf-8")
    after = states(project)
    assert reading["mart", "dim_date"] != after["mart", "dim_date"]


def states(project: Project) -> dict[tuple[str, str], str | None]:
    """The state of each table, as the files are, with nothing loaded."""
    with project._environment(None):
        here = Opened.open(project.root)
        found = TableStates(here, parsed(here), Inputs.of(here))
        nothing = Applied({}, {}, is_settled=True)
        tables = [(layer, table) for layer in LAYERS for table in suite_files(here.root, layer)]
        return {(layer, table): found.of(layer, table, nothing) for layer, table in tables}

"""The same deliveries give the same rows in core and mart, whatever the engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from loader.samples.data.citizens import make_correction
from tests.conftest import Project
from tests.support.engines import requested_engines

PEOPLE = 60
PERIODS = ["2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06"]
GRAINS = {
    "core.citizens": "citizen_id, dbt_valid_from",
    "mart.dim_citizen": "citizen_id, valid_from",
    "mart.dim_date": "date_day",
    "mart.dim_geography": "geography_key",
    "mart.fct_citizen_monthly": "period_start, citizen_id",
    "mart.fct_citizen_change": "period_start, citizen_id",
    "mart.agg_population_monthly": "period_start, geography_key, gender, age_band",
}


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", [name for name in requested_engines() if name != "duckdb"])
def test_every_engine_keeps_the_same_rows(engine_name: str, new_project: Callable[..., Project]) -> None:
    there = load_the_story(new_project(engine_name, folder=engine_name))
    here = load_the_story(new_project("duckdb", folder="embedded"))
    for table in GRAINS:
        assert there[table] == here[table], table
        assert here[table]


def load_the_story(project: Project) -> dict[str, list[dict[str, Any]]]:
    """Six deliveries: March comes late, February is corrected and loaded again, May is rolled back."""
    if project.engine.name != "duckdb":
        run(project, "migrate")
    run(project, "sample-data", "--rows", PEOPLE, "--periods", len(PERIODS))
    files = {period: next(project.landing.glob(f"*{period}*")) for period in PERIODS}
    late = shutil.move(files["2025-03"], project.root / files["2025-03"].name)

    run(project, "load")
    make(project)
    shutil.move(late, project.landing)
    correction = make_correction(project.landing, "2025-02", rows=PEOPLE)
    run(project, "load", "--file-path", correction)
    run(project, "load", "--period", "2025-03")
    make(project)
    run(project, "rollback", "--dataset", "citizens", "--period", "2025-05", "--to", 0)
    make(project)
    return {table: rows_of(project, table, grain) for table, grain in GRAINS.items()}


def make(project: Project) -> None:
    """What dbt makes of stage, without a question to it: here all rows are compared."""
    done = project.dbt("build", "--exclude", "resource_type:test", "resource_type:unit_test")
    assert done.success, done.result


def run(project: Project, *args: object) -> None:
    done = project.loader(*args)
    assert done.exit_code == 0, done.output


def rows_of(project: Project, table: str, grain: str) -> list[dict[str, Any]]:
    """Rows by column, in canonical types, ordered by the grain."""
    schema, name = table.split(".")
    columns = [
        column
        for (column,) in project.sql(
            f"select column_name from information_schema.columns where table_schema = '{schema}'"
            f" and table_name = '{name}' order by ordinal_position"
        )
    ]
    rows = [
        {column: canonical(value) for column, value in zip(columns, row, strict=True)}
        for row in project.sql(f"select {', '.join(columns)} from {table}")
    ]
    return sorted(rows, key=lambda row: tuple(str(row[column]) for column in grain.split(", ")))


def canonical(value: Any) -> Any:
    """One type for each kind of value: drivers give a flag as 0 or False, a sum as int or Decimal."""
    match value:
        case bool():
            return int(value)
        case Decimal() if value == int(value):
            return int(value)
        case datetime() | date():
            return value.isoformat()
    return value

"""The suites of core and mart: sound tables pass, and every check can fail."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml

from tests.conftest import Project
from tests.support.gating import broken, gate, insert, knows_patterns, make_table

VERSION = {
    **dict.fromkeys(("first_name", "last_name", "birth_date", "street", "house_number", "moved_in_on")),
    "citizen_id": "000000001",
    "gender": "F",
    "postal_code": "01067",
    "city": "Dresden",
    "dbt_scd_id": "a",
    "dbt_valid_from": "2025-01-01",
    "dbt_valid_to": "2025-03-01",
}
OVERLAP = "versions of a key do not overlap"
BAD_VERSIONS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "overlap": ({"dbt_valid_from": "2025-02-01"}, {OVERLAP}),
    "two current": (
        {"dbt_valid_from": "2025-05-01", "dbt_valid_to": None},
        {"a key has at most one current version", OVERLAP},
    ),
    "no length": (
        {"dbt_valid_from": "2025-04-01", "dbt_valid_to": "2025-04-01"},
        {"a version ends after it begins", OVERLAP},
    ),
    "inside a month": (
        {"dbt_valid_from": "2025-03-01", "dbt_valid_to": "2025-03-15"},
        {"versions begin and end where a month begins"},
    ),
    "same hash": ({"citizen_id": "000000002", "dbt_scd_id": "a"}, {"dbt_scd_id identifies a version"}),
    "unknown gender": ({"citizen_id": "000000002", "gender": "Q"}, {"gender is one of F, M, X"}),
}


@pytest.mark.parametrize("kind", [None, *BAD_VERSIONS])
def test_the_core_suite_holds_the_invariants_of_history(project: Project, kind: str | None) -> None:
    texts = {name: "varchar(60)" for name in VERSION if not name.startswith("dbt_valid")}
    make_table(project, "core.citizens", texts | {"dbt_valid_from": "timestamp", "dbt_valid_to": "timestamp"})
    following = VERSION | {"dbt_scd_id": "b", "dbt_valid_from": "2025-04-01", "dbt_valid_to": None}
    change, expected = BAD_VERSIONS[kind] if kind else ({}, set())
    extra = [VERSION | {"dbt_scd_id": "c"} | change] if kind else []
    insert(project, "core.citizens", VERSION, following, *extra)
    assert set(broken(gate(project, "core"))) == expected


def year_2025() -> list[dict[str, Any]]:
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=one) for one in range(365)]
    return [date_row(day, int(f"{day:%Y%m%d}")) for day in days]


def date_row(day: dt.date, key: int) -> dict[str, Any]:
    iso_week, iso_weekday = day.isocalendar()[1:]
    parts = {"calendar_year": day.year, "month_of_year": day.month, "day_of_month": day.day}
    return {"date_key": key, "date_day": day, **parts, "iso_week": iso_week, "iso_weekday": iso_weekday}


CITIZEN = {
    "citizen_key": 1,
    "citizen_id": "000000001",
    "gender": "F",
    "geography_key": 7,
    "valid_from": "2025-01-01",
    "valid_to": "2025-02-01",
    "is_current": False,
}
NOBODY = CITIZEN | {"citizen_key": -1, "citizen_id": "unknown", "gender": "U", "geography_key": -1}
NO_STATE = {"county": None, "state": None}
PLACE = {"geography_key": 7, "postal_code": "01067", "city": "Dresden", "place": "01067 Dresden", **NO_STATE}
NOWHERE = {"geography_key": -1, "postal_code": None, "city": "Unknown", "place": "Unknown", **NO_STATE}
MONTHLY = {
    "citizen_key": 1,
    "geography_key": 7,
    "period_start": "2025-01-01",
    "data_period": "2025-01",
    "citizen_id": "000000001",
    "age_years": 30,
    "age_band": "25-44",
    "citizen_count": 1,
}
CHANGE = {
    "change_key": 1,
    "period_start": "2025-01-01",
    "data_period": "2025-01",
    "citizen_id": "000000001",
    "change_type": "arrived",
    "changed_columns": None,
    "citizen_key": 1,
    "previous_citizen_key": -1,
    "geography_key": 7,
    "previous_geography_key": -1,
    "change_count": 1,
}
GROUP = {
    "period_start": "2025-01-01",
    "data_period": "2025-01",
    "geography_key": 7,
    "gender": "F",
    "age_band": "25-44",
    "population": 500,
    "population_month_before": None,
    "month_over_month_change": None,
    "population_year_before": None,
    "year_over_year_change": None,
}
FEBRUARY = {"period_start": "2025-02-01", "data_period": "2025-02"}
GOOD_MART: dict[str, list[dict[str, Any]]] = {
    "dim_citizen": [
        NOBODY | {"valid_from": "1900-01-01", "valid_to": "9999-12-31", "is_current": True},
        CITIZEN,
        CITIZEN | {"citizen_key": 2, "valid_from": "2025-02-01", "valid_to": "9999-12-31", "is_current": True},
    ],
    "dim_geography": [NOWHERE, PLACE],
    "dim_date": [
        *year_2025(),
        dict.fromkeys(date_row(dt.date.min, 1)) | {"date_key": -1, "date_day": "2024-12-31"},
    ],
    "fct_citizen_monthly": [MONTHLY, MONTHLY | FEBRUARY | {"citizen_key": 2, "age_years": None}],
    "fct_citizen_change": [
        CHANGE,
        CHANGE
        | FEBRUARY
        | {"change_key": 2, "change_type": "moved", "changed_columns": "city", "previous_citizen_key": 1},
    ],
    "agg_population_monthly": [
        GROUP,
        GROUP | {"gender": "M"},
        GROUP | FEBRUARY | {"population_month_before": 500, "population": 510, "month_over_month_change": 10},
        GROUP | FEBRUARY | {"gender": "M", "population_month_before": 500, "month_over_month_change": 0},
    ],
}
BAD_MART: dict[str, list[dict[str, Any]]] = {
    "dim_citizen": [
        NOBODY | {"gender": "Q"},
        CITIZEN | {"geography_key": -1},
        CITIZEN | {"valid_to": "9999-12-31"},
        CITIZEN | {"valid_from": "2025-01-15", "valid_to": "9999-12-31", "is_current": True},
        CITIZEN | {"valid_to": "2025-01-01"},
    ],
    "dim_geography": [NOWHERE, PLACE, PLACE | {"postal_code": "1067"}],
    "dim_date": [
        date_row(dt.date(2025, 5, 5), 20250506) | {"month_of_year": 13, "iso_week": 54, "iso_weekday": 0},
        date_row(dt.date(2024, 12, 31), -1),
    ],
    "fct_citizen_monthly": [
        MONTHLY | {"age_years": -1, "age_band": "unknown", "citizen_count": 2},
        MONTHLY | {"data_period": "2025-02", "citizen_key": -1},
    ],
    "fct_citizen_change": [
        CHANGE | {"change_type": "gone", "change_count": 0},
        CHANGE | {"data_period": "2025-02", "change_type": "other change"},
    ],
    "agg_population_monthly": [
        GROUP | {"gender": "U", "age_band": "unknown", "population": -1},
        GROUP | {"data_period": "2025-02", "population": 9000},
        GROUP | FEBRUARY | {"population_month_before": 1, "month_over_month_change": 0},
    ],
}


def make_mart(project: Project) -> None:
    kinds = {"key": "bigint", "period_start": "date", "date_day": "date", "valid_from": "date", "valid_to": "date"}
    texts = (
        "citizen_id",
        "gender",
        "postal_code",
        "city",
        "county",
        "state",
        "place",
        "data_period",
        "age_band",
        "change_type",
    )
    kinds |= dict.fromkeys((*texts, "changed_columns"), "varchar(60)") | {"is_current": "boolean"}
    for table, (row, *_) in GOOD_MART.items():
        make_table(project, f"mart.{table}", {name: kinds.get(name, "bigint") for name in row})


def test_the_mart_suites_pass_on_a_sound_mart_and_every_check_can_fail(project: Project) -> None:
    make_mart(project)
    for table, rows in GOOD_MART.items():
        insert(project, f"mart.{table}", *rows)
    fine = {"passed"} if knows_patterns(project) else {"passed", "skipped"}
    assert [check for check in gate(project, "mart").checks if check.result not in fine] == []

    for table, rows in BAD_MART.items():
        insert(project, f"mart.{table}", *rows, dict.fromkeys(rows[0]))
    broken_ones = {"failed", *(fine - {"passed"})}
    assert [check for check in gate(project, "mart").checks if check.result not in broken_ones] == []


def test_the_suites_ask_for_no_column_that_the_models_lack(project: Project) -> None:
    """The tables above are hand-made: each of their columns is one of the model's."""
    described = {
        model["name"]: {column["name"] for column in model["columns"]}
        for path in sorted((project.root / "dbt_project/models/marts").rglob("*.yml"))
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
    }
    assert set(described) == set(GOOD_MART)
    assert {table: sorted(set(rows[0]) - described[table]) for table, rows in GOOD_MART.items()} == {
        table: [] for table in GOOD_MART
    }

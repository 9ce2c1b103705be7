"""The suites of the insurer's core and mart: sound tables pass, and every check can fail."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import yaml

from loader.gates import Check
from tests.conftest import Project
from tests.support.engines import Engine
from tests.support.gating import gate, insert, make_table
from tests.support.insurer import CONTRACTS

Row = dict[str, Any]

VERSION = {"dbt_scd_id": "a", "dbt_valid_from": "2025-01-01", "dbt_valid_to": "2025-03-01"}
MEMBER = {
    "member_id": "M00000001",
    "gender": "F",
    "city": "Miami",
    "county": "Miami-Dade",
    "state": "FL",
    "postal_code": "33101",
    "rating_area": 1,
}
PLAN = {
    "health_plan_id": "11111FL0010001",
    "issuer_id": "11111",
    "metal_tier": "Silver",
    "deductible": 4500,
    "premium_21": 300,
    "area_factor_1": 1,
}
PROVIDER = {
    "provider_id": "1000000004",
    "provider_type": "Facility",
    "specialty": "Hospital",
    "postal_code": "33101",
    "network_status": "In network",
}
ENROLLMENT = {
    "member_id": "M00000001",
    "health_plan_id": "11111FL0010001",
    "premium_amount": 300,
    "subsidy_amount": 100,
}
CLAIM = {
    "claim_id": "C0000000000001",
    "line_number": 1,
    "member_id": "M00000001",
    "health_plan_id": "11111FL0010001",
    "provider_id": "1000000004",
    "claim_type": "Pharmacy",
    "service_date": "2025-01-05",
    "allowed_amount": 50,
    "paid_amount": 40,
    "member_amount": 10,
    "line_status": "Paid",
}
ENTITIES = {"members": MEMBER, "health_plans": PLAN, "providers": PROVIDER, "enrollments": ENROLLMENT, "claims": CLAIM}
HISTORIES: dict[str, Row] = {
    dataset: {name: None for name, column in CONTRACTS[dataset]["columns"].items() if column.get("tracked", True)} | row
    for dataset, row in ENTITIES.items()
}
GOOD_CORE: dict[str, list[Row]] = {
    table: [row | VERSION, row | {"dbt_scd_id": "b", "dbt_valid_from": "2025-04-01", "dbt_valid_to": None}]
    for table, row in HISTORIES.items()
}
UNSOUND = [
    {"dbt_scd_id": "a", "dbt_valid_from": "2025-02-01", "dbt_valid_to": "2025-02-01"},
    {"dbt_scd_id": "c", "dbt_valid_from": "2025-04-15 12:00:00", "dbt_valid_to": None},
]
UNSOUND_VALUES: dict[str, Row] = {
    "members": {"gender": "Q", "rating_area": 7},
    "health_plans": {"metal_tier": "Copper", "premium_21": -1},
    "providers": {"provider_type": "Robot", "network_status": "Perhaps"},
    "enrollments": {"subsidy_amount": 301},
    "claims": {"line_status": "Void", "claim_type": "Other", "allowed_amount": 51},
}
BAD_CORE = {table: [row | UNSOUND_VALUES[table] | version for version in UNSOUND] for table, row in HISTORIES.items()}

CURRENT = {"valid_from": "2025-02-01", "valid_to": "9999-12-31", "is_current": True}
ENDED = {"valid_from": "2025-01-01", "valid_to": "2025-02-01", "is_current": False}
EVER = {"valid_from": "1900-01-01", "valid_to": "9999-12-31", "is_current": True}
UNSOUND_DIMENSION = [
    {"valid_from": "2025-01-15", "valid_to": "9999-12-31", "is_current": False},
    {"valid_from": "2025-02-01", "valid_to": "2025-02-01", "is_current": False},
]


def dimension(key: str, row: Row, unknown: Row) -> list[Row]:
    return [{key: -1} | unknown | EVER, {key: 1} | row | ENDED, {key: 2} | row | CURRENT]


def bad_dimension(key: str, row: Row, unknown: Row) -> list[Row]:
    return [{key: -1} | unknown | EVER, *({key: 1} | row | version for version in UNSOUND_DIMENSION)]


MEMBER_ROW = {"member_id": "M00000001", "gender": "F", "rating_area": 1, "geography_key": 7}
NOBODY = {"member_id": "unknown", "gender": "U", "rating_area": -1, "geography_key": -1}
PLAN_ROW = {"health_plan_id": "11111FL0010001", "metal_tier": "Silver"}
NO_PLAN = {"health_plan_id": "unknown", "metal_tier": "Unknown"}
PROVIDER_ROW = {"provider_id": "1000000004", "network_status": "In network", "geography_key": 7}
NO_PROVIDER = {"provider_id": "unknown", "network_status": "Unknown", "geography_key": -1}
LINE = {
    "claim_id": "C0000000000001",
    "line_number": 1,
    "service_date_key": 20250105,
    "received_date_key": 20250110,
    "member_key": 1,
    "health_plan_key": 1,
    "provider_key": 1,
    "geography_key": 7,
    "period_start": "2025-01-10",
    "data_period": "2025-01-10",
    "service_date": "2025-01-05",
    "service_month": "2025-01-01",
    "received_date": "2025-01-10",
    "member_id": "M00000001",
    "health_plan_id": "11111FL0010001",
    "provider_id": "1000000004",
    "claim_type": "Pharmacy",
    "line_status": "Paid",
    "age_years": 36,
    "age_band": "30-39",
    "claim_line_count": 1,
    "units": 30,
    "allowed_amount": 50,
    "paid_amount": 40,
    "member_amount": 10,
}
ENROLLED = {
    "member_key": 1,
    "health_plan_key": 1,
    "geography_key": 7,
    "period_start": "2025-01-01",
    "data_period": "2025-01",
    "member_id": "M00000001",
    "health_plan_id": "11111FL0010001",
    "age_years": 36,
    "age_band": "30-39",
    "member_months": 1,
    "premium_amount": 300,
    "subsidy_amount": 100,
    "net_premium_amount": 200,
}
COUNTED = {
    "health_plan_id": "11111FL0010001",
    "health_plan_key": 1,
    "claim_line_count": 2,
    "denied_line_count": 1,
    "allowed_amount": 50,
    "paid_amount": 40,
    "member_amount": 10,
}
MISCOUNTED = {"claim_line_count": 0, "paid_amount": -1}
BY_DAY = COUNTED | {"service_date": "2025-01-05", "provider_id": "1000000004", "provider_key": 1}
BY_MONTH = COUNTED | {
    "service_month": "2025-01-01",
    "member_id": "M00000001",
    "member_key": 1,
    "age_band": "30-39",
}
DAY = {
    "date_day": "2025-01-05",
    "date_key": 20250105,
    "health_plan_id": "11111FL0010001",
    "health_plan_key": 1,
    "paid_amount": 5,
    "premium_amount": 10,
    "paid_amount_30_days": 50,
    "premium_amount_30_days": 100,
    "loss_ratio_30_days": 1,
    "paid_amount_30_days_year_before": None,
    "premium_amount_30_days_year_before": None,
}
LATER = {
    "date_day": "2026-01-05",
    "date_key": 20260105,
    "paid_amount_30_days_year_before": 50,
    "premium_amount_30_days_year_before": 100,
}
CELL = {
    "month_start": "2025-01-01",
    "metal_tier": "Silver",
    "rating_area": 1,
    "age_band": "30-39",
    "claim_line_count": 2,
    "member_months": 1,
    "paid_amount": 40,
    "premium_amount": 300,
    "loss_ratio": 1,
}


def cube() -> list[Row]:
    found = []
    for level, kept in enumerate(product([True, False], repeat=4)):
        rolled_up = [name for name, is_kept in zip(list(CELL)[:4], kept, strict=True) if not is_kept]
        found.append({**CELL, **dict.fromkeys(rolled_up), "grouping_level": level})
    return found


GOOD_MART: dict[str, list[Row]] = {
    "dim_member": dimension("member_key", MEMBER_ROW, NOBODY),
    "dim_health_plan": dimension("health_plan_key", PLAN_ROW, NO_PLAN),
    "dim_provider": dimension("provider_key", PROVIDER_ROW, NO_PROVIDER),
    "fct_claim_line": [
        LINE,
        LINE | {"line_number": 2, "line_status": "Denied", "allowed_amount": 10, "paid_amount": 0},
        LINE | {"line_number": 3, "member_key": -1, "geography_key": -1, "age_years": None, "age_band": "unknown"},
    ],
    "fct_enrollment": [ENROLLED, ENROLLED | {"period_start": "2025-02-01", "data_period": "2025-02"}],
    "agg_claims_daily_plan_provider": [BY_DAY, BY_DAY | {"service_date": "2025-01-06"}],
    "agg_claims_monthly_member": [BY_MONTH, BY_MONTH | {"service_month": "2025-02-01"}],
    "agg_plan_performance": [DAY, DAY | LATER],
    "cube_claims": cube(),
}
BAD_MART: dict[str, list[Row]] = {
    "dim_member": bad_dimension(
        "member_key", MEMBER_ROW | {"gender": "Q", "rating_area": 9, "geography_key": -1}, NOBODY
    ),
    "dim_health_plan": bad_dimension("health_plan_key", PLAN_ROW | {"metal_tier": "Copper"}, NO_PLAN),
    "dim_provider": bad_dimension(
        "provider_key", PROVIDER_ROW | {"network_status": "Perhaps", "geography_key": -1}, NO_PROVIDER
    ),
    "fct_claim_line": [
        LINE | {"claim_line_count": 2, "line_status": "Void", "claim_type": "Other", "age_band": "80+", "units": 0},
        LINE | {"age_years": -1, "paid_amount": -1, "member_amount": -1, "geography_key": -1},
        LINE | {"line_status": "Denied", "received_date": "2025-01-04", "service_month": "2025-02-01"},
        LINE | {"data_period": "2025-01-11"},
        *[LINE | {"line_number": number, "member_key": -1} for number in range(4, 1005)],
    ],
    "fct_enrollment": [
        ENROLLED | {"member_months": 2, "age_band": "80+", "age_years": -1, "subsidy_amount": -1},
        ENROLLED | {"net_premium_amount": -1, "data_period": "2025-02", "geography_key": -1},
    ],
    "agg_claims_daily_plan_provider": [BY_DAY | MISCOUNTED],
    "agg_claims_monthly_member": [BY_MONTH | MISCOUNTED, BY_MONTH | {"service_month": "2025-01-02", "age_band": "80+"}],
    "agg_plan_performance": [
        DAY | {"paid_amount": -1, "premium_amount": -1, "paid_amount_30_days": -2, "loss_ratio_30_days": None},
        DAY | LATER | {"date_day": "2026-01-06", "health_plan_id": "22222FL0010001"},
        DAY | LATER | {"paid_amount_30_days_year_before": 1},
    ],
    "cube_claims": [
        CELL | {"grouping_level": 0, "metal_tier": "Copper", "age_band": "80+", "paid_amount": -1, "loss_ratio": None},
        CELL | {"grouping_level": 0},
        dict.fromkeys(CELL) | {"grouping_level": 0},
        CELL | {"grouping_level": 17, "claim_line_count": 7},
    ],
}
DATES = ("date_day", "valid_from", "valid_to", "period_start", "service_date", "service_month", "received_date")
NUMBERS = ("rating_area", "age_years", "line_number", "units", "member_months", "deductible", "grouping_level")
NUMBER_ENDINGS = ("_key", "_count", "_amount", "_before", "_days", "_21", "factor_1", "_ratio")


def kind_of(column: str) -> str:
    if column in (*DATES, "month_start"):
        return "date"
    if column.startswith("dbt_valid"):
        return "timestamp"
    if column == "is_current":
        return "boolean"
    return "bigint" if column in NUMBERS or column.endswith(NUMBER_ENDINGS) else "varchar(60)"


def put(project: Project, layer: str, tables: dict[str, list[Row]]) -> None:
    for table, rows in tables.items():
        for first in range(0, len(rows), 900):  # SQL Server takes a thousand at once
            insert(project, f"{layer}.{table}", *rows[first : first + 900])


def unexpected(project: Project, layer: str, result: str) -> list[Check]:
    tables = list(GOOD_CORE if layer == "core" else GOOD_MART)
    return [check for check in gate(project, layer, tables).checks if check.result != result]


def test_sound_tables_pass_and_every_check_can_fail(engine: Engine, new_project: Callable[..., Project]) -> None:
    project = new_project(engine, whole=True)
    for layer, good, bad in (("core", GOOD_CORE, BAD_CORE), ("mart", GOOD_MART, BAD_MART)):
        for table, (row, *_) in good.items():
            make_table(project, f"{layer}.{table}", {name: kind_of(name) for name in row})
        put(project, layer, good)
        assert unexpected(project, layer, "passed") == []
        put(project, layer, {table: [*rows, dict.fromkeys(rows[0])] for table, rows in bad.items()})
        assert {check.check for check in unexpected(project, layer, "failed")} <= {"has the columns of a history"}


def test_the_suites_ask_for_no_column_that_the_models_lack(new_project: Callable[..., Project]) -> None:
    """The tables above are hand-made: each of their columns is one that is described."""
    root = new_project("duckdb", whole=True).root / "dbt_project"
    for tables, folder, kind in ((GOOD_CORE, "snapshots/aca", "snapshots"), (GOOD_MART, "models/marts/aca", "models")):
        described = {
            one["name"]: {column["name"] for column in one["columns"]}
            for path in (root / folder).glob("*.yml")
            for one in yaml.safe_load(path.read_text(encoding="utf-8")).get(kind, [])
        }
        assert set(described) == set(tables)
        assert {table: set(rows[0]) - described[table] for table, rows in tables.items()} == {
            table: set() for table in tables
        }

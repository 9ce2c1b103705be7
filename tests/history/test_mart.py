"""The star over the citizens, in the real project: what a hand-made story gives, and that a rebase leaves no trace."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest

from tests.history.feeding import Dataset, deliver, prepare, rollback
from tests.history.oracle import Row
from tests.history.warehouse import Warehouse

CITIZENS = Dataset(
    "citizens",
    {
        "citizen_id": "varchar(9)",
        "first_name": "varchar(60)",
        "last_name": "varchar(60)",
        "birth_date": "date",
        "gender": "varchar(1)",
        "email": "varchar(254)",
        "phone": "varchar(16)",
        "street": "varchar(100)",
        "house_number": "varchar(10)",
        "postal_code": "varchar(5)",
        "city": "varchar(60)",
        "moved_in_on": "date",
    },
    key=["citizen_id"],
)
TABLES = [
    "dim_citizen",
    "dim_date",
    "dim_geography",
    "fct_citizen_monthly",
    "fct_citizen_change",
    "agg_population_monthly",
]
UNKNOWN = -1


def citizen(number: int, **changes: Any) -> Row:
    dresden = {"street": "Hauptstraße", "house_number": "1", "postal_code": "01067", "city": "Dresden"}
    return {
        "citizen_id": f"{number:09d}",
        "first_name": "Anna",
        "last_name": "Öztürk",
        "birth_date": date(2000, 2, 29),
        "gender": "F",
        "email": None,
        "phone": None,
        "moved_in_on": None,
        **dresden,
        **changes,
    }


LEIPZIG = {"postal_code": "04103", "city": "Leipzig"}
MARRIED = {"last_name": "Weiß"}

# 1 stays, 2 moves, 3 leaves and returns, 4 marries, then moves and has a new name again.
STORY = {
    "2024-02": [citizen(1), citizen(2)],
    "2025-01": [citizen(1), citizen(2), citizen(3), citizen(4)],
    "2025-02": [citizen(1), citizen(2, **LEIPZIG), citizen(4, **MARRIED)],
    "2025-03": [citizen(1), citizen(2, **LEIPZIG), citizen(3), citizen(4, **LEIPZIG)],
}


@pytest.fixture(scope="module")
def story(real_warehouse: Warehouse) -> Warehouse:
    """The story, loaded and built with every test of the project."""
    real_warehouse.clear()
    prepare(real_warehouse, CITIZENS)
    for period, rows in STORY.items():
        deliver(real_warehouse, CITIZENS, period, rows)
    real_warehouse.dbt("build")
    return real_warehouse


def test_the_star_tells_the_story(story: Warehouse) -> None:
    assert not [message for message in story.messages if "WARN" in message and "WARN=0" not in message]

    assert sorted(
        story.rows("select data_period, citizen_id, change_type, changed_columns from mart.fct_citizen_change")
    ) == [
        ("2024-02", "000000001", "arrived", None),
        ("2024-02", "000000002", "arrived", None),
        ("2025-01", "000000003", "arrived", None),
        ("2025-01", "000000004", "arrived", None),
        ("2025-02", "000000002", "moved", "postal_code, city"),
        ("2025-02", "000000003", "left", None),
        ("2025-02", "000000004", "other change", "last_name"),
        ("2025-03", "000000003", "returned", ""),
        ("2025-03", "000000004", "moved", "last_name, postal_code, city"),
    ]

    # Surrogate keys are worked out here as docs/understand/history.md tells, in plain Python.
    dresden, leipzig = surrogate_key("01067", "Dresden"), surrogate_key("04103", "Leipzig")
    assert sorted(
        story.rows(
            "select period_start, citizen_id, citizen_key, geography_key, age_years from mart.fct_citizen_monthly"
        )
    ) == [
        (date(2024, 2, 1), "000000001", citizen_key(1, "2024-02-01"), dresden, 24),
        (date(2024, 2, 1), "000000002", citizen_key(2, "2024-02-01"), dresden, 24),
        (date(2025, 1, 1), "000000001", citizen_key(1, "2024-02-01"), dresden, 24),
        (date(2025, 1, 1), "000000002", citizen_key(2, "2024-02-01"), dresden, 24),
        (date(2025, 1, 1), "000000003", citizen_key(3, "2025-01-01"), dresden, 24),
        (date(2025, 1, 1), "000000004", citizen_key(4, "2025-01-01"), dresden, 24),
        (date(2025, 2, 1), "000000001", citizen_key(1, "2024-02-01"), dresden, 24),
        (date(2025, 2, 1), "000000002", citizen_key(2, "2025-02-01"), leipzig, 24),
        (date(2025, 2, 1), "000000004", citizen_key(4, "2025-02-01"), dresden, 24),
        (date(2025, 3, 1), "000000001", citizen_key(1, "2024-02-01"), dresden, 25),
        (date(2025, 3, 1), "000000002", citizen_key(2, "2025-02-01"), leipzig, 25),
        (date(2025, 3, 1), "000000003", citizen_key(3, "2025-03-01"), dresden, 25),
        (date(2025, 3, 1), "000000004", citizen_key(4, "2025-03-01"), leipzig, 25),
    ]
    assert sorted(
        story.rows(
            "select data_period, geography_key, age_band, population, month_over_month_change,"
            " year_over_year_change from mart.agg_population_monthly where gender = 'F'"
        )
    ) == sorted(
        [
            ("2024-02", dresden, "18-24", 2, None, None),
            ("2025-01", dresden, "18-24", 4, None, None),
            ("2025-02", dresden, "18-24", 2, -2, 0),
            ("2025-02", leipzig, "18-24", 1, 1, 1),
            ("2025-03", dresden, "18-24", 0, -2, None),
            ("2025-03", leipzig, "18-24", 0, -1, None),
            ("2025-03", dresden, "25-44", 2, 2, None),
            ("2025-03", leipzig, "25-44", 2, 2, None),
        ]
    )
    assert sorted(
        story.rows("select valid_from, valid_to, is_current from mart.dim_citizen where citizen_id = '000000003'")
    ) == [
        (date(2025, 1, 1), date(2025, 2, 1), False),
        (date(2025, 3, 1), date(9999, 12, 31), True),
    ]


def test_the_calendar_is_iso(story: Warehouse) -> None:
    days = {
        row[0]: row[1:]
        for row in story.rows(
            "select date_day, date_key, iso_year, iso_week, iso_weekday, is_unknown from mart.dim_date"
        )
    }
    known = {day for day, row in days.items() if not row[-1]}
    assert (min(known), max(known)) == (date(2023, 1, 1), date(2026, 12, 31))
    assert len(days) == len(known) + 1 == (max(known) - min(known)).days + 2
    assert {day: days[day][:4] for day in known} == {
        day: (int(day.strftime("%Y%m%d")), *day.isocalendar()) for day in known
    }


def test_every_dimension_has_an_unknown_member(story: Warehouse) -> None:
    for table, key in (("dim_citizen", "citizen_key"), ("dim_geography", "geography_key"), ("dim_date", "date_key")):
        assert story.rows(f"select count(*) from mart.{table} where {key} = {UNKNOWN}") == [(1,)]


def test_a_rebase_leaves_what_a_full_refresh_gives(story: Warehouse) -> None:
    deliver(
        story,
        CITIZENS,
        "2025-01",
        [citizen(1, **LEIPZIG), citizen(3), citizen(5, postal_code="09111", city="Chemnitz")],
    )
    rollback(story, CITIZENS, "2025-03", None, [])
    deliver(story, CITIZENS, "2024-12", [])
    story.dbt("build")
    rebased = contents(story)
    assert ("2024-12", "000000001", "left") in story.rows(
        "select data_period, citizen_id, change_type from mart.fct_citizen_change"
    )

    story.dbt("run", "--full-refresh")
    assert contents(story) == rebased


def contents(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(warehouse.rows(f"select * from mart.{table}"), key=repr) for table in TABLES}


def citizen_key(number: int, valid_from: str) -> int:
    return surrogate_key(f"{number:09d}", f"{valid_from} 00:00:00.000000")


def surrogate_key(*parts: str) -> int:
    text = ",".join('"' + part.replace('"', '""') + '"' for part in parts)
    return int(hashlib.md5(text.encode()).hexdigest()[:15], 16)


def test_two_builds_of_everything_at_once(story: Warehouse) -> None:
    """On a server each waits for what the other is writing, table by table; a DuckDB file has one writer."""
    before = contents(story)
    codes = [process.wait() for process in [story.start_dbt("build"), story.start_dbt("build")]]
    if story.engine == "duckdb":
        assert 0 in codes
    else:
        assert codes == [0, 0]
    assert contents(story) == before

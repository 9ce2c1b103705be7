"""The tests of a staged table look, in a build, at what the build is about to read; nothing gets by them."""

from __future__ import annotations

import pytest

from tests.history.feeding import deliver, prepare
from tests.history.oracle import Unknown
from tests.history.test_mart import CITIZENS, citizen
from tests.history.warehouse import Warehouse

CORE = ("--indirect-selection", "buildable", "--select", "source:stage", "resource_type:snapshot")
EDIT = "update stage.citizens set city = null where citizen_id = '000000002' and _data_period = '{}'"
VERSIONS = "select citizen_id, city, dbt_valid_from from core.citizens"


@pytest.fixture
def built(real_warehouse: Warehouse) -> Warehouse:
    """Two months in core."""
    real_warehouse.clear()
    prepare(real_warehouse, CITIZENS)
    for period in ("2025-01", "2025-02"):
        deliver(real_warehouse, CITIZENS, period, [citizen(1), citizen(2)])
    real_warehouse.dbt("build", *CORE)
    return real_warehouse


def failed(warehouse: Warehouse, *command: str) -> list[str]:
    """Names of the tests that failed."""
    result = warehouse.dbt(*command, check=False)
    return [node.node.name for node in result.result if node.status == "fail"]


def test_bad_rows_stop_a_build_until_they_are_mended(built: Warehouse) -> None:
    before = built.rows(VERSIONS)
    deliver(built, CITIZENS, "2025-03", [citizen(1, city=None), citizen(2, city="Leipzig"), citizen(2, city="Riesa")])
    expected = [
        "source_not_null_stage_citizens_city",
        "source_unique_combination_stage_citizens__data_period__citizen_id",
    ]
    for _ in range(2):
        assert sorted(failed(built, "build", *CORE)) == expected
        assert built.rows(VERSIONS) == before

    deliver(built, CITIZENS, "2025-03", [citizen(1), citizen(2, city="Leipzig")])
    built.dbt("build", *CORE)
    assert len(built.rows(VERSIONS)) == len(before) + 1


def test_rows_edited_by_hand_are_found_when_they_are_read_and_by_dbt_test(built: Warehouse) -> None:
    built.execute(EDIT.format("2025-02"))
    built.dbt("build", *CORE)  # reads nothing
    assert failed(built, "test", *CORE) == ["source_not_null_stage_citizens_city"]
    assert failed(built, "build", "--full-refresh", *CORE) == ["source_not_null_stage_citizens_city"]

    deliver(built, CITIZENS, "2025-01", [citizen(1), citizen(2), citizen(3)])
    assert failed(built, "build", *CORE) == ["source_not_null_stage_citizens_city"]


def test_all_rows_are_looked_at_when_somebody_else_reads_them(built: Warehouse) -> None:
    built.execute(EDIT.format("2025-02"))
    built.edit("dbt_project/macros/subjects/citizens.sql", "ref('citizens')", "source('stage', 'citizens')")
    assert failed(built, "build", *CORE) == ["source_not_null_stage_citizens_city"]


def test_all_rows_are_looked_at_when_core_is_gone(built: Warehouse) -> None:
    built.execute(EDIT.format("2025-02"), "drop table core.citizens")
    assert failed(built, "build", *CORE) == ["source_not_null_stage_citizens_city"]


def test_a_build_looks_at_the_versions_that_it_touches(built: Warehouse) -> None:
    """A version without length, by hand."""
    columns, day = "citizen_id, dbt_scd_id, dbt_valid_from, dbt_valid_to", "2025-01-15"
    built.execute(f"insert into core.citizens ({columns}) values ('000000002', 'x', '{day}', '{day}')")
    deliver(built, CITIZENS, "2025-03", [citizen(1, city="Leipzig"), citizen(2)])
    built.dbt("build", *CORE)  # touches another key
    sound = ["history_is_sound_citizens_citizen_id"]
    assert failed(built, "test", *CORE) == sound
    assert failed(built, "build", "--full-refresh", *CORE) == sound
    assert failed(built, "build", "--vars", "check_all: true", *CORE) == sound

    before = built.rows(VERSIONS)
    deliver(built, CITIZENS, "2025-04", [citizen(1, city="Leipzig")])
    for _ in range(2):
        result = built.dbt("build", *CORE, check=False)
        assert any("core.citizens: 2 versions would overlap" in str(node.message) for node in result.result)
        assert built.rows(VERSIONS) == before
    built.dbt("run-operation", "rebuild_history", "--args", "{snapshot: citizens}")
    built.dbt("build", *CORE)


def test_a_key_that_is_carried_has_to_be_unknown(built: Warehouse) -> None:
    before = built.rows(VERSIONS)
    deliver(built, CITIZENS, "2025-03", [citizen(1)], Unknown(frozenset({("000000002",)})))
    built.dbt("build", *CORE)
    assert built.rows(VERSIONS) == before
    built.execute("delete from stage.citizens__unknown")
    assert failed(built, "build", *CORE) == ["history_matches_stage_citizens_source_stage_citizens_"]
